/*
 * Samples of metrics, in the Prometheus text format or as JSON.  Which metrics
 * there are is up to ngx_http_ktp_status.c.
 */

#ifndef NGX_HTTP_KTP_SAMPLES_H
#define NGX_HTTP_KTP_SAMPLES_H

#include "ngx_http_ktp.h"
#include "ktp_json_writer.h"
#include "ngx_http_ktp_metrics.h"
#include "ngx_http_ktp_page.h"


/* Metrics of one name; constant text. */
typedef struct {
    const char *name;
    const char *type;
    const char *help;
} ngx_http_ktp_family_t;

/* Characters that the formats escape are not allowed in it. */
typedef struct {
    const char *name;
    ngx_str_t   value;
} ngx_http_ktp_label_t;

typedef struct {
    ngx_http_ktp_page_t         *page;
    ktp_json_writer_t           *json;   /* NULL: Prometheus text format */
    const ngx_http_ktp_family_t *family; /* being written */
} ngx_http_ktp_samples_t;


/*
 * Begins the body of a page, as JSON if json is 1.  NGX_ERROR: memory is
 * short.
 */
ngx_int_t ngx_http_ktp_samples_begin(ngx_http_ktp_samples_t *samples,
                                     ngx_http_ktp_page_t    *page,
                                     ngx_uint_t              json);

/* Sends the page; returns what the content handler has to return. */
ngx_int_t ngx_http_ktp_samples_send(ngx_http_ktp_samples_t *samples);

/* Begins and ends a family. */
void ngx_http_ktp_samples_family(ngx_http_ktp_samples_t      *samples,
                                 const ngx_http_ktp_family_t *family);
void ngx_http_ktp_samples_family_end(ngx_http_ktp_samples_t *samples);

/*
 * Writes a sample with n labels; suffix is appended to the name of the family
 * and may be "".
 */
void ngx_http_ktp_samples_number(ngx_http_ktp_samples_t *samples,
                                 const char             *suffix,
                                 ngx_http_ktp_label_t *labels, ngx_uint_t n,
                                 uint64_t value);

/* The same; value is a valid JSON number. */
void ngx_http_ktp_samples_text(ngx_http_ktp_samples_t *samples,
                               const char             *suffix,
                               ngx_http_ktp_label_t *labels, ngx_uint_t n,
                               ngx_str_t *value);

/* A family of one sample without labels. */
void ngx_http_ktp_samples_single(ngx_http_ktp_samples_t      *samples,
                                 const ngx_http_ktp_family_t *family,
                                 uint64_t                     value);

/*
 * A family that is a histogram; bounds and sum are divided by scale, which is
 * 1 or 1000.
 */
void ngx_http_ktp_samples_histogram(ngx_http_ktp_samples_t       *samples,
                                    const ngx_http_ktp_family_t  *family,
                                    ngx_http_ktp_histogram_t     *h,
                                    const ngx_http_ktp_buckets_t *b,
                                    ngx_uint_t                    scale);


#endif /* NGX_HTTP_KTP_SAMPLES_H */
