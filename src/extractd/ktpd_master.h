/*
 * The master: holds the language models, makes workers from them, and waits.
 * It reads nothing that comes from outside.
 */

#ifndef KTPD_MASTER_H
#define KTPD_MASTER_H

#include "ktpd_credentials.h"
#include "ktpd_listen.h"
#include "ktpd_options.h"


/*
 * Starts the HTTP process and the workers, and serves until SIGTERM or
 * SIGINT; the second one does not wait.  cred is wiped once the HTTP process
 * has it.  Returns the exit code.
 */
int ktpd_master_run(const ktpd_options_t *opt, ktpd_listen_t *ls,
                    ktpd_credentials_t *cred);


#endif /* KTPD_MASTER_H */
