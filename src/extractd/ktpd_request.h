/*
 * The processing of an HTTP request by the rules of the contract, independent
 * of libmicrohttpd.
 */

#ifndef KTPD_REQUEST_H
#define KTPD_REQUEST_H

#include <stdint.h>
#include "ktp_error.h"
#include "ktp_intake.h"
#include "ktp_store.h"
#include "ktpd_credentials.h"
#include "ktpd_jobs.h"
#include "ktpd_stats.h"

/*
 * Bytes of a rejected body that are read and discarded, so that a client that
 * reads only after sending gets the response and no reset.
 */
#define KTPD_MAX_DROPPED (16 * 1024 * 1024)

typedef enum {
    KTPD_REQUEST_NEW,     /* the header is being received */
    KTPD_REQUEST_BODY,    /* the body is being received */
    KTPD_REQUEST_DROP,    /* rejected: the rest of the body is discarded */
    KTPD_REQUEST_WAITING, /* queued, or with a worker */
    KTPD_REQUEST_ANSWER   /* the response is ready */
} ktpd_request_state_t;

typedef struct {
    ktpd_job_t           job; /* the first member */
    ktpd_request_state_t state;
    void                *owner;      /* the server's */
    void                *connection; /* the server's */
    int                  fd;         /* of the client */
    char                *args;       /* raw query string, or NULL */
    ktpd_stats_page_t    page;       /* that is asked for, or NONE */
    unsigned             details : 1;
    unsigned             placed : 1; /* the server's: it takes a place */
    ktp_store_t          store;
    ktp_intake_t        *intake;
    uint64_t             length;  /* declared, of the body; 0: unknown */
    uint64_t             seen;    /* bytes of the body so far */
    uint64_t             started; /* ktpd_jobs_now() */
    ktp_code_t           code;    /* the error, or KTP_OK */
    char                *body;    /* of a 200, or NULL */
    size_t               body_len;
} ktpd_request_t;

/* The request line and headers; NULL for a header that is missing. */
typedef struct {
    const char *method;
    const char *path;
    const char *app_id;
    const char *api_key;
    const char *content_type;
    const char *content_encoding;
    const char *content_length;
} ktpd_head_t;


/* Creates a request for the URI of a request line; NULL with no memory. */
ktpd_request_t *ktpd_request_create(const char *uri);

/*
 * Checks the header; sets the state to BODY or DROP, the latter also for a
 * page, with the code KTP_OK, whose body is the server's to write.  With no
 * place, a request that would be accepted is rejected with
 * KTP_SERVICE_UNAVAILABLE.
 */
void ktpd_request_head(ktpd_request_t *r, const ktpd_head_t *head,
                       const ktpd_credentials_t *cred, int place);

/*
 * Passes the next bytes of the body.  0, or -1 when a rejected body exceeds
 * KTPD_MAX_DROPPED.
 */
int ktpd_request_body(ktpd_request_t *r, const char *p, size_t len);

/* Ends the body; sets the state to WAITING (to be submitted) or ANSWER. */
void ktpd_request_end(ktpd_request_t *r);

/* Sets the response from the outcome of the job; the state is ANSWER. */
void ktpd_request_done(ktpd_request_t *r, ktpd_outcome_t outcome,
                       const ktpd_answer_t *answer);

/* Sets an error response; the state is ANSWER. */
void ktpd_request_refuse(ktpd_request_t *r, ktp_code_t code);

/*
 * Writes the JSON body of r->code, which is not KTP_OK, to buf; returns its
 * length.
 */
size_t ktpd_request_error(const ktpd_request_t *r, char buf[KTP_ERROR_BODY]);

/* Wipes and frees; NULL is allowed. */
void ktpd_request_free(ktpd_request_t *r);


#endif /* KTPD_REQUEST_H */
