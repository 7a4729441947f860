/*
 * Workers that start slowly: preloaded into nginx.  They wait, before the
 * modules know of them, while the file KTP_TEST_HOLD exists.
 */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>


static const char *file;


/* nginx's workers have another environment */

__attribute__((constructor)) static void
start(void)
{
    const char *name = getenv("KTP_TEST_HOLD");

    file = name ? strdup(name) : NULL;
}


/* what a worker of root's calls first */

int
initgroups(const char *user, gid_t group)
{
    int (*real)(const char *, gid_t) =
        (int (*)(const char *, gid_t)) dlsym(RTLD_NEXT, "initgroups");

    while (file && access(file, F_OK) == 0) {
        (void) usleep(1000);
    }

    return real(user, group);
}
