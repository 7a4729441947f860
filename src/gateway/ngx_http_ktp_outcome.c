#include "ngx_http_ktp_outcome.h"


static const char *const ngx_http_ktp_outcomes[] = {NULL,
                                                    "ok",
                                                    "bad_quality",
                                                    "rejected",
                                                    "unauthorized",
                                                    "quota",
                                                    "not_accepted",
                                                    "upstream_refused",
                                                    "upstream_limited",
                                                    "upstream_error",
                                                    "timeout",
                                                    "aborted"};

static const char *const ngx_http_ktp_billed[] = {"no", "yes", "unknown"};

static const char *const ngx_http_ktp_sources[] = {
    "",         "upstream", "joined",   "replayed",
    "precheck", "first",    "fallback", "sandbox"};


const char *
ngx_http_ktp_outcome_name(ngx_http_ktp_outcome_t outcome)
{
    return ngx_http_ktp_outcomes[outcome];
}


ngx_uint_t
ngx_http_ktp_outcome_is_answer(ngx_http_ktp_outcome_t outcome)
{
    return outcome == NGX_HTTP_KTP_OUTCOME_OK
           || outcome == NGX_HTTP_KTP_OUTCOME_BAD_QUALITY
           || outcome == NGX_HTTP_KTP_OUTCOME_NOT_ACCEPTED;
}


const char *
ngx_http_ktp_outcome_billed(ngx_http_ktp_billed_t billed)
{
    return ngx_http_ktp_billed[billed];
}


const char *
ngx_http_ktp_outcome_source(ngx_http_ktp_source_t source)
{
    return ngx_http_ktp_sources[source];
}
