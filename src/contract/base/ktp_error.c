/* The contract's error table. */

#include "ktp_error.h"


/* clang-format off */

#define ktp_row(code, status, name, message)                                  \
    [code] = { status, name, ktp_body(name, message),                         \
               sizeof(ktp_body(name, message)) - 1 }

#define ktp_body(name, message)                                               \
    "{\"message\":\"" message "\",\"error_code\":\"" name "\"}"

static const ktp_error_t  ktp_errors[KTP_CODES] = {

    ktp_row(KTP_MISSING_PAYLOAD_IMAGE, 400,
            "MISSING_PAYLOAD_IMAGE",
            "image is required"),

    ktp_row(KTP_INVALID_PAYLOAD_IMAGE_MISSING, 400,
            "INVALID_PAYLOAD_IMAGE_MISSING",
            "image is empty, or neither base64 nor an http(s) URL"),

    ktp_row(KTP_INVALID_PAYLOAD_IMAGE_FORMAT, 400,
            "INVALID_PAYLOAD_IMAGE_FORMAT",
            "image is not a complete JPEG or PNG file"),

    ktp_row(KTP_INVALID_PAYLOAD_IMAGE_SIZE, 400,
            "INVALID_PAYLOAD_IMAGE_SIZE",
            "image is too large, or its width or height is too small"),

    ktp_row(KTP_INVALID_PAYLOAD_REFERENCE_ID, 400,
            "INVALID_PAYLOAD_REFERENCE_ID",
            "reference_id must be 1 to 64 printable ASCII characters"),

    ktp_row(KTP_INVALID_PAYLOAD_DEPENDENCY, 400,
            "INVALID_PAYLOAD_QUALITY_VALIDATION_DEPENDENCY",
            "validate_quality needs is_quality"),

    ktp_row(KTP_INVALID_PAYLOAD, 400,
            "INVALID_PAYLOAD",
            "request body is invalid"),

    ktp_row(KTP_NOT_DETECTED, 400,
            "KTP_NOT_DETECTED",
            "KTP not detected in the image"),

    ktp_row(KTP_UNAUTHORIZED, 401,
            "UNAUTHORIZED",
            "App-ID or API-Key is missing or wrong"),

    ktp_row(KTP_INSUFFICIENT_QUOTA, 403,
            "INSUFFICIENT_QUOTA",
            "quota is used up"),

    ktp_row(KTP_FORBIDDEN, 403,
            "FORBIDDEN",
            "access is forbidden"),

    ktp_row(KTP_NOT_FOUND, 404,
            "NOT_FOUND",
            "no such resource"),

    ktp_row(KTP_METHOD_NOT_ALLOWED, 405,
            "METHOD_NOT_ALLOWED",
            "method is not allowed, use POST"),

    ktp_row(KTP_REQUEST_TIMEOUT, 408,
            "REQUEST_TIMEOUT",
            "request did not arrive in time"),

    ktp_row(KTP_PAYLOAD_TOO_LARGE, 413,
            "INVALID_PAYLOAD_IMAGE_SIZE",
            "request body is too large"),

    ktp_row(KTP_URI_TOO_LONG, 414,
            "URI_TOO_LONG",
            "request URI is too long"),

    ktp_row(KTP_UNSUPPORTED_MEDIA_TYPE, 415,
            "UNSUPPORTED_MEDIA_TYPE",
            "Content-Type must be application/json, multipart/form-data, "
            "image/jpeg, image/png or application/octet-stream"),

    ktp_row(KTP_TOO_MANY_REQUESTS, 429,
            "TOO_MANY_REQUESTS",
            "too many requests, try again later"),

    ktp_row(KTP_INTERNAL_SERVER_ERROR, 500,
            "INTERNAL_SERVER_ERROR",
            "internal error"),

    ktp_row(KTP_BAD_GATEWAY, 502,
            "INTERNAL_SERVER_ERROR",
            "upstream is unreachable or gave no usable answer"),

    ktp_row(KTP_SERVICE_UNAVAILABLE, 503,
            "SERVICE_UNAVAILABLE",
            "service is busy, try again later"),

    ktp_row(KTP_GATEWAY_TIMEOUT, 504,
            "INTERNAL_SERVER_ERROR",
            "upstream did not answer in time"),
};

/* clang-format on */


const ktp_error_t *
ktp_error(ktp_code_t code)
{
    if (code <= KTP_OK || code >= KTP_CODES) {
        code = KTP_INTERNAL_SERVER_ERROR;
    }

    return &ktp_errors[code];
}


ktp_code_t
ktp_error_by_status(unsigned status)
{
    ktp_code_t code;

    switch (status) {

        /* these two statuses have several rows; nginx means the general one */

    case 400:
        return KTP_INVALID_PAYLOAD;

    case 403:
        return KTP_FORBIDDEN;
    }

    for (code = KTP_OK + 1; code < KTP_CODES; code++) {
        if (ktp_errors[code].status == status) {
            return code;
        }
    }

    return KTP_OK;
}
