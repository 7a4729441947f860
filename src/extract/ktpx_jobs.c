#include <errno.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ktpx_jobs.h"


/* What the processes share. */
typedef struct {
    atomic_int next;                 /* file that nobody has taken */
    atomic_int taken[KTPX_JOBS_MAX]; /* file of each process; -1: none */
} ktpx_shared_t;

/* What a process sends, followed by the text of the record. */
typedef struct {
    int           index; /* of the file */
    ktpx_record_t record;
} ktpx_message_t;

typedef struct {
    const ktpx_record_options_t *options;
    char                       **names;
    int                          n;
    int                          progress;
    int                          failed, printed, done, without;
    ktpx_record_t               *records; /* of n files, until printed */
    unsigned char               *ready;   /* which of them are set */
    int                          processes, running;
    ktpx_shared_t               *shared;
    pid_t                        pids[KTPX_JOBS_MAX];
    struct pollfd                pipes[KTPX_JOBS_MAX]; /* fd -1: ended */
} ktpx_jobs_t;


static void
ktpx_jobs_progress(const ktpx_jobs_t *jobs)
{
    if (jobs->progress) {
        fprintf(stderr, "\r%d of %d files, %d without a card%s", jobs->done,
                jobs->n, jobs->without, jobs->done == jobs->n ? "\n" : "");
    }
}


/* Takes the record of a file, and prints those whose turn it is. */
static void
ktpx_jobs_take(ktpx_jobs_t *jobs, int index, const ktpx_record_t *record)
{
    ktpx_record_t *next;

    jobs->records[index] = *record;
    jobs->ready[index] = 1;
    jobs->done++;
    jobs->without += record->failed;
    jobs->failed |= record->failed || record->text == NULL;

    while (jobs->printed < jobs->n && jobs->ready[jobs->printed]) {
        next = &jobs->records[jobs->printed];
        ktpx_record_print(jobs->options, jobs->printed, jobs->n, next);
        free(next->text);
        jobs->printed++;
    }

    ktpx_jobs_progress(jobs);
}


/* Writes or reads all bytes; 0, or -1 at an error or the end. */
static int
ktpx_jobs_transfer(int fd, void *buf, size_t len, int out)
{
    char   *p;
    ssize_t n;

    for (p = buf; len > 0; p += n, len -= (size_t) n) {
        n = out ? write(fd, p, len) : read(fd, p, len);

        if (n < 0 && errno == EINTR) {
            n = 0;

        } else if (n <= 0) {
            return -1;
        }
    }

    return 0;
}


/* A process: reads files that nobody has taken until there are none. */
static void
ktpx_jobs_work(const ktpx_jobs_t *jobs, int slot, int fd)
{
    ktpx_message_t message;

    for (;;) {
        memset(&message, 0, sizeof(message));
        message.index = atomic_fetch_add(&jobs->shared->next, 1);

        if (message.index >= jobs->n) {
            _exit(0);
        }

        atomic_store(&jobs->shared->taken[slot], message.index);
        ktpx_record_read(jobs->options, jobs->names[message.index],
                         &message.record);

        if (ktpx_jobs_transfer(fd, &message, sizeof(message), 1) != 0
            || ktpx_jobs_transfer(fd, message.record.text, message.record.len,
                                  1)
                   != 0) {
            _exit(1);
        }

        free(message.record.text);
    }
}


/* Starts the process of a slot; 0, or -1 with a message. */
static int
ktpx_jobs_start(ktpx_jobs_t *jobs, int slot)
{
    int   i, fds[2];
    pid_t pid;

    atomic_store(&jobs->shared->taken[slot], -1);

    if (pipe(fds) != 0) {
        perror("pipe()");
        return -1;
    }

    pid = fork();

    if (pid == 0) {
        close(fds[0]);
        for (i = 0; i < jobs->processes; i++) {
            if (jobs->pipes[i].fd >= 0) {
                close(jobs->pipes[i].fd);
            }
        }
        ktpx_jobs_work(jobs, slot, fds[1]);
    }

    close(fds[1]);

    if (pid < 0) {
        perror("fork()");
        close(fds[0]);
        return -1;
    }

    jobs->running++;
    jobs->pids[slot] = pid;
    jobs->pipes[slot].fd = fds[0];
    jobs->pipes[slot].events = POLLIN;

    return 0;
}


