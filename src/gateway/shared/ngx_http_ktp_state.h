/*
 * The state file of a zone, which preserves quotas over a restart.  It is
 * written by one worker at a time, in a thread, within a second after a
 * change, and finally by the master.
 */

#ifndef NGX_HTTP_KTP_STATE_H
#define NGX_HTTP_KTP_STATE_H

#include "ngx_http_ktp_zone.h"


/*
 * Reads the file into a new zone.  If the file does not exist, a warning is
 * logged and counters start from zero; a corrupted file is an error.
 */
ngx_int_t ngx_http_ktp_state_load(ngx_http_ktp_zone_t *zone, ngx_log_t *log);

/* For init_process. */
ngx_int_t ngx_http_ktp_state_init(ngx_cycle_t *cycle);

/* Waits for a write in progress.  For exit_process. */
void ngx_http_ktp_state_exit(ngx_cycle_t *cycle);

/* Writes the file after all workers have exited.  For exit_master. */
void ngx_http_ktp_state_exit_master(ngx_cycle_t *cycle);


#endif /* NGX_HTTP_KTP_STATE_H */
