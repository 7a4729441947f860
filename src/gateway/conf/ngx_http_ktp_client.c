#include "ngx_http_ktp_client.h"
#include "ngx_http_ktp_policy.h"
#include "ngx_http_ktp_value.h"


/*
 * Maximum rate, in calls per second: the interval is at least a microsecond.
 */
#define NGX_HTTP_KTP_MAX_RATE  1000000
#define NGX_HTTP_KTP_MAX_BURST 1000000

/* What parameters must be. */
#define NGX_HTTP_KTP_CLIENT_QUOTA                                             \
    "NUMBER/day, NUMBER/month, or NUMBER/total, such as \"1000/day\", with "  \
    "a "                                                                      \
    "number up to 1099511627775"
#define NGX_HTTP_KTP_CLIENT_BURST                                             \
    "\"burst=NUMBER\" with a number from 1 to 1000000"
#define NGX_HTTP_KTP_CLIENT_RATE NGX_HTTP_KTP_CLIENT_BURST ", or \"fleet\""


typedef char *(*ngx_http_ktp_client_pt)(ngx_conf_t            *cf,
                                        ngx_http_ktp_client_t *client);

typedef struct {
    ngx_str_t              name;
    ngx_uint_t             min; /* parameters */
    ngx_uint_t             max;
    ngx_http_ktp_client_pt set;
} ngx_http_ktp_client_command_t;


static char *ngx_http_ktp_client_name(ngx_conf_t *cf, ngx_str_t *name);
static char *ngx_http_ktp_client_directive(ngx_conf_t    *cf,
                                           ngx_command_t *dummy, void *conf);
static char *ngx_http_ktp_client_key(ngx_conf_t            *cf,
                                     ngx_http_ktp_client_t *client);
static char *ngx_http_ktp_client_quota(ngx_conf_t            *cf,
                                       ngx_http_ktp_client_t *client);
static char *
ngx_http_ktp_client_quota_parameter(ngx_conf_t *cf, ngx_str_t *value,
                                    ngx_http_ktp_client_quota_t *quota);
static ngx_int_t ngx_http_ktp_client_offset(u_char *p, size_t len);
static char     *ngx_http_ktp_client_rate(ngx_conf_t            *cf,
                                          ngx_http_ktp_client_t *client);
static char     *ngx_http_ktp_client_inflight(ngx_conf_t            *cf,
                                              ngx_http_ktp_client_t *client);
static char     *ngx_http_ktp_client_fields(ngx_conf_t            *cf,
                                            ngx_http_ktp_client_t *client);
static char     *ngx_http_ktp_client_mask(ngx_conf_t            *cf,
                                          ngx_http_ktp_client_t *client);
static char     *ngx_http_ktp_client_disabled(ngx_conf_t            *cf,
                                              ngx_http_ktp_client_t *client);
static ngx_int_t ngx_http_ktp_client_fleet(ngx_conf_t               *cf,
                                           ngx_http_ktp_main_conf_t *kmcf,
                                           ngx_http_ktp_client_t    *client);
static ngx_int_t ngx_http_ktp_client_index(ngx_conf_t               *cf,
                                           ngx_http_ktp_main_conf_t *kmcf);


static ngx_http_ktp_client_command_t ngx_http_ktp_client_commands[] = {
    {ngx_string("key_sha256"), 1, NGX_HTTP_KTP_CLIENT_KEYS,
     ngx_http_ktp_client_key},
    {ngx_string("quota"), 1, 5, ngx_http_ktp_client_quota},
    {ngx_string("rate"), 1, 3, ngx_http_ktp_client_rate},
    {ngx_string("max_inflight"), 1, 1, ngx_http_ktp_client_inflight},
    {ngx_string("fields"), 1, 0, ngx_http_ktp_client_fields},
    {ngx_string("mask"), 1, 0, ngx_http_ktp_client_mask},
    {ngx_string("disabled"), 0, 0, ngx_http_ktp_client_disabled},
    {ngx_null_string, 0, 0, NULL}};

static ngx_str_t ngx_http_ktp_periods[KTP_QUOTA_PERIODS] = {
    ngx_string("day"), ngx_string("month"), ngx_string("total")};


