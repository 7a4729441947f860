#include "ktpd_sandbox.h"
#include "ktpd_log.h"
#include <errno.h>
#include <grp.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

/*
 * Memory of a worker: the language models, an image of the pixel ceiling
 * decoded, and what recognition needs, three times over.
 */
#define KTPD_WORKER_MEMORY (1024UL * 1024 * 1024)

/* AddressSanitizer reserves terabytes, and reads files for its reports */
#if defined(__SANITIZE_ADDRESS__)
#define KTPD_SANITIZED 1
#else
#define KTPD_SANITIZED 0
#endif

/* ends a list of system calls */
#define KTPD_NO_CALL (-1)


/* clang-format off */

/* memory, time, and what the C library does to itself */
static const int ktpd_calls_common[] = {
    SCMP_SYS(brk), SCMP_SYS(munmap), SCMP_SYS(mremap), SCMP_SYS(madvise),
    SCMP_SYS(futex), SCMP_SYS(clock_gettime), SCMP_SYS(gettimeofday),
    SCMP_SYS(time), SCMP_SYS(getrandom), SCMP_SYS(sched_yield),
    SCMP_SYS(sched_getaffinity), SCMP_SYS(restart_syscall),
    SCMP_SYS(rt_sigreturn), SCMP_SYS(rt_sigprocmask), SCMP_SYS(getpid),
    SCMP_SYS(gettid), SCMP_SYS(exit), SCMP_SYS(exit_group), SCMP_SYS(write),
    SCMP_SYS(sendto), SCMP_SYS(recvfrom), SCMP_SYS(close), SCMP_SYS(fstat),
    SCMP_SYS(lseek), SCMP_SYS(set_robust_list),

    /* a large qsort(); what malloc() says of a broken heap before abort() */
    SCMP_SYS(sysinfo), SCMP_SYS(writev),
    KTPD_NO_CALL
};

static const int ktpd_calls_http[] = {
    SCMP_SYS(poll), SCMP_SYS(ppoll), SCMP_SYS(epoll_wait),
    SCMP_SYS(epoll_pwait), SCMP_SYS(epoll_ctl), SCMP_SYS(accept4),
    SCMP_SYS(sendmsg), SCMP_SYS(read), SCMP_SYS(shutdown),
    SCMP_SYS(setsockopt),
    KTPD_NO_CALL
};

/* the master's own, and what a worker calls before it has its own list */
static const int ktpd_calls_master[] = {
    SCMP_SYS(poll), SCMP_SYS(ppoll), SCMP_SYS(read), SCMP_SYS(wait4),
    SCMP_SYS(kill), SCMP_SYS(unlink), SCMP_SYS(unlinkat),
    SCMP_SYS(lstat), SCMP_SYS(newfstatat),
    SCMP_SYS(prctl), SCMP_SYS(seccomp), SCMP_SYS(prlimit64),
    SCMP_SYS(setrlimit), SCMP_SYS(getrlimit), SCMP_SYS(getppid),
    SCMP_SYS(dup2), SCMP_SYS(dup3), SCMP_SYS(close_range),
    SCMP_SYS(rt_sigaction), SCMP_SYS(rseq), SCMP_SYS(uname),
    KTPD_NO_CALL
};

/* what libraries try in passing, and can do without */
static const int ktpd_calls_refused[] = {
    SCMP_SYS(open), SCMP_SYS(openat), SCMP_SYS(openat2), SCMP_SYS(creat),
    SCMP_SYS(stat), SCMP_SYS(lstat), SCMP_SYS(newfstatat), SCMP_SYS(statx),
    SCMP_SYS(access), SCMP_SYS(faccessat), SCMP_SYS(faccessat2),
    SCMP_SYS(readlink), SCMP_SYS(readlinkat), SCMP_SYS(getcwd),
    SCMP_SYS(ioctl),
    KTPD_NO_CALL
};

#if (KTPD_SANITIZED)
static const int ktpd_calls_sanitizer[] = {
    SCMP_SYS(openat), SCMP_SYS(open), SCMP_SYS(read), SCMP_SYS(readlink),
    SCMP_SYS(stat), SCMP_SYS(newfstatat), SCMP_SYS(mprotect),
    SCMP_SYS(sigaltstack), SCMP_SYS(rt_sigaction), SCMP_SYS(getrlimit),
    SCMP_SYS(prlimit64), SCMP_SYS(prctl), SCMP_SYS(ioctl), SCMP_SYS(tgkill),
    SCMP_SYS(getcwd), SCMP_SYS(pipe), SCMP_SYS(pipe2), SCMP_SYS(access),
    SCMP_SYS(process_vm_readv), SCMP_SYS(uname),
    KTPD_NO_CALL
};
#endif

