#include "ngx_http_ktp_redis.h"
#include "ngx_http_ktp_redis_connection.h"


/* A channel that this worker has subscribed to. */
typedef struct {
    ngx_str_t                    *name;
    ngx_http_ktp_redis_message_pt handler;
} ngx_http_ktp_redis_channel_t;


static ngx_int_t ngx_http_ktp_redis_listen(ngx_log_t *log);
static void      ngx_http_ktp_redis_listening(ngx_uint_t up);
static void      ngx_http_ktp_redis_subscribed(void                       *data,
                                               ngx_http_ktp_redis_reply_t *reply);
static ngx_int_t ngx_http_ktp_redis_message(ngx_http_ktp_redis_reply_t *reply);
static void      ngx_http_ktp_redis_pong(void                       *data,
                                         ngx_http_ktp_redis_reply_t *reply);


/* After SUBSCRIBE, a connection takes no other commands: there are two. */
static ngx_http_ktp_redis_connection_t ngx_http_ktp_redis_commands;
static ngx_http_ktp_redis_connection_t ngx_http_ktp_redis_messages;

static ngx_http_ktp_redis_channel_t
                  ngx_http_ktp_redis_channels[NGX_HTTP_KTP_REDIS_CHANNELS];
static ngx_uint_t ngx_http_ktp_redis_nchannels;

/* That a subscription was refused was logged. */
static ngx_uint_t ngx_http_ktp_redis_told;


ngx_int_t
ngx_http_ktp_redis_init(ngx_http_ktp_redis_t       *conf,
                        ngx_http_ktp_redis_state_pt state, ngx_log_t *log)
{
    ngx_http_ktp_redis_connection_t *c;

    c = &ngx_http_ktp_redis_commands;

    ngx_memzero(c, sizeof(ngx_http_ktp_redis_connection_t));

    c->conf = conf;
    c->handler = state;
    c->log = log;
    c->level = NGX_LOG_ERR;

    if (ngx_http_ktp_redis_connection_open(c) != NGX_OK) {
        return NGX_ERROR;
    }

    return ngx_http_ktp_redis_nchannels ? ngx_http_ktp_redis_listen(log)
                                        : NGX_OK;
}


/* What is lost with both connections is logged for the other one. */

static ngx_int_t
ngx_http_ktp_redis_listen(ngx_log_t *log)
{
    ngx_http_ktp_redis_connection_t *c;

    c = &ngx_http_ktp_redis_messages;

    ngx_memzero(c, sizeof(ngx_http_ktp_redis_connection_t));

    c->conf = ngx_http_ktp_redis_commands.conf;
    c->handler = ngx_http_ktp_redis_listening;
    c->message = ngx_http_ktp_redis_message;
    c->log = log;
    c->level = NGX_LOG_INFO;

    return ngx_http_ktp_redis_connection_open(c);
}


ngx_int_t
ngx_http_ktp_redis_command(ngx_str_t *args, ngx_uint_t n,
                           ngx_http_ktp_redis_pt handler, void *data)
{
    return ngx_http_ktp_redis_connection_ask(&ngx_http_ktp_redis_commands,
                                             args, n, handler, data);
}


void
ngx_http_ktp_redis_subscribe(ngx_str_t                    *name,
                             ngx_http_ktp_redis_message_pt handler)
{
    ngx_http_ktp_redis_channel_t *channel;

    channel = &ngx_http_ktp_redis_channels[ngx_http_ktp_redis_nchannels++];

    channel->name = name;
    channel->handler = handler;
}


/* Each SUBSCRIBE has one channel, and so one reply. */

static void
ngx_http_ktp_redis_listening(ngx_uint_t up)
{
    ngx_str_t  args[2];
    ngx_uint_t i;

    if (!up) {
        return;
    }

    ngx_str_set(&args[0], "SUBSCRIBE");

    for (i = 0; i < ngx_http_ktp_redis_nchannels; i++) {
        args[1] = *ngx_http_ktp_redis_channels[i].name;

        (void) ngx_http_ktp_redis_connection_ask(
            &ngx_http_ktp_redis_messages, args, 2,
            ngx_http_ktp_redis_subscribed, &ngx_http_ktp_redis_channels[i]);
    }
}


static void
ngx_http_ktp_redis_subscribed(void *data, ngx_http_ktp_redis_reply_t *reply)
{
    u_char                           code[NGX_HTTP_KTP_REDIS_READER_CODE];
    ngx_http_ktp_redis_channel_t    *channel = data;
    ngx_http_ktp_redis_connection_t *c;

    c = &ngx_http_ktp_redis_messages;

    if (reply == NULL) {
        return;
    }

    if (reply->error) {
        if (!ngx_http_ktp_redis_told) {
            ngx_log_error(NGX_LOG_ERR, c->log, 0,
                          "redis \"%V\": error \"%*s\" to SUBSCRIBE",
                          &c->conf->name,
                          ngx_http_ktp_redis_reader_code(reply, code), code);
            ngx_http_ktp_redis_told = 1;
        }

        ngx_http_ktp_redis_connection_refused(c, reply);
        return;
    }

    ngx_http_ktp_redis_told = 0;

    channel->handler(NULL);
}


static ngx_int_t
ngx_http_ktp_redis_message(ngx_http_ktp_redis_reply_t *reply)
{
    ngx_str_t                  *name;
    ngx_uint_t                  i;
    ngx_http_ktp_redis_value_t *v;

    v = reply->values;

    if (reply->n != 3 || v[0].text.len != sizeof("message") - 1
        || ngx_strncmp(v[0].text.data, "message", v[0].text.len) != 0) {
        return NGX_DECLINED;
    }

    for (i = 0; i < ngx_http_ktp_redis_nchannels; i++) {
        name = ngx_http_ktp_redis_channels[i].name;

        if (v[1].text.len == name->len
            && ngx_memcmp(v[1].text.data, name->data, name->len) == 0) {
            ngx_http_ktp_redis_channels[i].handler(&v[2].text);
        }
    }

    return NGX_OK;
}


void
ngx_http_ktp_redis_probe(void)
{
    static ngx_str_t ping = ngx_string("PING");

    if (ngx_http_ktp_redis_messages.state == NGX_HTTP_KTP_REDIS_UP) {
        (void) ngx_http_ktp_redis_connection_ask(
            &ngx_http_ktp_redis_messages, &ping, 1, ngx_http_ktp_redis_pong,
            NULL);
    }
}


/* A reply is enough; a connection without one is lost. */

static void
ngx_http_ktp_redis_pong(void *data, ngx_http_ktp_redis_reply_t *reply)
{
}


void
ngx_http_ktp_redis_hurry(void)
{
    ngx_http_ktp_redis_connection_reopen(&ngx_http_ktp_redis_commands);
    ngx_http_ktp_redis_connection_reopen(&ngx_http_ktp_redis_messages);
}


void
ngx_http_ktp_redis_finish(void)
{
    ngx_http_ktp_redis_connection_drain(&ngx_http_ktp_redis_commands);
}


void
ngx_http_ktp_redis_exit(void)
{
    ngx_http_ktp_redis_connection_shut(&ngx_http_ktp_redis_commands);

    if (ngx_http_ktp_redis_nchannels) {
        ngx_http_ktp_redis_connection_shut(&ngx_http_ktp_redis_messages);
        ngx_http_ktp_redis_nchannels = 0;
    }
}
