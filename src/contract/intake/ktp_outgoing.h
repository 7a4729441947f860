/*
 * The body of the request to the upstream as a stream: prefix, base64 of the
 * image (standard alphabet, padded, one line), suffix.  It is never built as a
 * whole; each read encodes directly into the caller's buffer.
 */

#ifndef KTP_OUTGOING_H
#define KTP_OUTGOING_H

#include <stddef.h>
#include "ktp_intake.h"
#include "ktp_store.h"


/* Bytes of the suffix at most: three members and their escapes. */
#define KTP_MAX_SUFFIX 512

typedef struct {
    const ktp_store_t *store;
    const ktp_chunk_t *chunk;   /* next bytes to encode are in here */
    size_t             pos;     /* offset in chunk */
    size_t             written; /* bytes handed out so far */
    size_t             length;  /* Content-Length of the whole */
    char               suffix[KTP_MAX_SUFFIX];
    size_t             suffix_len;
    unsigned char      group[4]; /* a quantum that did not fit */
    size_t             group_pos;
    size_t             group_len;

    /* of a stream that begins before its image is whole */

    ktp_store_t *growing;  /* NULL: the store was complete */
    size_t       taken;    /* bytes of the image that were encoded */
    unsigned     open : 1; /* more may be appended */
    unsigned     shifted : 1;

    size_t pad; /* spaces at the end, up to the announced length */
} ktp_outgoing_t;


/*
 * Prepares the stream for a complete store and the flags of a request; the
 * members that the client did not send are not sent on.  The store must
 * outlive it, the request need not.
 */
void ktp_outgoing_init(ktp_outgoing_t *out, const ktp_store_t *store,
                       const ktp_request_t *request);

/*
 * The same for a store that grows: chunks are freed as they are read, and the
 * length is that of an image of size bytes.  The suffix is not read before
 * ktp_outgoing_complete().
 */
void ktp_outgoing_stream(ktp_outgoing_t *out, ktp_store_t *store,
                         const ktp_request_t *request, size_t size);

/*
 * The store is complete; request has the final flags.  If the length of the
 * stream was announced, for an image that then proved to be shorter, it is
 * filled with spaces; announced is 0 if it was not.
 */
void ktp_outgoing_complete(ktp_outgoing_t *out, const ktp_request_t *request,
                           size_t announced);

/* Bytes of the image that the store has and the stream has not read. */
size_t ktp_outgoing_pending(const ktp_outgoing_t *out);

/*
 * Reads up to len bytes into buf and returns their number; 0 at the end, or
 * while a store that grows has no more.
 */
size_t ktp_outgoing_read(ktp_outgoing_t *out, unsigned char *buf, size_t len);

/*
 * Rewinds the stream for a repeated call.  Returns 0, or -1 if chunks of a
 * growing store have been freed.
 */
int ktp_outgoing_rewind(ktp_outgoing_t *out);


#endif /* KTP_OUTGOING_H */
