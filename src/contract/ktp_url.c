#include <string.h>
#include <strings.h>
#include "ktp_url.h"


/*
 *   url       = scheme "://" authority [ path ] [ "?" query ] [ "#" fragment ]
 *   authority = ( host / "[" IPv6 "]" ) [ ":" port ]
 *
 * A backslash is a slash for some clients, and ends the authority here.
 */

int
ktp_url_host(const char *url, size_t len, const char **host, size_t *host_len,
             unsigned *port)
{
    size_t      i, start, end;
    const char *p;

    if (len >= 7 && strncasecmp(url, "http://", 7) == 0) {
        start = 7;
        *port = 80;

    } else if (len >= 8 && strncasecmp(url, "https://", 8) == 0) {
        start = 8;
        *port = 443;

    } else {
        return -1;
    }

    for (i = 0; i < len; i++) {
        if ((unsigned char) url[i] <= 0x20 || (unsigned char) url[i] >= 0x7f
            || url[i] == '\\') {
            return -1;
        }
    }

    for (end = start; end < len && strchr("/?#", url[end]) == NULL; end++) {
        if (url[end] == '@') {
            return -1;
        }
    }

    *host = url + start;

    if (start < end && url[start] == '[') {
        p = memchr(url + start, ']', end - start);
        if (p == NULL) {
            return -1;
        }

        (*host)++;
        *host_len = p - *host;
        i = p + 1 - url;

    } else {
        p = memchr(url + start, ':', end - start);
        i = p ? (size_t) (p - url) : end;
        *host_len = i - start;
    }

    if (*host_len == 0) {
        return -1;
    }

    if (i == end) {
        return 0;
    }

    if (url[i++] != ':' || i == end || end - i > 5) {
        return -1;
    }

    for (*port = 0; i < end; i++) {
        if (url[i] < '0' || url[i] > '9') {
            return -1;
        }

        *port = *port * 10 + (unsigned) (url[i] - '0');
    }

    return *port == 0 || *port > 65535 ? -1 : 0;
}
