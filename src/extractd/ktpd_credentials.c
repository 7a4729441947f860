#include "ktpd_credentials.h"
#include "ktpd_log.h"
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <openssl/crypto.h>
#include <openssl/sha.h>

#define KTPD_MAX_CREDENTIALS_FILE 65536


struct ktpd_credentials_s {
    unsigned      n;
    unsigned char digests[KTPD_MAX_CREDENTIALS][SHA256_DIGEST_LENGTH];
};


static int ktpd_credentials_open(const char *path);
static int ktpd_credentials_parse(ktpd_credentials_t *cred, const char *path,
                                  char *text);
static const char *ktpd_credentials_line(const char *line);
static int ktpd_credentials_digest(const char *app_id, const char *api_key,
                                   unsigned char *digest);


ktpd_credentials_t *
ktpd_credentials_load(const char *path)
{
    int                 fd;
    char               *text;
    ssize_t             n;
    ktpd_credentials_t *cred;

    fd = ktpd_credentials_open(path);

    if (fd == -1) {
        return NULL;
    }

    text = malloc(KTPD_MAX_CREDENTIALS_FILE);
    cred = calloc(1, sizeof(ktpd_credentials_t));
    n = -1;

    if (text != NULL && cred != NULL) {
        n = read(fd, text, KTPD_MAX_CREDENTIALS_FILE);
    }

    close(fd);

    if (n == -1) {
        ktpd_log_errno("credentials \"%s\" cannot be read", path);

    } else if (n == KTPD_MAX_CREDENTIALS_FILE) {
        ktpd_log("credentials \"%s\" are too long", path);
        n = -1;

    } else {
        text[n] = '\0';

        if (strlen(text) != (size_t) n) {
            ktpd_log("credentials \"%s\" have a null byte", path);
            n = -1;

        } else {
            n = ktpd_credentials_parse(cred, path, text);
        }
    }

    if (text != NULL) {
        OPENSSL_cleanse(text, KTPD_MAX_CREDENTIALS_FILE);
        free(text);
    }

    if (n == -1) {
        ktpd_credentials_free(cred);
        return NULL;
    }

    return cred;
}


static int
ktpd_credentials_open(const char *path)
{
    int         fd;
    struct stat st;

    /* a FIFO must not keep the start waiting */

    fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);

    if (fd == -1 || fstat(fd, &st) == -1) {
        ktpd_log_errno("credentials \"%s\" cannot be opened", path);
        goto failed;
    }

    if (!S_ISREG(st.st_mode)) {
        ktpd_log("credentials \"%s\" are not a regular file", path);
        goto failed;
    }

    if (st.st_uid != 0 && st.st_uid != geteuid()) {
        ktpd_log("credentials \"%s\" belong to another user", path);
        goto failed;
    }

    if (st.st_mode & (S_IRWXO | S_IWGRP)) {
        ktpd_log("credentials \"%s\" are open to others, mode %04o; "
                 "0600 is meant",
                 path, (unsigned) st.st_mode & 07777);
        goto failed;
    }

    return fd;

failed:

    if (fd != -1) {
        close(fd);
    }

    return -1;
}


/*
 * file := *( line LF )
 * line := "" / "#" *any / app_id ":" api_key
 *
 * An App-ID has no colon; both have visible ASCII characters only, as a client
 * can send them, and at least one.
 */

static int
ktpd_credentials_parse(ktpd_credentials_t *cred, const char *path, char *text)
{
    char       *line, *next, *end, *colon;
    unsigned    number;
    const char *wrong;

    number = 0;

    for (line = text; line != NULL; line = next) {
        number++;
        next = strchr(line, '\n');

        if (next != NULL) {
            *next++ = '\0';
        }

        end = line + strlen(line);

        if (end > line && end[-1] == '\r') {
            end[-1] = '\0';
        }

        if (*line == '\0' || *line == '#') {
            continue;
        }

        wrong = ktpd_credentials_line(line);

        if (wrong != NULL) {
            ktpd_log("credentials \"%s\": line %u %s", path, number, wrong);
            return -1;
        }

        colon = strchr(line, ':');

        if (cred->n == KTPD_MAX_CREDENTIALS) {
            ktpd_log("credentials \"%s\" have over %d pairs", path,
                     KTPD_MAX_CREDENTIALS);
            return -1;
        }

        *colon = '\0';

        if (ktpd_credentials_digest(line, colon + 1, cred->digests[cred->n])
            != 0) {
            ktpd_log("credentials: SHA-256 failed");
            return -1;
        }

        cred->n++;
    }

    if (cred->n == 0) {
        ktpd_log("credentials \"%s\" have no pair", path);
        return -1;
    }

    return 0;
}


/* What is wrong with a line, without a value from it; NULL: nothing. */

static const char *
ktpd_credentials_line(const char *line)
{
    size_t      id;
    const char *p;

    if (strncmp(line, "\xef\xbb\xbf", 3) == 0) {
        return "begins with a byte order mark";
    }

    id = strcspn(line, ":");

    if (id == 0 || line[id] == '\0' || line[id + 1] == '\0') {
        return "is not app_id:api_key";
    }

    for (p = line; *p != '\0'; p++) {
        if (*p > ' ' && *p < 0x7f) {
            continue;
        }

        if (*p == ' ' || *p == '\t') {
            return p < line + id ? "has a space in the App-ID"
                                 : "has a space in the API-Key";
        }

        return p < line + id ? "has an App-ID with other than visible ASCII"
                             : "has an API-Key with other than visible ASCII";
    }

    return NULL;
}


/*
 * A digest of fixed size makes the comparison blind to lengths; the ids are
 * hashed apart, so that a byte cannot move from one to the other.
 */

static int
ktpd_credentials_digest(const char *app_id, const char *api_key,
                        unsigned char *digest)
{
    unsigned char parts[2][SHA256_DIGEST_LENGTH];

    if (SHA256((const unsigned char *) app_id, strlen(app_id), parts[0])
            == NULL
        || SHA256((const unsigned char *) api_key, strlen(api_key), parts[1])
               == NULL
        || SHA256(parts[0], sizeof(parts), digest) == NULL) {
        return -1;
    }

    return 0;
}


int
ktpd_credentials_match(const ktpd_credentials_t *cred, const char *app_id,
                       const char *api_key)
{
    int           found;
    unsigned      i;
    unsigned char digest[SHA256_DIGEST_LENGTH];

    found = 0;

    if (app_id == NULL || api_key == NULL
        || ktpd_credentials_digest(app_id, api_key, digest) != 0) {
        return 0;
    }

    for (i = 0; i < cred->n; i++) {
        found |= CRYPTO_memcmp(cred->digests[i], digest, sizeof(digest)) == 0;
    }

    OPENSSL_cleanse(digest, sizeof(digest));

    return found;
}


void
ktpd_credentials_free(ktpd_credentials_t *cred)
{
    if (cred == NULL) {
        return;
    }

    OPENSSL_cleanse(cred, sizeof(ktpd_credentials_t));
    free(cred);
}
