/*
 * Mappings that fail, as if memory was short: preloaded into nginx.  While the
 * file KTP_TEST_NOMEM exists, mmap() fails for those who call it directly, as
 * the module does; malloc() does not.
 *
 * If the file has a number N, and behind it what tells this order from those
 * before, one call only fails: the Nth from 0 of mmap(), and of
 * posix_memalign() and malloc() by nginx itself, for its pools, and of
 * malloc(), calloc() and realloc() by hiredis.  The file is removed then.
 */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>


typedef void *(*mmap_pt)(void *, size_t, int, int, int, off_t);
typedef int (*memalign_pt)(void **, size_t, size_t);

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t n, size_t size);
extern void *__libc_realloc(void *p, size_t size);

static char *path;

/* code of the program itself, without libraries, and that of hiredis */
static struct {
    uintptr_t first, last;
} program, hiredis;


static int
ktp_test_nomem_code(struct dl_phdr_info *info, size_t size, void *data)
{
    int       i;
    uintptr_t p;

    /* the program comes first, and has no name */

    if (data == &hiredis
        && strstr(info->dlpi_name, "/libhiredis.so") == NULL) {
        return 0;
    }

    for (i = 0; i < info->dlpi_phnum; i++) {
        if (info->dlpi_phdr[i].p_type == PT_LOAD
            && (info->dlpi_phdr[i].p_flags & PF_X)) {
            p = info->dlpi_addr + info->dlpi_phdr[i].p_vaddr;

            if (data == &hiredis) {
                hiredis.first = p;
                hiredis.last = p + info->dlpi_phdr[i].p_memsz;

            } else {
                program.first = p;
                program.last = p + info->dlpi_phdr[i].p_memsz;
            }
        }
    }

    return 1;
}


/* a process title is written over the environment */

__attribute__((constructor)) static void
ktp_test_nomem_init(void)
{
    const char *value;

    value = getenv("KTP_TEST_NOMEM");
    path = value ? strdup(value) : NULL;
    (void) dl_iterate_phdr(ktp_test_nomem_code, &program);
}


/* Whether a call fails; those for pools do only one at a time. */

static int
ktp_test_nomem_fails(int pool)
{
    int     fd;
    char    text[32];
    ssize_t n;

    static long left;
    static char seen[sizeof(text)];

    fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;

    if (fd < 0) {
        return 0;
    }

    n = read(fd, text, sizeof(text) - 1);
    close(fd);

    if (n <= 0) {
        return !pool;
    }

    text[n] = '\0';

    if (strcmp(text, seen) != 0) {
        strcpy(seen, text);
        left = strtol(text, NULL, 10);

        /* the module, and what it needs, are loaded later than this */

        (void) dl_iterate_phdr(ktp_test_nomem_code, &hiredis);
    }

    if (left-- != 0) {
        return 0;
    }

    unlink(path);

    return 1;
}


void *
mmap(void *address, size_t size, int protection, int flags, int fd,
     off_t offset)
{
    static mmap_pt next;

    if ((flags & MAP_ANONYMOUS) && ktp_test_nomem_fails(0)) {
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


int
posix_memalign(void **p, size_t alignment, size_t size)
{
    static memalign_pt next;

    if (ktp_test_nomem_fails(1)) {
        return ENOMEM;
    }

    if (next == NULL) {
        next = (memalign_pt) dlsym(RTLD_NEXT, "posix_memalign");
    }

    return next(p, alignment, size);
}


static int
ktp_test_nomem_hiredis(void *caller)
{
    uintptr_t p;

    p = (uintptr_t) caller;

    return p >= hiredis.first && p < hiredis.last && ktp_test_nomem_fails(1);
}


void *
malloc(size_t size)
{
    uintptr_t caller;

    caller = (uintptr_t) __builtin_return_address(0);

    if ((caller >= program.first && caller < program.last
         && ktp_test_nomem_fails(1))
        || ktp_test_nomem_hiredis((void *) caller)) {
        errno = ENOMEM;
        return NULL;
    }

    return __libc_malloc(size);
}


void *
calloc(size_t n, size_t size)
{
    if (ktp_test_nomem_hiredis(__builtin_return_address(0))) {
        errno = ENOMEM;
        return NULL;
    }

    return __libc_calloc(n, size);
}


void *
realloc(void *p, size_t size)
{
    if (ktp_test_nomem_hiredis(__builtin_return_address(0))) {
        errno = ENOMEM;
        return NULL;
    }

    return __libc_realloc(p, size);
}
