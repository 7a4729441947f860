/*
 * Who may ask: pairs of App-ID and API-Key.  Kept as digests only, and
 * compared in a time that does not depend on them.
 */

#ifndef KTPD_CREDENTIALS_H
#define KTPD_CREDENTIALS_H

/* Pairs in a file at most: every request is compared with all of them. */
#define KTPD_MAX_CREDENTIALS 64

typedef struct ktpd_credentials_s ktpd_credentials_t;


/*
 * Reads a file of lines "app_id:api_key"; empty lines and lines that begin
 * with "#" are skipped.  NULL when it cannot be read, is not a regular file
 * of the calling user or root, may be read or written by others, or has no
 * pair or a line that is none; told on standard error, by line number only.
 */
ktpd_credentials_t *ktpd_credentials_load(const char *path);

/* 1 if the pair is known; NULL for a header that was not sent. */
int ktpd_credentials_match(const ktpd_credentials_t *cred, const char *app_id,
                           const char *api_key);

/* Wipes and frees; NULL is allowed. */
void ktpd_credentials_free(ktpd_credentials_t *cred);


#endif /* KTPD_CREDENTIALS_H */
