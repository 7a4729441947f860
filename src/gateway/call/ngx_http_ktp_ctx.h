/* The context of a request. */

#ifndef NGX_HTTP_KTP_CTX_H
#define NGX_HTTP_KTP_CTX_H

#include "ngx_http_ktp.h"
#include "ktp_answer.h"
#include "ktp_error.h"
#include "ktp_intake.h"
#include "ktp_outgoing.h"
#include "ktp_store.h"
#include "ngx_http_ktp_breaker.h"
#include "ngx_http_ktp_conf.h"
#include "ngx_http_ktp_count.h"
#include "ngx_http_ktp_digest.h"
#include "ngx_http_ktp_transport.h"
#include "ngx_http_ktp_zone.h"


typedef struct ngx_http_ktp_body_s       ngx_http_ktp_body_t;
typedef struct ngx_http_ktp_quota_wait_s ngx_http_ktp_quota_wait_t;

/* Called when an asynchronous operation ends, with KTP_OK or its error. */
typedef void (*ngx_http_ktp_done_pt)(ngx_http_request_t *r, ktp_code_t code);

/*
 * The upstream's call has ended: with what the client may see of it in
 * ctx->call, and the response body as it came.
 */
typedef struct ngx_http_ktp_verdict_s ngx_http_ktp_verdict_t;
typedef void (*ngx_http_ktp_send_pt)(ngx_http_request_t     *r,
                                     ngx_http_ktp_verdict_t *verdict,
                                     ngx_str_t              *body);

/* The peer of a call, if ktp_pass names an "upstream" block. */
typedef struct {
    ngx_http_request_t      *request;
    ngx_http_upstream_t     *upstream; /* of nginx */
    ngx_http_ktp_call_peer_t address;
    unsigned                 held : 1; /* to be given back */
    unsigned                 used : 1; /* an attempt has been made */
} ngx_http_ktp_ctx_peer_t;

struct ngx_http_ktp_ctx_s {
    ngx_http_request_t *request;

    const ngx_http_ktp_body_t *body;       /* what is done with the body */
    off_t                      received;   /* bytes of the body so far */
    ngx_uint_t                 pieces;     /* in which they came */
    ngx_msec_t                 body_idle;  /* between two reads */
    ngx_msec_t                 body_until; /* when it must be complete */
    ngx_msec_t                 body_left;  /* of that, while paused */

    ktp_intake_t           *intake;
    ktp_intake_t           *fetched; /* of the image of a URL */
    ngx_http_ktp_fetch_t   *fetch;   /* NULL: no fetch in progress */
    ngx_http_ktp_flight_t  *flight;  /* NULL: calls are not shared */
    ktp_store_t             store;
    ktp_outgoing_t          outgoing;
    ngx_http_ktp_call_t     call;
    ngx_http_ktp_ctx_peer_t peer;
    ngx_http_ktp_send_pt    sent; /* called when the call has ended */

    ngx_http_ktp_ask_t *ask;     /* who else is asked; NULL: nobody was */
    ngx_uint_t          state;   /* of ngx_http_ktp_answerers.c */
    void               *failure; /* of the upstream, while another is asked */

    ktp_code_t             code; /* the error sent to the client, or KTP_OK */
    ngx_http_ktp_outcome_t outcome; /* see ngx_http_ktp_ctx_set_outcome() */
    ngx_http_ktp_outcome_t call_outcome; /* of the upstream's call */
    ngx_http_ktp_checked_t checked;
    ktp_code_t             reason; /* of the upstream's failure, or KTP_OK */
    ngx_http_ktp_billed_t  billed;
    ngx_http_ktp_source_t  source;     /* of the answer */
    ngx_http_ktp_price_t  *price;      /* of the location; NULL: unknown */
    size_t                 image_size; /* bytes, once the image is complete */

    ngx_str_t                   client;      /* client name, or empty */
    ngx_http_ktp_client_t      *client_conf; /* NULL: no client */
    ngx_http_ktp_taken_t        taken;
    ngx_http_ktp_quota_wait_t  *quota_wait; /* NULL: it has not waited */
    ngx_http_ktp_breaker_call_t breaker;
    uint64_t     retry_after;     /* seconds, of a 503; 0: the usual time */
    ktp_answer_t answer;          /* of the upstream */
    ngx_http_ktp_digest_t digest; /* of the image */
    ngx_str_t             image_hmac;   /* hexadecimal, or empty */
    ngx_str_t             reference_id; /* that is not the client's */
    ngx_str_t             traceparent;  /* of the call; may be empty */

