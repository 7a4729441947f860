#include "ktpd_jobs.h"
#include "ktpd_log.h"
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>


typedef struct {
    ktpd_slot_t *slot;
    uint64_t     life; /* of the worker that is ready or at work */
    uint64_t     left; /* when the last one ended its job; ktpd_jobs_now() */
    unsigned     ready : 1;
    unsigned     dirty : 1; /* an image may still be in its memory */
    ktpd_job_t  *job;
    size_t       size; /* of the image */
} ktpd_desk_t;

struct ktpd_jobs_s {
    ktpd_desk_t *desks;
    unsigned     n;
    unsigned     waiting;
    unsigned     queue;
    unsigned     timeout;
    unsigned     served : 1; /* a worker has been ready */
    int          master;
    ktpd_job_t  *first;
    ktpd_job_t **last;
};


static int         ktpd_jobs_receive(ktpd_jobs_t *jobs, ktpd_desk_t *desk);
static void        ktpd_jobs_ready(ktpd_jobs_t *jobs, ktpd_desk_t *desk,
                                   const ktpd_message_t *message);
static void        ktpd_jobs_bind(ktpd_jobs_t *jobs, ktpd_desk_t *desk,
                                  ktpd_job_t *job);
static void        ktpd_jobs_late(ktpd_jobs_t *jobs, ktpd_desk_t *desk);
static void        ktpd_jobs_expire(ktpd_jobs_t *jobs, uint64_t now);
static void        ktpd_jobs_sweep(ktpd_jobs_t *jobs);
static ktpd_job_t *ktpd_jobs_shift(ktpd_jobs_t *jobs);
static void        ktpd_desk_finish(ktpd_desk_t *desk, ktpd_outcome_t outcome,
                                    const ktpd_answer_t *answer);
static void        ktpd_desk_wipe(ktpd_desk_t *desk);


uint64_t
ktpd_jobs_now(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);

    return (uint64_t) ts.tv_sec * 1000 + (uint64_t) ts.tv_nsec / 1000000;
}


ktpd_jobs_t *
ktpd_jobs_create(ktpd_slot_t *slots, unsigned n, unsigned queue,
                 unsigned timeout, int master)
{
    unsigned     i;
    ktpd_jobs_t *jobs;

    jobs = calloc(1, sizeof(ktpd_jobs_t));

    if (jobs == NULL) {
        return NULL;
    }

    jobs->desks = calloc(n, sizeof(ktpd_desk_t));

    if (jobs->desks == NULL) {
        free(jobs);
        return NULL;
    }

    for (i = 0; i < n; i++) {
        jobs->desks[i].slot = &slots[i];
    }

    jobs->n = n;
    jobs->queue = queue;
    jobs->timeout = timeout;
    jobs->master = master;
    jobs->last = &jobs->first;

    return jobs;
}


int
ktpd_jobs_submit(ktpd_jobs_t *jobs, ktpd_job_t *job)
{
    unsigned i, free_desks;

    free_desks = 0;

    for (i = 0; i < jobs->n; i++) {
        free_desks += jobs->desks[i].job == NULL;
    }

    /* those that a free worker takes, or one just being made, do not wait */

    if (jobs->waiting >= jobs->queue + free_desks) {
        ktpd_jobs_sweep(jobs);
    }

    if (jobs->waiting >= jobs->queue + free_desks) {
        return -1;
    }

    job->next = NULL;
    job->deadline = ktpd_jobs_now() + jobs->timeout * 1000;
    *jobs->last = job;
    jobs->last = &job->next;
    jobs->waiting++;

    return 0;
}


void
ktpd_jobs_poll(const ktpd_jobs_t *jobs, struct pollfd *fds)
{
    unsigned i;

    for (i = 0; i < jobs->n; i++) {
        fds[i].fd = jobs->desks[i].slot->http;
        fds[i].events = POLLIN;
        fds[i].revents = 0;
    }
}


