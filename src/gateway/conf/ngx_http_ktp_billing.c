#include "ngx_http_ktp_billing.h"
#include "ktp_error.h"
#include "ktp_money.h"
#include "ngx_http_ktp_value.h"


static void ngx_http_ktp_billing_thousands(ngx_conf_t *cf, ngx_str_t *amount);
static ngx_http_ktp_currency_t *ngx_http_ktp_billing_currency(ngx_conf_t *cf,
                                                              ngx_str_t *code);


char *
ngx_http_ktp_billing_price(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_ktp_loc_conf_t *klcf = conf;

    ngx_str_t            *value;
    ngx_http_ktp_price_t *price;

    if (klcf->price != NGX_CONF_UNSET_PTR) {
        return "is duplicate";
    }

    value = cf->args->elts;

    price = ngx_palloc(cf->pool, sizeof(ngx_http_ktp_price_t));
    if (price == NULL) {
        return NGX_CONF_ERROR;
    }

    if (ktp_money_parse((char *) value[1].data, value[1].len, &price->amount)
        != 0) {
        return ngx_http_ktp_value_invalid(
            cf, "invalid amount", &value[1],
            "a number such as \"1500\" or \"0.035\", with at most 12 digits "
            "and 6 decimals");
    }

    ngx_http_ktp_billing_thousands(cf, &value[1]);

    price->text.data = ngx_pnalloc(cf->pool, KTP_MONEY_TEXT);
    if (price->text.data == NULL) {
        return NGX_CONF_ERROR;
    }

    price->text.len =
        ktp_money_print((char *) price->text.data, price->amount);

    price->currency = ngx_http_ktp_billing_currency(cf, &value[2]);
    if (price->currency == NULL) {
        return NGX_CONF_ERROR;
    }

    klcf->price = price;

    return NGX_CONF_OK;
}


/* "1.500" is 1500 in Indonesian. */

static void
ngx_http_ktp_billing_thousands(ngx_conf_t *cf, ngx_str_t *amount)
{
    u_char    *point;
    ngx_str_t *name;

    name = cf->args->elts;
    point = ngx_strlchr(amount->data, amount->data + amount->len, '.');

    if (point && amount->data + amount->len - point == 4
        && amount->data[0] != '0') {
        ngx_conf_log_error(NGX_LOG_WARN, cf, 0,
                           "amount \"%V\" in \"%V\" directive has a decimal "
                           "point, thousands are not separated",
                           amount, &name[0]);
    }
}


static ngx_http_ktp_currency_t *
ngx_http_ktp_billing_currency(ngx_conf_t *cf, ngx_str_t *code)
{
    ngx_uint_t                i;
    ngx_http_ktp_currency_t  *currency, **currencies, **push;
    ngx_http_ktp_main_conf_t *kmcf;

    for (i = 0; i < code->len; i++) {
        if (code->data[i] < 'A' || code->data[i] > 'Z') {
            break;
        }
    }

    if (code->len != NGX_HTTP_KTP_CURRENCY || i < code->len) {
        (void) ngx_http_ktp_value_invalid(
            cf, "invalid currency", code,
            "three capital letters, such as \"IDR\"");
        return NULL;
    }

    kmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_ktp_module);
    currencies = kmcf->currencies.elts;

    for (i = 0; i < kmcf->currencies.nelts; i++) {
        if (ngx_memcmp(currencies[i]->code, code->data, NGX_HTTP_KTP_CURRENCY)
            == 0) {
            return currencies[i];
        }
    }

    if (i == NGX_HTTP_KTP_CURRENCIES) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "too many currencies in \"ktp_price\" directives, "
                           "there must be at most %d",
                           NGX_HTTP_KTP_CURRENCIES);
        return NULL;
    }

    currency = ngx_pcalloc(cf->pool, sizeof(ngx_http_ktp_currency_t));
    if (currency == NULL) {
        return NULL;
    }

    ngx_memcpy(currency->code, code->data, NGX_HTTP_KTP_CURRENCY);

    push = ngx_array_push(&kmcf->currencies);
    if (push == NULL) {
        return NULL;
    }

    *push = currency;

    return currency;
}


char *
ngx_http_ktp_billing_codes(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_ktp_loc_conf_t *klcf = conf;

    size_t     j;
    ngx_str_t *value, *code;
    ngx_uint_t i;

    if (klcf->billed_codes != NGX_CONF_UNSET_PTR) {
        return "is duplicate";
    }

    klcf->billed_codes =
        ngx_array_create(cf->pool, cf->args->nelts, sizeof(ngx_str_t));
    if (klcf->billed_codes == NULL) {
        return NGX_CONF_ERROR;
    }

    value = cf->args->elts;

    if (cf->args->nelts == 2 && ngx_strcmp(value[1].data, "none") == 0) {
        return NGX_CONF_OK;
    }

    for (i = 1; i < cf->args->nelts; i++) {

        for (j = 0; j < value[i].len; j++) {
            if (!(value[i].data[j] >= 'A' && value[i].data[j] <= 'Z')
                && !(value[i].data[j] >= '0' && value[i].data[j] <= '9')
                && value[i].data[j] != '_') {
                break;
            }
        }

        if (value[i].len == 0 || value[i].len > KTP_ANSWER_MAX_CODE
            || j < value[i].len) {
            return ngx_http_ktp_value_invalid(
                cf, "invalid code", &value[i],
                "\"none\", or error codes such as \"KTP_NOT_DETECTED\"");
        }

        if (!ktp_error_of_request((char *) value[i].data, value[i].len)) {
            ngx_conf_log_error(NGX_LOG_WARN, cf, 0,
                               "code \"%V\" in \"%V\" directive is not known "
                               "as one of a response with status 400",
                               &value[i], &value[0]);
        }

        code = ngx_array_push(klcf->billed_codes);
        if (code == NULL) {
            return NGX_CONF_ERROR;
        }

        *code = value[i];
    }

    return NGX_CONF_OK;
}


ngx_uint_t
ngx_http_ktp_billing_has(const ngx_array_t *codes, const char *code)
{
    ngx_str_t *value;
    ngx_uint_t i;

    value = codes->elts;

    for (i = 0; i < codes->nelts; i++) {
        if (ngx_strcmp(value[i].data, code) == 0) {
            return 1;
        }
    }

    return 0;
}
