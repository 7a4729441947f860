/*
 * The image where it is text: the value of a JSON string or of a form field.
 *
 *   text     = url / [ data-url ] base64
 *   url      = ( "http://" / "https://" ) 1*VCHAR
 *   data-url = "data:" *VCHAR ";base64,"
 *
 * White space is stepped over.  Schemes are compared without case.
 */

#ifndef KTP_INTAKE_TEXT_H
#define KTP_INTAKE_TEXT_H

#include <stddef.h>
#include "ktp_base64.h"
#include "ktp_image.h"


/* Bytes of a data URL before its comma; media types are far shorter. */
#define KTP_MAX_DATA_URL 128

typedef struct {
    ktp_image_t  *image;
    char         *url; /* KTP_MAX_URL + 1 bytes */
    size_t        url_len;
    size_t        url_host; /* where the host begins */
    unsigned      url_allowed : 1;
    unsigned      empty : 1; /* white space at most, so far */
    int           state;
    unsigned char head[KTP_MAX_DATA_URL];
    size_t        head_len;
    ktp_base64_t  base64;
} ktp_intake_text_t;


/* image has no bytes yet; url gets a URL, or stays empty. */
void ktp_intake_text_init(ktp_intake_text_t *text, const ktp_policy_t *policy,
                          ktp_image_t *image, char *url);

/* Feeds the next character; values over 0x7f are those outside of ASCII. */
ktp_code_t ktp_intake_text_char(ktp_intake_text_t *text, unsigned char c);

/*
 * Takes as many characters as can be taken at once, all of the base64
 * alphabets; *used is set to how many, 0 where ktp_intake_text_char() must go
 * on.
 */
ktp_code_t ktp_intake_text_bulk(ktp_intake_text_t   *text,
                                const unsigned char *p, size_t n,
                                size_t *used);

/*
 * How many characters should be put together before they are fed, of at
 * most size: those that complete a quantum, so that ktp_intake_text_bulk() can
 * go on with the text itself; 0 while it is not certain that it is base64.
 */
size_t ktp_intake_text_want(const ktp_intake_text_t *text, size_t size);

/* The next characters; the result is that of ktp_intake_text_char() with each.
 */
ktp_code_t ktp_intake_text_feed(ktp_intake_text_t   *text,
                                const unsigned char *p, size_t n);

/* Ends the text.  An empty text is KTP_OK, and text->empty is set. */
ktp_code_t ktp_intake_text_finish(ktp_intake_text_t *text);


#endif /* KTP_INTAKE_TEXT_H */
