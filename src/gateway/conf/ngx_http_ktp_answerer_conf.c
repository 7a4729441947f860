#include "ngx_http_ktp_answerer_conf.h"
#include "ngx_http_ktp_policy.h"
#include "ngx_http_ktp_upstream_conf.h"
#include "ngx_http_ktp_value.h"


/* Defaults. */
#define NGX_HTTP_KTP_ANSWERER_CONF_TIMEOUT 500 /* milliseconds */
#define NGX_HTTP_KTP_ANSWERER_CONF_SAMPLE  100 /* percent */

/* The longest timeout of a check: a minute. */
#define NGX_HTTP_KTP_ANSWERER_CONF_LONGEST 60000


static ngx_int_t
ngx_http_ktp_answerer_conf_parameter(ngx_http_ktp_answerer_t *answerer,
                                     ngx_str_t               *value);
static ngx_int_t
ngx_http_ktp_answerer_conf_confidence(ngx_http_ktp_answerer_t *answerer,
                                      ngx_str_t               *value);
static ngx_int_t
ngx_http_ktp_answerer_conf_sample(ngx_http_ktp_answerer_t *answerer,
                                  ngx_str_t               *value);
static ngx_int_t
ngx_http_ktp_answerer_conf_fields(ngx_http_ktp_answerer_t *answerer,
                                  ngx_str_t               *value);
static ngx_int_t
ngx_http_ktp_answerer_conf_cases(ngx_http_ktp_answerer_t *answerer,
                                 ngx_str_t               *value);
static ngx_int_t ngx_http_ktp_answerer_conf_word(u_char **p, u_char *last,
                                                 ngx_str_t *word);
static ngx_http_core_loc_conf_t *
ngx_http_ktp_answerer_conf_location(ngx_http_ktp_pass_t     *pass,
                                    ngx_http_ktp_answerer_t *answerer);
static const char *
ngx_http_ktp_answerer_conf_wrong(ngx_http_ktp_answerer_t  *answerer,
                                 ngx_http_core_loc_conf_t *clcf);
static ngx_int_t
ngx_http_ktp_answerer_conf_upstream(ngx_conf_t              *cf,
                                    ngx_http_ktp_answerer_t *answerer);


static const struct {
    const char *directive;
    const char *argument; /* of the URL, or NULL */
    const char *form;     /* of parameters */
} ngx_http_ktp_answerer_conf_roles[NGX_HTTP_KTP_ROLES] = {
    [NGX_HTTP_KTP_PRECHECK] = {"ktp_precheck", "check=1",
                               "\"timeout=TIME\" from 1ms to 1m, or "
                               "\"shadow\", each at most once"},
    [NGX_HTTP_KTP_FIRST] = {"ktp_first", "details=1",
                            "\"confidence=NUMBER\" from 0.001 to 1, or "
                            "\"fields=NAME,...\" of fields of an answer, each "
                            "at most once"},
    [NGX_HTTP_KTP_FALLBACK] = {"ktp_fallback", NULL,
                               "\"on=CASE,...\" of \"connect\", \"breaker\", "
                               "\"refused\", \"timeout\", and \"error\""},
    [NGX_HTTP_KTP_SHADOW] = {"ktp_shadow", "details=1",
                             "\"sample=NUMBER%\" from 1% to 100%"},
};


void
ngx_http_ktp_answerer_conf_create(ngx_http_ktp_loc_conf_t *conf)
{
    ngx_uint_t role;

    for (role = 0; role < NGX_HTTP_KTP_ROLES; role++) {
        conf->answerer[role] = NGX_CONF_UNSET_PTR;
    }
}


void
ngx_http_ktp_answerer_conf_merge(ngx_http_ktp_loc_conf_t *prev,
                                 ngx_http_ktp_loc_conf_t *conf)
{
    ngx_uint_t role;

    for (role = 0; role < NGX_HTTP_KTP_ROLES; role++) {
        ngx_conf_merge_ptr_value(conf->answerer[role], prev->answerer[role],
                                 NULL);
    }
}


