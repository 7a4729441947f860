/* Where the URL of an image leads. */

#ifndef KTP_URL_H
#define KTP_URL_H

#include <stddef.h>


/*
 * Host and port of an http or https URL of len bytes, as a client that obeys
 * RFC 3986 reads it.  *host points into url and has no brackets.  Not 0: it
 * has credentials, a bad port, or a character that URLs have not.
 */
int ktp_url_host(const char *url, size_t len, const char **host,
                 size_t *host_len, unsigned *port);


#endif /* KTP_URL_H */
