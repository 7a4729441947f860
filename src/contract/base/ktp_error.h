/*
 * The contract's error table: one row a code, with its HTTP status, its
 * name on the wire and its message.
 */

#ifndef KTP_ERROR_H
#define KTP_ERROR_H

#include <stddef.h>


typedef enum {
    KTP_OK = 0,
    KTP_MISSING_PAYLOAD_IMAGE,         /* 400, no "image" */
    KTP_INVALID_PAYLOAD_IMAGE_MISSING, /* 400, empty, or neither base64
                                          nor an http(s) URL */
    KTP_INVALID_PAYLOAD_IMAGE_FORMAT,  /* 400, does not decode, or neither
                                          JPEG nor PNG */
    KTP_INVALID_PAYLOAD_IMAGE_SIZE,    /* 400, bytes or dimensions */
    KTP_INVALID_PAYLOAD_REFERENCE_ID,  /* 400 */
    KTP_INVALID_PAYLOAD_DEPENDENCY,    /* 400, ..._QUALITY_VALIDATION_
                                          DEPENDENCY on the wire */
    KTP_INVALID_PAYLOAD,               /* 400, any other bad body */
    KTP_NOT_DETECTED,                  /* 400, KTP_NOT_DETECTED */
    KTP_UNAUTHORIZED,                  /* 401 */
    KTP_INSUFFICIENT_QUOTA,            /* 403 */
    KTP_FORBIDDEN,                     /* 403, nginx's own */
    KTP_NOT_FOUND,                     /* 404, nginx's own */
    KTP_METHOD_NOT_ALLOWED,            /* 405 */
    KTP_REQUEST_TIMEOUT,               /* 408 */
    KTP_PAYLOAD_TOO_LARGE,             /* 413, nginx's own; on the wire
                                          INVALID_PAYLOAD_IMAGE_SIZE */
    KTP_URI_TOO_LONG,                  /* 414, nginx's own */
    KTP_UNSUPPORTED_MEDIA_TYPE,        /* 415 */
    KTP_TOO_MANY_REQUESTS,             /* 429 */
    KTP_INTERNAL_SERVER_ERROR,         /* 500 */
    KTP_BAD_GATEWAY,                   /* 502, the upstream unreachable or
                                          its answer unusable; on the wire
                                          INTERNAL_SERVER_ERROR */
    KTP_SERVICE_UNAVAILABLE,           /* 503 */
    KTP_GATEWAY_TIMEOUT,               /* 504, on the wire
                                          INTERNAL_SERVER_ERROR */
    KTP_CODES
} ktp_code_t;


typedef struct {
    unsigned    status;   /* HTTP status */
    const char *name;     /* "error_code" on the wire */
    const char *body;     /* the whole JSON body, constant */
    size_t      body_len; /* without the terminating null */
} ktp_error_t;


/* The row of a code; never NULL, an unknown code is a 500. */
const ktp_error_t *ktp_error(ktp_code_t code);

/*
 * The code whose body stands for an HTTP status that nginx itself answers
 * with; KTP_OK if the table has none, and the answer is left alone.
 */
ktp_code_t ktp_error_by_status(unsigned status);


#endif /* KTP_ERROR_H */
