#include "ngx_http_ktp_outcome.h"


static const char *const ngx_http_ktp_outcomes[] = {NULL,
                                                    "ok",
                                                    "rejected",
                                                    "unauthorized",
                                                    "quota",
                                                    "not_accepted",
                                                    "upstream_refused",
                                                    "upstream_limited",
                                                    "upstream_error",
                                                    "timeout",
                                                    "aborted"};

static const char *const ngx_http_ktp_reasons[NGX_HTTP_KTP_REASONS] = {
    "",
    "dns",
    "connect",
    "tls",
    "tls_name",
    "tls_expired",
    "tls_issuer",
    "ca_file",
    "reset",
    "timeout",
    "too_large",
    "coding",
    "protocol",
    "redirect",
    "bad_status",
    "content_type",
    "not_json",
    "unsafe",
    "upstream_credentials",
    "upstream_quota",
    "upstream_rate"};

static const char *const ngx_http_ktp_billed[] = {"no", "yes", "unknown"};


const char *
ngx_http_ktp_outcome_name(ngx_http_ktp_outcome_t outcome)
{
    return ngx_http_ktp_outcomes[outcome];
}


const char *
ngx_http_ktp_outcome_reason(ngx_http_ktp_reason_t reason)
{
    return ngx_http_ktp_reasons[reason];
}


const char *
ngx_http_ktp_outcome_billed(ngx_http_ktp_billed_t billed)
{
    return ngx_http_ktp_billed[billed];
}
