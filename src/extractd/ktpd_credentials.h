/*
 * Credentials of clients: pairs of App-ID and API-Key, kept as digests and
 * compared in constant time.
 */

#ifndef KTPD_CREDENTIALS_H
#define KTPD_CREDENTIALS_H

/* Maximum of pairs in a file: a request is compared with all of them. */
#define KTPD_MAX_CREDENTIALS 64

typedef struct ktpd_credentials_s ktpd_credentials_t;


/*
 * Reads a file of lines "app_id:api_key"; empty lines and lines that begin
 * with "#" are skipped.  NULL, with a message on standard error that has
 * line numbers but no text of the file, if it cannot be read, is not a regular
 * file of the calling user or root, is accessible by others, has no pairs, or
 * an invalid line.
 */
ktpd_credentials_t *ktpd_credentials_load(const char *path);

/* Whether the pair is known; NULL for a header that is missing. */
int ktpd_credentials_match(const ktpd_credentials_t *cred, const char *app_id,
                           const char *api_key);

/* Wipes and frees; NULL is allowed. */
void ktpd_credentials_free(ktpd_credentials_t *cred);


#endif /* KTPD_CREDENTIALS_H */
