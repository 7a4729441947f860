#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ktpx_file.h"


/* Maximum size of a file, in bytes. */
#define KTPX_FILE_MAX (64UL << 20)


unsigned char *
ktpx_file_read(const char *name, size_t *len)
{
    FILE          *f;
    size_t         n, room;
    unsigned char *bytes, *more;

    f = strcmp(name, "-") == 0 ? stdin : fopen(name, "rb");
    if (f == NULL) {
        fprintf(stderr, "%s: %s\n", name, strerror(errno));
        return NULL;
    }

    bytes = NULL;
    room = 1 << 16;
    *len = 0;

    do {
        room *= 2;
        more = room <= 2 * KTPX_FILE_MAX ? realloc(bytes, room) : NULL;
        if (more == NULL) {
            fprintf(stderr, "%s: too large\n", name);
            free(bytes);
            bytes = NULL;
            break;
        }

        bytes = more;
        n = fread(bytes + *len, 1, room - *len, f);
        *len += n;
    } while (*len == room);

    if (bytes != NULL && ferror(f)) {
        fprintf(stderr, "%s: %s\n", name, strerror(errno));
        free(bytes);
        bytes = NULL;
    }

    if (f != stdin) {
        fclose(f);
    }

    return bytes;
}
