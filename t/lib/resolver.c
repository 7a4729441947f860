/*
 * Names for tests, in place of the machine's resolver: preloaded into nginx.
 * KTP_TEST_HOSTS is a file of lines "name milliseconds milliseconds address",
 * read for each look-up; the address "none" is a name that does not exist,
 * several are separated by commas.  libcurl 8.20 and newer looks each family
 * up by a call of its own: the second number is for that of IPv6.  Look-ups
 * are listed in KTP_TEST_HOSTS.log, a line each: the name, and " IPv6" if
 * only such addresses are looked up.  A name that the
 * file does not have is not looked up: no test asks a name server.
 */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>


typedef int (*getaddrinfo_pt)(const char *, const char *,
                              const struct addrinfo *, struct addrinfo **);

static char *hosts;
static char *lookups;


/* nginx's workers have another environment */

__attribute__((constructor)) static void
ktp_test_resolver_init(void)
{
    char *path;

    path = getenv("KTP_TEST_HOSTS");

    if (path && asprintf(&lookups, "%s.log", path) > 0) {
        hosts = strdup(path);
    }
}


static void
ktp_test_resolver_count(const char *name, const char *family)
{
    int  fd, n;
    char line[300];

    n = snprintf(line, sizeof(line), "%s%s\n", name, family);
    fd = open(lookups, O_WRONLY | O_CREAT | O_APPEND, 0666);

    if (fd != -1) {
        if (write(fd, line, n) != n) {
            abort();
        }

        close(fd);
    }
}


int
getaddrinfo(const char *name, const char *service,
            const struct addrinfo *hints, struct addrinfo **res)
{
    int             found, ipv6;
    long            ms, ms_ipv6;
    FILE           *in;
    char            text[256], address[256], *one, *last;
    getaddrinfo_pt  next;
    struct addrinfo numeric;
    struct timespec ts;

    next = (getaddrinfo_pt) dlsym(RTLD_NEXT, "getaddrinfo");

    if (hosts == NULL || name == NULL
        || (hints && (hints->ai_flags & AI_NUMERICHOST))) {
        return next(name, service, hints, res);
    }

    found = 0;
    ms = 0;
    ipv6 = hints && hints->ai_family == AF_INET6;
    in = fopen(hosts, "r");

    while (in && !found
           && fscanf(in, "%255s %ld %ld %255s", text, &ms, &ms_ipv6, address)
                  == 4) {
        found = strcmp(text, name) == 0;
    }

    if (in) {
        fclose(in);
    }

    ktp_test_resolver_count(name, ipv6 ? " IPv6" : "");

    if (!found) {
        return EAI_NONAME;
    }

    if (ipv6) {
        ms = ms_ipv6;
    }

    ts.tv_sec = ms / 1000;
    ts.tv_nsec = ms % 1000 * 1000000;
    nanosleep(&ts, NULL);

    if (strcmp(address, "none") == 0) {
        return EAI_NONAME;
    }

    memset(&numeric, 0, sizeof(numeric));

    if (hints) {
        numeric = *hints;
    }

    numeric.ai_flags |= AI_NUMERICHOST;
    found = 0;

    for (one = strtok_r(address, ",", &last); one;
         one = strtok_r(NULL, ",", &last)) {

        /* an address of the other family is none of this look-up */

        if (next(one, service, &numeric, res) != 0) {
            continue;
        }

        found = 1;

        while (*res) {
            res = &(*res)->ai_next;
        }
    }

    return found ? 0 : EAI_NONAME;
}
