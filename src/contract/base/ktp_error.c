/* The contract's error table. */

#include <stdio.h>
#include <string.h>
#include "ktp_error.h"


/* clang-format off */

#define ktp_row(code, kind, status, name, reason, numbers, message)           \
    [code] = { kind, status, name, reason, ktp_body(name, reason, message),   \
               sizeof(ktp_body(name, reason, message)) - 1, numbers }

#define ktp_body(name, reason, message)                                       \
    "{\"message\":\"" message "\",\"error_code\":\"" name                    \
    "\",\"reason\":\"" reason "\"}"

static const ktp_error_t  ktp_errors[KTP_CODES] = {

    ktp_row(KTP_MISSING_PAYLOAD_IMAGE, KTP_MISSING_PAYLOAD_IMAGE, 400,
            "MISSING_PAYLOAD_IMAGE",
            "image_missing", KTP_ERROR_MEMBERS,
            "image is required"),

    ktp_row(KTP_INVALID_PAYLOAD_IMAGE_MISSING, KTP_INVALID_PAYLOAD_IMAGE_MISSING, 400,
            "INVALID_PAYLOAD_IMAGE_MISSING",
            "image_empty", KTP_ERROR_PLAIN,
            "image is empty"),

    ktp_row(KTP_INVALID_PAYLOAD_IMAGE_FORMAT, KTP_INVALID_PAYLOAD_IMAGE_FORMAT, 400,
            "INVALID_PAYLOAD_IMAGE_FORMAT",
            "damaged", KTP_ERROR_PLAIN,
            "image is a damaged JPEG or PNG file"),

    ktp_row(KTP_INVALID_PAYLOAD_IMAGE_SIZE, KTP_INVALID_PAYLOAD_IMAGE_SIZE, 400,
            "INVALID_PAYLOAD_IMAGE_SIZE",
            "too_many_bytes", KTP_ERROR_BYTES,
            "image file is too large"),

    ktp_row(KTP_INVALID_PAYLOAD_REFERENCE_ID, KTP_INVALID_PAYLOAD_REFERENCE_ID, 400,
            "INVALID_PAYLOAD_REFERENCE_ID",
            "bad_reference_id", KTP_ERROR_PLAIN,
            "reference_id must be 1 to 64 printable ASCII characters"),

    ktp_row(KTP_INVALID_PAYLOAD_DEPENDENCY, KTP_INVALID_PAYLOAD_DEPENDENCY, 400,
            "INVALID_PAYLOAD_QUALITY_VALIDATION_DEPENDENCY",
            "quality_dependency", KTP_ERROR_PLAIN,
            "validate_quality needs is_quality"),

    ktp_row(KTP_INVALID_PAYLOAD, KTP_INVALID_PAYLOAD, 400,
            "INVALID_PAYLOAD",
            "bad_request", KTP_ERROR_PLAIN,
            "request is malformed"),

    ktp_row(KTP_IDEMPOTENCY_KEY_MISSING, KTP_IDEMPOTENCY_KEY_MISSING, 400,
            "IDEMPOTENCY_KEY_MISSING",
            "idempotency_key_missing", KTP_ERROR_PLAIN,
            "Idempotency-Key is required"),

    ktp_row(KTP_IDEMPOTENCY_KEY_INVALID, KTP_IDEMPOTENCY_KEY_INVALID, 400,
            "IDEMPOTENCY_KEY_INVALID",
            "idempotency_key_invalid", KTP_ERROR_PLAIN,
            "Idempotency-Key must be given once, as 1 to 255 visible ASCII "
            "characters"),

    ktp_row(KTP_NOT_DETECTED, KTP_NOT_DETECTED, 400,
            "KTP_NOT_DETECTED",
            "not_detected", KTP_ERROR_PLAIN,
            "KTP not detected in the image"),

    ktp_row(KTP_UNAUTHORIZED, KTP_UNAUTHORIZED, 401,
            "UNAUTHORIZED",
            "unauthorized", KTP_ERROR_PLAIN,
            "App-ID or API-Key is missing or wrong"),

    ktp_row(KTP_INSUFFICIENT_QUOTA, KTP_INSUFFICIENT_QUOTA, 403,
            "INSUFFICIENT_QUOTA",
            "quota", KTP_ERROR_PLAIN,
            "quota is used up"),

    ktp_row(KTP_FORBIDDEN, KTP_FORBIDDEN, 403,
            "FORBIDDEN",
            "forbidden", KTP_ERROR_PLAIN,
            "access is forbidden"),

    ktp_row(KTP_NOT_FOUND, KTP_NOT_FOUND, 404,
            "NOT_FOUND",
            "not_found", KTP_ERROR_PLAIN,
            "no such resource"),

    ktp_row(KTP_METHOD_NOT_ALLOWED, KTP_METHOD_NOT_ALLOWED, 405,
            "METHOD_NOT_ALLOWED",
            "method_not_allowed", KTP_ERROR_PLAIN,
            "method is not allowed, use POST"),

    ktp_row(KTP_REQUEST_TIMEOUT, KTP_REQUEST_TIMEOUT, 408,
            "REQUEST_TIMEOUT",
            "request_timeout", KTP_ERROR_PLAIN,
            "request did not arrive in time"),

    ktp_row(KTP_DUPLICATE_REQUEST, KTP_DUPLICATE_REQUEST, 409,
            "DUPLICATE_REQUEST",
            "duplicate_request", KTP_ERROR_PLAIN,
            "image was sent before, and its answer is no longer stored"),

    ktp_row(KTP_PAYLOAD_TOO_LARGE, KTP_PAYLOAD_TOO_LARGE, 413,
            "INVALID_PAYLOAD_IMAGE_SIZE",
            "request_too_large", KTP_ERROR_PLAIN,
            "request body is larger than the server accepts"),

    ktp_row(KTP_URI_TOO_LONG, KTP_URI_TOO_LONG, 414,
            "URI_TOO_LONG",
            "uri_too_long", KTP_ERROR_PLAIN,
            "request URI is too long"),

    ktp_row(KTP_UNSUPPORTED_MEDIA_TYPE, KTP_UNSUPPORTED_MEDIA_TYPE, 415,
            "UNSUPPORTED_MEDIA_TYPE",
            "unsupported_media_type", KTP_ERROR_PLAIN,
            "Content-Type must be application/json, multipart/form-"
            "data, image/jpeg, image/png or application/octet-stream"),

    ktp_row(KTP_IDEMPOTENCY_KEY_REUSED, KTP_IDEMPOTENCY_KEY_REUSED, 422,
            "IDEMPOTENCY_KEY_REUSED",
            "idempotency_key_reused", KTP_ERROR_PLAIN,
            "Idempotency-Key was used for another request"),

    ktp_row(KTP_TOO_MANY_REQUESTS, KTP_TOO_MANY_REQUESTS, 429,
            "TOO_MANY_REQUESTS",
            "rate", KTP_ERROR_PLAIN,
            "too many requests, try again later"),

    ktp_row(KTP_INTERNAL_SERVER_ERROR, KTP_INTERNAL_SERVER_ERROR, 500,
            "INTERNAL_SERVER_ERROR",
            "internal", KTP_ERROR_PLAIN,
            "internal error"),

    ktp_row(KTP_BAD_GATEWAY, KTP_BAD_GATEWAY, 502,
            "INTERNAL_SERVER_ERROR",
            "upstream_failed", KTP_ERROR_PLAIN,
            "upstream is unreachable or gave no usable answer"),

    ktp_row(KTP_SERVICE_UNAVAILABLE, KTP_SERVICE_UNAVAILABLE, 503,
            "SERVICE_UNAVAILABLE",
            "busy", KTP_ERROR_PLAIN,
            "service is busy, try again later"),

    ktp_row(KTP_GATEWAY_TIMEOUT, KTP_GATEWAY_TIMEOUT, 504,
            "INTERNAL_SERVER_ERROR",
            "timeout", KTP_ERROR_PLAIN,
            "upstream did not answer in time"),

    ktp_row(KTP_IMAGE_NULL, KTP_MISSING_PAYLOAD_IMAGE, 400,
            "MISSING_PAYLOAD_IMAGE",
            "image_null", KTP_ERROR_PLAIN,
            "image is null"),

    ktp_row(KTP_NOT_BASE64, KTP_INVALID_PAYLOAD_IMAGE_MISSING, 400,
            "INVALID_PAYLOAD_IMAGE_MISSING",
            "not_base64", KTP_ERROR_PLAIN,
            "image is neither base64 nor an http(s) URL"),

    ktp_row(KTP_BAD_URL, KTP_INVALID_PAYLOAD_IMAGE_MISSING, 400,
            "INVALID_PAYLOAD_IMAGE_MISSING",
            "bad_url", KTP_ERROR_PLAIN,
            "image is a malformed URL"),

    ktp_row(KTP_BAD_DATA_URL, KTP_INVALID_PAYLOAD_IMAGE_MISSING, 400,
            "INVALID_PAYLOAD_IMAGE_MISSING",
            "bad_data_url", KTP_ERROR_PLAIN,
            "image is a data URL that is malformed or not in base64"),

    ktp_row(KTP_BAD_BASE64, KTP_INVALID_PAYLOAD_IMAGE_FORMAT, 400,
            "INVALID_PAYLOAD_IMAGE_FORMAT",
            "bad_base64", KTP_ERROR_PLAIN,
            "base64 of image is malformed"),

    ktp_row(KTP_TYPE_HEIC, KTP_INVALID_PAYLOAD_IMAGE_FORMAT, 400,
            "INVALID_PAYLOAD_IMAGE_FORMAT",
            "type_heic", KTP_ERROR_PLAIN,
            "image is an HEIC or AVIF file, use JPEG or PNG"),

    ktp_row(KTP_TYPE_WEBP, KTP_INVALID_PAYLOAD_IMAGE_FORMAT, 400,
            "INVALID_PAYLOAD_IMAGE_FORMAT",
            "type_webp", KTP_ERROR_PLAIN,
            "image is a WebP file, use JPEG or PNG"),

    ktp_row(KTP_TYPE_PDF, KTP_INVALID_PAYLOAD_IMAGE_FORMAT, 400,
            "INVALID_PAYLOAD_IMAGE_FORMAT",
            "type_pdf", KTP_ERROR_PLAIN,
            "image is a PDF file, use JPEG or PNG"),

    ktp_row(KTP_TYPE_GIF, KTP_INVALID_PAYLOAD_IMAGE_FORMAT, 400,
            "INVALID_PAYLOAD_IMAGE_FORMAT",
            "type_gif", KTP_ERROR_PLAIN,
            "image is a GIF file, use JPEG or PNG"),

    ktp_row(KTP_TYPE_BMP, KTP_INVALID_PAYLOAD_IMAGE_FORMAT, 400,
            "INVALID_PAYLOAD_IMAGE_FORMAT",
            "type_bmp", KTP_ERROR_PLAIN,
            "image is a BMP file, use JPEG or PNG"),

    ktp_row(KTP_TYPE_TIFF, KTP_INVALID_PAYLOAD_IMAGE_FORMAT, 400,
            "INVALID_PAYLOAD_IMAGE_FORMAT",
            "type_tiff", KTP_ERROR_PLAIN,
            "image is a TIFF file, use JPEG or PNG"),

    ktp_row(KTP_TYPE_UNKNOWN, KTP_INVALID_PAYLOAD_IMAGE_FORMAT, 400,
            "INVALID_PAYLOAD_IMAGE_FORMAT",
            "type_unknown", KTP_ERROR_PLAIN,
            "image is not a JPEG or PNG file"),

    ktp_row(KTP_TYPE_NOT_ALLOWED, KTP_INVALID_PAYLOAD_IMAGE_FORMAT, 400,
            "INVALID_PAYLOAD_IMAGE_FORMAT",
            "type_not_allowed", KTP_ERROR_PLAIN,
            "this type of image file is not accepted here"),

    ktp_row(KTP_TRUNCATED, KTP_INVALID_PAYLOAD_IMAGE_FORMAT, 400,
            "INVALID_PAYLOAD_IMAGE_FORMAT",
            "truncated", KTP_ERROR_PLAIN,
            "image file ends too early"),

    ktp_row(KTP_TOO_COSTLY, KTP_INVALID_PAYLOAD_IMAGE_FORMAT, 400,
            "INVALID_PAYLOAD_IMAGE_FORMAT",
            "too_costly", KTP_ERROR_PLAIN,
            "image takes too long to decode"),

    ktp_row(KTP_URL_NOT_ALLOWED, KTP_INVALID_PAYLOAD_IMAGE_FORMAT, 400,
            "INVALID_PAYLOAD_IMAGE_FORMAT",
            "url_not_allowed", KTP_ERROR_PLAIN,
            "image must be base64, URLs are not accepted"),

    ktp_row(KTP_URL_TOO_LONG, KTP_INVALID_PAYLOAD_IMAGE_FORMAT, 400,
            "INVALID_PAYLOAD_IMAGE_FORMAT",
            "url_too_long", KTP_ERROR_PLAIN,
            "URL of image is too long"),

    ktp_row(KTP_URL_NOT_FETCHED, KTP_INVALID_PAYLOAD_IMAGE_FORMAT, 400,
            "INVALID_PAYLOAD_IMAGE_FORMAT",
            "url_not_fetched", KTP_ERROR_PLAIN,
            "URL of image cannot be fetched"),

    ktp_row(KTP_TOO_FEW_PIXELS, KTP_INVALID_PAYLOAD_IMAGE_SIZE, 400,
            "INVALID_PAYLOAD_IMAGE_SIZE",
            "too_few_pixels", KTP_ERROR_SIDES,
            "width or height of image is too small"),

    ktp_row(KTP_TOO_MANY_PIXELS, KTP_INVALID_PAYLOAD_IMAGE_SIZE, 400,
            "INVALID_PAYLOAD_IMAGE_SIZE",
            "too_many_pixels", KTP_ERROR_PIXELS,
            "image has too many pixels"),

    ktp_row(KTP_TRAILER_TOO_LONG, KTP_INVALID_PAYLOAD_IMAGE_SIZE, 400,
            "INVALID_PAYLOAD_IMAGE_SIZE",
            "trailer_too_long", KTP_ERROR_PLAIN,
            "too much data behind the end of the image"),

    ktp_row(KTP_BODY_TOO_LARGE, KTP_INVALID_PAYLOAD_IMAGE_SIZE, 400,
            "INVALID_PAYLOAD_IMAGE_SIZE",
            "body_too_large", KTP_ERROR_BYTES,
            "request body is too large"),

    ktp_row(KTP_EMPTY_BODY, KTP_INVALID_PAYLOAD, 400,
            "INVALID_PAYLOAD",
            "empty_body", KTP_ERROR_PLAIN,
            "request body is empty"),

    ktp_row(KTP_BODY_TRUNCATED, KTP_INVALID_PAYLOAD, 400,
            "INVALID_PAYLOAD",
            "body_truncated", KTP_ERROR_PLAIN,
            "request body ends too early"),

    ktp_row(KTP_NOT_JSON, KTP_INVALID_PAYLOAD, 400,
            "INVALID_PAYLOAD",
            "not_json", KTP_ERROR_PLAIN,
            "request body is not valid JSON"),

    ktp_row(KTP_NOT_OBJECT, KTP_INVALID_PAYLOAD, 400,
            "INVALID_PAYLOAD",
            "not_object", KTP_ERROR_PLAIN,
            "request body is JSON, but not an object"),

    ktp_row(KTP_DUPLICATE_KEY, KTP_INVALID_PAYLOAD, 400,
            "INVALID_PAYLOAD",
            "duplicate_key", KTP_ERROR_PLAIN,
            "request body has a name twice"),

    ktp_row(KTP_TOO_MANY_KEYS, KTP_INVALID_PAYLOAD, 400,
            "INVALID_PAYLOAD",
            "too_many_keys", KTP_ERROR_PLAIN,
            "request body has too many keys"),

    ktp_row(KTP_TOO_DEEP, KTP_INVALID_PAYLOAD, 400,
            "INVALID_PAYLOAD",
            "too_deep", KTP_ERROR_PLAIN,
            "request body is nested too deeply"),

    ktp_row(KTP_TOKEN_TOO_LONG, KTP_INVALID_PAYLOAD, 400,
            "INVALID_PAYLOAD",
            "token_too_long", KTP_ERROR_PLAIN,
            "request body has a name or number that is too long"),

    ktp_row(KTP_BAD_MULTIPART, KTP_INVALID_PAYLOAD, 400,
            "INVALID_PAYLOAD",
            "bad_multipart", KTP_ERROR_PLAIN,
            "request body is not valid multipart/form-data"),

    ktp_row(KTP_NO_BOUNDARY, KTP_INVALID_PAYLOAD, 400,
            "INVALID_PAYLOAD",
            "no_boundary", KTP_ERROR_PLAIN,
            "Content-Type has no valid boundary"),

    ktp_row(KTP_TOO_MANY_PARTS, KTP_INVALID_PAYLOAD, 400,
            "INVALID_PAYLOAD",
            "too_many_parts", KTP_ERROR_PLAIN,
            "request body has too many parts"),

    ktp_row(KTP_PART_CODING, KTP_INVALID_PAYLOAD, 400,
            "INVALID_PAYLOAD",
            "part_coding", KTP_ERROR_PLAIN,
            "Content-Transfer-Encoding of a part must be base64, "
            "binary, 8bit or 7bit"),

    ktp_row(KTP_NUL_BYTE, KTP_INVALID_PAYLOAD, 400,
            "INVALID_PAYLOAD",
            "nul_byte", KTP_ERROR_PLAIN,
            "a value has a null character"),

    ktp_row(KTP_IMAGE_NOT_STRING, KTP_INVALID_PAYLOAD, 400,
            "INVALID_PAYLOAD",
            "image_not_string", KTP_ERROR_PLAIN,
            "image must be a string"),

    ktp_row(KTP_TWO_IMAGES, KTP_INVALID_PAYLOAD, 400,
            "INVALID_PAYLOAD",
            "two_images", KTP_ERROR_PLAIN,
            "more than one image"),

    ktp_row(KTP_BAD_FLAG, KTP_INVALID_PAYLOAD, 400,
            "INVALID_PAYLOAD",
            "bad_flag", KTP_ERROR_PLAIN,
            "validate_quality and is_quality must be true or false"),

    ktp_row(KTP_REFERENCE_NOT_STRING, KTP_INVALID_PAYLOAD, 400,
            "INVALID_PAYLOAD",
            "reference_not_string", KTP_ERROR_PLAIN,
            "reference_id must be a string"),

    ktp_row(KTP_EMPTY_VALUES, KTP_INVALID_PAYLOAD, 400,
            "INVALID_PAYLOAD",
            "empty_values", KTP_ERROR_PLAIN,
            "image and reference_id are empty"),

    ktp_row(KTP_SANDBOX_UNKNOWN, KTP_INVALID_PAYLOAD_REFERENCE_ID, 400,
            "INVALID_PAYLOAD_REFERENCE_ID",
            "sandbox_unknown", KTP_ERROR_PLAIN,
            "reference_id selects no answer of the sandbox"),

    ktp_row(KTP_CODED_BODY, KTP_UNSUPPORTED_MEDIA_TYPE, 415,
            "UNSUPPORTED_MEDIA_TYPE",
            "coded_body", KTP_ERROR_PLAIN,
            "Content-Encoding is not supported, send the body as it is"),

    ktp_row(KTP_DISABLED, KTP_FORBIDDEN, 403,
            "FORBIDDEN",
            "disabled", KTP_ERROR_PLAIN,
            "client is disabled"),

    ktp_row(KTP_TICKET_INVALID, KTP_UNAUTHORIZED, 401,
            "UNAUTHORIZED",
            "ticket_invalid", KTP_ERROR_PLAIN,
            "ticket is missing or not valid"),

    ktp_row(KTP_TICKET_EXPIRED, KTP_UNAUTHORIZED, 401,
            "UNAUTHORIZED",
            "ticket_expired", KTP_ERROR_PLAIN,
            "ticket has expired"),

    ktp_row(KTP_TICKET_USED, KTP_UNAUTHORIZED, 401,
            "UNAUTHORIZED",
            "ticket_used", KTP_ERROR_PLAIN,
            "ticket is used up"),

    ktp_row(KTP_CLIENT_BUSY, KTP_SERVICE_UNAVAILABLE, 503,
            "SERVICE_UNAVAILABLE",
            "client_busy", KTP_ERROR_PLAIN,
            "too many requests of this client are in progress"),

    ktp_row(KTP_NO_CONNECTIONS, KTP_SERVICE_UNAVAILABLE, 503,
            "SERVICE_UNAVAILABLE",
            "no_connections", KTP_ERROR_PLAIN,
            "service is busy, try again later"),

    ktp_row(KTP_TOO_MANY_WAITING, KTP_SERVICE_UNAVAILABLE, 503,
            "SERVICE_UNAVAILABLE",
            "too_many_waiting", KTP_ERROR_PLAIN,
            "too many requests wait for the same answer, try again later"),

    ktp_row(KTP_NO_LEASE, KTP_SERVICE_UNAVAILABLE, 503,
            "SERVICE_UNAVAILABLE",
            "no_lease", KTP_ERROR_PLAIN,
            "quota cannot be checked at the moment, try again later"),

    ktp_row(KTP_BREAKER_OPEN, KTP_SERVICE_UNAVAILABLE, 503,
            "SERVICE_UNAVAILABLE",
            "breaker_open", KTP_ERROR_PLAIN,
            "upstream is failing, try again later"),

    ktp_row(KTP_FLIGHT_LOST, KTP_BAD_GATEWAY, 502,
            "INTERNAL_SERVER_ERROR",
            "flight_lost", KTP_ERROR_PLAIN,
            "call that this request had joined was lost, its result is not "
            "known, it may be billed"),
    ktp_row(KTP_BODY_IN_FILE, KTP_INTERNAL_SERVER_ERROR, 500,
            "INTERNAL_SERVER_ERROR",
            "body_in_file", KTP_ERROR_PLAIN,
            "internal error"),

    ktp_row(KTP_BODY_IN_PART, KTP_INTERNAL_SERVER_ERROR, 500,
            "INTERNAL_SERVER_ERROR",
            "body_in_part", KTP_ERROR_PLAIN,
            "internal error"),

    ktp_row(KTP_BODY_DISCARDED, KTP_INTERNAL_SERVER_ERROR, 500,
            "INTERNAL_SERVER_ERROR",
            "body_discarded", KTP_ERROR_PLAIN,
            "internal error"),

    ktp_row(KTP_UPSTREAM_CONNECT, KTP_BAD_GATEWAY, 502,
            "INTERNAL_SERVER_ERROR",
            "connect", KTP_ERROR_PLAIN,
            "upstream is unreachable"),

    ktp_row(KTP_UPSTREAM_DNS, KTP_BAD_GATEWAY, 502,
            "INTERNAL_SERVER_ERROR",
            "dns", KTP_ERROR_PLAIN,
            "host name of upstream cannot be resolved"),

    ktp_row(KTP_UPSTREAM_TLS_NAME, KTP_BAD_GATEWAY, 502,
            "INTERNAL_SERVER_ERROR",
            "tls_name", KTP_ERROR_PLAIN,
            "certificate of upstream is for another host name"),

    ktp_row(KTP_UPSTREAM_TLS_EXPIRED, KTP_BAD_GATEWAY, 502,
            "INTERNAL_SERVER_ERROR",
            "tls_expired", KTP_ERROR_PLAIN,
            "certificate of upstream has expired"),

    ktp_row(KTP_UPSTREAM_TLS_ISSUER, KTP_BAD_GATEWAY, 502,
            "INTERNAL_SERVER_ERROR",
            "tls_issuer", KTP_ERROR_PLAIN,
            "certificate of upstream is of an unknown issuer"),

    ktp_row(KTP_UPSTREAM_CA_FILE, KTP_BAD_GATEWAY, 502,
            "INTERNAL_SERVER_ERROR",
            "ca_file", KTP_ERROR_PLAIN,
            "certificate of upstream cannot be verified"),

    ktp_row(KTP_UPSTREAM_TLS, KTP_BAD_GATEWAY, 502,
            "INTERNAL_SERVER_ERROR",
            "tls", KTP_ERROR_PLAIN,
            "TLS handshake with upstream failed"),

    ktp_row(KTP_UPSTREAM_RESET, KTP_BAD_GATEWAY, 502,
            "INTERNAL_SERVER_ERROR",
            "reset", KTP_ERROR_PLAIN,
            "upstream closed the connection"),

    ktp_row(KTP_UPSTREAM_REDIRECT, KTP_BAD_GATEWAY, 502,
            "INTERNAL_SERVER_ERROR",
            "redirect", KTP_ERROR_PLAIN,
            "upstream answered with a redirect"),

    ktp_row(KTP_UPSTREAM_STATUS, KTP_BAD_GATEWAY, 502,
            "INTERNAL_SERVER_ERROR",
            "bad_status", KTP_ERROR_PLAIN,
            "upstream answered with an unexpected status"),

    ktp_row(KTP_UPSTREAM_CONTENT_TYPE, KTP_BAD_GATEWAY, 502,
            "INTERNAL_SERVER_ERROR",
            "content_type", KTP_ERROR_PLAIN,
            "upstream gave an answer that is not application/json"),

    ktp_row(KTP_UPSTREAM_NOT_JSON, KTP_BAD_GATEWAY, 502,
            "INTERNAL_SERVER_ERROR",
            "not_json", KTP_ERROR_PLAIN,
            "upstream gave an answer that is not JSON"),

    ktp_row(KTP_UPSTREAM_TOO_LARGE, KTP_BAD_GATEWAY, 502,
            "INTERNAL_SERVER_ERROR",
            "too_large", KTP_ERROR_PLAIN,
            "answer of upstream is too large"),

    ktp_row(KTP_UPSTREAM_HEAD, KTP_BAD_GATEWAY, 502,
            "INTERNAL_SERVER_ERROR",
            "head_too_large", KTP_ERROR_PLAIN,
            "head of answer of upstream is too large"),

    ktp_row(KTP_UPSTREAM_CODING, KTP_BAD_GATEWAY, 502,
            "INTERNAL_SERVER_ERROR",
            "coding", KTP_ERROR_PLAIN,
            "answer of upstream has an unknown Content-Encoding"),

    ktp_row(KTP_UPSTREAM_PROTOCOL, KTP_BAD_GATEWAY, 502,
            "INTERNAL_SERVER_ERROR",
            "protocol", KTP_ERROR_PLAIN,
            "answer of upstream is not valid HTTP"),

    ktp_row(KTP_UPSTREAM_UNSAFE, KTP_BAD_GATEWAY, 502,
            "INTERNAL_SERVER_ERROR",
            "unsafe", KTP_ERROR_PLAIN,
            "upstream gave an answer that cannot be passed on"),

    ktp_row(KTP_UPSTREAM_CREDENTIALS, KTP_BAD_GATEWAY, 502,
            "INTERNAL_SERVER_ERROR",
            "upstream_credentials", KTP_ERROR_PLAIN,
            "upstream refuses the credentials of this service"),

    ktp_row(KTP_UPSTREAM_QUOTA, KTP_BAD_GATEWAY, 502,
            "INTERNAL_SERVER_ERROR",
            "upstream_quota", KTP_ERROR_PLAIN,
            "quota of this service at upstream is used up"),

    ktp_row(KTP_UPSTREAM_RATE, KTP_BAD_GATEWAY, 502,
            "INTERNAL_SERVER_ERROR",
            "upstream_rate", KTP_ERROR_PLAIN,
            "rate of this service at upstream is exceeded"),
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

        /* those of the table are about a request that was sent before */

    case 409:
    case 422:
        return KTP_OK;
    }

    for (code = KTP_OK + 1; code < KTP_KINDS; code++) {
        if (ktp_errors[code].status == status) {
            return code;
        }
    }

    return KTP_OK;
}