/* clang-format on */


static int ktpd_sandbox_limit(int resource, rlim_t value, const char *name);
static int ktpd_sandbox_close(unsigned first, unsigned last);
static int ktpd_sandbox_apply(const int *calls, int fork);
static int ktpd_sandbox_allow(scmp_filter_ctx filter, uint32_t action,
                              const int *calls);
static int ktpd_sandbox_memory(scmp_filter_ctx filter);
static int ktpd_sandbox_fork(scmp_filter_ctx filter);
static int ktpd_sandbox_abort(scmp_filter_ctx filter, int fork);


int
ktpd_sandbox_user(const struct passwd *pw)
{
    if (initgroups(pw->pw_name, pw->pw_gid) == -1
        || setresgid(pw->pw_gid, pw->pw_gid, pw->pw_gid) == -1
        || setresuid(pw->pw_uid, pw->pw_uid, pw->pw_uid) == -1) {
        ktpd_log_errno("cannot become user \"%s\"", pw->pw_name);
        return -1;
    }

    if (pw->pw_uid != 0 && setuid(0) != -1) {
        ktpd_log("user \"%s\" could become root again", pw->pw_name);
        return -1;
    }

    return 0;
}


int
ktpd_sandbox_early(void)
{
    if (ktpd_sandbox_limit(RLIMIT_CORE, 0, "core") != 0) {
        return -1;
    }

    if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == -1
        || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1) {
        ktpd_log_errno("prctl() failed");
        return -1;
    }

    return 0;
}


int
ktpd_sandbox_child(pid_t parent)
{
    sigset_t none;

    /* a terminal sends its signals to the whole group */

    if (signal(SIGINT, SIG_IGN) == SIG_ERR
        || signal(SIGTERM, SIG_IGN) == SIG_ERR
        || signal(SIGHUP, SIG_IGN) == SIG_ERR || sigemptyset(&none) == -1
        || sigprocmask(SIG_SETMASK, &none, NULL) == -1
        || prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) == -1) {
        ktpd_log_errno("a new process could not be set up");
        return -1;
    }

    return getppid() == parent ? 0 : -1;
}


static int
ktpd_sandbox_limit(int resource, rlim_t value, const char *name)
{
    struct rlimit limit;

    limit.rlim_cur = value;
    limit.rlim_max = value;

    if (setrlimit(resource, &limit) == -1) {
        ktpd_log_errno("the limit \"%s\" cannot be set", name);
        return -1;
    }

    return 0;
}


int
ktpd_sandbox_master(unsigned sandbox)
{
    return sandbox ? ktpd_sandbox_apply(ktpd_calls_master, 1) : 0;
}


int
ktpd_sandbox_http(unsigned connections, uint64_t memory, unsigned sandbox)
{
    rlim_t files;

    if (!sandbox) {
        return 0;
    }

    if (!KTPD_SANITIZED
        && ktpd_sandbox_limit(RLIMIT_DATA, (rlim_t) memory, "data") != 0) {
        return -1;
    }

    /* channels to the workers, and the handful that it has anyway */

    files = connections + 64 + 16;

    if (ktpd_sandbox_limit(RLIMIT_NOFILE, files, "nofile") != 0
        || ktpd_sandbox_limit(RLIMIT_NPROC, 0, "nproc") != 0) {
        return -1;
    }

    return ktpd_sandbox_apply(ktpd_calls_http, 0);
}


/* close_range(), which not every C library has */

static int
ktpd_sandbox_close(unsigned first, unsigned last)
{
    return (int) syscall(SYS_close_range, first, last, 0);
}