    u_char image_digest[KTP_HMAC_SIZE]; /* the bytes of image_hmac */

    ngx_buf_t *answer_body; /* of this module */
    ngx_buf_t *error_body;  /* replaces the error page of nginx */

    unsigned body_replaced : 1; /* the read buffer of nginx was replaced */
    unsigned body_paused : 1;
    unsigned reserving : 1; /* it waits for a quota or rate of a fleet */
    unsigned calling : 1;   /* a call is in progress */
    unsigned streaming : 1; /* it was started before the body is complete */
    unsigned saved : 1;     /* a call of its own would be billed, or may be */
    unsigned called : 1;    /* a call was made; its results are in call */
    unsigned answered : 1;  /* by this module: not to be replaced */
    unsigned error_sent : 1;
    unsigned aside : 1;   /* it is for no card */
    unsigned ticket : 1;  /* a use of its ticket was taken */
    unsigned traced : 1;  /* traceparent is set, possibly empty */
    unsigned sandbox : 1; /* of a location with "ktp_sandbox on" */
    unsigned keep : 1;    /* the image is needed after the call */
    unsigned sampled : 1; /* ktp_shadow is to compare the answer */
    unsigned local : 1;   /* the answer is not the upstream's */
};


/*
 * The context of a request, made if there is none yet; it lives as long as
 * the request.  Returns NULL if memory is short.
 */
ngx_http_ktp_ctx_t *ngx_http_ktp_ctx_create(ngx_http_request_t *r);

/*
 * The context of a request, also after an internal redirect has cleared the
 * module's slot; NULL if the request never came to this module.
 */
ngx_http_ktp_ctx_t *ngx_http_ktp_ctx_get(ngx_http_request_t *r);

/*
 * 1 if a request with that context, which may be NULL, is one for a card:
 * not one that ktp_auth has let in to a location of another module, nor one
 * that nginx has answered without an error, such as by "return 204".
 */
ngx_uint_t ngx_http_ktp_ctx_is_ours(ngx_http_request_t *r,
                                    ngx_http_ktp_ctx_t *ctx);

/*
 * Sets the outcome, unless there is one: the first verdict stands.  NONE
 * changes nothing.  Nobody else writes it.
 */
void ngx_http_ktp_ctx_set_outcome(ngx_http_ktp_ctx_t    *ctx,
                                  ngx_http_ktp_outcome_t outcome);

/*
 * The request has come to the content handler: a verdict of the access phase
 * no longer holds, since "satisfy any" has overruled it.
 */
void ngx_http_ktp_ctx_let_in(ngx_http_ktp_ctx_t *ctx);

/*
 * The outcome of a request, also of one that nginx rejected before it came to
 * this module; NONE while it has no answer.  ctx may be NULL.
 */
ngx_http_ktp_outcome_t ngx_http_ktp_ctx_outcome(ngx_http_request_t *r,
                                                ngx_http_ktp_ctx_t *ctx);

/*
 * The error code that the client got, "" for none: constant text, or the
 * upstream's, which lives as long as the request.  ctx may be NULL.
 */
const char *ngx_http_ktp_ctx_error_code(ngx_http_request_t *r,
                                        ngx_http_ktp_ctx_t *ctx);

/*
 * The row of that error, or of the upstream's failure where its error was
 * passed on; KTP_OK for none.  ctx may be NULL.
 */
ktp_code_t ngx_http_ktp_ctx_reason(ngx_http_request_t *r,
                                   ngx_http_ktp_ctx_t *ctx);

/*
 * What is known of the image: from the body, or from what was fetched.  The
 * context must have an intake, here and below.
 */
const ktp_request_t *ngx_http_ktp_ctx_image(ngx_http_ktp_ctx_t *ctx);

/* The request with the options in effect: those of the location come first. */
void ngx_http_ktp_ctx_request(ngx_http_ktp_ctx_t *ctx, ktp_request_t *request);

/* "json", "multipart" or "binary": the type of the body. */
const char *ngx_http_ktp_ctx_type(ngx_http_ktp_ctx_t *ctx);

/* "jpeg" or "png"; NULL while the image's format is not known. */
const char *ngx_http_ktp_ctx_format(ngx_http_ktp_ctx_t *ctx);


#endif /* NGX_HTTP_KTP_CTX_H */