char *
ngx_http_ktp_answerer_conf(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_ktp_loc_conf_t *klcf = conf;

    ngx_str_t                *value;
    ngx_uint_t                i;
    ngx_http_ktp_role_t       role;
    ngx_http_ktp_answerer_t **field, *answerer;

    field = (ngx_http_ktp_answerer_t **) ((char *) conf + cmd->offset);
    role = field - klcf->answerer;

    if (*field != NGX_CONF_UNSET_PTR) {
        return "is duplicate";
    }

    value = cf->args->elts;

    if (ngx_strcmp(value[1].data, "off") == 0 && cf->args->nelts == 2) {
        *field = NULL;
        return NGX_CONF_OK;
    }

    if (value[1].len < 2 || value[1].data[0] != '@') {
        return ngx_http_ktp_value_invalid(
            cf, "invalid location", &value[1],
            "\"off\", or the name of a location that begins with \"@\"");
    }

    answerer = ngx_pcalloc(cf->pool, sizeof(ngx_http_ktp_answerer_t));
    if (answerer == NULL) {
        return NGX_CONF_ERROR;
    }

    answerer->role = role;
    answerer->name = value[1];

    for (i = 2; i < cf->args->nelts; i++) {
        if (ngx_http_ktp_answerer_conf_parameter(answerer, &value[i])
            != NGX_OK) {
            return ngx_http_ktp_value_invalid(
                cf, "invalid parameter", &value[i],
                ngx_http_ktp_answerer_conf_roles[role].form);
        }
    }

    if (role == NGX_HTTP_KTP_FIRST && answerer->confidence == 0) {
        return "has no \"confidence\"";
    }

    if (answerer->timeout == 0) {
        answerer->timeout = NGX_HTTP_KTP_ANSWERER_CONF_TIMEOUT;
    }

    if (answerer->sample == 0) {
        answerer->sample = NGX_HTTP_KTP_ANSWERER_CONF_SAMPLE;
    }

    if (answerer->cases == 0) {
        answerer->cases =
            NGX_HTTP_KTP_CASE_CONNECT | NGX_HTTP_KTP_CASE_BREAKER;
    }

    *field = answerer;

    return NGX_CONF_OK;
}


/* NGX_DECLINED: it is invalid, or duplicate. */

static ngx_int_t
ngx_http_ktp_answerer_conf_parameter(ngx_http_ktp_answerer_t *answerer,
                                     ngx_str_t               *value)
{
    switch (answerer->role) {

    case NGX_HTTP_KTP_PRECHECK:
        if (ngx_strcmp(value->data, "shadow") == 0 && !answerer->shadow) {
            answerer->shadow = 1;
            return NGX_OK;
        }

        return answerer->timeout
                   ? NGX_DECLINED
                   : ngx_http_ktp_value_time(
                       value, "timeout=", NGX_HTTP_KTP_ANSWERER_CONF_LONGEST,
                       &answerer->timeout);

    case NGX_HTTP_KTP_FIRST:
        return ngx_strncmp(value->data, "fields=", 7) == 0
                   ? ngx_http_ktp_answerer_conf_fields(answerer, value)
                   : ngx_http_ktp_answerer_conf_confidence(answerer, value);

    case NGX_HTTP_KTP_FALLBACK:
        return ngx_http_ktp_answerer_conf_cases(answerer, value);

    default: /* NGX_HTTP_KTP_SHADOW */
        return ngx_http_ktp_answerer_conf_sample(answerer, value);
    }
}


static ngx_int_t
ngx_http_ktp_answerer_conf_confidence(ngx_http_ktp_answerer_t *answerer,
                                      ngx_str_t               *value)
{
    ngx_int_t n;

    static ngx_str_t name = ngx_string("confidence=");

    if (answerer->confidence || value->len <= name.len
        || ngx_strncmp(value->data, name.data, name.len) != 0) {
        return NGX_DECLINED;
    }

    n = ngx_atofp(value->data + name.len, value->len - name.len, 3);

    if (n < 1 || n > 1000) {
        return NGX_DECLINED;
    }

    answerer->confidence = n;

    return NGX_OK;
}


static ngx_int_t
ngx_http_ktp_answerer_conf_sample(ngx_http_ktp_answerer_t *answerer,
                                  ngx_str_t               *value)
{
    ngx_int_t n;

    static ngx_str_t name = ngx_string("sample=");

    if (answerer->sample || value->len <= name.len + 1
        || ngx_strncmp(value->data, name.data, name.len) != 0
        || value->data[value->len - 1] != '%') {
        return NGX_DECLINED;
    }

    n = ngx_atoi(value->data + name.len, value->len - name.len - 1);

    if (n < 1 || n > 100) {
        return NGX_DECLINED;
    }

    answerer->sample = n;

    return NGX_OK;
}


