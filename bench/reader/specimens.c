#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "specimens.h"


static int
specimens_image(const struct dirent *entry)
{
    const char *dot;

    dot = strrchr(entry->d_name, '.');

    return dot != NULL
           && (strcmp(dot, ".jpg") == 0 || strcmp(dot, ".jpeg") == 0
               || strcmp(dot, ".png") == 0);
}


int
specimens_list(const char *folder, int stride, specimens_t *specimens)
{
    int             i, n, failed;
    size_t          size;
    struct dirent **entries;

    specimens->n = 0;
    specimens->names = NULL;

    n = scandir(folder, &entries, specimens_image, alphasort);
    if (n < 0) {
        perror(folder);
        return -1;
    }

    specimens->names = calloc((size_t) n + 1, sizeof(char *));
    failed = specimens->names == NULL;

    for (i = 0; i < n; i++) {
        size = strlen(folder) + strlen(entries[i]->d_name) + 2;

        if (!failed && i % stride == 0) {
            specimens->names[specimens->n] = malloc(size);
            failed = specimens->names[specimens->n] == NULL;

            if (!failed) {
                snprintf(specimens->names[specimens->n++], size, "%s/%s",
                         folder, entries[i]->d_name);
            }
        }

        free(entries[i]);
    }

    free(entries);

    if (failed) {
        fprintf(stderr, "%s: no memory\n", folder);
        specimens_free(specimens);
        return -1;
    }

    return 0;
}


void
specimens_free(specimens_t *specimens)
{
    while (specimens->n > 0) {
        free(specimens->names[--specimens->n]);
    }

    free(specimens->names);
}


void
specimens_truth(const char *image, char *name, unsigned size)
{
    char *dot;

    snprintf(name, size, "%s", image);
    dot = strrchr(name, '.');

    if (dot != NULL) {
        snprintf(dot, size - (unsigned) (dot - name), ".json");
    }
}
