#include "ngx_http_ktp_fleet_breaker.h"
#include "ngx_http_ktp_breaker.h"
#include "ngx_http_ktp_fleet_script.h"

/* generated from breaker.lua by a rule of config.make */
#include <ngx_http_ktp_fleet_breaker_lua.h>


/* Numbers of a reply and of a message. */
#define NGX_HTTP_KTP_FLEET_BREAKER_NUMBERS 3

/* Values of a reply: the state, and numbers. */
#define NGX_HTTP_KTP_FLEET_BREAKER_VALUES                                     \
    (1 + NGX_HTTP_KTP_FLEET_BREAKER_NUMBERS)

/* The largest number: all below have a double of their own in Lua. */
#define NGX_HTTP_KTP_FLEET_BREAKER_MAX 9007199254740991

/* Length of the channel at most. */
#define NGX_HTTP_KTP_FLEET_BREAKER_CHANNEL                                    \
    (NGX_HTTP_KTP_REDIS_NAME + sizeof(":{breaker}"))

/* A report that is on its way. */
typedef struct {
    ngx_http_ktp_breaker_t         *breaker;
    ngx_http_ktp_breaker_report_t   report;
    ngx_http_ktp_fleet_script_run_t run;
} ngx_http_ktp_fleet_breaker_t;


static ngx_int_t
ngx_http_ktp_fleet_breaker_tell(ngx_http_ktp_breaker_t              *breaker,
                                const ngx_http_ktp_breaker_report_t *report);
static ngx_uint_t
                 ngx_http_ktp_fleet_breaker_args(void                             *data,
                                                 ngx_http_ktp_fleet_script_args_t *args);
static void      ngx_http_ktp_fleet_breaker_done(void                       *data,
                                                 ngx_http_ktp_redis_reply_t *reply);
static void      ngx_http_ktp_fleet_breaker_message(ngx_str_t *text);
static ngx_int_t ngx_http_ktp_fleet_breaker_word(ngx_str_t *rest,
                                                 ngx_str_t *word);
static ngx_int_t
ngx_http_ktp_fleet_breaker_news(ngx_str_t *state, const int64_t *numbers,
                                ngx_http_ktp_breaker_news_t *news);


static ngx_http_ktp_redis_t *ngx_http_ktp_fleet_breaker_redis;
static ngx_array_t          *ngx_http_ktp_fleet_breaker_all;
static u_char
    ngx_http_ktp_fleet_breaker_name[NGX_HTTP_KTP_FLEET_BREAKER_CHANNEL];
static ngx_str_t ngx_http_ktp_fleet_breaker_channel;

static ngx_http_ktp_fleet_script_t ngx_http_ktp_fleet_breaker_script = {
    ngx_string(ngx_http_ktp_fleet_breaker_lua),
    ngx_http_ktp_fleet_breaker_args,
    ngx_http_ktp_fleet_breaker_done,
    {0}};


void
ngx_http_ktp_fleet_breaker_init(ngx_http_ktp_main_conf_t *kmcf)
{
    u_char                  *p;
    ngx_uint_t               i, n;
    ngx_http_ktp_breaker_t **breaker;

    ngx_http_ktp_fleet_breaker_redis = kmcf->redis;
    ngx_http_ktp_fleet_breaker_all = &kmcf->breakers;

    breaker = kmcf->breakers.elts;
    n = 0;

    for (i = 0; i < kmcf->breakers.nelts; i++) {
        n += breaker[i]->fleet;
    }

    if (n == 0) {
        return;
    }

    p = ngx_http_ktp_fleet_breaker_name;

    ngx_http_ktp_fleet_breaker_channel.data = p;
    ngx_http_ktp_fleet_breaker_channel.len =
        ngx_sprintf(p, "%V:{breaker}", &kmcf->redis->prefix) - p;

    ngx_http_ktp_fleet_script_init(&ngx_http_ktp_fleet_breaker_script);
    ngx_http_ktp_breaker_fleet(ngx_http_ktp_fleet_breaker_tell);

    ngx_http_ktp_redis_subscribe(&ngx_http_ktp_fleet_breaker_channel,
                                 ngx_http_ktp_fleet_breaker_message);
}


