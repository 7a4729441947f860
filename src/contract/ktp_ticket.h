/*
 * Upload tickets: what a browser has in place of a key.  A ticket names a
 * client, and ends by itself; it is signed by whoever issued it.
 */

#ifndef KTP_TICKET_H
#define KTP_TICKET_H

#include <stddef.h>
#include <stdint.h>
#include "ktp_quota.h"


/* Bytes of the random number that tells a ticket from others. */
#define KTP_TICKET_NONCE 16

/* Bytes of a signature: those of HMAC-SHA-256. */
#define KTP_TICKET_MAC 32

/* Bytes that are signed, at most. */
#define KTP_TICKET_DATA (1 + 8 + 2 + KTP_TICKET_NONCE + KTP_MAX_CLIENT_NAME)

/* Characters of a ticket, at most. */
#define KTP_TICKET_TEXT (((KTP_TICKET_DATA + KTP_TICKET_MAC) * 4 + 2) / 3)

/* The largest number of uses. */
#define KTP_TICKET_USES 1000

typedef struct {
    uint64_t      expires; /* seconds since 1970: the first not valid */
    unsigned      uses;    /* 1 to KTP_TICKET_USES */
    unsigned char nonce[KTP_TICKET_NONCE];
    char          name[KTP_MAX_CLIENT_NAME]; /* of the client, any bytes */
    size_t        name_len;                  /* at least 1 */
} ktp_ticket_t;

/* A ticket that was read; nothing of it holds before the mac was compared. */
typedef struct {
    ktp_ticket_t  ticket;
    unsigned char data[KTP_TICKET_DATA]; /* that were signed */
    size_t        len;                   /* of data */
    unsigned char mac[KTP_TICKET_MAC];
} ktp_ticket_read_t;


/* Writes the bytes to be signed to data.  Returns their number. */
size_t ktp_ticket_data(const ktp_ticket_t *ticket,
                       unsigned char       data[KTP_TICKET_DATA]);

/*
 * Writes the text of a ticket, of len bytes of data and their mac, to text,
 * without terminating null.  Returns its length.
 */
size_t ktp_ticket_text(const unsigned char *data, size_t len,
                       const unsigned char mac[KTP_TICKET_MAC],
                       char                text[KTP_TICKET_TEXT]);

/*
 * Reads a text of len bytes, any bytes.  1: read is set; there is no other
 * text of the same ticket.  0: it is no ticket, and read is not defined.
 */
int ktp_ticket_read(const char *text, size_t len, ktp_ticket_read_t *read);


#endif /* KTP_TICKET_H */
