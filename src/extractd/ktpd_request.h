/*
 * One HTTP request to the daemon: what of it is taken, and what it gets.
 * Knows the contract, and nothing of libmicrohttpd's loop.
 */

#ifndef KTPD_REQUEST_H
#define KTPD_REQUEST_H

#include <stdint.h>
#include "ktp_error.h"
#include "ktp_intake.h"
#include "ktp_store.h"
#include "ktpd_credentials.h"
#include "ktpd_jobs.h"

/*
 * Bytes of a refused body that are read and dropped, so that a client that
 * sends first and reads later gets its answer and no reset.
 */
#define KTPD_MAX_DROPPED (16 * 1024 * 1024)

typedef enum {
    KTPD_REQUEST_NEW,     /* the head is not there yet */
    KTPD_REQUEST_BODY,    /* the body is being taken */
    KTPD_REQUEST_DROP,    /* refused: the rest of the body is dropped */
    KTPD_REQUEST_WAITING, /* with the workers */
    KTPD_REQUEST_ANSWER   /* the answer is known */
} ktpd_request_state_t;

typedef struct {
    ktpd_job_t           job; /* the first member */
    ktpd_request_state_t state;
    void                *owner;      /* the server's */
    void                *connection; /* the server's */
    int                  fd;         /* of the client */
    char                *args;       /* raw query string, or NULL */
    unsigned             details : 1;
    ktp_store_t          store;
    ktp_intake_t        *intake;
    uint64_t             limit;   /* bytes of the body at most */
    uint64_t             seen;    /* bytes of the body so far */
    uint64_t             started; /* ktpd_jobs_now() */
    ktp_code_t           code;    /* why it is refused, or KTP_OK */
    char                *body;    /* of a 200, or NULL */
    size_t               body_len;
} ktpd_request_t;

/* What the head of a request says; NULL for a header that is not there. */
typedef struct {
    const char *method;
    const char *path;
    const char *app_id;
    const char *api_key;
    const char *content_type;
    const char *content_length;
} ktpd_head_t;


/* A request for that URI as it stood on the request line; NULL: no memory. */
ktpd_request_t *ktpd_request_create(const char *uri);

/* Judges the head; the state is then BODY or DROP. */
void ktpd_request_head(ktpd_request_t *r, const ktpd_head_t *head,
                       const ktpd_credentials_t *cred);

/*
 * The next bytes of the body.  0, or -1 when more is sent than is worth
 * dropping.
 */
int ktpd_request_body(ktpd_request_t *r, const char *p, size_t len);

/* The body ended: the state is then WAITING (to be submitted) or ANSWER. */
void ktpd_request_end(ktpd_request_t *r);

/* What the workers made of it; the state is then ANSWER. */
void ktpd_request_done(ktpd_request_t *r, ktpd_outcome_t outcome,
                       const ktpd_answer_t *answer);

/* Refuses it; the state is then ANSWER. */
void ktpd_request_refuse(ktpd_request_t *r, ktp_code_t code);

/* Wipes and frees; NULL is allowed. */
void ktpd_request_free(ktpd_request_t *r);


#endif /* KTPD_REQUEST_H */
