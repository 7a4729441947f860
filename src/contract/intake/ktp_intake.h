/*
 * An incremental parser of request bodies: JSON, multipart or a bare file.
 * The result does not depend on how the input is split into pieces, and an
 * error is returned at the first byte that makes it certain.
 */

#ifndef KTP_INTAKE_H
#define KTP_INTAKE_H

#include <stddef.h>
#include <stdint.h>
#include "ktp_error.h"
#include "ktp_limits.h"
#include "ktp_probe.h"
#include "ktp_store.h"


typedef enum {
    KTP_INTAKE_JSON,      /* application/json */
    KTP_INTAKE_MULTIPART, /* multipart/form-data */
    KTP_INTAKE_BINARY     /* image/jpeg, image/png, octet-stream */
} ktp_intake_type_t;

typedef enum {
    KTP_FLAG_ABSENT = 0,
    KTP_FLAG_FALSE,
    KTP_FLAG_TRUE
} ktp_flag_t;

/* A parsed request; valid until the intake is destroyed. */
typedef struct {
    ktp_intake_type_t  type;
    ktp_flag_t         validate_quality;
    ktp_flag_t         is_quality;
    char               reference_id[KTP_MAX_REFERENCE_ID + 1]; /* "": none */
    char               url[KTP_MAX_URL + 1]; /* "": the image is bytes */
    ktp_image_format_t format;
    uint32_t           width; /* as stored in the file's header */
    uint32_t           height;
    unsigned           orientation; /* EXIF, 1 to 8; 1 if absent */
} ktp_request_t;

typedef struct ktp_intake_s ktp_intake_t;


/*
 * Returns the maximum size of a body of this type in bytes: the maximum size
 * of the image, in base64 where allowed, with room for escapes, line breaks
 * and other members.
 */
uint64_t ktp_intake_body_max(const ktp_policy_t *policy,
                             ktp_intake_type_t   type);

/*
 * Bytes of the largest body that holds an image of the maximum size and
 * nothing behind it: what a limit of others should allow.
 */
uint64_t ktp_intake_body_need(const ktp_policy_t *policy);

/*
 * Checks a Content-Encoding field value: KTP_CODED_BODY for any but
 * "identity". Coded bodies are not decoded.
 */
ktp_code_t ktp_intake_coding(const char *coding, size_t len);

/*
 * Checks the declared length of a body, 0 if unknown.  Returns KTP_OK, or the
 * code of one that is too large.
 */
ktp_code_t ktp_intake_length(const ktp_intake_t *in, uint64_t length);

/*
 * Determines the type of a body from the value of Content-Type (RFC 9110,
 * section 8.3.1; not null-terminated).  Returns KTP_UNSUPPORTED_MEDIA_TYPE for
 * any other type, KTP_NO_BOUNDARY for multipart without a valid boundary.
 */
ktp_code_t ktp_intake_type(const char *content_type, size_t len,
                           ktp_intake_type_t *type);

/*
 * Creates an intake for one body.  policy and store must outlive it; the bytes
 * of the image are appended to store, whose maximum size is policy->max_size.
 * On error sets *in to NULL and returns an error of ktp_intake_type(), or
 * KTP_INTERNAL_SERVER_ERROR if there is no memory.
 */
ktp_code_t ktp_intake_create(ktp_intake_t **in, const ktp_policy_t *policy,
                             ktp_store_t *store, const char *content_type,
                             size_t len);

/*
 * Parses the query string, which has the parameters of a bare file
 * ("validate_quality", "is_quality", "reference_id", percent-encoded) and is
 * ignored for other types.  Called before the first feed.
 */
ktp_code_t ktp_intake_args(ktp_intake_t *in, const char *args, size_t len);

/*
 * Returns a buffer for the next bytes of a bare file, from which they are fed
 * without being copied, and sets *avail to its size.  It is valid until the
 * next feed.  Returns NULL for other types, and if there is no memory.
 */
unsigned char *ktp_intake_room(ktp_intake_t *in, size_t *avail);

/* Feeds the next bytes of the body.  An error is returned again. */
ktp_code_t ktp_intake_feed(ktp_intake_t *in, const unsigned char *p,
                           size_t len);

/* Ends the body; returns KTP_OK if the request is complete and valid. */
ktp_code_t ktp_intake_finish(ktp_intake_t *in);

const ktp_request_t *ktp_intake_request(const ktp_intake_t *in);

/*
 * What an error may tell of the body, whose declared length is length, 0 if
 * unknown.  Sets all facts but the request id.
 */
void ktp_intake_facts(const ktp_intake_t *in, ktp_code_t code, uint64_t length,
                      ktp_error_facts_t *facts);

/* Frees the intake, not the store; NULL is allowed. */
void ktp_intake_destroy(ktp_intake_t *in);


#endif /* KTP_INTAKE_H */
