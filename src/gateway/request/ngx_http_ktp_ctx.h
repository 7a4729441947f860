/* What the module knows of one request. */

#ifndef NGX_HTTP_KTP_CTX_H
#define NGX_HTTP_KTP_CTX_H

#include "ngx_http_ktp.h"
#include "ktp_answer.h"
#include "ktp_error.h"
#include "ktp_intake.h"
#include "ktp_outgoing.h"
#include "ktp_store.h"
#include "ngx_http_ktp_conf.h"
#include "ngx_http_ktp_count.h"
#include "ngx_http_ktp_digest.h"
#include "ngx_http_ktp_transport.h"
#include "ngx_http_ktp_zone.h"


/*
 * Called once with KTP_OK when the body is complete and right, or with the
 * error as soon as it is certain; the rest of the body is then unread.
 */
typedef void (*ngx_http_ktp_body_pt)(ngx_http_request_t *r, ktp_code_t code);

struct ngx_http_ktp_ctx_s {
    ngx_http_request_t *request;

    ngx_http_ktp_body_pt body_handler;

    ktp_intake_t         *intake;
    ktp_intake_t         *fetched; /* the image, where the body names a URL */
    ngx_http_ktp_fetch_t *fetch;   /* NULL: none is under way */
    ktp_store_t           store;
    ktp_outgoing_t        outgoing;
    ngx_http_ktp_call_t   call;

    ktp_code_t             code; /* the error answered with, or KTP_OK */
    ngx_http_ktp_outcome_t outcome;
    ngx_http_ktp_billed_t  billed;
    size_t                 image_size; /* bytes, once the image is whole */

    ngx_str_t              client;      /* its name, or empty */
    ngx_http_ktp_client_t *client_conf; /* NULL: no client */
    ngx_http_ktp_client_t *refused;     /* see ngx_http_ktp_unauthorized() */
    ngx_http_ktp_taken_t   taken;
    ktp_answer_t           answer;     /* what was noted of the upstream's */
    ngx_http_ktp_digest_t  digest;     /* of the image */
    ngx_str_t              image_hmac; /* hexadecimal; empty: none */
    ngx_str_t traceparent; /* our part of the trace; may be empty */

    ngx_buf_t *error_body; /* replaces nginx's own error page */

    unsigned body_replaced : 1; /* nginx's buffer of the body is ours */
    unsigned body_paused : 1;
    unsigned calling : 1;   /* a call is under way */
    unsigned streaming : 1; /* and began before the body was whole */
    unsigned called : 1;    /* a call was made; its facts are in call */
    unsigned answered : 1;  /* by us: nothing takes its place */
    unsigned error_sent : 1;
    unsigned traced : 1; /* traceparent is set, be it empty */
};


#endif /* NGX_HTTP_KTP_CTX_H */
