/*
 * The master process: loads the language data, forks workers and waits for
 * them.  It reads no external input.
 */

#ifndef KTPD_MASTER_H
#define KTPD_MASTER_H

#include "ktpd_credentials.h"
#include "ktpd_listen.h"
#include "ktpd_options.h"


/*
 * Starts the HTTP process and the workers, and serves until SIGTERM or
 * SIGINT; a second signal ends it at once.  cred is wiped after the HTTP
 * process has been forked.  Returns the exit code.
 */
int ktpd_master_run(const ktpd_options_t *opt, ktpd_listen_t *ls,
                    ktpd_credentials_t *cred);


#endif /* KTPD_MASTER_H */
