#include "ngx_http_ktp_policy.h"
#include "ngx_http_ktp_client.h"


/* A field is suggested for a name at most this number of changes away. */
#define NGX_HTTP_KTP_POLICY_DISTANCE 3


static char      *ngx_http_ktp_policy_unknown(ngx_conf_t *cf, ngx_str_t *name);
static ngx_uint_t ngx_http_ktp_policy_distance(ngx_str_t *name, u_char *field,
                                               size_t len);


char *
ngx_http_ktp_policy_fields(ngx_conf_t *cf, unsigned *fields)
{
    ngx_str_t  *value;
    ngx_uint_t  i;
    ktp_field_t field;

    value = cf->args->elts;
    *fields = 0;

    if (cf->args->nelts == 2 && ngx_strcmp(value[1].data, "all") == 0) {
        *fields = KTP_FIELDS_ALL;
        return NGX_CONF_OK;
    }

    for (i = 1; i < cf->args->nelts; i++) {
        field = ktp_field_by_name((char *) value[i].data, value[i].len);

        if (field == KTP_FIELDS) {
            return ngx_http_ktp_policy_unknown(cf, &value[i]);
        }

        if (*fields & ktp_field_bit(field)) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "duplicate field \"%V\" in \"%V\" directive",
                               &value[i], &value[0]);
            return NGX_CONF_ERROR;
        }

        *fields |= ktp_field_bit(field);
    }

    return NGX_CONF_OK;
}


char *
ngx_http_ktp_policy_mask(ngx_conf_t *cf, ktp_mask_t *mask)
{
    u_char     *last, *style;
    ngx_str_t  *value, name;
    ngx_uint_t  i;
    ktp_field_t field;

    value = cf->args->elts;
    ngx_memzero(mask, KTP_FIELD_TEXTS * sizeof(ktp_mask_t));

    if (cf->args->nelts == 2 && ngx_strcmp(value[1].data, "none") == 0) {
        return NGX_CONF_OK;
    }

    for (i = 1; i < cf->args->nelts; i++) {
        name = value[i];
        last = name.data + name.len;
        style = ngx_strlchr(name.data, last, '=');

        if (style) {
            name.len = style - name.data;
        }

        field = ktp_field_by_name((char *) name.data, name.len);

        if (field >= KTP_FIELD_TEXTS) {
            if (field == KTP_FIELDS) {
                return ngx_http_ktp_policy_unknown(cf, &name);
            }

            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "field \"%V\" cannot be masked in \"%V\" "
                               "directive, it must be a text",
                               &name, &value[0]);
            return NGX_CONF_ERROR;
        }

        if (mask[field].style != KTP_MASK_NONE) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "duplicate field \"%V\" in \"%V\" directive",
                               &name, &value[0]);
            return NGX_CONF_ERROR;
        }

        if (style == NULL) {
            mask[field].style = KTP_MASK_FULL;

        } else if (ktp_mask_parse(&mask[field], (char *) style + 1,
                                  last - style - 1)
                   != 0) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "invalid mask \"%V\" in \"%V\" directive, it "
                               "must be \"full\", \"first:N\" or \"last:N\" "
                               "with N from 1 to %d, or \"hash\"",
                               &value[i], &value[0], KTP_MASK_MAX_SHOWN);
            return NGX_CONF_ERROR;
        }
    }

    return NGX_CONF_OK;
}


/* Logs an unknown field, with the one that is probably meant, and all. */

static char *
ngx_http_ktp_policy_unknown(ngx_conf_t *cf, ngx_str_t *name)
{
    u_char     *p, *last, all[512];
    size_t      len;
    ngx_str_t  *directive, meant;
    ngx_uint_t  distance, best;
    ktp_field_t field;

    directive = cf->args->elts;
    best = NGX_HTTP_KTP_POLICY_DISTANCE + 1;
    ngx_str_null(&meant);

    p = all;
    last = all + sizeof(all);

    for (field = 0; field < KTP_FIELDS; field++) {
        len = ngx_strlen(ktp_field_name(field));
        p = ngx_slprintf(p, last, " %s", ktp_field_name(field));

        distance = ngx_http_ktp_policy_distance(
            name, (u_char *) ktp_field_name(field), len);

        if (distance < best) {
            best = distance;
            meant.data = (u_char *) ktp_field_name(field);
            meant.len = len;
        }
    }

    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                       "unknown field \"%V\" in \"%V\" directive, %s%V%s"
                       "it must be one of:%*s",
                       name, directive, meant.len ? "did you mean \"" : "",
                       &meant, meant.len ? "\"? " : "", (size_t) (p - all),
                       all);

    return NGX_CONF_ERROR;
}


