/*
 * A request body, from bytes to facts: three ways in (JSON, multipart, bare
 * file), one result.  Incremental: the result is the same for every way of
 * cutting the input, and an error is told at the first byte that makes it
 * certain.
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

/* Facts of a request; valid while the intake lives. */
typedef struct {
    ktp_intake_type_t  type;
    ktp_flag_t         validate_quality;
    ktp_flag_t         is_quality;
    char               reference_id[KTP_MAX_REFERENCE_ID + 1]; /* "": none */
    char               url[KTP_MAX_URL + 1]; /* "": the image is bytes */
    ktp_image_format_t format;
    uint32_t           width; /* as stored in the file's header */
    uint32_t           height;
    unsigned           orientation; /* EXIF, 1 to 8; 1 if not told */
} ktp_request_t;

typedef struct ktp_intake_s ktp_intake_t;


/*
 * The limit of a whole body in bytes, by its type: the image's limit, in
 * base64 where it may be, with room for escapes, line breaks and the rest.
 */
uint64_t ktp_intake_body_max(const ktp_policy_t *policy,
                             ktp_intake_type_t   type);

/*
 * Type of a body from its Content-Type field value (RFC 9110, 8.3.1; not
 * null-terminated).  KTP_UNSUPPORTED_MEDIA_TYPE for any other, and
 * KTP_INVALID_PAYLOAD for a multipart without a usable boundary.
 */
ktp_code_t ktp_intake_type(const char *content_type, size_t len,
                           ktp_intake_type_t *type);

/*
 * A new intake for one body.  policy and store must outlive it; the image's
 * bytes are appended to store, whose ceiling is policy->max_size.  NULL in
 * *in and a code as ktp_intake_type() has them, or
 * KTP_INTERNAL_SERVER_ERROR without memory.
 */
ktp_code_t ktp_intake_create(ktp_intake_t **in, const ktp_policy_t *policy,
                             ktp_store_t *store, const char *content_type,
                             size_t len);

/*
 * The query string, for the flags of a bare file ("validate_quality",
 * "is_quality", "reference_id"; percent-encoding is undone).  Other types
 * ignore it.  Called before the first feed.
 */
ktp_code_t ktp_intake_args(ktp_intake_t *in, const char *args, size_t len);

/*
 * Where the next bytes of a bare file can be put, so that feeding them takes
 * no copy; *avail is set to their count at most.  It is of use until the
 * next feed.  NULL for other bodies, and without memory.
 */
unsigned char *ktp_intake_room(ktp_intake_t *in, size_t *avail);

/* The next bytes of the body.  After an error the intake stays in error. */
ktp_code_t ktp_intake_feed(ktp_intake_t *in, const unsigned char *p,
                           size_t len);

/* The body ended; KTP_OK when the request is complete and right. */
ktp_code_t ktp_intake_finish(ktp_intake_t *in);

const ktp_request_t *ktp_intake_request(const ktp_intake_t *in);

/* Frees the intake, not the store; NULL is allowed. */
void ktp_intake_destroy(ktp_intake_t *in);


#endif /* KTP_INTAKE_H */
