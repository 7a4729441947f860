/* Names of outcomes, billing states and sources, for logs and metrics. */

#ifndef NGX_HTTP_KTP_OUTCOME_H
#define NGX_HTTP_KTP_OUTCOME_H

#include "ngx_http_ktp.h"


/*
 * The value of $ktp_outcome, also the "outcome" label of metrics: constant
 * text, or NULL for NGX_HTTP_KTP_OUTCOME_NONE.
 */
const char *ngx_http_ktp_outcome_name(ngx_http_ktp_outcome_t outcome);

/* 1 if the client got an answer about its image: fields, or an error of it. */
ngx_uint_t ngx_http_ktp_outcome_is_answer(ngx_http_ktp_outcome_t outcome);

/* The value of $ktp_billed: constant text, never NULL. */
const char *ngx_http_ktp_outcome_billed(ngx_http_ktp_billed_t billed);

/* The value of $ktp_source: constant text, "" for NGX_HTTP_KTP_SOURCE_NONE. */
const char *ngx_http_ktp_outcome_source(ngx_http_ktp_source_t source);


#endif /* NGX_HTTP_KTP_OUTCOME_H */
