/* The HTTP process: the contract's face, by libmicrohttpd. */

#ifndef KTPD_HTTP_H
#define KTPD_HTTP_H

#include "ktpd_channel.h"
#include "ktpd_credentials.h"
#include "ktpd_options.h"


/*
 * Serves the listening socket until the master says KTPD_STOP or goes away,
 * and then what is in flight.  Sandboxes itself first.  Returns the exit
 * code of the process.
 */
int ktpd_http_run(const ktpd_options_t *opt, int listener, int master,
                  ktpd_slot_t *slots, const ktpd_credentials_t *cred);


#endif /* KTPD_HTTP_H */