int
ktpd_jobs_events(ktpd_jobs_t *jobs, const struct pollfd *fds)
{
    unsigned i;

    for (i = 0; i < jobs->n; i++) {
        if (fds[i].revents != 0
            && ktpd_jobs_receive(jobs, &jobs->desks[i]) != 0) {
            return -1;
        }
    }

    return 0;
}


/* a worker's packets: it says that it is ready, or what an image says */

static int
ktpd_jobs_receive(ktpd_jobs_t *jobs, ktpd_desk_t *desk)
{
    ptrdiff_t     n;
    ktpd_answer_t answer;

    for (;;) {
        n = ktpd_channel_receive(desk->slot->http, &answer, sizeof(answer), 0);

        if (n == -1 && errno == EAGAIN) {
            return 0;
        }

        if (n == 0 || (n == -1 && errno != EMSGSIZE)) {
            ktpd_log_errno("a worker's channel ended");
            return -1;
        }

        if (n == sizeof(ktpd_message_t) && answer.message.type == KTPD_READY) {
            ktpd_jobs_ready(jobs, desk, &answer.message);

        } else if (n != -1 && ktpd_channel_check(&answer, (size_t) n) == 0
                   && desk->job != NULL && answer.message.life == desk->life) {
            ktpd_desk_finish(desk, KTPD_JOB_ANSWERED, &answer);
        }

        explicit_bzero(&answer, sizeof(answer));
    }
}


/*
 * A new worker sits at the desk, so the one before it is gone for good: it
 * can no longer read the shared memory, nor answer.
 */

static void
ktpd_jobs_ready(ktpd_jobs_t *jobs, ktpd_desk_t *desk,
                const ktpd_message_t *message)
{
    ktpd_message_t serving;

    if (message->life <= desk->life) {
        return;
    }

    if (desk->job != NULL) {
        ktpd_desk_finish(desk, KTPD_JOB_CRASHED, NULL);
    }

    ktpd_desk_wipe(desk);
    desk->life = message->life;
    desk->ready = 1;

    if (!jobs->served) {
        jobs->served = 1;
        memset(&serving, 0, sizeof(serving));
        serving.type = KTPD_SERVING;
        (void) ktpd_channel_send(jobs->master, &serving, sizeof(serving));
    }
}


void
ktpd_jobs_run(ktpd_jobs_t *jobs)
{
    unsigned    i;
    uint64_t    now;
    ktpd_job_t *job;

    now = ktpd_jobs_now();

    for (i = 0; i < jobs->n; i++) {
        if (jobs->desks[i].job != NULL
            && jobs->desks[i].job->deadline <= now) {
            ktpd_jobs_late(jobs, &jobs->desks[i]);
        }
    }

    ktpd_jobs_expire(jobs, now);

    for (i = 0; i < jobs->n && jobs->first != NULL; i++) {
        while (jobs->desks[i].ready && jobs->first != NULL) {
            job = ktpd_jobs_shift(jobs);

            if (!job->wanted(job)) {
                job->done(job, KTPD_JOB_EXPIRED, NULL);
                continue;
            }

            ktpd_jobs_bind(jobs, &jobs->desks[i], job);
        }
    }
}


/* the image moves to the worker's memory; the chunks go back at once */

static void
ktpd_jobs_bind(ktpd_jobs_t *jobs, ktpd_desk_t *desk, ktpd_job_t *job)
{
    ktp_chunk_t   *chunk;
    ktpd_message_t message;

    desk->ready = 0;
    desk->job = job;
    desk->dirty = 1;
    desk->size = 0;

    for (chunk = job->image->first; chunk != NULL; chunk = chunk->next) {
        memcpy(desk->slot->image + desk->size, chunk->data, chunk->len);
        desk->size += chunk->len;
    }

    ktp_store_free(job->image);
    job->deadline = ktpd_jobs_now() + jobs->timeout * 1000;

    memset(&message, 0, sizeof(message));
    message.type = KTPD_WORK;
    message.life = desk->life;
    message.size = desk->size;
    message.check = job->check ? 1 : 0;

    /* a worker that is gone already is told by its successor */

    (void) ktpd_channel_send(desk->slot->http, &message, sizeof(message));
}


