/*
 * Mappings that fail, as if memory was short: preloaded into nginx.  While the
 * file KTP_TEST_NOMEM exists, mmap() fails for those who call it directly, as
 * the module does; malloc() does not.
 */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>


typedef void *(*mmap_pt)(void *, size_t, int, int, int, off_t);

static char *path;


/* a process title is written over the environment */

__attribute__((constructor)) static void
ktp_test_nomem_init(void)
{
    const char *value;

    value = getenv("KTP_TEST_NOMEM");
    path = value ? strdup(value) : NULL;
}


void *
mmap(void *address, size_t size, int protection, int flags, int fd,
     off_t offset)
{
    static mmap_pt next;

    if (path && (flags & MAP_ANONYMOUS) && access(path, F_OK) == 0) {
        errno = ENOMEM;
        return MAP_FAILED;
    }

    if (next == NULL) {
        next = (mmap_pt) dlsym(RTLD_NEXT, "mmap");
    }

    return next(address, size, protection, flags, fd, offset);
}


/* what nginx's headers, with 64-bit offsets, make of mmap() */

void *mmap64(void *address, size_t size, int protection, int flags, int fd,
             off_t offset) __attribute__((alias("mmap")));