char *
ngx_http_ktp_client_block(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_ktp_main_conf_t *kmcf = conf;

    char                  *rv;
    uint32_t               hash;
    ngx_str_t             *value;
    ngx_conf_t             save;
    ngx_http_ktp_client_t *client, **push;

    value = cf->args->elts;

    rv = ngx_http_ktp_client_name(cf, &value[1]);
    if (rv != NGX_CONF_OK) {
        return rv;
    }

    hash = ngx_crc32_short(value[1].data, value[1].len);

    if (ngx_str_rbtree_lookup(&kmcf->client_names, &value[1], hash)) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "duplicate client \"%V\"",
                           &value[1]);
        return NGX_CONF_ERROR;
    }

    client = ngx_pcalloc(cf->pool, sizeof(ngx_http_ktp_client_t));
    if (client == NULL) {
        return NGX_CONF_ERROR;
    }

    push = ngx_array_push(&kmcf->clients);
    if (push == NULL) {
        return NGX_CONF_ERROR;
    }

    *push = client;

    client->file = cf->conf_file->file.name.data;
    client->line = cf->conf_file->line;
    client->sn.str = value[1];
    client->share.name = value[1];
    client->sn.node.key = hash;
    ngx_rbtree_insert(&kmcf->client_names, &client->sn.node);

    save = *cf;
    cf->handler = ngx_http_ktp_client_directive;
    cf->handler_conf = (void *) client;

    rv = ngx_conf_parse(cf, NULL);

    *cf = save;

    return rv;
}


static char *
ngx_http_ktp_client_name(ngx_conf_t *cf, ngx_str_t *name)
{
    size_t i;

    for (i = 0; i < name->len; i++) {

        /* the name is a label of metrics, between quotes */

        if (name->data[i] <= 0x20 || name->data[i] >= 0x7f
            || name->data[i] == '"' || name->data[i] == '\\') {
            break;
        }
    }

    if (name->len == 0 || name->len > KTP_MAX_CLIENT_NAME || i < name->len
        || name->data[0] == '$') {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid client name \"%V\" in \"ktp_client\" "
                           "directive, it must be 1 to %d visible ASCII "
                           "characters without quotes, backslashes, and "
                           "\"$\" at the beginning",
                           name, KTP_MAX_CLIENT_NAME);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


ngx_http_ktp_client_t *
ngx_http_ktp_client(ngx_http_ktp_main_conf_t *kmcf, ngx_str_t *name,
                    ngx_http_ktp_client_t **other)
{
    size_t                 len;
    uint32_t               hash;
    ngx_uint_t             same;
    ngx_http_ktp_client_t *client, *last;

    last = NULL;
    hash = ngx_crc32_short(name->data, name->len);

    for (client = kmcf->client_table[hash & kmcf->client_mask]; client;
         client = client->next) {

        /* no short cut, since reading the name may miss the cache */

        len = ngx_min(client->sn.str.len, name->len);

        same = ngx_memcmp(client->sn.str.data, name->data, len) == 0;
        same &= client->sn.node.key == hash;
        same &= client->sn.str.len == name->len;

        if (same) {
            return client;
        }

        last = client;
    }

    if (other) {
        *other = last;
    }

    return NULL;
}


static char *
ngx_http_ktp_client_directive(ngx_conf_t *cf, ngx_command_t *dummy, void *conf)
{
    ngx_http_ktp_client_t *client = conf;

    char                          *rv;
    ngx_str_t                     *value;
    ngx_uint_t                     n;
    ngx_http_ktp_client_command_t *cmd;

    value = cf->args->elts;
    n = cf->args->nelts - 1;

    if (ngx_strcmp(value[0].data, "include") == 0 && n == 1) {
        return ngx_conf_include(cf, dummy, conf);
    }

    for (cmd = ngx_http_ktp_client_commands; cmd->name.len; cmd++) {
        if (ngx_strcmp(value[0].data, cmd->name.data) == 0) {
            break;
        }
    }

    if (cmd->name.len == 0) {
        ngx_conf_log_error(
            NGX_LOG_EMERG, cf, 0,
            "unknown directive \"%V\" in client \"%V\", it "
            "must be \"key_sha256\", \"quota\", \"rate\", "
            "\"max_inflight\", \"fields\", \"mask\", \"disabled\", or "
            "\"include\"",
            &value[0], &client->sn.str);
        return NGX_CONF_ERROR;
    }

    if (n < cmd->min || (n > cmd->max && (cmd->max || cmd->min == 0))) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid number of arguments in \"%V\" directive",
                           &value[0]);
        return NGX_CONF_ERROR;
    }

    rv = cmd->set(cf, client);

    if (rv == NGX_CONF_OK || rv == NGX_CONF_ERROR) {
        return rv;
    }

    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "\"%V\" directive %s", &value[0],
                       rv);

    return NGX_CONF_ERROR;
}


