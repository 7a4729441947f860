/*
 * A clock that the test sets: preloaded into nginx.  KTP_TEST_LATE is a file
 * with two 32-bit integers.  The first is the id of a process, or 0: its
 * monotonic clock is a second behind that of all others, as it is in a worker
 * that has much to do between two updates of its time.  The second is how many
 * milliseconds the monotonic clocks of all processes are ahead.
 */

#define _GNU_SOURCE
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>


static volatile int32_t *late; /* and ahead */


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

    p = mmap(NULL, 2 * sizeof(*late), PROT_READ, MAP_SHARED, fd, 0);
    close(fd);

    late = p == MAP_FAILED ? NULL : p;
}


int
clock_gettime(clockid_t clock, struct timespec *ts)
{
    int rc, ahead;

    rc = (int) syscall(SYS_clock_gettime, clock, ts);

    if (rc != 0 || late == NULL
        || (clock != CLOCK_MONOTONIC_COARSE && clock != CLOCK_MONOTONIC)) {
        return rc;
    }

    if (late[0] == getpid()) {
        ts->tv_sec -= 1;
    }

    ahead = late[1];
    ts->tv_sec += ahead / 1000;
    ts->tv_nsec += ahead % 1000 * 1000000L;

    if (ts->tv_nsec >= 1000000000L) {
        ts->tv_sec += 1;
        ts->tv_nsec -= 1000000000L;
    }

    return rc;
}
