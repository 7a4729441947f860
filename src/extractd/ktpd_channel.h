/*
 * The messages between the processes, over SOCK_SEQPACKET socket pairs: one
 * packet per message, so that none is read in part.
 *
 *   HTTP process to worker    WORK     an image is in the slot's memory
 *   worker to HTTP process    READY    once, when it is initialised
 *   worker to HTTP process    ANSWER   the result of reading the image
 *   HTTP process to master    KILL     a worker is over its deadline
 *   HTTP process to master    SERVING  the first worker is ready
 *   master to HTTP process    STOP     finish the requests in progress, and
 * exit
 *
 * A slot is used by one worker after another.  Each worker has a life number,
 * so that a message for one is never taken by the next.
 */

#ifndef KTPD_CHANNEL_H
#define KTPD_CHANNEL_H

#include <stddef.h>
#include <stdint.h>
#include "ktp_limits.h"
#include "ktpr_reader.h"

typedef enum {
    KTPD_WORK = 1,
    KTPD_READY,
    KTPD_ANSWER,
    KTPD_KILL,
    KTPD_SERVING,
    KTPD_STOP
} ktpd_message_type_t;

typedef struct {
    uint32_t type; /* ktpd_message_type_t */
    uint32_t slot;
    uint64_t life;
    uint64_t size;  /* of the image, with WORK */
    uint64_t check; /* with WORK: 1 if it is not read, but checked */
} ktpd_message_t;

typedef struct {
    ktpd_message_t message;
    uint32_t       result; /* ktpr_result_t */
    ktpr_card_t    card;
} ktpd_answer_t;

/* A slot, created by the master and shared by all processes. */
typedef struct {
    int            http;   /* the HTTP process's end */
    int            worker; /* the worker's end */
    unsigned char *image;  /* KTP_MAX_IMAGE bytes of shared memory */
} ktpd_slot_t;


/* Creates a socket pair; 0, or -1 with errno. */
int ktpd_channel_pair(int fd[2]);

/* Sends a packet; 0, or -1 with errno (EAGAIN: the pair is full). */
int ktpd_channel_send(int fd, const void *message, size_t len);

/*
 * Receives a packet of at most len bytes.  Returns its size, 0 if the peer has
 * closed, or -1 with errno: EAGAIN if wait is 0 and there is no packet,
 * EMSGSIZE for a longer packet.
 */
ptrdiff_t ktpd_channel_receive(int fd, void *message, size_t len, int wait);

/*
 * Sanitises an answer of an untrusted worker: texts are terminated and UTF-8,
 * numbers are finite.  0, or -1 if its length or result is invalid.
 */
int ktpd_channel_check(ktpd_answer_t *answer, size_t len);


#endif /* KTPD_CHANNEL_H */
