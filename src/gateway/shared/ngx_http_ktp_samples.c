#include "ngx_http_ktp_samples.h"


static void   ngx_http_ktp_samples_text_json(ngx_http_ktp_samples_t *samples,
                                             const char             *suffix,
                                             ngx_http_ktp_label_t   *labels,
                                             ngx_uint_t n, ngx_str_t *value);
static size_t ngx_http_ktp_samples_decimal(u_char *buf, uint64_t value,
                                           ngx_uint_t scale);
static void   ngx_http_ktp_samples_print(ngx_http_ktp_samples_t *samples,
                                         const char             *text);


static ngx_str_t ngx_http_ktp_samples_text_type =
    ngx_string("text/plain; version=0.0.4; charset=utf-8");
static ngx_str_t ngx_http_ktp_samples_json_type =
    ngx_string("application/json");

static ngx_str_t ngx_http_ktp_samples_inf = ngx_string("+Inf");


ngx_int_t
ngx_http_ktp_samples_begin(ngx_http_ktp_samples_t *samples,
                           ngx_http_ktp_page_t *page, ngx_uint_t json)
{
    samples->page = page;
    samples->json = NULL;
    samples->family = NULL;

    if (!json) {
        return NGX_OK;
    }

    samples->json = ktp_json_writer_create(ngx_http_ktp_page_write, page);
    if (samples->json == NULL) {
        return NGX_ERROR;
    }

    ktp_json_writer_open(samples->json);

    return NGX_OK;
}


ngx_int_t
ngx_http_ktp_samples_send(ngx_http_ktp_samples_t *samples)
{
    ngx_str_t *type;

    type = &ngx_http_ktp_samples_text_type;

    if (samples->json) {
        ktp_json_writer_close(samples->json);
        ktp_json_writer_destroy(samples->json);
        type = &ngx_http_ktp_samples_json_type;
    }

    return ngx_http_ktp_page_send(samples->page, NGX_HTTP_OK, type);
}


void
ngx_http_ktp_samples_family(ngx_http_ktp_samples_t      *samples,
                            const ngx_http_ktp_family_t *family)
{
    samples->family = family;

    if (samples->json) {
        ktp_json_writer_string(samples->json, family->name,
                               ngx_strlen(family->name));
        ktp_json_writer_open_array(samples->json);
        return;
    }

    ngx_http_ktp_samples_print(samples, "# HELP ");
    ngx_http_ktp_samples_print(samples, family->name);
    ngx_http_ktp_samples_print(samples, " ");
    ngx_http_ktp_samples_print(samples, family->help);
    ngx_http_ktp_samples_print(samples, "\n# TYPE ");
    ngx_http_ktp_samples_print(samples, family->name);
    ngx_http_ktp_samples_print(samples, " ");
    ngx_http_ktp_samples_print(samples, family->type);
    ngx_http_ktp_samples_print(samples, "\n");
}


void
ngx_http_ktp_samples_family_end(ngx_http_ktp_samples_t *samples)
{
    if (samples->json) {
        ktp_json_writer_close_array(samples->json);
    }
}


void
ngx_http_ktp_samples_single(ngx_http_ktp_samples_t      *samples,
                            const ngx_http_ktp_family_t *family,
                            uint64_t                     value)
{
    ngx_http_ktp_samples_family(samples, family);
    ngx_http_ktp_samples_number(samples, "", NULL, 0, value);
    ngx_http_ktp_samples_family_end(samples);
}


void
ngx_http_ktp_samples_number(ngx_http_ktp_samples_t *samples,
                            const char *suffix, ngx_http_ktp_label_t *labels,
                            ngx_uint_t n, uint64_t value)
{
    u_char    buf[NGX_INT64_LEN];
    ngx_str_t digits;

    digits.data = buf;
    digits.len = ngx_sprintf(buf, "%uL", value) - buf;

    ngx_http_ktp_samples_text(samples, suffix, labels, n, &digits);
}


