#include "ktpd_master.h"
#include "ktpd_channel.h"
#include "ktpd_http.h"
#include "ktpd_jobs.h"
#include "ktpd_log.h"
#include "ktpr_reader.h"
#include "ktpd_sandbox.h"
#include "ktpd_worker.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

/*
 * Milliseconds from one worker of a place to the next, when the first failed:
 * whatever ends them at once shall not keep a processor busy.
 */
#define KTPD_PAUSE 500

/* Seconds that a stop may take beyond what requests may take. */
#define KTPD_STOP_SPARE 35


typedef struct {
    pid_t    pid; /* 0: none */
    uint64_t life;
    uint64_t born;       /* ktpd_jobs_now() */
    uint64_t not_before; /* that the next one is made */
} ktpd_place_t;

typedef struct {
    const ktpd_options_t *opt;
    ktpd_listen_t        *ls;
    ktpr_reader_t        *reader;
    ktpd_slot_t           slots[KTPD_MAX_WORKERS];
    ktpd_place_t          places[KTPD_MAX_WORKERS];
    pid_t                 pid;
    pid_t                 http;
    int                   channel; /* to the HTTP process */
    int                   signals;
    int                   null;
    int                   code;     /* exit code */
    uint64_t              deadline; /* of a stop; 0: none is asked for */
} ktpd_master_t;


static int  ktpd_master_prepare(ktpd_master_t *m);
static int  ktpd_master_http(ktpd_master_t *m, ktpd_credentials_t *cred);
static int  ktpd_master_loop(ktpd_master_t *m);
static int  ktpd_master_wait(const ktpd_master_t *m);
static void ktpd_master_hire(ktpd_master_t *m);
static int  ktpd_master_fork(ktpd_master_t *m, unsigned slot);
static void ktpd_master_message(ktpd_master_t *m);
static void ktpd_master_signal(ktpd_master_t *m);
static void ktpd_master_reap(ktpd_master_t *m);
static void ktpd_master_ended(ktpd_master_t *m, unsigned slot, int status);
static void ktpd_master_stop(ktpd_master_t *m);
static void ktpd_master_close(ktpd_master_t *m);


int
ktpd_master_run(const ktpd_options_t *opt, ktpd_listen_t *ls,
                ktpd_credentials_t *cred)
{
    static ktpd_master_t master;

    master.opt = opt;
    master.ls = ls;
    master.pid = getpid();
    master.code = EXIT_FAILURE;

    if (ktpd_master_prepare(&master) == 0
        && ktpd_master_http(&master, cred) == 0) {
        ktpd_credentials_free(cred);
        master.reader = ktpr_reader_create(opt->tessdata, time(NULL));

        if (master.reader == NULL || ktpr_reader_load(master.reader) != 0) {
            ktpd_log("the language data cannot be loaded");

        } else if (ktpd_sandbox_master(opt->sandbox) == 0) {
            master.code = ktpd_master_loop(&master);
        }
    }

    ktpd_master_close(&master);

    return master.code;
}


/* everything that is opened is opened here */

static int
ktpd_master_prepare(ktpd_master_t *m)
{
    int      fd[2];
    void    *image;
    sigset_t set;
    unsigned i;

    for (i = 0; i < m->opt->workers; i++) {
        image = mmap(NULL, KTP_MAX_IMAGE, PROT_READ | PROT_WRITE,
                     MAP_SHARED | MAP_ANONYMOUS, -1, 0);

        if (image == MAP_FAILED || ktpd_channel_pair(fd) == -1) {
            ktpd_log_errno("no memory for %u workers", m->opt->workers);
            return -1;
        }

        /* never in a core dump; in swap only where the limit is too small */

        (void) madvise(image, KTP_MAX_IMAGE, MADV_DONTDUMP);
        (void) mlock2(image, KTP_MAX_IMAGE, MLOCK_ONFAULT);

        m->slots[i].http = fd[0];
        m->slots[i].worker = fd[1];
        m->slots[i].image = image;
    }

    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGCHLD);

    if (sigprocmask(SIG_BLOCK, &set, NULL) == -1
        || signal(SIGPIPE, SIG_IGN) == SIG_ERR
        || signal(SIGHUP, SIG_IGN) == SIG_ERR) {
        ktpd_log_errno("signals cannot be set up");
        return -1;
    }

    m->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    m->null = open("/dev/null", O_RDWR | O_CLOEXEC);

    if (m->signals == -1 || m->null == -1) {
        ktpd_log_errno("%s", m->null == -1 ? "/dev/null" : "signalfd()");
        return -1;
    }

    return 0;
}


