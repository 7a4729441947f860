/* The HTTP process: an HTTP server by libmicrohttpd. */

#ifndef KTPD_HTTP_H
#define KTPD_HTTP_H

#include "ktpd_channel.h"
#include "ktpd_credentials.h"
#include "ktpd_options.h"


/*
 * Enters the sandbox and serves the listening socket until the master sends
 * KTPD_STOP or exits, and then finishes the requests in progress.  Returns the
 * exit code of the process.
 */
int ktpd_http_run(const ktpd_options_t *opt, int listener, int master,
                  ktpd_slot_t *slots, const ktpd_credentials_t *cred);


#endif /* KTPD_HTTP_H */