static ngx_int_t
ngx_http_ktp_answerer_conf_fields(ngx_http_ktp_answerer_t *answerer,
                                  ngx_str_t               *value)
{
    u_char     *p, *last;
    ngx_str_t   word;
    ktp_field_t field;

    if (answerer->fields) {
        return NGX_DECLINED;
    }

    p = value->data + sizeof("fields=") - 1;
    last = value->data + value->len;

    while (ngx_http_ktp_answerer_conf_word(&p, last, &word) == NGX_OK) {
        field = ktp_field_by_name((char *) word.data, word.len);

        if (field >= KTP_FIELD_REFERENCE_ID
            || (answerer->fields & ktp_field_bit(field))) {
            return NGX_DECLINED;
        }

        answerer->fields |= ktp_field_bit(field);
    }

    return answerer->fields ? NGX_OK : NGX_DECLINED;
}


static ngx_int_t
ngx_http_ktp_answerer_conf_cases(ngx_http_ktp_answerer_t *answerer,
                                 ngx_str_t               *value)
{
    u_char    *p, *last;
    ngx_str_t  word;
    ngx_uint_t i;

    static const struct {
        ngx_str_t  name;
        ngx_uint_t bit;
    } cases[] = {
        {ngx_string("connect"), NGX_HTTP_KTP_CASE_CONNECT},
        {ngx_string("breaker"), NGX_HTTP_KTP_CASE_BREAKER},
        {ngx_string("refused"), NGX_HTTP_KTP_CASE_REFUSED},
        {ngx_string("timeout"), NGX_HTTP_KTP_CASE_TIMEOUT},
        {ngx_string("error"), NGX_HTTP_KTP_CASE_ERROR},
        {ngx_null_string, 0},
    };

    if (answerer->cases || ngx_strncmp(value->data, "on=", 3) != 0) {
        return NGX_DECLINED;
    }

    p = value->data + 3;
    last = value->data + value->len;

    while (ngx_http_ktp_answerer_conf_word(&p, last, &word) == NGX_OK) {

        for (i = 0; cases[i].bit; i++) {
            if (cases[i].name.len == word.len
                && ngx_memcmp(cases[i].name.data, word.data, word.len) == 0) {
                break;
            }
        }

        if (cases[i].bit == 0 || (answerer->cases & cases[i].bit)) {
            return NGX_DECLINED;
        }

        answerer->cases |= cases[i].bit;
    }

    return answerer->cases ? NGX_OK : NGX_DECLINED;
}


/* The next of several words with commas between them; it may be empty. */

static ngx_int_t
ngx_http_ktp_answerer_conf_word(u_char **p, u_char *last, ngx_str_t *word)
{
    u_char *comma;

    if (*p > last) {
        return NGX_DONE;
    }

    comma = ngx_strlchr(*p, last, ',');

    if (comma == NULL) {
        comma = last;
    }

    word->data = *p;
    word->len = comma - *p;
    *p = comma + 1;

    return NGX_OK;
}


