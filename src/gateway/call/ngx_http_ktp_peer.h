/*
 * Peers of an "upstream" block: chosen and counted by the balancers of nginx,
 * connected to by the transport.
 */

#ifndef NGX_HTTP_KTP_PEER_H
#define NGX_HTTP_KTP_PEER_H

#include "ngx_http_ktp_ctx.h"


/*
 * Chooses the first peer of a call with the settings of a location and sets
 * its callback; does nothing if ktp_pass names no block there.  peer belongs
 * to the caller, is zeroed, and stays until the call has ended.  KTP_OK;
 * KTP_UPSTREAM_CONNECT if no peer is live; or KTP_INTERNAL_SERVER_ERROR.
 */
ktp_code_t ngx_http_ktp_peer(ngx_http_request_t      *r,
                             ngx_http_ktp_loc_conf_t *klcf,
                             ngx_http_ktp_ctx_peer_t *peer,
                             ngx_http_ktp_call_t     *call);

/*
 * Gives the peer back, once for each one that was chosen; failed: it counts
 * for "max_fails".  Nothing happens if there is none.
 */
void ngx_http_ktp_peer_free(ngx_http_ktp_ctx_peer_t *peer, ngx_uint_t failed);


#endif /* NGX_HTTP_KTP_PEER_H */
