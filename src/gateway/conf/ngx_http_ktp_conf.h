/* The module's configuration, and the setters of its simpler directives. */

#ifndef NGX_HTTP_KTP_CONF_H
#define NGX_HTTP_KTP_CONF_H

#include "ngx_http_ktp.h"
#include "ktp_answer.h"
#include "ktp_intake.h"
#include "ngx_http_ktp_sha1.h"
#include "ngx_http_ktp_transport.h"


/*
 * Maximum size of an upstream response; those of the contract are about 1 KB.
 */
#define NGX_HTTP_KTP_MAX_RESPONSE (256 * 1024)

/* Upper bound of ktp_max_image_size: memory that one request may hold. */
#define NGX_HTTP_KTP_MAX_IMAGE_SIZE (64 * 1024 * 1024)

typedef struct {
    ngx_uint_t   locations;      /* with ktp_pass or ktp_ticket, for filters */
    ngx_array_t *passes;         /* of ngx_http_ktp_pass_t; NULL: none */
    ngx_http_handler_pt handler; /* content handler of those locations */

    ngx_http_ktp_zone_t    *zone;          /* NULL: nothing is shared */
    ngx_http_ktp_flights_t *flights;       /* NULL: no stored answers */
    ngx_http_ktp_redis_t   *redis;         /* NULL: there is no fleet */
    ngx_http_ktp_secret_t  *fleet_keys[2]; /* NULL: none, or no second */
    ngx_str_t              *state;         /* path of its file; NULL: none */
    ngx_array_t             clients;       /* of ngx_http_ktp_client_t * */
    ngx_array_t             currencies;    /* of ngx_http_ktp_currency_t * */
    ngx_array_t             breakers;      /* of ngx_http_ktp_breaker_t * */
    ngx_rbtree_t            client_names;  /* while it is read */
    ngx_rbtree_node_t       client_sentinel;

    /* by the hash of a name; the size is a power of two */
    ngx_http_ktp_client_t **client_table;
    ngx_uint_t              client_mask;
    ngx_queue_t             secrets; /* that are files */
    ngx_uint_t              auth;    /* count of "ktp_auth" other than off */
    ngx_uint_t              status;  /* count of "ktp_status" */
    ngx_uint_t              health;  /* count of "ktp_health" */
    ngx_uint_t              console; /* count of "ktp_console" */
    ngx_int_t               request_id;  /* index of "$request_id" */
    ngx_uint_t              forget;      /* count of "ktp_forget" */
    ngx_uint_t              tickets;     /* count of "ktp_ticket" */
    ngx_uint_t              ticket_auth; /* count of "ktp_auth ticket" */
    ngx_uint_t              cors;        /* count of "ktp_cors", not off */
    unsigned image_hmac : 1;             /* the variable is used somewhere */
} ngx_http_ktp_main_conf_t;

typedef enum {
    NGX_HTTP_KTP_AUTH_OFF = 0,
    NGX_HTTP_KTP_AUTH_KEY,   /* App-ID and API-Key */
    NGX_HTTP_KTP_AUTH_NAME,  /* a name of nginx's own auth */
    NGX_HTTP_KTP_AUTH_TICKET /* a ticket of "ktp_ticket" */
} ngx_http_ktp_auth_t;

typedef enum {
    NGX_HTTP_KTP_IDEMPOTENCY_OFF = 0,
    NGX_HTTP_KTP_IDEMPOTENCY_ON,
    NGX_HTTP_KTP_IDEMPOTENCY_REQUIRED
} ngx_http_ktp_idempotency_t;

/* Parameters of ktp_dedupe and ktp_idempotency. */
typedef struct {
    ngx_uint_t on;         /* 0: off; UNSET; of the latter, see above */
    ngx_msec_t ttl;        /* of a stored answer, or of a key */
    unsigned   all : 1;    /* scope=all: whichever client sends it */
    unsigned   ignore : 1; /* reference_id=ignore */
    unsigned   fleet : 1;  /* of all hosts */
} ngx_http_ktp_once_t;

/* The largest number of ktp_breaker's "failures". */
#define NGX_HTTP_KTP_BREAKER_FAILURES 100

