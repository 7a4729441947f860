/*
 * What the daemon's processes can still do once they are enclosed.  Each
 * attempt is made by a child that has entered one of the three sandboxes
 * with the daemon's own function.
 */

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include "ktpd_sandbox.h"

/* Numbers that are sorted: too many for the C library's stack. */
#define SORTED 4096

/* What came of an attempt. */
typedef enum {
    DONE = 0, /* it succeeded */
    REFUSED,  /* it failed with EACCES */
    FAILED,   /* it failed otherwise */
    ENDED,    /* the process was ended by SIGSYS */
    BROKEN    /* it never got so far */
} outcome_t;

typedef enum {
    MASTER = 0,
    HTTP,
    WORKER,
    PROCESSES
} process_t;

typedef struct {
    const char *name;
    int (*try)(void); /* 0, or -1 with errno */
    outcome_t expected[PROCESSES];
} attempt_t;

static int   channel[2];
static pid_t parent;


static int
try_nothing(void)
{
    return 0;
}


static int
try_memory(void)
{
    volatile char *p;

    /* small from the heap, large from the kernel, and given back */

    p = malloc(100);
    p[99] = 1;
    free((void *) (uintptr_t) p);

    p = malloc(10 * 1024 * 1024);
    p[10 * 1024 * 1024 - 1] = 1;
    free((void *) (uintptr_t) p);

    return 0;
}


/* not touched, and not promised by the system either */

static int
try_much_memory(void)
{
    return mmap(NULL, (size_t) 1536 << 20, PROT_READ | PROT_WRITE,
                MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1,
                0) == MAP_FAILED
               ? -1
               : 0;
}


static int
try_channel(void)
{
    char c;

    return send(channel[1], "x", 1, 0) == 1
                   && recv(channel[1], &c, 1, MSG_DONTWAIT) == -1
                   && errno == EAGAIN
               ? 0
               : -1;
}


static int
try_open(void)
{
    return open("/etc/passwd", O_RDONLY);
}


static int
try_create(void)
{
    return open("/tmp/ktpd-sandbox", O_CREAT | O_WRONLY, 0600);
}


static int
try_open_old(void)
{
    return (int) syscall(SYS_open, "/etc/passwd", O_RDONLY);
}


static int
try_stat(void)
{
    struct stat st;

    return stat("/etc/passwd", &st);
}


static int
try_unlink(void)
{
    return unlink("/nonexistent/ktpd-sandbox");
}


static int
try_rename(void)
{
    return rename("/nonexistent/a", "/nonexistent/b");
}


static int
try_socket_inet(void)
{
    return socket(AF_INET, SOCK_STREAM, 0);
}


static int
try_socket_unix(void)
{
    return socket(AF_UNIX, SOCK_STREAM, 0);
}


static int
try_connect(void)
{
    struct sockaddr sa = {.sa_family = AF_UNSPEC};

    return connect(channel[1], &sa, sizeof(sa));
}


static int
try_accept(void)
{
    return accept4(channel[1], NULL, NULL, 0);
}


static int
try_fork(void)
{
    pid_t pid;

    pid = fork();

    if (pid == 0) {
        _exit(0);
    }

    return pid == -1 ? -1 : 0;
}


static void *
thread(void *arg)
{
    return arg;
}


static int
try_thread(void)
{
    int       rc;
    pthread_t id;

    rc = pthread_create(&id, NULL, thread, NULL);
    errno = rc;

    return rc == 0 ? 0 : -1;
}


static int
try_exec(void)
{
    char *argv[] = {(char *) "true", NULL};

    return execv("/bin/true", argv);
}


static int
try_kill(void)
{
    return kill(parent, 0);
}


static int
try_ptrace(void)
{
    return (int) ptrace(PTRACE_TRACEME, 0, NULL, NULL);
}


static int
try_code(void)
{
    return mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS,
                -1,
                0) == MAP_FAILED
               ? -1
               : 0;
}