/*
 * Changes that make a field of what was written: letters inserted, removed or
 * replaced.  Words before and after those of the field count little, as in
 * "name" for "full_name" or "nik," for "nik".
 */

static ngx_uint_t
ngx_http_ktp_policy_distance(ngx_str_t *name, u_char *field, size_t len)
{
    size_t     i, j;
    ngx_uint_t row[32], diagonal, above, cost;

    if (len >= sizeof(row) / sizeof(row[0])) {
        return NGX_HTTP_KTP_POLICY_DISTANCE + 1;
    }

    if (name->len >= 4 && len > name->len
        && ngx_strncasecmp(field + len - name->len, name->data, name->len)
               == 0) {
        return 1;
    }

    for (j = 0; j <= len; j++) {
        row[j] = j;
    }

    for (i = 1; i <= name->len; i++) {
        diagonal = row[0];
        row[0] = i;

        for (j = 1; j <= len; j++) {
            above = row[j];
            cost = ngx_tolower(name->data[i - 1]) != field[j - 1];
            row[j] = ngx_min(diagonal + cost, ngx_min(above, row[j - 1]) + 1);
            diagonal = above;
        }
    }

    /* a short word is near to any */

    return row[len] * 2 < len ? row[len] : NGX_HTTP_KTP_POLICY_DISTANCE + 1;
}


char *
ngx_http_ktp_policy_set_fields(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_ktp_loc_conf_t *klcf = conf;

    if (klcf->fields) {
        return "is duplicate";
    }

    return ngx_http_ktp_policy_fields(cf, &klcf->fields);
}


char *
ngx_http_ktp_policy_set_mask(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_ktp_loc_conf_t *klcf = conf;

    if (klcf->masks != NGX_CONF_UNSET_PTR) {
        return "is duplicate";
    }

    klcf->masks = ngx_palloc(cf->pool, KTP_FIELD_TEXTS * sizeof(ktp_mask_t));
    if (klcf->masks == NULL) {
        return NGX_CONF_ERROR;
    }

    return ngx_http_ktp_policy_mask(cf, klcf->masks);
}


char *
ngx_http_ktp_policy_finish(ngx_conf_t *cf, ngx_http_ktp_loc_conf_t *klcf)
{
    ngx_uint_t           i;
    ktp_answer_policy_t *policy;

    policy = &klcf->answer_policy;

    policy->fields = klcf->fields;
    policy->nik_check = klcf->nik_check;

    if (klcf->masks) {
        ngx_memcpy(policy->mask, klcf->masks, sizeof(policy->mask));
    }

    if (klcf->upstream == NULL || klcf->log_key) {
        return NGX_CONF_OK;
    }

    for (i = 0; i < KTP_FIELD_TEXTS; i++) {
        if (policy->mask[i].style == KTP_MASK_HASH) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "\"ktp_mask\" with \"hash\" requires "
                               "\"ktp_log_key\"");
            return NGX_CONF_ERROR;
        }
    }

    return NGX_CONF_OK;
}


void
ngx_http_ktp_policy(ngx_http_ktp_loc_conf_t *klcf,
                    ngx_http_ktp_client_t *client, ktp_answer_policy_t *policy)
{
    *policy = klcf->answer_policy;

    if (client == NULL) {
        return;
    }

    if (client->fields) {
        policy->fields = client->fields;
    }

    if (client->mask) {
        ngx_memcpy(policy->mask, client->mask, sizeof(policy->mask));
    }
}


ngx_uint_t
ngx_http_ktp_policy_masks(const ktp_answer_policy_t *policy)
{
    ngx_uint_t i, n;

    n = 0;

    for (i = 0; i < KTP_FIELD_TEXTS; i++) {
        if (policy->mask[i].style != KTP_MASK_NONE) {
            n++;
        }
    }

    return n;
}
