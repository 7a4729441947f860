#include "ngx_http_ktp_record.h"


/*
 * Bytes, numbers in network order:
 *
 *   0  version                   10  length of the content type
 *   1  result of the call        12  length of the detail of an error
 *   2  cause of a failure        14  length of the upstream's address
 *   3  flags                     16  length of the body, 4 bytes
 *   4  status, 2 bytes           20  these texts
 *   6  Retry-After, 4 bytes
 *
 * Hosts of a fleet may have different versions of the module: another layout,
 * or another meaning of a result or a cause, needs another version.
 */
#define NGX_HTTP_KTP_RECORD_VERSION 1
#define NGX_HTTP_KTP_RECORD_HEAD    20

#define NGX_HTTP_KTP_RECORD_HANDED_OUT 0x01
#define NGX_HTTP_KTP_RECORD_LOCAL      0x02


static u_char  *ngx_http_ktp_record_put(u_char *p, uint32_t value, size_t n);
static u_char  *ngx_http_ktp_record_text(u_char *p, const ngx_str_t *text);
static uint32_t ngx_http_ktp_record_get(const u_char *p, size_t n);


ngx_int_t
ngx_http_ktp_record_write(ngx_http_ktp_ctx_t        *ctx,
                          const ngx_http_ktp_call_t *call,
                          const ngx_str_t *body, ngx_str_t *record)
{
    u_char    *p;
    ngx_str_t  detail;
    ngx_uint_t flags;

    detail = call->detail;

    if (detail.len == 0 && call->error) {
        detail.data = (u_char *) call->error;
        detail.len = ngx_strlen(call->error);
    }

    if (call->content_type.len > 0xffff || detail.len > 0xffff
        || call->addr.len > 0xffff || body->len > 0xffffffff) {
        return NGX_ERROR;
    }

    record->len = NGX_HTTP_KTP_RECORD_HEAD + call->content_type.len
                  + detail.len + call->addr.len + body->len;

    /* in memory that is wiped with the request */

    p = ngx_pnalloc(ctx->request->pool, record->len);
    if (p == NULL) {
        return NGX_ERROR;
    }

    record->data = p;

    flags = (call->handed_out ? NGX_HTTP_KTP_RECORD_HANDED_OUT : 0)
            | (ctx->local ? NGX_HTTP_KTP_RECORD_LOCAL : 0);

    *p++ = NGX_HTTP_KTP_RECORD_VERSION;
    *p++ = call->result;
    *p++ = call->cause;
    *p++ = flags;
    p = ngx_http_ktp_record_put(p, call->status, 2);
    p = ngx_http_ktp_record_put(p, ngx_min(call->retry_after, 0xffffffff), 4);
    p = ngx_http_ktp_record_put(p, call->content_type.len, 2);
    p = ngx_http_ktp_record_put(p, detail.len, 2);
    p = ngx_http_ktp_record_put(p, call->addr.len, 2);
    p = ngx_http_ktp_record_put(p, body->len, 4);

    p = ngx_http_ktp_record_text(p, &call->content_type);
    p = ngx_http_ktp_record_text(p, &detail);
    p = ngx_http_ktp_record_text(p, &call->addr);
    (void) ngx_http_ktp_record_text(p, body);

    return NGX_OK;
}


static u_char *
ngx_http_ktp_record_put(u_char *p, uint32_t value, size_t n)
{
    while (n--) {
        *p++ = (u_char) (value >> (8 * n));
    }

    return p;
}


static u_char *
ngx_http_ktp_record_text(u_char *p, const ngx_str_t *text)
{
    return text->len ? ngx_cpymem(p, text->data, text->len) : p;
}


ngx_int_t
ngx_http_ktp_record_read(ngx_http_ktp_ctx_t *ctx, const ngx_str_t *record)
{
    u_char                  *p;
    size_t                   left;
    ngx_uint_t               i, flags;
    ngx_http_ktp_call_t     *call;
    ngx_http_ktp_loc_conf_t *klcf;

    klcf = ngx_http_get_module_loc_conf(ctx->request, ngx_http_ktp_module);
    call = &ctx->call;

    struct {
        ngx_str_t *text;
        size_t     at; /* its length is there, */
        size_t     n;  /* in so many bytes */
    } texts[] = {{&call->content_type, 10, 2},
                 {&call->detail, 12, 2},
                 {&call->addr, 14, 2},
                 {&call->body, 16, 4}};

    p = record->data;

    if (record->len < NGX_HTTP_KTP_RECORD_HEAD
        || p[0] != NGX_HTTP_KTP_RECORD_VERSION
        || p[1] > NGX_HTTP_KTP_CALL_STOPPED
        || p[2] > NGX_HTTP_KTP_CAUSE_PROTOCOL) {
        return NGX_ERROR;
    }

    ngx_memzero(call, sizeof(ngx_http_ktp_call_t));

    flags = p[3];

    call->upstream = klcf->upstream;
    call->pool = ctx->request->pool;
    call->log = ctx->request->connection->log;
    call->result = p[1];
    call->cause = p[2];
    call->status = ngx_http_ktp_record_get(p + 4, 2);
    call->retry_after = ngx_http_ktp_record_get(p + 6, 4);
    call->handed_out = (flags & NGX_HTTP_KTP_RECORD_HANDED_OUT) != 0;
    ctx->local = (flags & NGX_HTTP_KTP_RECORD_LOCAL) != 0;
    call->error = "";
    call->connect_time = -1;
    call->header_time = -1;

    p += NGX_HTTP_KTP_RECORD_HEAD;
    left = record->len - NGX_HTTP_KTP_RECORD_HEAD;

    for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        texts[i].text->data = p;
        texts[i].text->len =
            ngx_http_ktp_record_get(record->data + texts[i].at, texts[i].n);

        if (texts[i].text->len > left) {
            return NGX_ERROR;
        }

        p += texts[i].text->len;
        left -= texts[i].text->len;
    }

    return left == 0 ? NGX_OK : NGX_ERROR;
}


static uint32_t
ngx_http_ktp_record_get(const u_char *p, size_t n)
{
    uint32_t value;

    for (value = 0; n; n--) {
        value = value << 8 | *p++;
    }

    return value;
}