static char *
ngx_http_ktp_client_key(ngx_conf_t *cf, ngx_http_ktp_client_t *client)
{
    u_char    *p;
    ngx_int_t  n;
    ngx_str_t *value;
    ngx_uint_t i, k;

    if (client->nkeys) {
        return "is duplicate";
    }

    value = cf->args->elts;

    for (k = 1; k < cf->args->nelts; k++) {
        p = value[k].data;
        n = value[k].len == 2 * NGX_HTTP_KTP_DIGEST_SIZE ? 0 : NGX_ERROR;

        for (i = 0; n != NGX_ERROR && i < NGX_HTTP_KTP_DIGEST_SIZE; i++) {
            n = ngx_hextoi(p + 2 * i, 2);
            client->keys[k - 1][i] = (u_char) n;
        }

        if (n == NGX_ERROR) {

            /*
             * the value is not logged: it may be the key instead of its hash
             */

            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "invalid SHA-256 in \"key_sha256\" directive, "
                               "it must be 64 hexadecimal digits");
            return NGX_CONF_ERROR;
        }

        client->nkeys++;
    }

    if (client->nkeys == 1) {
        ngx_memcpy(client->keys[1], client->keys[0], NGX_HTTP_KTP_DIGEST_SIZE);
    }

    return NGX_CONF_OK;
}


/* NUMBER/day|month|total [offset=+HH:MM] [fleet [local=N%] | shadow] */

static char *
ngx_http_ktp_client_quota(ngx_conf_t *cf, ngx_http_ktp_client_t *client)
{
    char                        *rv;
    off_t                        limit;
    u_char                      *slash, *last;
    ngx_str_t                   *value, *periods, s;
    ngx_uint_t                   i;
    ngx_http_ktp_client_quota_t *quota;

    value = cf->args->elts;
    last = value[1].data + value[1].len;
    periods = ngx_http_ktp_periods;

    slash = ngx_strlchr(value[1].data, last, '/');
    limit =
        slash ? ngx_atoof(value[1].data, slash - value[1].data) : NGX_ERROR;

    if (limit == NGX_ERROR || limit > (off_t) KTP_QUOTA_MAX) {
        return ngx_http_ktp_value_invalid(cf, "invalid quota", &value[1],
                                          NGX_HTTP_KTP_CLIENT_QUOTA);
    }

    s.data = slash + 1;
    s.len = last - s.data;

    for (i = 0; i < KTP_QUOTA_PERIODS; i++) {
        if (s.len == periods[i].len
            && ngx_strncmp(s.data, periods[i].data, s.len) == 0) {
            break;
        }
    }

    if (i == KTP_QUOTA_PERIODS) {
        return ngx_http_ktp_value_invalid(cf, "invalid period of quota",
                                          &value[1],
                                          NGX_HTTP_KTP_CLIENT_QUOTA);
    }

    quota = &client->quota[i];

    if (quota->set) {
        return "is duplicate";
    }

    quota->set = 1;
    quota->limit = limit;

    for (i = 2; i < cf->args->nelts; i++) {
        rv = ngx_http_ktp_client_quota_parameter(cf, &value[i], quota);
        if (rv != NGX_CONF_OK) {
            return rv;
        }
    }

    if (quota->fleet && quota->shadow) {
        return "has both \"fleet\" and \"shadow\"";
    }

    client->fleet |= quota->fleet;

    return NGX_CONF_OK;
}


