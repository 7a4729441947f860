/*
 * What quotas and rates are counted in.  It is a file that is in memory only
 * and is open in the master, so that a binary that is upgraded finds it: the
 * old and the new one count in the same memory.  It has no pointers, for each
 * maps it elsewhere.
 */

#ifndef NGX_HTTP_KTP_LEDGER_H
#define NGX_HTTP_KTP_LEDGER_H

#include <ngx_config.h>
#include <ngx_core.h>
#include "ktp_quota.h"


/* Of one client; words are changed by atomic operations only. */
typedef struct {
    uint64_t quota[KTP_QUOTA_PERIODS];
    uint64_t rate;
    uint64_t shadowed; /* calls that a quota in shadow would have refused */
    uint64_t len;      /* of its name */
    u_char   name[KTP_MAX_CLIENT_NAME];
} ngx_http_ktp_account_t;

typedef struct {
    uint64_t version;
    uint64_t naccounts;

    /* of the state file */

    uint64_t     generation;
    uint64_t     changes; /* of quotas so far */
    uint64_t     written; /* of those, in the file; none at a start */
    ngx_atomic_t writer;  /* pid of the process that writes; 0: none */
    ngx_uint_t   failing; /* it was told that it cannot be written */

    ngx_http_ktp_account_t accounts[];
} ngx_http_ktp_ledger_t;


/*
 * A ledger with room for n accounts, which lives as long as the process; or
 * that of the binary before, if it has the same name and size, and then
 * *inherited is set to 1.  *fd is its descriptor.  NULL: no memory, which
 * was told.
 */
ngx_http_ktp_ledger_t *ngx_http_ktp_ledger(ngx_str_t *name, ngx_uint_t n,
                                           ngx_fd_t *fd, ngx_uint_t *inherited,
                                           ngx_log_t *log);

/* Two masters may be adding accounts; ends with the process at the latest. */
ngx_int_t ngx_http_ktp_ledger_lock(ngx_fd_t fd, ngx_log_t *log);
void      ngx_http_ktp_ledger_unlock(ngx_fd_t fd, ngx_log_t *log);


#endif /* NGX_HTTP_KTP_LEDGER_H */
