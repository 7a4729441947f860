#include "ngx_http_ktp_peer.h"


static ngx_int_t  ngx_http_ktp_peer_next(void                     *data,
                                         ngx_http_ktp_call_peer_t *address);
static ktp_code_t ngx_http_ktp_peer_get(ngx_http_ktp_ctx_peer_t *peer);
static void       ngx_http_ktp_peer_close(ngx_connection_t *c);
static ngx_int_t  ngx_http_ktp_peer_address(ngx_http_ktp_ctx_peer_t *peer,
                                            ngx_peer_connection_t   *pc);


ktp_code_t
ngx_http_ktp_peer(ngx_http_request_t *r, ngx_http_ktp_loc_conf_t *klcf,
                  ngx_http_ktp_ctx_peer_t *peer, ngx_http_ktp_call_t *call)
{
    ngx_http_upstream_t          *u;
    ngx_http_upstream_srv_conf_t *uscf;

    uscf = klcf->block;

    if (uscf == NULL) {
        return KTP_OK;
    }

    if (ngx_http_upstream_create(r) != NGX_OK) {
        return KTP_INTERNAL_SERVER_ERROR;
    }

    u = r->upstream;
    u->upstream = uscf;

    if (uscf->peer.init(r, uscf) != NGX_OK) {
        return KTP_INTERNAL_SERVER_ERROR;
    }

    u->peer.start_time = ngx_current_msec;

    peer->request = r;
    peer->upstream = u;
    peer->used = 0;
    call->peer = ngx_http_ktp_peer_next;
    call->peer_data = peer;

    return ngx_http_ktp_peer_get(peer);
}


/* The transport calls it for each attempt; the first peer was chosen. */

static ngx_int_t
ngx_http_ktp_peer_next(void *data, ngx_http_ktp_call_peer_t *address)
{
    ngx_http_ktp_ctx_peer_t *peer = data;

    if (peer->used) {
        ngx_http_ktp_peer_free(peer, 1);

        if (peer->upstream->peer.tries == 0
            || ngx_http_ktp_peer_get(peer) != KTP_OK) {
            return NGX_DECLINED;
        }
    }

    peer->used = 1;
    *address = peer->address;

    return NGX_OK;
}


static ktp_code_t
ngx_http_ktp_peer_get(ngx_http_ktp_ctx_peer_t *peer)
{
    ngx_int_t              rc;
    ngx_log_t             *log;
    ngx_peer_connection_t *pc;

    pc = &peer->upstream->peer;
    log = peer->request->connection->log;

    rc = pc->get(pc, pc->data);

    if (rc == NGX_BUSY) {
        ngx_log_error(NGX_LOG_ERR, log, 0, "no live peers in upstream \"%V\"",
                      &peer->upstream->upstream->host);
        pc->sockaddr = NULL;
        pc->name = NULL;
        return KTP_UPSTREAM_CONNECT;
    }

    if (rc != NGX_OK && rc != NGX_DONE) {
        return KTP_INTERNAL_SERVER_ERROR;
    }

    peer->held = 1;

    if (pc->connection) {

        /* an idle one of "keepalive", which libcurl cannot use */

        ngx_http_ktp_peer_close(pc->connection);
        pc->connection = NULL;
        pc->cached = 0;
    }

    if (ngx_http_ktp_peer_address(peer, pc) != NGX_OK) {
        ngx_http_ktp_peer_free(peer, 0);
        return KTP_INTERNAL_SERVER_ERROR;
    }

    ngx_log_debug1(NGX_LOG_DEBUG_HTTP, log, 0, "ktp peer: \"%V\"", pc->name);

    return KTP_OK;
}


static void
ngx_http_ktp_peer_close(ngx_connection_t *c)
{
    ngx_pool_t *pool;

#if (NGX_HTTP_SSL)
    if (c->ssl) {
        c->ssl->no_wait_shutdown = 1;
        c->ssl->no_send_shutdown = 1;
        (void) ngx_ssl_shutdown(c);
    }
#endif

    pool = c->pool;

    ngx_close_connection(c);

    if (pool) {
        ngx_destroy_pool(pool);
    }
}


/* Strings for libcurl, which live as long as the request. */

static ngx_int_t
ngx_http_ktp_peer_address(ngx_http_ktp_ctx_peer_t *peer,
                          ngx_peer_connection_t   *pc)
{
    u_char                   *p;
    size_t                    len;
    ngx_pool_t               *pool;
    ngx_http_ktp_call_peer_t *address;

    pool = peer->request->pool;
    address = &peer->address;

    ngx_memzero(address, sizeof(ngx_http_ktp_call_peer_t));

#if (NGX_HAVE_UNIX_DOMAIN)
    if (pc->sockaddr->sa_family == AF_UNIX) {
        struct sockaddr_un *saun;

        saun = (struct sockaddr_un *) pc->sockaddr;
        len = ngx_strlen(saun->sun_path);

        p = ngx_pnalloc(pool, len + 1);
        if (p == NULL) {
            return NGX_ERROR;
        }

        (void) ngx_cpystrn(p, (u_char *) saun->sun_path, len + 1);

        address->unix_socket.data = p;
        address->unix_socket.len = len;

        return NGX_OK;
    }
#endif

    p = ngx_pnalloc(pool, sizeof("::") + NGX_SOCKADDR_STRLEN);
    if (p == NULL) {
        return NGX_ERROR;
    }

    address->connect_to.data = p;

    p = ngx_cpymem(p, "::", 2);
    p += ngx_sock_ntop(pc->sockaddr, pc->socklen, p, NGX_SOCKADDR_STRLEN, 1);
    *p = '\0';

    address->connect_to.len = p - address->connect_to.data;

    return NGX_OK;
}


void
ngx_http_ktp_peer_free(ngx_http_ktp_ctx_peer_t *peer, ngx_uint_t failed)
{
    ngx_peer_connection_t *pc;

    if (!peer->held) {
        return;
    }

    pc = &peer->upstream->peer;
    peer->held = 0;

    pc->free(pc, pc->data, failed ? NGX_PEER_FAILED : 0);

    /* the peer may be freed by a change of the block */

    pc->sockaddr = NULL;
    pc->name = NULL;
}