/* Writes a member with a number, if it is known. */

static char *
ktp_error_number(char *p, const char *name, uint64_t value)
{
    return value ? p
                       + sprintf(p, ",\"%s\":%llu", name,
                                 (unsigned long long) value)
                 : p;
}


static char *
ktp_error_numbers(char *p, ktp_error_numbers_t numbers,
                  const ktp_error_facts_t *facts)
{
    switch (numbers) {

    case KTP_ERROR_PLAIN:
        break;

    case KTP_ERROR_MEMBERS:
        p = ktp_error_number(p, "members", facts->members);
        break;

    case KTP_ERROR_BYTES:
        p = ktp_error_number(p, "bytes", facts->bytes);
        p = ktp_error_number(p, "max_bytes", facts->max_bytes);
        break;

    case KTP_ERROR_SIDES:
        p = ktp_error_number(p, "width", facts->width);
        p = ktp_error_number(p, "height", facts->height);
        p = ktp_error_number(p, "min_width", facts->min_width);
        p = ktp_error_number(p, "min_height", facts->min_height);
        break;

    case KTP_ERROR_PIXELS:
        p = ktp_error_number(p, "width", facts->width);
        p = ktp_error_number(p, "height", facts->height);
        p = ktp_error_number(p, "pixels",
                             (uint64_t) facts->width * facts->height);
        p = ktp_error_number(p, "max_pixels", facts->max_pixels);
    }

    return p;
}