static char *
ngx_http_ktp_client_quota_parameter(ngx_conf_t *cf, ngx_str_t *value,
                                    ngx_http_ktp_client_quota_t *quota)
{
    ngx_int_t n;

    if (ngx_strcmp(value->data, "fleet") == 0 && !quota->fleet) {
        quota->fleet = 1;
        return NGX_CONF_OK;
    }

    if (ngx_strncmp(value->data, "local=", 6) == 0 && quota->fleet
        && quota->local == 0 && value->data[value->len - 1] == '%') {
        n = ngx_atoi(value->data + 6, value->len - 7);

        if (n >= 1 && n <= 100) {
            quota->local = ngx_max(quota->limit * n / 100, 1);
            return NGX_CONF_OK;
        }
    }

    if (ngx_strcmp(value->data, "shadow") == 0 && !quota->shadow) {
        quota->shadow = 1;
        return NGX_CONF_OK;
    }

    if (ngx_strncmp(value->data, "offset=", 7) == 0) {
        n = ngx_http_ktp_client_offset(value->data + 7, value->len - 7);

        if (n != NGX_ERROR) {
            quota->offset = (value->data[7] == '-') ? -n : n;
            return NGX_CONF_OK;
        }

        return ngx_http_ktp_value_invalid(
            cf, "invalid offset", value,
            "in the form \"offset=+07:00\", at most 23:59");
    }

    return ngx_http_ktp_value_invalid(cf, "invalid parameter", value,
                                      "\"offset=+HH:MM\", \"shadow\", or "
                                      "\"fleet\", which \"local=NUMBER%\" "
                                      "from 1% to 100% may follow");
}


/* Seconds of an offset +HH:MM or -HH:MM (RFC 3339), without its sign. */

static ngx_int_t
ngx_http_ktp_client_offset(u_char *p, size_t len)
{
    ngx_int_t h, m;

    if (len != 6 || (p[0] != '+' && p[0] != '-') || p[3] != ':') {
        return NGX_ERROR;
    }

    h = ngx_atoi(p + 1, 2);
    m = ngx_atoi(p + 4, 2);

    if (h == NGX_ERROR || m == NGX_ERROR || h > 23 || m > 59) {
        return NGX_ERROR;
    }

    return (h * 60 + m) * 60;
}


/* NUMBER/s|m [burst=NUMBER] [fleet] */

static char *
ngx_http_ktp_client_rate(ngx_conf_t *cf, ngx_http_ktp_client_t *client)
{
    size_t     len;
    ngx_int_t  rate, burst;
    ngx_str_t *value;
    ngx_uint_t i, seconds;

    if (client->rate_interval) {
        return "is duplicate";
    }

    value = cf->args->elts;
    len = value[1].len;
    seconds = 0;

    if (len > 2 && value[1].data[len - 2] == '/') {
        seconds = value[1].data[len - 1] == 's'   ? 1
                  : value[1].data[len - 1] == 'm' ? 60
                                                  : 0;
    }

    rate = seconds ? ngx_atoi(value[1].data, len - 2) : NGX_ERROR;

    if (rate < 1 || rate > NGX_HTTP_KTP_MAX_RATE) {
        return ngx_http_ktp_value_invalid(
            cf, "invalid rate", &value[1],
            "NUMBER/s or NUMBER/m, such as \"10/s\", with a number from 1 to "
            "1000000");
    }

    client->rate_interval = (uint64_t) seconds * 1000000 / rate;

    for (i = 2; i < cf->args->nelts; i++) {

        if (ngx_strcmp(value[i].data, "fleet") == 0 && !client->rate_fleet) {
            client->rate_fleet = 1;
            continue;
        }

        if (ngx_strncmp(value[i].data, "burst=", 6) != 0
            || client->rate_burst) {
            return ngx_http_ktp_value_invalid(
                cf, "invalid parameter", &value[i], NGX_HTTP_KTP_CLIENT_RATE);
        }

        burst = ngx_atoi(value[i].data + 6, value[i].len - 6);

        if (burst < 1 || burst > NGX_HTTP_KTP_MAX_BURST) {
            return ngx_http_ktp_value_invalid(cf, "invalid burst value",
                                              &value[i],
                                              NGX_HTTP_KTP_CLIENT_BURST);
        }

        client->rate_burst = burst;
    }

    if (client->rate_burst == 0) {
        client->rate_burst = rate;
    }

    return NGX_CONF_OK;
}


static char *
ngx_http_ktp_client_inflight(ngx_conf_t *cf, ngx_http_ktp_client_t *client)
{
    ngx_int_t  n;
    ngx_str_t *value;

    if (client->share.max) {
        return "is duplicate";
    }

    value = cf->args->elts;
    n = ngx_atoi(value[1].data, value[1].len);

    if (n < 1) {
        return ngx_http_ktp_value_invalid(cf, "invalid value", &value[1],
                                          "a number of at least 1");
    }

    client->share.max = n;

    return NGX_CONF_OK;
}