static int
try_code_later(void)
{
    void *p;

    p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
             -1, 0);

    return mprotect(p, 4096, PROT_READ | PROT_EXEC);
}


static int
try_memfd(void)
{
    return (int) syscall(SYS_memfd_create, "x", 0);
}


static int
try_setuid(void)
{
    return setuid(getuid());
}


static int
try_abort(void)
{
    abort();
}


static int
sort_compare(const void *a, const void *b)
{
    const int *p = a, *q = b;

    return (*p > *q) - (*p < *q);
}


/* the C library asks how much memory there is, before it takes some */

static int
try_sort(void)
{
    int           i;
    volatile int *v;

    v = malloc(SORTED * sizeof(int));

    for (i = 0; i < SORTED; i++) {
        v[i] = SORTED - i;
    }

    qsort((void *) (uintptr_t) v, SORTED, sizeof(int), sort_compare);

    return v[0] == 1 ? 0 : -1;
}


/* what stdio does before the first byte to a device */

static int
try_terminal(void)
{
    return isatty(STDOUT_FILENO) ? 0 : -1;
}


/* glibc says on standard error what is wrong, and aborts */

static int
try_free_twice(void)
{
    void *volatile p;

    p = malloc(2048);
    free(p);
    free(p);

    return 0;
}


static int
enter(process_t process)
{
    int null;

    parent = getppid();

    if (ktpd_sandbox_early() != 0) {
        return -1;
    }

    switch (process) {
    case MASTER:
        return ktpd_sandbox_master(1);

    case HTTP:
        return ktpd_sandbox_child(parent) == 0
                   ? ktpd_sandbox_http(8, 64 << 20, 1)
                   : -1;

    default:
        null = open("/dev/null", O_RDWR);

        return ktpd_sandbox_child(parent) == 0
                   ? ktpd_sandbox_worker(channel[1], null, 5, 1)
                   : -1;
    }
}


static outcome_t
attempt(process_t process, int (*try)(void))
{
    int   status;
    pid_t pid;

    pid = fork();
    assert_true(pid != -1);

    if (pid == 0) {
        if (enter(process) != 0) {
            _exit(BROKEN);
        }

        errno = 0;
        _exit(try() != -1 ? DONE : errno == EACCES ? REFUSED : FAILED);
    }

    assert_int_equal(waitpid(pid, &status, 0), pid);

    if (WIFSIGNALED(status)) {
        return WTERMSIG(status) == SIGSYS ? ENDED : BROKEN;
    }

    return (outcome_t) WEXITSTATUS(status);
}