/* The longest time of ktp_breaker: a day, in milliseconds. */
#define NGX_HTTP_KTP_BREAKER_LONGEST (24 * 60 * 60 * 1000)

/* The breaker of an upstream, by its name. */
struct ngx_http_ktp_breaker_s {
    ngx_str_t               name; /* that of the upstream */
    u_char                  hash[NGX_HTTP_KTP_SHA1_HEX]; /* of the name */
    unsigned                fleet : 1; /* shared by all hosts */
    ngx_str_t               label;     /* the name, for metrics */
    ngx_http_ktp_circuit_t *circuit;   /* in the zone */
    ngx_slab_pool_t        *pool;      /* of the zone */
};

/* Parameters of ktp_breaker; times are milliseconds. */
typedef struct {
    ngx_uint_t              failures; /* 0: off */
    ngx_msec_t              window;
    ngx_msec_t              open;
    ngx_msec_t              max;
    ngx_uint_t              fleet;   /* shared by all hosts of "ktp_redis" */
    ngx_http_ktp_breaker_t *breaker; /* NULL: off, or no ktp_pass */
} ngx_http_ktp_breaker_conf_t;

/* What is sent as "reference_id" if the client sent none. */
typedef enum {
    NGX_HTTP_KTP_REFERENCE_PASS = 0, /* nothing */
    NGX_HTTP_KTP_REFERENCE_GENERATE, /* a random one for each call */
    NGX_HTTP_KTP_REFERENCE_DERIVE    /* the same for the same image */
} ngx_http_ktp_reference_id_t;

/* The parsed URL of ktp_pass. */
typedef struct {
    ngx_str_t host; /* an IPv6 address is in brackets */
    ngx_str_t uri;
    in_port_t port;
    unsigned  ssl : 1;
    unsigned  no_port : 1; /* the default port is used */
} ngx_http_ktp_target_t;

/* Who answers besides the upstream; the directives are named alike. */
typedef enum {
    NGX_HTTP_KTP_PRECHECK = 0,
    NGX_HTTP_KTP_FIRST,
    NGX_HTTP_KTP_FALLBACK,
    NGX_HTTP_KTP_SHADOW, /* answers nobody: last */
    NGX_HTTP_KTP_ROLES
} ngx_http_ktp_role_t;

/* When ktp_fallback is asked: bits. */
#define NGX_HTTP_KTP_CASE_CONNECT 0x01 /* it was surely not billed */
#define NGX_HTTP_KTP_CASE_BREAKER 0x02 /* no call was made */
#define NGX_HTTP_KTP_CASE_REFUSED 0x04 /* for our keys, balance or rate */
#define NGX_HTTP_KTP_CASE_TIMEOUT 0x08 /* it may have been billed */
#define NGX_HTTP_KTP_CASE_ERROR   0x10 /* the same */

typedef struct ngx_http_ktp_loc_conf_s ngx_http_ktp_loc_conf_t;

/* One of them, at a location. */
typedef struct {
    ngx_http_ktp_role_t      role;
    ngx_str_t                name;       /* of its location, with "@" */
    ngx_http_ktp_loc_conf_t *klcf;       /* of that location */
    ngx_http_ktp_upstream_t  upstream;   /* of that location, with arguments */
    ngx_msec_t               timeout;    /* of a check */
    ngx_uint_t               confidence; /* in thousandths */
    unsigned                 fields; /* bits; 0: all that the client may get */
    ngx_uint_t               cases;
    ngx_uint_t               sample;     /* percent */
    unsigned                 shadow : 1; /* of a check: it refuses nothing */
} ngx_http_ktp_answerer_t;

struct ngx_http_ktp_loc_conf_s {
    ngx_http_ktp_upstream_t      *upstream; /* NULL: no ktp_pass here */
    ngx_http_ktp_target_t         target;   /* unless it is a Unix socket */
    ngx_http_upstream_srv_conf_t *block;    /* that target names; or NULL */
    ktp_policy_t                  policy;

    ngx_http_ktp_secret_t *app_id;
    ngx_http_ktp_secret_t *api_key;