/* Receives a record; 0, or -1 if the process has ended. */
static int
ktpx_jobs_receive(ktpx_jobs_t *jobs, int slot)
{
    int            fd;
    ktpx_message_t message;

    fd = jobs->pipes[slot].fd;

    if (ktpx_jobs_transfer(fd, &message, sizeof(message), 0) != 0) {
        return -1;
    }

    if (message.record.text != NULL) {
        message.record.text = malloc(message.record.len + 1);

        if (message.record.text == NULL
            || ktpx_jobs_transfer(fd, message.record.text, message.record.len,
                                  0)
                   != 0) {
            free(message.record.text);
            return -1;
        }
    }

    ktpx_jobs_take(jobs, message.index, &message.record);

    return 0;
}


/* Reports a file that no process will. */
static void
ktpx_jobs_lost(ktpx_jobs_t *jobs, int index)
{
    ktpx_record_t record;

    if (index >= 0 && !jobs->ready[index]) {
        fprintf(stderr, "%s: the process that read it ended\n",
                jobs->names[index]);
        ktpx_record_lost(jobs->options, jobs->names[index], &record);
        ktpx_jobs_take(jobs, index, &record);
    }
}


/* The process of a slot has ended: if files are left, another is started. */
static int
ktpx_jobs_ended(ktpx_jobs_t *jobs, int slot)
{
    int status;

    close(jobs->pipes[slot].fd);
    jobs->pipes[slot].fd = -1;

    while (waitpid(jobs->pids[slot], &status, 0) < 0 && errno == EINTR) {
        /* again */
    }

    jobs->running--;
    ktpx_jobs_lost(jobs, atomic_load(&jobs->shared->taken[slot]));

    return atomic_load(&jobs->shared->next) < jobs->n
               ? ktpx_jobs_start(jobs, slot)
               : 0;
}


static int
ktpx_jobs_processes(ktpx_jobs_t *jobs)
{
    int i;

    for (i = 0; i < jobs->processes; i++) {
        jobs->pipes[i].fd = -1;
    }

    for (i = 0; i < jobs->processes; i++) {
        if (ktpx_jobs_start(jobs, i) != 0) {
            return -1;
        }
    }

    while (jobs->running > 0) {
        if (poll(jobs->pipes, (nfds_t) jobs->processes, -1) < 0) {
            if (errno == EINTR) {
                continue;
            }
            perror("poll()");
            return -1;
        }

        for (i = 0; i < jobs->processes; i++) {
            if (jobs->pipes[i].fd >= 0 && jobs->pipes[i].revents != 0
                && ktpx_jobs_receive(jobs, i) != 0
                && ktpx_jobs_ended(jobs, i) != 0) {
                return -1;
            }
        }
    }

    return 0;
}


static int
ktpx_jobs_forked(ktpx_jobs_t *jobs)
{
    int   rc;
    void *shared;

    shared = mmap(NULL, sizeof(ktpx_shared_t), PROT_READ | PROT_WRITE,
                  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED) {
        perror("mmap()");
        return -1;
    }

    jobs->shared = shared;
    fflush(stdout);
    rc = ktpx_jobs_processes(jobs);
    munmap(shared, sizeof(ktpx_shared_t));

    return rc;
}


int
ktpx_jobs_run(const ktpx_record_options_t *options, char **names, int n,
              int processes, int progress)
{
    int           i;
    ktpx_jobs_t   jobs = {0};
    ktpx_record_t record;

    jobs.options = options;
    jobs.names = names;
    jobs.n = n;
    jobs.progress = progress;
    jobs.processes = processes < n ? processes : n;
    jobs.records = calloc((size_t) n, sizeof(ktpx_record_t));
    jobs.ready = calloc((size_t) n, 1);

    if (jobs.records == NULL || jobs.ready == NULL) {
        perror("calloc()");
        jobs.failed = 1;

    } else if (jobs.processes > 1) {
        jobs.failed |= ktpx_jobs_forked(&jobs) != 0;

        for (i = 0; i < n; i++) {
            ktpx_jobs_lost(&jobs, i);
        }

    } else {
        for (i = 0; i < n; i++) {
            ktpx_record_read(options, names[i], &record);
            ktpx_jobs_take(&jobs, i, &record);
        }
    }

    free(jobs.records);
    free(jobs.ready);

    return jobs.failed;
}