int
ktpd_sandbox_worker(int channel, int null, unsigned cpu, unsigned sandbox)
{
    static const int none[] = {KTPD_NO_CALL};

    if (!sandbox) {
        return 0;
    }

    if (!KTPD_SANITIZED
        && ktpd_sandbox_limit(RLIMIT_DATA, KTPD_WORKER_MEMORY, "data") != 0) {
        return -1;
    }

    /* a spin is ended by the kernel even if nobody else does it */

    if (ktpd_sandbox_limit(RLIMIT_CPU, cpu + 1, "cpu") != 0
        || ktpd_sandbox_limit(RLIMIT_NPROC, 0, "nproc") != 0) {
        return -1;
    }

    if (dup2(null, STDIN_FILENO) == -1 || dup2(null, STDOUT_FILENO) == -1
        || (channel > 3 && ktpd_sandbox_close(3, (unsigned) channel - 1) == -1)
        || ktpd_sandbox_close((unsigned) channel + 1, ~0U) == -1) {
        ktpd_log_errno("descriptors cannot be closed");
        return -1;
    }

    /* libraries say on standard error what they see in an image */

    if (!KTPD_SANITIZED && dup2(STDOUT_FILENO, STDERR_FILENO) == -1) {
        return -1;
    }

    return ktpd_sandbox_apply(none, 0);
}


/*
 * Allows the common calls, those of the list and, with fork, new processes;
 * everything else ends the process.
 */

static int
ktpd_sandbox_apply(const int *calls, int fork)
{
    int             rc;
    scmp_filter_ctx filter;

    filter = seccomp_init(SCMP_ACT_KILL_PROCESS);

    if (filter == NULL) {
        ktpd_log("seccomp_init() failed");
        return -1;
    }

    rc = ktpd_sandbox_allow(filter, SCMP_ACT_ALLOW, ktpd_calls_common);
    rc = rc == 0 ? ktpd_sandbox_allow(filter, SCMP_ACT_ALLOW, calls) : rc;

#if (KTPD_SANITIZED)
    rc = rc == 0
             ? ktpd_sandbox_allow(filter, SCMP_ACT_ALLOW, ktpd_calls_sanitizer)
             : rc;
#endif

    rc = rc == 0 ? ktpd_sandbox_allow(filter, SCMP_ACT_ERRNO(EACCES),
                                      ktpd_calls_refused)
                 : rc;
    rc = rc == 0 ? ktpd_sandbox_memory(filter) : rc;
    rc = rc == 0 ? ktpd_sandbox_abort(filter, fork) : rc;
    rc = rc == 0 && fork ? ktpd_sandbox_fork(filter) : rc;
    rc = rc == 0 ? seccomp_load(filter) : rc;

    seccomp_release(filter);

    if (rc != 0) {
        errno = -rc;
        ktpd_log_errno("the seccomp filter cannot be set");
        return -1;
    }

    return 0;
}


static int
ktpd_sandbox_allow(scmp_filter_ctx filter, uint32_t action, const int *calls)
{
    int rc;

    for (/* void */; *calls != KTPD_NO_CALL; calls++) {
        rc = seccomp_rule_add(filter, action, *calls, 0);

        /* a call that is allowed already stays so; others are not known to
           every architecture */

        if (rc != 0 && rc != -EEXIST && rc != -EDOM) {
            return rc;
        }
    }

    return 0;
}


static int
ktpd_sandbox_memory(scmp_filter_ctx filter)
{
    int rc;

    rc = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 1,
                          SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));

    if (rc == 0 && !KTPD_SANITIZED) {
        rc = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(mprotect), 1,
                              SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
    }

    return rc;
}


/* a process, neither a thread nor a namespace */

static int
ktpd_sandbox_fork(scmp_filter_ctx filter)
{
    int rc;

    rc = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(clone), 1,
                          SCMP_A0(SCMP_CMP_MASKED_EQ,
                                  CLONE_VM | CLONE_THREAD | CLONE_NEWUSER
                                      | CLONE_NEWPID | CLONE_NEWNS
                                      | CLONE_NEWNET | CLONE_NEWIPC
                                      | CLONE_NEWUTS | CLONE_NEWCGROUP,
                                  0));

    return rc == 0 ? seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS),
                                      SCMP_SYS(clone3), 0)
                   : rc;
}


/*
 * What abort() does, so that the cause of an end can be told.  The master's
 * filter stays on its children, whose pids are not known yet.
 */

static int
ktpd_sandbox_abort(scmp_filter_ctx filter, int fork)
{
    if (KTPD_SANITIZED) {
        return 0;
    }

    if (fork) {
        return seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(tgkill), 1,
                                SCMP_A2(SCMP_CMP_EQ, SIGABRT, 0));
    }

    return seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(tgkill), 2,
                            SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t) getpid(), 0),
                            SCMP_A2(SCMP_CMP_EQ, SIGABRT, 0));
}