static char *
ngx_http_ktp_client_fields(ngx_conf_t *cf, ngx_http_ktp_client_t *client)
{
    if (client->fields) {
        return "is duplicate";
    }

    return ngx_http_ktp_policy_fields(cf, &client->fields);
}


static char *
ngx_http_ktp_client_mask(ngx_conf_t *cf, ngx_http_ktp_client_t *client)
{
    if (client->mask) {
        return "is duplicate";
    }

    client->mask = ngx_palloc(cf->pool, KTP_FIELD_TEXTS * sizeof(ktp_mask_t));
    if (client->mask == NULL) {
        return NGX_CONF_ERROR;
    }

    return ngx_http_ktp_policy_mask(cf, client->mask);
}


static char *
ngx_http_ktp_client_disabled(ngx_conf_t *cf, ngx_http_ktp_client_t *client)
{
    if (client->disabled) {
        return "is duplicate";
    }

    client->disabled = 1;

    return NGX_CONF_OK;
}


ngx_int_t
ngx_http_ktp_client_init(ngx_conf_t *cf)
{
    ngx_uint_t                i, p, counted;
    ngx_http_ktp_client_t   **client;
    ngx_http_ktp_main_conf_t *kmcf;

    kmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_ktp_module);

    client = kmcf->clients.elts;

    for (i = 0; i < kmcf->clients.nelts; i++) {
        counted = client[i]->rate_interval != 0;

        for (p = 0; p < KTP_QUOTA_PERIODS; p++) {
            counted |= client[i]->quota[p].set;
        }

        if (counted && kmcf->zone == NULL) {
            ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                          "\"quota\" or \"rate\" of client \"%V\" "
                          "requires \"ktp_zone\" in %s:%ui",
                          &client[i]->sn.str, client[i]->file,
                          client[i]->line);
            return NGX_ERROR;
        }

        if ((client[i]->fleet || client[i]->rate_fleet)
            && ngx_http_ktp_client_fleet(cf, kmcf, client[i]) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    return ngx_http_ktp_client_index(cf, kmcf);
}


/* What a quota or rate of the fleet requires. */

static ngx_int_t
ngx_http_ktp_client_fleet(ngx_conf_t *cf, ngx_http_ktp_main_conf_t *kmcf,
                          ngx_http_ktp_client_t *client)
{
    u_char    *last;
    ngx_str_t *name;

    name = &client->sn.str;
    last = name->data + name->len;

    if (kmcf->redis == NULL) {
        ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                      "\"fleet\" of a quota or rate of client \"%V\" requires "
                      "\"ktp_redis\" in %s:%ui",
                      name, client->file, client->line);
        return NGX_ERROR;
    }

    /* the name stands in braces in keys of Redis, to select the slot */

    if (ngx_strlchr(name->data, last, '{')
        || ngx_strlchr(name->data, last, '}')) {
        ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                      "name of client \"%V\" must not have braces for "
                      "\"fleet\" of a quota or rate in %s:%ui",
                      name, client->file, client->line);
        return NGX_ERROR;
    }

    return NGX_OK;
}


/*
 * A hash table, since a lookup in a tree of many clients touches a cold cache
 * line at each level; here it touches that of the client and one more.
 */

static ngx_int_t
ngx_http_ktp_client_index(ngx_conf_t *cf, ngx_http_ktp_main_conf_t *kmcf)
{
    size_t                  size;
    ngx_uint_t              i;
    ngx_http_ktp_client_t **client, **place;

    for (size = 1; size < 2 * kmcf->clients.nelts; size *= 2) {
        /* void */
    }

    kmcf->client_mask = size - 1;
    kmcf->client_table =
        ngx_pcalloc(cf->pool, size * sizeof(ngx_http_ktp_client_t *));

    if (kmcf->client_table == NULL) {
        return NGX_ERROR;
    }

    client = kmcf->clients.elts;

    for (i = 0; i < kmcf->clients.nelts; i++) {
        place =
            &kmcf->client_table[client[i]->sn.node.key & kmcf->client_mask];

        client[i]->next = *place;
        *place = client[i];
    }

    /* an empty bucket would be told by its lookup time */

    for (i = 0; kmcf->clients.nelts && i < size; i++) {
        if (kmcf->client_table[i] == NULL) {
            kmcf->client_table[i] = client[i % kmcf->clients.nelts];
        }
    }

    return NGX_OK;
}
