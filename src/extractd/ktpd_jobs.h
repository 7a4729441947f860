/*
 * The jobs of the HTTP process: a bounded queue of images, one slot per
 * worker, and deadlines for waiting and for reading.
 */

#ifndef KTPD_JOBS_H
#define KTPD_JOBS_H

#include <poll.h>
#include <stdint.h>
#include "ktp_store.h"
#include "ktpd_channel.h"


typedef enum {
    KTPD_JOB_ANSWERED, /* the worker answered */
    KTPD_JOB_CRASHED,  /* the worker exited without an answer */
    KTPD_JOB_LATE,     /* the worker was killed at its deadline */
    KTPD_JOB_EXPIRED   /* no worker was free in time, or the client left */
} ktpd_outcome_t;

typedef struct ktpd_job_s ktpd_job_t;

struct ktpd_job_s {
    ktpd_job_t  *next;
    ktp_store_t *image;    /* emptied as soon as a worker has it */
    uint64_t     deadline; /* milliseconds of ktpd_jobs_now() */
    int          check;    /* 1: by ktpr_reader_check() */

    /*
     * Called once, never from within ktpd_jobs_submit() of the same job.
     * answer is set for KTPD_JOB_ANSWERED only, and valid during the call.
     */
    void (*done)(ktpd_job_t *job, ktpd_outcome_t outcome,
                 const ktpd_answer_t *answer);
    /*
     * Whether the client still waits; called before the job gets a worker, and
     * for all queued jobs when the queue is full.
     */
    int (*wanted)(ktpd_job_t *job);
};

typedef struct ktpd_jobs_s ktpd_jobs_t;

typedef struct {
    unsigned workers; /* places of workers */
    unsigned ready;   /* workers without a job */
    unsigned busy;    /* workers with a job */
    unsigned waiting; /* jobs without a worker */
    unsigned queue;   /* of these, at most, if all workers are busy */
    uint64_t none;    /* milliseconds for which there has been no worker */
} ktpd_jobs_stat_t;


/* The monotonic clock in milliseconds. */
uint64_t ktpd_jobs_now(void);

/*
 * Creates the jobs for n slots, which must outlive it; queue is the maximum of
 * waiting jobs, timeout is in seconds, and master is the channel to the
 * master. NULL with no memory.
 */
ktpd_jobs_t *ktpd_jobs_create(ktpd_slot_t *slots, unsigned n, unsigned queue,
                              unsigned timeout, int master);

/*
 * Queues a job whose image, done and wanted are set.  The caller owns it and
 * must keep it until done is called.  0, or -1 if the queue is full.
 */
int ktpd_jobs_submit(ktpd_jobs_t *jobs, ktpd_job_t *job);

/* Sets one entry per slot, to be polled for input. */
void ktpd_jobs_poll(const ktpd_jobs_t *jobs, struct pollfd *fds);

/* Handles the entries after poll(); 0, or -1 if a channel was closed. */
int ktpd_jobs_events(ktpd_jobs_t *jobs, const struct pollfd *fds);

/* Ends jobs over their deadline and gives waiting jobs to free workers. */
void ktpd_jobs_run(ktpd_jobs_t *jobs);

/* The timeout of poll() until ktpd_jobs_run() is due: ms, or -1 for none. */
int ktpd_jobs_timeout(const ktpd_jobs_t *jobs);

void ktpd_jobs_stat(const ktpd_jobs_t *jobs, ktpd_jobs_stat_t *stat);

void ktpd_jobs_free(ktpd_jobs_t *jobs);


#endif /* KTPD_JOBS_H */
