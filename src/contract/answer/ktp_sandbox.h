/*
 * Answers for rehearsal: a "reference_id" that begins with "sandbox-" selects
 * one, so that an application can be tested against each row of the contract.
 */

#ifndef KTP_SANDBOX_H
#define KTP_SANDBOX_H

#include <stddef.h>
#include "ktp_error.h"


/* Seconds of an answer that does not come before the call times out. */
#define KTP_SANDBOX_NEVER ((unsigned) -1)

/* Bytes of a body, at most. */
#define KTP_SANDBOX_BODY 2048

/* Which values the fields of "data" have. */
typedef enum {
    KTP_SANDBOX_NO_DATA = 0,
    KTP_SANDBOX_SPECIMEN, /* those of a fictitious person */
    KTP_SANDBOX_BLURRED   /* empty ones, and "image_quality" says why */
} ktp_sandbox_data_t;

/* An answer of the upstream. */
typedef struct {
    const char        *name;       /* behind "sandbox-" */
    unsigned           status;     /* HTTP status */
    const char        *error_code; /* NULL: none */
    const char        *message;
    ktp_sandbox_data_t data;
} ktp_sandbox_row_t;

typedef struct {
    ktp_code_t               code;    /* error of the gateway, or KTP_OK */
    const ktp_sandbox_row_t *row;     /* with KTP_OK: the upstream's answer */
    unsigned                 seconds; /* until it comes */
} ktp_sandbox_t;


/*
 * Selects the answer to a request with a "reference_id", "" for none.  Behind
 * "sandbox-" are the name of a row, "timeout", "slow-Ns" of N seconds from 0
 * to 9999, or the status or reason of an error, with "-" or "_" between words;
 * the first row of the table of errors is taken that fits.  Any other text
 * behind it is KTP_SANDBOX_UNKNOWN, and any other "reference_id" is "ok".
 */
void ktp_sandbox_select(const char *reference_id, ktp_sandbox_t *sandbox);

/*
 * Writes the JSON body of a row to buf, which has KTP_SANDBOX_BODY bytes.
 * Returns its length, or 0 without memory.
 */
size_t ktp_sandbox_write(const ktp_sandbox_row_t *row,
                         const char *reference_id, char *buf);


#endif /* KTP_SANDBOX_H */