void
ngx_http_ktp_fleet_breaker_sync(void)
{
    ngx_uint_t               i;
    ngx_http_ktp_breaker_t **breaker;

    breaker = ngx_http_ktp_fleet_breaker_all->elts;

    for (i = 0; i < ngx_http_ktp_fleet_breaker_all->nelts; i++) {
        if (breaker[i]->fleet) {
            ngx_http_ktp_breaker_sync(breaker[i]);
        }
    }
}


static ngx_int_t
ngx_http_ktp_fleet_breaker_tell(ngx_http_ktp_breaker_t              *breaker,
                                const ngx_http_ktp_breaker_report_t *report)
{
    ngx_http_ktp_fleet_breaker_t *op;

    op = ngx_calloc(sizeof(ngx_http_ktp_fleet_breaker_t), ngx_cycle->log);
    if (op == NULL) {
        return NGX_DECLINED;
    }

    op->breaker = breaker;
    op->report = *report;

    if (ngx_http_ktp_fleet_script_run(&ngx_http_ktp_fleet_breaker_script,
                                      &op->run, op)
        != NGX_OK) {
        ngx_free(op);
        return NGX_DECLINED;
    }

    return NGX_OK;
}


/* The order is that of breaker.lua. */

static ngx_uint_t
ngx_http_ktp_fleet_breaker_args(void                             *data,
                                ngx_http_ktp_fleet_script_args_t *args)
{
    ngx_http_ktp_fleet_breaker_t *op = data;

    ngx_str_t *host, *say;

    static ngx_str_t says[] = {
        [NGX_HTTP_KTP_BREAKER_SAY_READ] = ngx_string("read"),
        [NGX_HTTP_KTP_BREAKER_SAY_OPEN] = ngx_string("open"),
        [NGX_HTTP_KTP_BREAKER_SAY_TRY] = ngx_string("try"),
        [NGX_HTTP_KTP_BREAKER_SAY_CLOSE] = ngx_string("close"),
    };

    host = &ngx_http_ktp_fleet_breaker_redis->host;
    say = &says[op->report.say];

    ngx_http_ktp_fleet_script_format(
        args, "%V:%*s", &ngx_http_ktp_fleet_breaker_channel,
        (size_t) NGX_HTTP_KTP_SHA1_HEX, op->breaker->hash);

    ngx_http_ktp_fleet_script_text(args, say->data, say->len);
    ngx_http_ktp_fleet_script_text(args, host->data, host->len);
    ngx_http_ktp_fleet_script_number(args, op->report.opening);
    ngx_http_ktp_fleet_script_number(args, op->report.time);
    ngx_http_ktp_fleet_script_number(args, op->report.again);

    return 1;
}


static void
ngx_http_ktp_fleet_breaker_done(void *data, ngx_http_ktp_redis_reply_t *reply)
{
    ngx_http_ktp_fleet_breaker_t *op = data;

    int64_t                     numbers[NGX_HTTP_KTP_FLEET_BREAKER_NUMBERS];
    ngx_uint_t                  i;
    ngx_http_ktp_breaker_news_t news, *known;
    ngx_http_ktp_redis_value_t *v;

    known = NULL;

    if (reply && !reply->error
        && reply->n == NGX_HTTP_KTP_FLEET_BREAKER_VALUES) {
        v = reply->values;

        for (i = 0; i < NGX_HTTP_KTP_FLEET_BREAKER_NUMBERS; i++) {
            numbers[i] = v[1 + i].is_text ? -1 : v[1 + i].number;
        }

        if (ngx_http_ktp_fleet_breaker_news(&v[0].text, numbers, &news)
            == NGX_OK) {
            known = &news;
        }
    }

    if (reply && known == NULL) {
        ngx_http_ktp_fleet_script_complain(ngx_http_ktp_fleet_breaker_redis,
                                           "breaker", NULL, reply);
    }

    ngx_http_ktp_breaker_told(op->breaker, op->report.say, known,
                              ngx_cycle->log);

    ngx_free(op);
}


/* HASH state opening ms_left again; NULL: some may have been missed */