/* before the language data are loaded: it has no use for them */

static int
ktpd_master_http(ktpd_master_t *m, ktpd_credentials_t *cred)
{
    int      fd[2], rc;
    unsigned i;

    if (ktpd_channel_pair(fd) == -1) {
        ktpd_log_errno("socketpair() failed");
        return -1;
    }

    m->channel = fd[0];
    m->http = fork();

    if (m->http == -1) {
        ktpd_log_errno("fork() failed");
        return -1;
    }

    if (m->http > 0) {
        close(fd[1]);

        /* when the HTTP process lets it go, nobody shall be kept waiting */

        close(m->ls->fd);
        m->ls->fd = -1;

        return 0;
    }

    close(fd[0]);
    close(m->signals);
    close(m->null);

    for (i = 0; i < m->opt->workers; i++) {
        close(m->slots[i].worker);
    }

    rc = EXIT_FAILURE;

    if (ktpd_sandbox_child(m->pid) == 0) {
        rc = ktpd_http_run(m->opt, m->ls->fd, fd[1], m->slots, cred);
    }

    ktpd_credentials_free(cred);
    _exit(rc);
}


static int
ktpd_master_loop(ktpd_master_t *m)
{
    struct pollfd fds[2];

    fds[0].fd = m->signals;
    fds[0].events = POLLIN;
    fds[1].fd = m->channel;
    fds[1].events = POLLIN;

    while (m->http != 0) {
        ktpd_master_hire(m);

        if (poll(fds, 2, ktpd_master_wait(m)) == -1 && errno != EINTR) {
            ktpd_log_errno("poll() failed");
            return EXIT_FAILURE;
        }

        if (fds[1].revents & POLLIN) {
            ktpd_master_message(m);
        }

        if (fds[0].revents & POLLIN) {
            ktpd_master_signal(m);
        }

        if (m->deadline != 0 && m->deadline <= ktpd_jobs_now()) {
            ktpd_log("stopped with requests in flight");
            return EXIT_FAILURE;
        }

        if (fds[1].revents & POLLHUP) {
            fds[1].fd = -1;
        }
    }

    return m->code;
}


static int
ktpd_master_wait(const ktpd_master_t *m)
{
    unsigned i;
    uint64_t now, next;

    next = m->deadline != 0 ? m->deadline : UINT64_MAX;

    for (i = 0; i < m->opt->workers; i++) {
        if (m->places[i].pid == 0 && m->places[i].not_before < next) {
            next = m->places[i].not_before;
        }
    }

    if (next == UINT64_MAX) {
        return -1;
    }

    now = ktpd_jobs_now();

    return next <= now ? 0 : (int) (next - now);
}


/* a worker for every place that has none */

static void
ktpd_master_hire(ktpd_master_t *m)
{
    unsigned      i;
    ktpd_place_t *place;

    for (i = 0; i < m->opt->workers; i++) {
        place = &m->places[i];

        if (place->pid == 0 && place->not_before <= ktpd_jobs_now()
            && ktpd_master_fork(m, i) != 0) {
            place->not_before = place->born + KTPD_PAUSE;
        }
    }
}


static int
ktpd_master_fork(ktpd_master_t *m, unsigned slot)
{
    pid_t         pid;
    ktpd_worker_t worker;

    m->places[slot].life++;
    m->places[slot].born = ktpd_jobs_now();
    pid = fork();

    if (pid == -1) {
        ktpd_log_errno("fork() failed");
        return -1;
    }

    if (pid > 0) {
        m->places[slot].pid = pid;
        return 0;
    }

    memset(&worker, 0, sizeof(worker));
    worker.slots = m->slots;
    worker.n = m->opt->workers;
    worker.slot = slot;
    worker.life = m->places[slot].life;
    worker.reader = m->reader;
    worker.null = m->null;
    worker.timeout = m->opt->timeout;
    worker.sandbox = m->opt->sandbox;

    if (ktpd_sandbox_child(m->pid) != 0) {
        _exit(KTPD_WORKER_FAILED);
    }

    ktpd_worker_run(&worker);
}