static void
ktpd_jobs_late(ktpd_jobs_t *jobs, ktpd_desk_t *desk)
{
    ktpd_message_t message;

    memset(&message, 0, sizeof(message));
    message.type = KTPD_KILL;
    message.slot = (uint32_t) (desk - jobs->desks);
    message.life = desk->life;

    if (ktpd_channel_send(jobs->master, &message, sizeof(message)) != 0) {
        ktpd_log_errno("a late worker could not be reported");
    }

    ktpd_desk_finish(desk, KTPD_JOB_LATE, NULL);
}


static void
ktpd_jobs_expire(ktpd_jobs_t *jobs, uint64_t now)
{
    ktpd_job_t *job;

    /* all have the same timeout, so the first is always the oldest */

    while (jobs->first != NULL && jobs->first->deadline <= now) {
        job = ktpd_jobs_shift(jobs);
        job->done(job, KTPD_JOB_EXPIRED, NULL);
    }
}


/* jobs that nobody waits for any more leave the queue */

static void
ktpd_jobs_sweep(ktpd_jobs_t *jobs)
{
    ktpd_job_t *job, **link;

    link = &jobs->first;

    while (*link != NULL) {
        job = *link;

        if (job->wanted(job)) {
            link = &job->next;
            continue;
        }

        *link = job->next;
        jobs->waiting--;
        job->done(job, KTPD_JOB_EXPIRED, NULL);
    }

    jobs->last = link;
}


static ktpd_job_t *
ktpd_jobs_shift(ktpd_jobs_t *jobs)
{
    ktpd_job_t *job;

    job = jobs->first;
    jobs->first = job->next;
    jobs->waiting--;

    if (jobs->first == NULL) {
        jobs->last = &jobs->first;
    }

    return job;
}


static void
ktpd_desk_finish(ktpd_desk_t *desk, ktpd_outcome_t outcome,
                 const ktpd_answer_t *answer)
{
    ktpd_job_t *job;

    job = desk->job;
    desk->job = NULL;
    desk->left = ktpd_jobs_now();

    if (outcome == KTPD_JOB_ANSWERED) {
        ktpd_desk_wipe(desk);
    }

    job->done(job, outcome, answer);
}


static void
ktpd_desk_wipe(ktpd_desk_t *desk)
{
    if (desk->dirty) {
        explicit_bzero(desk->slot->image, desk->size);
        desk->dirty = 0;
    }
}


int
ktpd_jobs_timeout(const ktpd_jobs_t *jobs)
{
    unsigned i;
    uint64_t now, next;

    next = jobs->first != NULL ? jobs->first->deadline : UINT64_MAX;

    for (i = 0; i < jobs->n; i++) {
        if (jobs->desks[i].ready && jobs->first != NULL) {
            return 0;
        }

        if (jobs->desks[i].job != NULL
            && jobs->desks[i].job->deadline < next) {
            next = jobs->desks[i].job->deadline;
        }
    }

    if (next == UINT64_MAX) {
        return -1;
    }

    now = ktpd_jobs_now();

    return next <= now             ? 0
           : next - now >= INT_MAX ? INT_MAX
                                   : (int) (next - now);
}


void
ktpd_jobs_stat(const ktpd_jobs_t *jobs, ktpd_jobs_stat_t *stat)
{
    unsigned i;
    uint64_t left;

    memset(stat, 0, sizeof(ktpd_jobs_stat_t));

    stat->workers = jobs->n;
    stat->waiting = jobs->waiting;
    stat->queue = jobs->queue;
    left = 0;

    for (i = 0; i < jobs->n; i++) {
        stat->ready += jobs->desks[i].ready;
        stat->busy += jobs->desks[i].job != NULL;

        if (jobs->desks[i].left > left) {
            left = jobs->desks[i].left;
        }
    }

    if (stat->ready + stat->busy == 0) {
        stat->none = ktpd_jobs_now() - left;
    }
}


void
ktpd_jobs_free(ktpd_jobs_t *jobs)
{
    free(jobs->desks);
    free(jobs);
}
