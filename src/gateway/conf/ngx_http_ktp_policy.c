#include "ngx_http_ktp_policy.h"
#include "ngx_http_ktp_client.h"


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
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "unknown field \"%V\"",
                               &value[i]);
            return NGX_CONF_ERROR;
        }

        if (*fields & ktp_field_bit(field)) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "duplicate field \"%V\"",
                               &value[i]);
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
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               field == KTP_FIELDS
                                   ? "unknown field \"%V\""
                                   : "field \"%V\" cannot be masked",
                               &name);
            return NGX_CONF_ERROR;
        }

        if (mask[field].style != KTP_MASK_NONE) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "duplicate field \"%V\"",
                               &name);
            return NGX_CONF_ERROR;
        }

        if (style == NULL) {
            mask[field].style = KTP_MASK_FULL;

        } else if (ktp_mask_parse(&mask[field], (char *) style + 1,
                                  last - style - 1)
                   != 0) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "invalid mask \"%V\", must be \"full\", "
                               "\"first:N\" or \"last:N\" with N from 1 to "
                               "%d, or \"hash\"",
                               &value[i], KTP_MASK_MAX_SHOWN);
            return NGX_CONF_ERROR;
        }
    }

    return NGX_CONF_OK;
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
