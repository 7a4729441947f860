/* The directives about money: what is billed, and what it costs. */

#ifndef NGX_HTTP_KTP_BILLING_H
#define NGX_HTTP_KTP_BILLING_H

#include "ngx_http_ktp_conf.h"


/* Letters of a currency, as in ISO 4217. */
#define NGX_HTTP_KTP_CURRENCY 3

/* Number of currencies of a configuration, and of those since the start. */
#define NGX_HTTP_KTP_CURRENCIES 8

typedef struct {
    u_char     code[NGX_HTTP_KTP_CURRENCY];
    ngx_uint_t column; /* in the counters of a client, if there is a zone */
} ngx_http_ktp_currency_t;

/* What a billed call costs. */
struct ngx_http_ktp_price_s {
    uint64_t                 amount; /* see ktp_money.h */
    ngx_str_t                text;   /* the amount as it is printed */
    ngx_http_ktp_currency_t *currency;
};


/* ktp_price AMOUNT CURRENCY; fills kmcf->currencies. */
char *ngx_http_ktp_billing_price(ngx_conf_t *cf, ngx_command_t *cmd,
                                 void *conf);

/* ktp_billed_codes none | CODE ... */
char *ngx_http_ktp_billing_codes(ngx_conf_t *cf, ngx_command_t *cmd,
                                 void *conf);

/* 1 if a null-terminated error code is among those of ktp_billed_codes. */
ngx_uint_t ngx_http_ktp_billing_has(const ngx_array_t *codes,
                                    const char        *code);


#endif /* NGX_HTTP_KTP_BILLING_H */