int
ktp_error_of_request(const char *name, size_t len)
{
    static const char vendor[] = "INVALID_PAYLOAD_REFERENCE_ID_EXISTS";

    ktp_code_t         code;
    const ktp_error_t *e;

    for (code = KTP_OK + 1; code < KTP_KINDS; code++) {
        e = ktp_error(code);

        if (e->status == 400 && strlen(e->name) == len
            && memcmp(e->name, name, len) == 0) {
            return 1;
        }
    }

    return len == sizeof(vendor) - 1 && memcmp(name, vendor, len) == 0;
}


size_t
ktp_error_write(ktp_code_t code, const ktp_error_facts_t *facts, char *buf)
{
    char              *p;
    const ktp_error_t *e;

    e = ktp_error(code);

    /* without the brace */

    memcpy(buf, e->body, e->body_len - 1);
    p = ktp_error_numbers(buf + e->body_len - 1, e->numbers, facts);

    if (facts->status_code) {
        p += sprintf(p, ",\"status_code\":\"%s\"", facts->status_code);
    }

    if (facts->request_id_len) {
        p += sprintf(p, ",\"request_id\":\"");
        memcpy(p, facts->request_id, facts->request_id_len);
        p += facts->request_id_len;
        *p++ = '"';
    }

    *p++ = '}';

    return p - buf;
}