    size_t       max_image_size;
    ngx_uint_t   min_width;
    ngx_uint_t   min_height;
    size_t       max_pixels;
    ngx_flag_t   strip_metadata;
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
    ngx_uint_t   repeats; /* "sent" of ktp_retries */
    ngx_flag_t   ignore_client_abort;
    ngx_msec_t   body_timeout;
    ngx_flag_t   request_buffering;
    ngx_flag_t   ssl_verify;
    ngx_str_t    ssl_trusted_certificate;
    ngx_str_t    ssl_name;
    ngx_str_t    host; /* of requests to a block; empty: the target's */
    ngx_str_t    ssl_certificate;
    ngx_str_t    ssl_certificate_key;
    ngx_str_t    proxy; /* URL; empty: none */
    ngx_str_t    proxy_host;
    ngx_str_t    user_agent; /* empty: none */
    ngx_flag_t   json_errors;

    ngx_uint_t                auth; /* ngx_http_ktp_auth_t */
    ngx_http_complex_value_t *auth_name;
    unsigned                  fields; /* bits of ktp_field_t; 0: not set */
    ktp_mask_t               *masks;  /* of KTP_FIELD_TEXTS */
    ngx_flag_t                nik_check;
    ktp_answer_policy_t       answer_policy; /* of the three */
    ngx_http_ktp_secret_t    *log_key;       /* NULL: none */
    ngx_flag_t                pass_trace;
    ngx_array_t              *billed_codes; /* of ngx_str_t; NULL: not known */
    ngx_http_ktp_price_t     *price; /* of a billed call; NULL: unknown */
    ngx_http_ktp_once_t       dedupe;
    ngx_http_ktp_once_t       idempotency;
    ngx_http_ktp_breaker_conf_t breaker;
    ngx_uint_t                  reference_id; /* ngx_http_ktp_reference_id_t */
    ngx_flag_t                  sandbox;
    ngx_http_ktp_answerer_t    *answerer[NGX_HTTP_KTP_ROLES]; /* or NULL */
    ngx_array_t                *cors;    /* of ngx_str_t, or "*"; NULL: off */
    ngx_http_ktp_console_t     *console; /* NULL: none here */
    ngx_msec_t                  ticket_ttl; /* of "ktp_ticket"; 0: none */
    ngx_uint_t                  ticket_uses;
};

/* A "ktp_pass" directive, for checks of the whole configuration. */
typedef struct {
    ngx_http_ktp_loc_conf_t  *klcf;
    ngx_http_core_loc_conf_t *clcf;
    void                    **srv_conf;
    u_char                   *file;
    ngx_uint_t                line;
    unsigned handler : 1; /* the location had a content handler before */
} ngx_http_ktp_pass_t;


/* ktp_auth off | on | ticket | $variable */
char *ngx_http_ktp_conf_auth(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);

/* ktp_image_url_allow CIDR ... */
char *ngx_http_ktp_conf_image_url_allow(ngx_conf_t *cf, ngx_command_t *cmd,
                                        void *conf);

/* ktp_pass URL */
char *ngx_http_ktp_conf_pass(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);

/* ktp_min_dimensions WIDTHxHEIGHT */
char *ngx_http_ktp_conf_min_dimensions(ngx_conf_t *cf, ngx_command_t *cmd,
                                       void *conf);

/*
 * 1 if a location answers as the contract has it: with "ktp_pass", or with
 * "ktp_ticket".
 */
ngx_uint_t ngx_http_ktp_conf_is_contract(ngx_http_ktp_loc_conf_t *klcf);

/*
 * 1 if the upstream of a location with ktp_pass is on this machine: a Unix
 * socket, a loopback address or "localhost".  Names are not resolved.
 */
ngx_uint_t ngx_http_ktp_conf_is_local(ngx_http_ktp_loc_conf_t *klcf);

/*
 * Derives settings of a location from its merged values: the image policy,
 * upstream timeouts, and the body size limit of nginx, with a warning if the
 * latter is lower than ktp_max_image_size requires.
 */
char *ngx_http_ktp_conf_finish(ngx_conf_t *cf, ngx_http_ktp_loc_conf_t *prev,
                               ngx_http_ktp_loc_conf_t *klcf);


#endif /* NGX_HTTP_KTP_CONF_H */