void
ngx_http_ktp_samples_text(ngx_http_ktp_samples_t *samples, const char *suffix,
                          ngx_http_ktp_label_t *labels, ngx_uint_t n,
                          ngx_str_t *value)
{
    ngx_uint_t k;

    if (samples->json) {
        ngx_http_ktp_samples_text_json(samples, suffix, labels, n, value);
        return;
    }

    ngx_http_ktp_samples_print(samples, samples->family->name);
    ngx_http_ktp_samples_print(samples, suffix);

    for (k = 0; k < n; k++) {
        ngx_http_ktp_samples_print(samples, k ? "," : "{");
        ngx_http_ktp_samples_print(samples, labels[k].name);
        ngx_http_ktp_samples_print(samples, "=\"");

        /* names and labels contain no characters to escape */

        ngx_http_ktp_page_write(samples->page, (char *) labels[k].value.data,
                                labels[k].value.len);
        ngx_http_ktp_samples_print(samples, "\"");
    }

    ngx_http_ktp_samples_print(samples, n ? "} " : " ");
    ngx_http_ktp_page_write(samples->page, (char *) value->data, value->len);
    ngx_http_ktp_samples_print(samples, "\n");
}


/* Parts of a histogram have "sample": "bucket", "sum", or "count". */

static void
ngx_http_ktp_samples_text_json(ngx_http_ktp_samples_t *samples,
                               const char             *suffix,
                               ngx_http_ktp_label_t *labels, ngx_uint_t n,
                               ngx_str_t *value)
{
    ngx_uint_t k;

    ktp_json_writer_open(samples->json);

    if (*suffix) {
        ktp_json_writer_string(samples->json, "sample", 6);
        ktp_json_writer_string(samples->json, suffix + 1,
                               ngx_strlen(suffix + 1));
    }

    for (k = 0; k < n; k++) {
        ktp_json_writer_string(samples->json, labels[k].name,
                               ngx_strlen(labels[k].name));
        ktp_json_writer_string(samples->json, (char *) labels[k].value.data,
                               labels[k].value.len);
    }

    ktp_json_writer_string(samples->json, "value", 5);
    ktp_json_writer_number(samples->json, (char *) value->data, value->len);
    ktp_json_writer_close(samples->json);
}


void
ngx_http_ktp_samples_histogram(ngx_http_ktp_samples_t       *samples,
                               const ngx_http_ktp_family_t  *family,
                               ngx_http_ktp_histogram_t     *h,
                               const ngx_http_ktp_buckets_t *b,
                               ngx_uint_t                    scale)
{
    u_char               buf[NGX_INT64_LEN + 4];
    uint64_t             count;
    ngx_str_t            sum;
    ngx_uint_t           i;
    ngx_http_ktp_label_t label;

    ngx_http_ktp_samples_family(samples, family);

    label.name = "le";
    count = 0;

    for (i = 0; i < b->n; i++) {
        count += h->count[i];
        label.value.data = buf;
        label.value.len =
            ngx_http_ktp_samples_decimal(buf, b->bound[i], scale);
        ngx_http_ktp_samples_number(samples, "_bucket", &label, 1, count);
    }

    count += h->count[b->n];
    label.value = ngx_http_ktp_samples_inf;
    ngx_http_ktp_samples_number(samples, "_bucket", &label, 1, count);

    sum.data = buf;
    sum.len = ngx_http_ktp_samples_decimal(buf, h->sum, scale);
    ngx_http_ktp_samples_text(samples, "_sum", NULL, 0, &sum);
    ngx_http_ktp_samples_number(samples, "_count", NULL, 0, count);

    ngx_http_ktp_samples_family_end(samples);
}


/* Prints value / scale, without trailing zeroes; scale is 1 or 1000. */

static size_t
ngx_http_ktp_samples_decimal(u_char *buf, uint64_t value, ngx_uint_t scale)
{
    u_char *p;

    if (scale == 1) {
        return ngx_sprintf(buf, "%uL", value) - buf;
    }

    p = ngx_sprintf(buf, "%uL.%03uL", value / 1000, value % 1000);

    while (p[-1] == '0') {
        p--;
    }

    if (p[-1] == '.') {
        p--;
    }

    return p - buf;
}


static void
ngx_http_ktp_samples_print(ngx_http_ktp_samples_t *samples, const char *text)
{
    ngx_http_ktp_page_write(samples->page, text, ngx_strlen(text));
}
