/* Header field values with parameters (RFC 9110, 5.6; RFC 2045, 5.1). */

#ifndef KTP_MEDIA_H
#define KTP_MEDIA_H

#include <stddef.h>


/*
 * A parser of "value; name=value; name=\"quoted\"".  Results point into the
 * text; only ktp_media_copy() copies.
 */
typedef struct {
    const char *p;
    const char *end;
} ktp_media_t;

typedef struct {
    const char *name;
    size_t      name_len;
    const char *value; /* between the quotes, if quoted */
    size_t      value_len;
    unsigned    quoted : 1;
} ktp_param_t;


/*
 * The part before the first semicolon, without white space around it.
 * Returns its length; *value points into p.
 */
size_t ktp_media_value(ktp_media_t *media, const char *p, size_t len,
                       const char **value);

/* Returns 1 and the next parameter, 0 at the end, -1 if malformed. */
int ktp_media_param(ktp_media_t *media, ktp_param_t *param);

/*
 * Copies a parameter's value, quoted pairs undone, and a null behind it.
 * Returns its length, or -1 if size bytes do not hold it.
 */
int ktp_media_copy(const ktp_param_t *param, char *buf, size_t size);

/* Whether the text is a token, such as the name of a header field. */
int ktp_media_is_name(const char *p, size_t len);

/* Compares without case. */
int ktp_media_is(const char *p, size_t len, const char *name);


#endif /* KTP_MEDIA_H */
