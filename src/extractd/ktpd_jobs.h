/*
 * Images on their way to a worker and back, in the HTTP process: a bounded
 * queue, one slot a worker, and a deadline for both.
 */

#ifndef KTPD_JOBS_H
#define KTPD_JOBS_H

#include <poll.h>
#include <stdint.h>
#include "ktp_store.h"
#include "ktpd_channel.h"


typedef enum {
    KTPD_JOB_ANSWERED, /* the worker said what it says */
    KTPD_JOB_CRASHED,  /* the worker ended without an answer */
    KTPD_JOB_LATE,     /* the worker was ended at its deadline */
    KTPD_JOB_EXPIRED   /* no worker was free in time, or it is unwanted */
} ktpd_outcome_t;

typedef struct ktpd_job_s ktpd_job_t;

struct ktpd_job_s {
    ktpd_job_t  *next;
    ktp_store_t *image;    /* emptied as soon as a worker has it */
    uint64_t     deadline; /* milliseconds of ktpd_jobs_now() */

    /*
     * Called once, never from inside the job's own ktpd_jobs_submit(); answer
     * is NULL but for KTPD_JOB_ANSWERED, and only lent.
     */
    void (*done)(ktpd_job_t *job, ktpd_outcome_t outcome,
                 const ktpd_answer_t *answer);
    /*
     * Whether anybody still waits for it; asked before a worker is bound, and
     * of those in the queue when that is full.
     */
    int (*wanted)(ktpd_job_t *job);
};

typedef struct ktpd_jobs_s ktpd_jobs_t;


/* Milliseconds of a clock that only goes forward. */
uint64_t ktpd_jobs_now(void);

/*
 * For n slots (which must outlive it), a queue of that many, a timeout in
 * seconds, and the channel to the master.  NULL without memory.
 */
ktpd_jobs_t *ktpd_jobs_create(ktpd_slot_t *slots, unsigned n, unsigned queue,
                              unsigned timeout, int master);

/*
 * Takes a job whose image, done and wanted are set; it stays the caller's
 * and must live until done is called.  0, or -1 when the queue is full of
 * jobs that are wanted.
 */
int ktpd_jobs_submit(ktpd_jobs_t *jobs, ktpd_job_t *job);

/* Fills one entry for each slot, to be polled for input. */
void ktpd_jobs_poll(const ktpd_jobs_t *jobs, struct pollfd *fds);

/* Takes what poll() found in the same entries; 0, or -1 if a channel ended. */
int ktpd_jobs_events(ktpd_jobs_t *jobs, const struct pollfd *fds);

/* Ends what is over its deadline, and binds waiting jobs to free workers. */
void ktpd_jobs_run(ktpd_jobs_t *jobs);

/* Milliseconds until ktpd_jobs_run() has something to do, -1 for never. */
int ktpd_jobs_timeout(const ktpd_jobs_t *jobs);

void ktpd_jobs_free(ktpd_jobs_t *jobs);


#endif /* KTPD_JOBS_H */
