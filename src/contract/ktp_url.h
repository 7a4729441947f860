/* Host and port of an image URL. */

#ifndef KTP_URL_H
#define KTP_URL_H

#include <stddef.h>


/*
 * Parses the host and port of an http or https URL of len bytes (RFC 3986).
 * *host points into url, without brackets.  Returns -1 for another scheme,
 * credentials, an invalid port or a character not allowed in URLs.
 */
int ktp_url_host(const char *url, size_t len, const char **host,
                 size_t *host_len, unsigned *port);


#endif /* KTP_URL_H */
