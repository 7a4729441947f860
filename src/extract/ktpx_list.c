#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "ktpx_list.h"


int
ktpx_list_append(ktpx_list_t *list, const char *name)
{
    int    room;
    char **names;

    if (list->n == list->room) {
        room = list->room > 0 ? 2 * list->room : 64;
        names = realloc(list->names, sizeof(char *) * (size_t) room);
        if (names == NULL) {
            perror(name);
            return -1;
        }

        list->names = names;
        list->room = room;
    }

    list->names[list->n] = strdup(name);
    if (list->names[list->n] == NULL) {
        perror(name);
        return -1;
    }

    list->n++;

    return 0;
}


/* Whether a name ends as one of a picture, of whatever type. */
static int
ktpx_list_is_picture(const char *name)
{
    size_t      i;
    const char *dot;

    static const char *const ends[] = {".jpg",  ".jpeg", ".png",  ".heic",
                                       ".heif", ".avif", ".webp", ".pdf",
                                       ".gif",  ".bmp",  ".tif",  ".tiff"};

    dot = strrchr(name, '.');

    for (i = 0; dot != NULL && i < sizeof(ends) / sizeof(ends[0]); i++) {
        if (strcasecmp(dot, ends[i]) == 0) {
            return 1;
        }
    }

    return 0;
}


static int
ktpx_list_seen(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}


/*
 * Appends the pictures or, with folders set, what the folders have.  What was
 * deleted meanwhile is skipped.
 */
static int
ktpx_list_entry(ktpx_list_t *list, const char *path, const char *name,
                int folders)
{
    struct stat st;

    if (lstat(path, &st) != 0) {
        return 0;
    }

    if (S_ISDIR(st.st_mode)) {
        return folders ? ktpx_list_folder(list, path) : 0;
    }

    return !folders && ktpx_list_is_picture(name) && stat(path, &st) == 0
                   && S_ISREG(st.st_mode)
               ? ktpx_list_append(list, path)
               : 0;
}


static int
ktpx_list_entries(ktpx_list_t *list, const char *folder,
                  struct dirent **entries, int n, int folders)
{
    int         i, rc;
    char       *path;
    size_t      size;
    const char *name, *slash;

    rc = 0;
    slash = folder[strlen(folder) - 1] == '/' ? "" : "/";

    for (i = 0; i < n; i++) {
        name = entries[i]->d_name;
        size = strlen(folder) + strlen(name) + 2;
        path = malloc(size);

        if (path == NULL) {
            perror(folder);
            return -1;
        }

        snprintf(path, size, "%s%s%s", folder, slash, name);
        rc |= ktpx_list_entry(list, path, name, folders);
        free(path);
    }

    return rc;
}


int
ktpx_list_folder(ktpx_list_t *list, const char *folder)
{
    int             i, n, rc;
    struct dirent **entries;

    n = *folder != '\0' ? scandir(folder, &entries, ktpx_list_seen, alphasort)
                        : -1;
    if (n < 0) {
        perror(folder);
        return -1;
    }

    rc = ktpx_list_entries(list, folder, entries, n, 0);
    rc |= ktpx_list_entries(list, folder, entries, n, 1);

    for (i = 0; i < n; i++) {
        free(entries[i]);
    }

    free(entries);

    return rc;
}


void
ktpx_list_free(ktpx_list_t *list)
{
    while (list->n > 0) {
        free(list->names[--list->n]);
    }

    free(list->names);
}
