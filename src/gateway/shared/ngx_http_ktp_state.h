/*
 * The state file of a zone: quotas that outlive a restart.  One worker at a
 * time writes it, in a thread, a second after something changed; the master
 * writes it last.
 */

#ifndef NGX_HTTP_KTP_STATE_H
#define NGX_HTTP_KTP_STATE_H

#include "ngx_http_ktp_zone.h"


/*
 * Reads the file into a new zone.  One that is not there is told and means
 * that nothing was counted; a damaged one is an error.
 */
ngx_int_t ngx_http_ktp_state_load(ngx_http_ktp_zone_t *zone, ngx_log_t *log);

/* For init_process. */
ngx_int_t ngx_http_ktp_state_init(ngx_cycle_t *cycle);

/* Waits for a write that is under way.  For exit_process. */
void ngx_http_ktp_state_exit(ngx_cycle_t *cycle);

/* The last write, when all workers are gone.  For exit_master. */
void ngx_http_ktp_state_exit_master(ngx_cycle_t *cycle);


#endif /* NGX_HTTP_KTP_STATE_H */
