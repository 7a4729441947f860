/*
 * A clock that is late: preloaded into nginx.  KTP_TEST_LATE is a file with
 * the id of a process as a 32-bit integer, or 0: its monotonic clock is a
 * second behind that of all others, as it is in a worker that has much to do
 * between two updates of its time.
 */

#define _GNU_SOURCE
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>


static volatile int32_t *late;


/* nginx's workers have another environment, but the same mapping */

__attribute__((constructor)) static void
start(void)
{
    int         fd;
    void       *p;
    const char *name = getenv("KTP_TEST_LATE");

    fd = name ? open(name, O_RDONLY) : -1;

    if (fd == -1) {
        return;
    }

    p = mmap(NULL, sizeof(*late), PROT_READ, MAP_SHARED, fd, 0);
    close(fd);

    late = p == MAP_FAILED ? NULL : p;
}


int
clock_gettime(clockid_t clock, struct timespec *ts)
{
    int rc;

    rc = (int) syscall(SYS_clock_gettime, clock, ts);

    if (rc == 0 && late && *late == getpid()
        && (clock == CLOCK_MONOTONIC_COARSE || clock == CLOCK_MONOTONIC)) {
        ts->tv_sec -= 1;
    }

    return rc;
}
