/*
 * A worker: a process that reads one card and ends.  What it had in memory
 * ends with it, and so does whoever took it over by a crafted image.
 */

#ifndef KTPD_WORKER_H
#define KTPD_WORKER_H

#include <stdint.h>
#include "ktpd_channel.h"
#include "ktpr_reader.h"


typedef struct {
    ktpd_slot_t   *slots; /* all of them: the others' memory is dropped */
    unsigned       n;
    unsigned       slot; /* its own */
    uint64_t       life;
    ktpr_reader_t *reader;
    int            null;    /* a descriptor of /dev/null */
    unsigned       timeout; /* seconds of CPU that a card may take */
    unsigned       sandbox : 1;
} ktpd_worker_t;

/* Exit codes of a worker. */
#define KTPD_WORKER_DONE   0
#define KTPD_WORKER_FAILED 3 /* it could not even begin */


/* Called in the new process; does not return. */
void ktpd_worker_run(ktpd_worker_t *worker) __attribute__((noreturn));


#endif /* KTPD_WORKER_H */
