/*
 * A worker process: it reads one card and exits, so that its memory, and any
 * code that a crafted image has injected, does not outlive the card.
 */

#ifndef KTPD_WORKER_H
#define KTPD_WORKER_H

#include <stdint.h>
#include "ktpd_channel.h"
#include "ktpr_reader.h"


typedef struct {
    ktpd_slot_t   *slots; /* all slots; memory of the others is unmapped */
    unsigned       n;
    unsigned       slot; /* its own */
    uint64_t       life;
    ktpr_reader_t *reader;
    int            null;    /* a descriptor of /dev/null */
    unsigned       timeout; /* seconds of CPU that a card may take */
    unsigned       sandbox : 1;
} ktpd_worker_t;

/* Exit codes. */
#define KTPD_WORKER_DONE   0
#define KTPD_WORKER_FAILED 3 /* it could not start */


/* Called in the new process; does not return. */
void ktpd_worker_run(ktpd_worker_t *worker) __attribute__((noreturn));


#endif /* KTPD_WORKER_H */