static void
processes(void **state)
{
    size_t    i;
    process_t p;
    outcome_t got;

    /* clang-format off */

    static const attempt_t attempts[] = {

        /* what they live by             master   HTTP     worker */

        { "nothing",     try_nothing,     { DONE,    DONE,    DONE } },
        { "memory",      try_memory,      { DONE,    DONE,    DONE } },
        { "much memory", try_much_memory, { DONE,    FAILED,  FAILED } },
        { "channel",     try_channel,     { DONE,    DONE,    DONE } },
        { "sort",        try_sort,        { DONE,    DONE,    DONE } },

        /* what nobody does */

        { "open",        try_open,        { REFUSED, REFUSED, REFUSED } },
        { "create",      try_create,      { REFUSED, REFUSED, REFUSED } },
        { "open, old",   try_open_old,    { REFUSED, REFUSED, REFUSED } },
        { "terminal",    try_terminal,    { REFUSED, REFUSED, REFUSED } },
        { "rename",      try_rename,      { ENDED,   ENDED,   ENDED } },
        { "socket inet", try_socket_inet, { ENDED,   ENDED,   ENDED } },
        { "socket unix", try_socket_unix, { ENDED,   ENDED,   ENDED } },
        { "connect",     try_connect,     { ENDED,   ENDED,   ENDED } },
        { "thread",      try_thread,      { ENDED,   ENDED,   ENDED } },
        { "exec",        try_exec,        { ENDED,   ENDED,   ENDED } },
        { "ptrace",      try_ptrace,      { ENDED,   ENDED,   ENDED } },
        { "code",        try_code,        { ENDED,   ENDED,   ENDED } },
        { "code later",  try_code_later,  { ENDED,   ENDED,   ENDED } },
        { "memfd",       try_memfd,       { ENDED,   ENDED,   ENDED } },
        { "setuid",      try_setuid,      { ENDED,   ENDED,   ENDED } },

        /* what one of them does: the master looks at and removes its
           socket's file, makes workers and ends them */

        { "stat",        try_stat,        { DONE,    REFUSED, REFUSED } },
        { "unlink",      try_unlink,      { FAILED,  ENDED,   ENDED } },
        { "fork",        try_fork,        { DONE,    ENDED,   ENDED } },
        { "kill",        try_kill,        { DONE,    ENDED,   ENDED } },
        { "accept",      try_accept,      { ENDED,   FAILED,  ENDED } },

        /* ends by its own signal, so that the cause can be told */

        { "abort",       try_abort,       { BROKEN,  BROKEN,  BROKEN } },
        { "free twice",  try_free_twice,  { BROKEN,  BROKEN,  BROKEN } },
    };

    /* clang-format on */

    (void) state;

    for (i = 0; i < sizeof(attempts) / sizeof(attempts[0]); i++) {
        for (p = 0; p < PROCESSES; p++) {
            got = attempt(p, attempts[i].try);

            if (got != attempts[i].expected[p]) {
                fail_msg("%s, process %d: %d, expected %d", attempts[i].name,
                         p, got, attempts[i].expected[p]);
            }
        }
    }
}


/* a line of /proc/PID/limits has a value, soft and hard */

static void
assert_limit(const char *limits, const char *name, int value)
{
    int         soft, hard;
    const char *line;

    line = strstr(limits, name);
    assert_non_null(line);
    assert_int_equal(sscanf(line + strlen(name), "%d %d", &soft, &hard), 2);
    assert_int_equal(soft, value);
    assert_int_equal(hard, value);
}


/* the kernel ends a worker that spins, even if nobody else does */

static void
limits(void **state)
{
    int    status;
    char   name[64], text[4096], c;
    FILE  *file;
    pid_t  pid;
    size_t n;

    (void) state;

    if (access("/proc/self/limits", R_OK) == -1) {
        skip();
    }

    /* the other test's packets wait in the first pair */

    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, channel), 0);

    pid = fork();
    assert_true(pid != -1);

    if (pid == 0) {
        if (enter(WORKER) == 0 && send(channel[1], "x", 1, 0) == 1) {
            (void) recv(channel[1], &c, 1, 0);
        }

        _exit(0);
    }

    assert_int_equal(recv(channel[0], &c, 1, 0), 1);
    snprintf(name, sizeof(name), "/proc/%d/limits", (int) pid);
    file = fopen(name, "r");
    assert_non_null(file);
    n = fread(text, 1, sizeof(text) - 1, file);
    text[n] = '\0';
    fclose(file);

    assert_int_equal(send(channel[0], "x", 1, 0), 1);
    assert_int_equal(waitpid(pid, &status, 0), pid);

    assert_limit(text, "Max cpu time", 6);
    assert_limit(text, "Max core file size", 0);
    assert_limit(text, "Max processes", 0);
}


int
main(void)
{
    const struct CMUnitTest tests[] = {
#if !defined(__SANITIZE_ADDRESS__)
        /* the sanitizer has calls allowed that its reports need */
        cmocka_unit_test(processes),
#endif
        cmocka_unit_test(limits),
    };

    (void) processes;

    if (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, channel) == -1) {
        return 1;
    }

    return cmocka_run_group_tests(tests, NULL, NULL);
}
