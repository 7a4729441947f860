/*
 * A clock that the test sets: preloaded into nginx.  KTP_TEST_LATE is a file
 * with three integers of native size and order.  The first, of 32 bits, is the
 * id of a process, or 0: its monotonic clock is a second behind that of all
 * others, as it is in a worker that has much to do between two updates of its
 * time.  The second, of 32 bits, is how many milliseconds the monotonic clocks
 * of all processes are ahead.  The third, of 64 bits, is the time in
 * nanoseconds from which on they run a hundred times slower, or 0.
 */

#define _GNU_SOURCE
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>


typedef struct {
    int32_t late;
    int32_t ahead;
    int64_t slow;
} set_t;


static volatile set_t *set;


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

    p = mmap(NULL, sizeof(set_t), PROT_READ, MAP_SHARED, fd, 0);
    close(fd);

    set = p == MAP_FAILED ? NULL : p;
}


int
clock_gettime(clockid_t clock, struct timespec *ts)
{
    int     rc;
    int64_t now, slow;

    rc = (int) syscall(SYS_clock_gettime, clock, ts);

    if (rc != 0 || set == NULL
        || (clock != CLOCK_MONOTONIC_COARSE && clock != CLOCK_MONOTONIC)) {
        return rc;
    }

    now = ts->tv_sec * INT64_C(1000000000) + ts->tv_nsec;
    slow = set->slow;

    if (slow && now > slow) {
        now = slow + (now - slow) / 100;
    }

    now += set->ahead * INT64_C(1000000);

    if (set->late == getpid()) {
        now -= INT64_C(1000000000);
    }

    ts->tv_sec = now / 1000000000;
    ts->tv_nsec = now % 1000000000;

    return rc;
}
