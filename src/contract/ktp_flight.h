/*
 * What makes two uploads the same: the text from which the key of a flight,
 * one call for identical uploads, is computed.
 */

#ifndef KTP_FLIGHT_H
#define KTP_FLIGHT_H

#include "ktp_value.h"


/* Bytes of the SHA-256 digest of an image. */
#define KTP_FLIGHT_DIGEST 32

typedef struct {
    const unsigned char *digest; /* of the decoded image */

    /* the options that are in effect, 0 or 1 */
    unsigned validate_quality;
    unsigned is_quality;

    ktp_value_t upstream; /* URL */
    ktp_value_t app_id;   /* sent with the call */
    ktp_value_t client;   /* empty: any */
    ktp_value_t reference_id;
    ktp_value_t key; /* of "Idempotency-Key"; empty: none */
} ktp_flight_t;

/* Takes the next len bytes of the text. */
typedef void (*ktp_flight_put_pt)(void *ctx, const void *p, size_t len);


/*
 * Writes the text in pieces: two flights have the same text only if all their
 * members are equal.  It contains a digest, names and ids; it must be used as
 * input of a keyed digest only.
 */
void ktp_flight_text(const ktp_flight_t *flight, ktp_flight_put_pt put,
                     void *ctx);


#endif /* KTP_FLIGHT_H */
