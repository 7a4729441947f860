/* What the files of the gateway share: configuration and request context. */

#ifndef NGX_HTTP_KTP_H
#define NGX_HTTP_KTP_H

#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include "ktp_answer.h"
#include "ktp_error.h"
#include "ktp_intake.h"
#include "ktp_outgoing.h"
#include "ktp_store.h"
#include "ngx_http_ktp_digest.h"
#include "ngx_http_ktp_transport.h"
#include "ngx_http_ktp_zone.h"


/* Bytes of the vendor's answer at most; the contract's have about 1 KB. */
#define NGX_HTTP_KTP_MAX_RESPONSE (256 * 1024)

/* Of ktp_max_image_size: what a worker would hold for one request. */
#define NGX_HTTP_KTP_MAX_IMAGE_SIZE (64 * 1024 * 1024)


typedef struct ngx_http_ktp_client_s ngx_http_ktp_client_t;
typedef struct ngx_http_ktp_secret_s ngx_http_ktp_secret_t;
typedef struct ngx_http_ktp_fetch_s  ngx_http_ktp_fetch_t;

typedef struct {
    ngx_uint_t locations; /* with ktp_pass; the filters run for them only */

    ngx_http_ktp_zone_t *zone;         /* NULL: nothing is shared */
    ngx_array_t          clients;      /* of ngx_http_ktp_client_t * */
    ngx_rbtree_t         client_names; /* while it is read */
    ngx_rbtree_node_t    client_sentinel;

    /* by the hash of a name; the size is a power of two */
    ngx_http_ktp_client_t **client_table;
    ngx_uint_t              client_mask;
    ngx_queue_t             secrets; /* that are files */
    ngx_uint_t              auth;    /* count of "ktp_auth" other than off */
    ngx_uint_t              status;  /* count of "ktp_status" */
    unsigned image_hmac : 1;         /* the variable is used somewhere */
} ngx_http_ktp_main_conf_t;

/* What ktp_pass names, in its parts. */
typedef struct {
    ngx_str_t host; /* an IPv6 address has its brackets */
    ngx_str_t uri;
    in_port_t port;
    unsigned  ssl : 1;
} ngx_http_ktp_target_t;

typedef struct {
    ngx_http_ktp_upstream_t *upstream; /* NULL: no ktp_pass here */
    ngx_http_ktp_target_t    target;   /* unless it is a Unix socket */
    ktp_policy_t             policy;

    ngx_http_ktp_secret_t *app_id;
    ngx_http_ktp_secret_t *api_key;

    size_t       max_image_size;
    ngx_uint_t   min_width;
    ngx_uint_t   min_height;
    size_t       max_pixels;
    ngx_uint_t   image_url; /* 1: it is fetched */
    ngx_msec_t   image_url_timeout;
    ngx_array_t *image_url_allow;  /* of ktp_cidr_t; NULL: none */
    ngx_uint_t   image_types;      /* bit mask of ktp_image_format_t */
    ngx_uint_t   validate_quality; /* ktp_flag_t; ABSENT: the client's */
    ngx_msec_t   connect_timeout;
    ngx_msec_t   read_timeout;
    ngx_msec_t   timeout;
    ngx_int_t    keepalive;
    ngx_msec_t   keepalive_timeout;
    ngx_int_t    max_inflight;
    ngx_int_t    retries;
    ngx_flag_t   ignore_client_abort;
    ngx_flag_t   request_buffering;
    ngx_flag_t   ssl_verify;
    ngx_str_t    ssl_trusted_certificate;
    ngx_str_t    ssl_name;
    ngx_str_t    ssl_certificate;
    ngx_str_t    ssl_certificate_key;
    ngx_str_t    proxy; /* URL; empty: none */
    ngx_str_t    proxy_host;
    ngx_flag_t   json_errors;

    ngx_uint_t                auth; /* ngx_http_ktp_auth_t */
    ngx_http_complex_value_t *auth_name;
    unsigned                  fields; /* bits of ktp_field_t; 0: not set */
    ktp_mask_t               *masks;  /* of KTP_FIELD_TEXTS */
    ngx_flag_t                nik_check;
    ktp_answer_policy_t       answer_policy; /* of the three */
    ngx_http_ktp_secret_t    *log_key;       /* NULL: none */
    ngx_flag_t                pass_trace;
} ngx_http_ktp_loc_conf_t;

typedef enum {
    NGX_HTTP_KTP_AUTH_OFF = 0,
    NGX_HTTP_KTP_AUTH_KEY, /* App-ID and API-Key */
    NGX_HTTP_KTP_AUTH_NAME /* a name of nginx's own auth */
} ngx_http_ktp_auth_t;

/* How a request ended, for the log and the counters. */
typedef enum {
    NGX_HTTP_KTP_OUTCOME_NONE = 0, /* it has not ended */
    NGX_HTTP_KTP_OUTCOME_OK,
    NGX_HTTP_KTP_OUTCOME_REJECTED,
    NGX_HTTP_KTP_OUTCOME_UNAUTHORIZED,
    NGX_HTTP_KTP_OUTCOME_QUOTA,
    NGX_HTTP_KTP_OUTCOME_UPSTREAM_ERROR,
    NGX_HTTP_KTP_OUTCOME_TIMEOUT,
    NGX_HTTP_KTP_OUTCOME_ABORTED
} ngx_http_ktp_outcome_t;

/* Whether the vendor may bill the request. */
typedef enum {
    NGX_HTTP_KTP_BILLED_NO = 0, /* it cannot have taken it, or refused it */
    NGX_HTTP_KTP_BILLED_YES,    /* it answered with a result */
    NGX_HTTP_KTP_BILLED_UNKNOWN /* it had the whole of it */
} ngx_http_ktp_billed_t;

/*
 * Called once with KTP_OK when the body is complete and right, or with the
 * error as soon as it is certain; the rest of the body is then unread.
 */
typedef void (*ngx_http_ktp_body_pt)(ngx_http_request_t *r, ktp_code_t code);

typedef struct {
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
} ngx_http_ktp_ctx_t;


extern ngx_module_t ngx_http_ktp_module;


#endif /* NGX_HTTP_KTP_H */
