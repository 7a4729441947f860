/*
 * What the daemon's processes say to each other, over SOCK_SEQPACKET pairs:
 * one packet a message, so nothing is ever half read.
 *
 *   HTTP process to worker    WORK     an image is in the slot's memory
 *   worker to HTTP process    READY    once, when it can work
 *   worker to HTTP process    ANSWER   what the image says
 *   HTTP process to master    KILL     a worker is over its deadline
 *   HTTP process to master    SERVING  the first worker is ready
 *   master to HTTP process    STOP     finish what is in flight, and exit
 *
 * A slot is a place for one worker after the other; each has a life number,
 * so that what was meant for one never reaches the next.
 */

#ifndef KTPD_CHANNEL_H
#define KTPD_CHANNEL_H

#include <stddef.h>
#include <stdint.h>
#include "ktpr_reader.h"

/* Bytes of an image: 5 MB, of the contract. */
#define KTPD_MAX_IMAGE (5 * 1024 * 1024)

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
    uint64_t size; /* of the image, with WORK */
} ktpd_message_t;

typedef struct {
    ktpd_message_t message;
    uint32_t       result; /* ktpr_result_t */
    ktpr_card_t    card;
} ktpd_answer_t;

/* A worker's place, made by the master and shared by all three. */
typedef struct {
    int            http;   /* the HTTP process's end */
    int            worker; /* the worker's end */
    unsigned char *image;  /* KTPD_MAX_IMAGE bytes of shared memory */
} ktpd_slot_t;


/* Two ends of a new pair in fd[2]; 0, or -1 with errno. */
int ktpd_channel_pair(int fd[2]);

/* Sends a packet; 0, or -1 with errno (EAGAIN: the pair is full). */
int ktpd_channel_send(int fd, const void *message, size_t len);

/*
 * Takes a packet of at most len bytes; its size, 0 at the end of the pair,
 * or -1 with errno, which is EAGAIN when wait is 0 and there is none, and
 * EMSGSIZE for a longer one.
 */
ptrdiff_t ktpd_channel_receive(int fd, void *message, size_t len, int wait);

/*
 * Makes a packet fit to be used whoever sent it: every text ends and is
 * UTF-8, every number is one.  0, or -1 if it is not as long as an answer or
 * its result is none.
 */
int ktpd_channel_check(ktpd_answer_t *answer, size_t len);


#endif /* KTPD_CHANNEL_H */