ngx_int_t
ngx_http_ktp_answerer_conf_resolve(ngx_conf_t *cf, ngx_http_ktp_pass_t *pass)
{
    ngx_uint_t                role, asks;
    const char               *wrong;
    ngx_http_ktp_answerer_t  *answerer;
    ngx_http_core_loc_conf_t *clcf;

    asks = 0;

    for (role = 0; role < NGX_HTTP_KTP_ROLES; role++) {
        answerer = pass->klcf->answerer[role];

        if (answerer == NULL) {
            continue;
        }

        asks = 1;

        if (answerer->klcf) {
            continue; /* inherited: it was resolved for the outer location */
        }

        clcf = ngx_http_ktp_answerer_conf_location(pass, answerer);
        wrong = ngx_http_ktp_answerer_conf_wrong(answerer, clcf);

        if (wrong) {
            ngx_log_error(
                NGX_LOG_EMERG, cf->log, 0,
                "\"%s\" in location \"%V\" names location \"%V\", %s, "
                "in %s:%ui",
                ngx_http_ktp_answerer_conf_roles[role].directive,
                &pass->clcf->name, &answerer->name, wrong, pass->file,
                pass->line);
            return NGX_ERROR;
        }

        answerer->klcf = clcf->loc_conf[ngx_http_ktp_module.ctx_index];

        if (ngx_http_ktp_answerer_conf_upstream(cf, answerer) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    if (asks && !pass->klcf->request_buffering) {
        ngx_log_error(NGX_LOG_WARN, cf->log, 0,
                      "\"ktp_request_buffering off\" has no effect in "
                      "location \"%V\", another location needs the whole "
                      "image, in %s:%ui",
                      &pass->clcf->name, pass->file, pass->line);
    }

    return NGX_OK;
}


/* The location of that name in the same server, or NULL. */

static ngx_http_core_loc_conf_t *
ngx_http_ktp_answerer_conf_location(ngx_http_ktp_pass_t     *pass,
                                    ngx_http_ktp_answerer_t *answerer)
{
    ngx_http_core_loc_conf_t **clcf;
    ngx_http_core_srv_conf_t  *cscf;

    cscf = pass->srv_conf[ngx_http_core_module.ctx_index];

    for (clcf = cscf->named_locations; clcf && *clcf; clcf++) {
        if ((*clcf)->name.len == answerer->name.len
            && ngx_memcmp((*clcf)->name.data, answerer->name.data,
                          answerer->name.len)
                   == 0) {
            return *clcf;
        }
    }

    return NULL;
}


/* What is wrong with a location that is to answer for others, or NULL. */

static const char *
ngx_http_ktp_answerer_conf_wrong(ngx_http_ktp_answerer_t  *answerer,
                                 ngx_http_core_loc_conf_t *clcf)
{
    ngx_uint_t               role;
    ngx_http_ktp_loc_conf_t *klcf;

    if (clcf == NULL) {
        return "which is not in this server";
    }

    klcf = clcf->loc_conf[ngx_http_ktp_module.ctx_index];

    if (klcf->upstream == NULL) {
        return "which has no \"ktp_pass\"";
    }

    if (klcf->sandbox) {
        return "which makes no calls, \"ktp_sandbox\" is on";
    }

    for (role = 0; role < NGX_HTTP_KTP_ROLES; role++) {
        if (klcf->answerer[role]) {
            return "which itself names a location that answers for it";
        }
    }

    if (answerer->role == NGX_HTTP_KTP_SHADOW && klcf->block) {
        return "whose \"ktp_pass\" names an \"upstream\" block, which is not "
               "supported here";
    }

    return NULL;
}


/* The upstream of that location, with the argument that the role adds. */

static ngx_int_t
ngx_http_ktp_answerer_conf_upstream(ngx_conf_t              *cf,
                                    ngx_http_ktp_answerer_t *answerer)
{
    u_char                  *p;
    const char              *argument;
    ngx_http_ktp_upstream_t *up;

    up = &answerer->upstream;
    *up = *answerer->klcf->upstream;
    up->id = ngx_http_ktp_upstream_conf_id();

    argument = ngx_http_ktp_answerer_conf_roles[answerer->role].argument;

    if (argument) {
        p = ngx_pnalloc(cf->pool, up->url.len + ngx_strlen(argument) + 2);
        if (p == NULL) {
            return NGX_ERROR;
        }

        up->url.len = ngx_sprintf(p, "%V%s%s%Z", &up->url,
                                  ngx_strlchr(up->url.data,
                                              up->url.data + up->url.len, '?')
                                      ? "&"
                                      : "?",
                                  argument)
                      - p - 1;
        up->url.data = p;
    }

    if (answerer->role == NGX_HTTP_KTP_PRECHECK) {
        up->timeout = ngx_min(up->timeout, answerer->timeout);
    }

    return NGX_OK;
}


ngx_msec_t
ngx_http_ktp_answerer_conf_time(const ngx_http_ktp_loc_conf_t *klcf)
{
    ngx_uint_t role;
    ngx_msec_t time;

    time = klcf->timeout;

    for (role = 0; role < NGX_HTTP_KTP_SHADOW; role++) {
        if (klcf->answerer[role]) {
            time += klcf->answerer[role]->upstream.timeout;
        }
    }

    return time;
}
