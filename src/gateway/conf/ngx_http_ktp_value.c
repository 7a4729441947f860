#include "ngx_http_ktp_value.h"


static char *ngx_http_ktp_value_refuse(ngx_conf_t                 *cf,
                                       const ngx_http_ktp_value_t *post,
                                       ngx_uint_t                  i);
static const ngx_conf_enum_t *
ngx_http_ktp_value_name(const ngx_http_ktp_value_t *post, ngx_str_t *value);


char *
ngx_http_ktp_value_size(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    char                       *p = conf;
    const ngx_http_ktp_value_t *post = cmd->post;

    size_t    *field;
    ssize_t    size;
    ngx_str_t *value;

    field = (size_t *) (p + cmd->offset);

    if (*field != NGX_CONF_UNSET_SIZE) {
        return "is duplicate";
    }

    value = cf->args->elts;
    size = ngx_parse_size(&value[1]);

    if (size == NGX_ERROR || size < post->min || size > post->max) {
        return ngx_http_ktp_value_refuse(cf, post, 1);
    }

    *field = size;

    return NGX_CONF_OK;
}


char *
ngx_http_ktp_value_msec(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    char                       *p = conf;
    const ngx_http_ktp_value_t *post = cmd->post;

    ngx_int_t   msec;
    ngx_str_t  *value;
    ngx_msec_t *field;

    field = (ngx_msec_t *) (p + cmd->offset);

    if (*field != NGX_CONF_UNSET_MSEC) {
        return "is duplicate";
    }

    value = cf->args->elts;
    msec = ngx_parse_time(&value[1], 0);

    if (msec == NGX_ERROR || msec < post->min || msec > post->max) {
        return ngx_http_ktp_value_refuse(cf, post, 1);
    }

    *field = msec;

    return NGX_CONF_OK;
}


char *
ngx_http_ktp_value_num(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    char                       *p = conf;
    const ngx_http_ktp_value_t *post = cmd->post;

    ngx_int_t *field, n;
    ngx_str_t *value;

    field = (ngx_int_t *) (p + cmd->offset);

    if (*field != NGX_CONF_UNSET) {
        return "is duplicate";
    }

    value = cf->args->elts;
    n = ngx_atoi(value[1].data, value[1].len);

    if (n == NGX_ERROR || n < post->min || n > post->max) {
        return ngx_http_ktp_value_refuse(cf, post, 1);
    }

    *field = n;

    return NGX_CONF_OK;
}


char *
ngx_http_ktp_value_enum(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    char                       *p = conf;
    const ngx_http_ktp_value_t *post = cmd->post;

    ngx_str_t             *value;
    ngx_uint_t            *field;
    const ngx_conf_enum_t *name;

    field = (ngx_uint_t *) (p + cmd->offset);

    if (*field != NGX_CONF_UNSET_UINT) {
        return "is duplicate";
    }

    value = cf->args->elts;
    name = ngx_http_ktp_value_name(post, &value[1]);

    if (name == NULL) {
        return ngx_http_ktp_value_refuse(cf, post, 1);
    }

    *field = name->value;

    return NGX_CONF_OK;
}


char *
ngx_http_ktp_value_set(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    char                       *p = conf;
    const ngx_http_ktp_value_t *post = cmd->post;

    ngx_str_t             *value;
    ngx_uint_t            *field, i;
    const ngx_conf_enum_t *name;

    field = (ngx_uint_t *) (p + cmd->offset);
    value = cf->args->elts;

    for (i = 1; i < cf->args->nelts; i++) {
        name = ngx_http_ktp_value_name(post, &value[i]);

        if (name == NULL) {
            return ngx_http_ktp_value_refuse(cf, post, i);
        }

        if (*field & name->value) {
            ngx_conf_log_error(NGX_LOG_WARN, cf, 0,
                               "duplicate value \"%V\" in \"%V\" directive",
                               &value[i], &value[0]);
        }

        *field |= NGX_CONF_BITMASK_SET | name->value;
    }

    return NGX_CONF_OK;
}


static const ngx_conf_enum_t *
ngx_http_ktp_value_name(const ngx_http_ktp_value_t *post, ngx_str_t *value)
{
    const ngx_conf_enum_t *name;

    for (name = post->names; name->name.len; name++) {
        if (name->name.len == value->len
            && ngx_strncasecmp(name->name.data, value->data, value->len)
                   == 0) {
            return name;
        }
    }

    return NULL;
}


static char *
ngx_http_ktp_value_refuse(ngx_conf_t *cf, const ngx_http_ktp_value_t *post,
                          ngx_uint_t i)
{
    ngx_str_t *value;

    value = cf->args->elts;

    return ngx_http_ktp_value_invalid(cf, "invalid value", &value[i],
                                      post->must);
}


char *
ngx_http_ktp_value_invalid(ngx_conf_t *cf, const char *what, ngx_str_t *value,
                           const char *must)
{
    ngx_str_t *name;

    name = cf->args->elts;

    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                       "%s \"%V\" in \"%V\" directive, it must be %s", what,
                       value, name, must);

    return NGX_CONF_ERROR;
}


char *
ngx_http_ktp_value_file(ngx_conf_t *cf, ngx_err_t err, const char *directive,
                        const char *failed, ngx_str_t *path)
{
    u_char *last, text[NGX_MAX_CONF_ERRSTR];

    last = ngx_snprintf(text, sizeof(text), failed, path->data);

    ngx_conf_log_error(NGX_LOG_EMERG, cf, err, "\"%s\" directive: %*s",
                       directive, (size_t) (last - text), text);

    return NGX_CONF_ERROR;
}


char *
ngx_http_ktp_value_zone(ngx_conf_t *cf, const char *form, ngx_uint_t pages,
                        ngx_str_t *name, ssize_t *size)
{
    u_char    *p;
    ngx_str_t *value, s;

    value = cf->args->elts;

    *name = value[1];
    *size = NGX_ERROR;

    p = (u_char *) ngx_strchr(name->data, ':');

    if (p && p != name->data) {
        name->len = p - name->data;
        s.data = p + 1;
        s.len = value[1].data + value[1].len - s.data;

        *size = ngx_parse_size(&s);
    }

    if (*size == NGX_ERROR) {
        return ngx_http_ktp_value_invalid(cf, "invalid zone size", &value[1],
                                          form);
    }

    if (*size < (ssize_t) (pages * ngx_pagesize)) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "zone \"%V\" is too small in \"%V\" "
                           "directive, it must be at least %uzk",
                           &value[1], &value[0], pages * ngx_pagesize / 1024);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


ngx_int_t
ngx_http_ktp_value_time(ngx_str_t *value, const char *name, ngx_msec_t max,
                        ngx_msec_t *time)
{
    size_t    len;
    ngx_int_t msec;
    ngx_str_t s;

    len = ngx_strlen(name);

    if (value->len <= len || ngx_strncmp(value->data, name, len) != 0) {
        return NGX_DECLINED;
    }

    s.data = value->data + len;
    s.len = value->len - len;
    msec = ngx_parse_time(&s, 0);

    if (msec < 1 || (ngx_msec_t) msec > max) {
        return NGX_DECLINED;
    }

    *time = msec;

    return NGX_OK;
}