static void
ktpd_master_message(ktpd_master_t *m)
{
    ptrdiff_t      n;
    ktpd_place_t  *place;
    ktpd_message_t message;

    n = ktpd_channel_receive(m->channel, &message, sizeof(message), 0);

    if (n != sizeof(message)) {
        return;
    }

    if (message.type == KTPD_SERVING) {
        ktpd_log("listening on %s", m->ls->name);
        return;
    }

    if (message.type == KTPD_KILL && message.slot < m->opt->workers) {
        place = &m->places[message.slot];

        /* another one may sit there already */

        if (place->pid != 0 && place->life == message.life) {
            ktpd_log("worker %u was over its deadline", message.slot);
            kill(place->pid, SIGKILL);
        }
    }
}


static void
ktpd_master_signal(ktpd_master_t *m)
{
    struct signalfd_siginfo info;

    while (read(m->signals, &info, sizeof(info)) == sizeof(info)) {
        if (info.ssi_signo == SIGCHLD) {
            ktpd_master_reap(m);

        } else {
            ktpd_master_stop(m);
        }
    }
}


static void
ktpd_master_reap(ktpd_master_t *m)
{
    int      status;
    pid_t    pid;
    unsigned i;

    for (;;) {
        pid = waitpid(-1, &status, WNOHANG);

        if (pid <= 0) {
            return;
        }

        if (pid == m->http) {
            m->http = 0;

            if (WIFEXITED(status) && WEXITSTATUS(status) == 0
                && m->deadline != 0) {
                m->code = EXIT_SUCCESS;

            } else {
                ktpd_log("the HTTP process ended, status %d", status);
            }
        }

        for (i = 0; i < m->opt->workers; i++) {
            if (m->places[i].pid == pid) {
                ktpd_master_ended(m, i, status);
            }
        }
    }
}


static void
ktpd_master_ended(ktpd_master_t *m, unsigned slot, int status)
{
    ktpd_message_t message;

    m->places[slot].pid = 0;

    /* what it had not read yet is not for the next one */

    while (ktpd_channel_receive(m->slots[slot].worker, &message,
                                sizeof(message), 0)
           > 0) {
        /* void */
    }

    if (WIFSIGNALED(status)) {
        ktpd_log("worker %u was ended by signal %d", slot, WTERMSIG(status));

    } else if (WEXITSTATUS(status) != KTPD_WORKER_DONE) {
        ktpd_log("worker %u failed, exit code %d", slot, WEXITSTATUS(status));

    } else {
        return;
    }

    m->places[slot].not_before = m->places[slot].born + KTPD_PAUSE;
}


static void
ktpd_master_stop(ktpd_master_t *m)
{
    ktpd_message_t message;

    if (m->deadline != 0) {
        m->deadline = ktpd_jobs_now();
        return;
    }

    ktpd_log("stopping");

    m->deadline =
        ktpd_jobs_now() + (2 * m->opt->timeout + KTPD_STOP_SPARE) * 1000;

    memset(&message, 0, sizeof(message));
    message.type = KTPD_STOP;

    if (ktpd_channel_send(m->channel, &message, sizeof(message)) != 0) {
        ktpd_log_errno("the HTTP process cannot be told to stop");
        m->deadline = ktpd_jobs_now();
    }
}


static void
ktpd_master_close(ktpd_master_t *m)
{
    unsigned i;

    for (i = 0; i < m->opt->workers; i++) {
        if (m->places[i].pid != 0) {
            kill(m->places[i].pid, SIGKILL);
        }
    }

    if (m->http > 0) {
        kill(m->http, SIGKILL);
    }

    /* nobody is left that could use the socket when its file goes */

    while (wait4(-1, NULL, 0, NULL) > 0) {
        /* void */
    }

    ktpd_listen_close(m->ls);
    ktpr_reader_destroy(m->reader);
}
