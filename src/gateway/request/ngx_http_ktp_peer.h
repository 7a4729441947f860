/*
 * Peers of an "upstream" block: chosen and counted by the balancers of nginx,
 * connected to by the transport.
 */

#ifndef NGX_HTTP_KTP_PEER_H
#define NGX_HTTP_KTP_PEER_H

#include "ngx_http_ktp_ctx.h"


/*
 * Chooses the first peer of ctx->call and sets its callback; does nothing if
 * ktp_pass names no block.  KTP_OK; KTP_UPSTREAM_CONNECT if no peer is live;
 * or KTP_INTERNAL_SERVER_ERROR.
 */
ktp_code_t ngx_http_ktp_peer(ngx_http_ktp_ctx_t *ctx);

/*
 * Gives the peer back, once for each one that was chosen; failed: it counts
 * for "max_fails".  Nothing happens if there is none.
 */
void ngx_http_ktp_peer_free(ngx_http_ktp_ctx_t *ctx, ngx_uint_t failed);


#endif /* NGX_HTTP_KTP_PEER_H */