static void
ngx_http_ktp_fleet_breaker_message(ngx_str_t *text)
{
    int64_t                     numbers[NGX_HTTP_KTP_FLEET_BREAKER_NUMBERS];
    ngx_str_t                   rest, hash, state, word;
    ngx_uint_t                  i;
    ngx_http_ktp_breaker_t    **breaker;
    ngx_http_ktp_breaker_news_t news;

    if (text == NULL) {
        ngx_http_ktp_fleet_breaker_sync();
        return;
    }

    rest = *text;

    if (ngx_http_ktp_fleet_breaker_word(&rest, &hash) != NGX_OK
        || ngx_http_ktp_fleet_breaker_word(&rest, &state) != NGX_OK) {
        goto invalid;
    }

    for (i = 0; i < NGX_HTTP_KTP_FLEET_BREAKER_NUMBERS; i++) {
        if (ngx_http_ktp_fleet_breaker_word(&rest, &word) != NGX_OK) {
            goto invalid;
        }

        numbers[i] = ngx_atoof(word.data, word.len);
    }

    if (rest.len
        || ngx_http_ktp_fleet_breaker_news(&state, numbers, &news) != NGX_OK
        || news.granted) {
        goto invalid;
    }

    breaker = ngx_http_ktp_fleet_breaker_all->elts;

    for (i = 0; i < ngx_http_ktp_fleet_breaker_all->nelts; i++) {
        if (breaker[i]->fleet && hash.len == NGX_HTTP_KTP_SHA1_HEX
            && ngx_memcmp(hash.data, breaker[i]->hash, hash.len) == 0) {
            ngx_http_ktp_breaker_learn(breaker[i], &news, ngx_cycle->log);
        }
    }

    return;

invalid:

    ngx_http_ktp_fleet_script_complain(ngx_http_ktp_fleet_breaker_redis,
                                       "breaker", NULL, NULL);
}


/* Takes a word, up to a space or the end. */

static ngx_int_t
ngx_http_ktp_fleet_breaker_word(ngx_str_t *rest, ngx_str_t *word)
{
    u_char *p, *last;

    last = rest->data + rest->len;
    p = ngx_strlchr(rest->data, last, ' ');

    word->data = rest->data;
    word->len = (p ? p : last) - rest->data;

    rest->data = p ? p + 1 : last;
    rest->len = last - rest->data;

    return word->len ? NGX_OK : NGX_ERROR;
}


/* The numbers are the opening, the time left, and "again". */

static ngx_int_t
ngx_http_ktp_fleet_breaker_news(ngx_str_t *state, const int64_t *numbers,
                                ngx_http_ktp_breaker_news_t *news)
{
    ngx_uint_t i;

    static struct {
        ngx_str_t                    name;
        ngx_http_ktp_breaker_state_t state;
        unsigned                     granted;
    } states[] = {
        {ngx_string("closed"), NGX_HTTP_KTP_BREAKER_CLOSED, 0},
        {ngx_string("open"), NGX_HTTP_KTP_BREAKER_OPEN, 0},
        {ngx_string("half-open"), NGX_HTTP_KTP_BREAKER_HALF_OPEN, 0},
        {ngx_string("granted"), NGX_HTTP_KTP_BREAKER_HALF_OPEN, 1},
    };

    for (i = 0; i < NGX_HTTP_KTP_FLEET_BREAKER_NUMBERS; i++) {
        if (numbers[i] < 0 || numbers[i] > NGX_HTTP_KTP_FLEET_BREAKER_MAX) {
            return NGX_ERROR;
        }
    }

    for (i = 0; i < sizeof(states) / sizeof(states[0]); i++) {
        if (state->len == states[i].name.len
            && ngx_strncmp(state->data, states[i].name.data, state->len)
                   == 0) {
            break;
        }
    }

    if (i == sizeof(states) / sizeof(states[0])) {
        return NGX_ERROR;
    }

    news->state = states[i].state;
    news->granted = states[i].granted;
    news->opening = numbers[0];
    news->left = numbers[1];
    news->again = numbers[2];

    /* whatever is said, no host is kept from trying for longer */

    return news->state == NGX_HTTP_KTP_BREAKER_OPEN
                   && news->left > NGX_HTTP_KTP_BREAKER_LONGEST
               ? NGX_ERROR
               : NGX_OK;
}
