/*
 * The ledger: counters of quotas and rates.  It is a memory file that the
 * master keeps open, so that after a binary upgrade the old and the new
 * processes use the same counters.  It contains no pointers, since processes
 * map it at different addresses.
 */

#ifndef NGX_HTTP_KTP_LEDGER_H
#define NGX_HTTP_KTP_LEDGER_H

#include <ngx_config.h>
#include <ngx_core.h>
#include "ktp_quota.h"


/* Counters of a client; modified by atomic operations only. */
typedef struct {
    uint64_t quota[KTP_QUOTA_PERIODS];
    uint64_t rate;
    uint64_t shadowed; /* calls over a quota in shadow mode */
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
    ngx_uint_t   failing; /* a write error was logged */

    ngx_http_ktp_account_t accounts[];
} ngx_http_ktp_ledger_t;


/*
 * Opens the ledger of the previous binary, if there is one with the same name
 * and size, and sets *inherited to 1; else creates one for n accounts. It
 * lives as long as the process; *fd is its descriptor.  Returns NULL on error,
 * which is logged.
 */
ngx_http_ktp_ledger_t *ngx_http_ktp_ledger(ngx_str_t *name, ngx_uint_t n,
                                           ngx_fd_t *fd, ngx_uint_t *inherited,
                                           ngx_log_t *log);

/*
 * Locks the ledger, since two masters may add accounts.  The lock is released
 * when the process exits.
 */
ngx_int_t ngx_http_ktp_ledger_lock(ngx_fd_t fd, ngx_log_t *log);
void      ngx_http_ktp_ledger_unlock(ngx_fd_t fd, ngx_log_t *log);


#endif /* NGX_HTTP_KTP_LEDGER_H */
