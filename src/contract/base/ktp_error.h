/*
 * The error table of the contract: a row for each mistake, with its HTTP
 * status, "error_code", "reason" and message.  Messages to clients are worded
 * here, and nowhere else.
 */

#ifndef KTP_ERROR_H
#define KTP_ERROR_H

#include <stddef.h>
#include <stdint.h>


/*
 * The first rows are the kinds of the contract, one for each error code and
 * status; each is a reason as well, the first of its kind.  The rows behind
 * them are the other reasons.
 */
typedef enum {
    KTP_OK = 0,
    KTP_MISSING_PAYLOAD_IMAGE,         /* 400, image_missing */
    KTP_INVALID_PAYLOAD_IMAGE_MISSING, /* 400, image_empty */
    KTP_INVALID_PAYLOAD_IMAGE_FORMAT,  /* 400, damaged */
    KTP_INVALID_PAYLOAD_IMAGE_SIZE,    /* 400, too_many_bytes */
    KTP_INVALID_PAYLOAD_REFERENCE_ID,  /* 400, bad_reference_id */
    KTP_INVALID_PAYLOAD_DEPENDENCY,    /* 400, ..._QUALITY_VALIDATION_
                                          DEPENDENCY on the wire */
    KTP_INVALID_PAYLOAD,               /* 400, bad_request, nginx's own */
    KTP_IDEMPOTENCY_KEY_MISSING,       /* 400 */
    KTP_IDEMPOTENCY_KEY_INVALID,       /* 400 */
    KTP_NOT_DETECTED,                  /* 400, KTP_NOT_DETECTED */
    KTP_UNAUTHORIZED,                  /* 401 */
    KTP_INSUFFICIENT_QUOTA,            /* 403, quota */
    KTP_FORBIDDEN,                     /* 403, also nginx's own */
    KTP_NOT_FOUND,                     /* 404, nginx's own */
    KTP_METHOD_NOT_ALLOWED,            /* 405 */
    KTP_REQUEST_TIMEOUT,               /* 408 */
    KTP_DUPLICATE_REQUEST,             /* 409 */
    KTP_PAYLOAD_TOO_LARGE,             /* 413, nginx's own; on the wire
                                          INVALID_PAYLOAD_IMAGE_SIZE */
    KTP_URI_TOO_LONG,                  /* 414, nginx's own */
    KTP_UNSUPPORTED_MEDIA_TYPE,        /* 415 */
    KTP_IDEMPOTENCY_KEY_REUSED,        /* 422 */
    KTP_TOO_MANY_REQUESTS,             /* 429, rate */
    KTP_INTERNAL_SERVER_ERROR,         /* 500 */
    KTP_BAD_GATEWAY,                   /* 502, upstream_failed; on the wire
                                          INTERNAL_SERVER_ERROR */
    KTP_SERVICE_UNAVAILABLE,           /* 503, busy */
    KTP_GATEWAY_TIMEOUT,               /* 504, timeout; on the wire
                                          INTERNAL_SERVER_ERROR */
    KTP_KINDS,

    /* the image is absent */
    KTP_IMAGE_NULL = KTP_KINDS,

    /* its text is neither base64 nor a URL */
    KTP_NOT_BASE64,
    KTP_BAD_URL,
    KTP_BAD_DATA_URL,

    /* it is no picture that can be used */
    KTP_BAD_BASE64,
    KTP_TYPE_HEIC,
    KTP_TYPE_WEBP,
    KTP_TYPE_PDF,
    KTP_TYPE_GIF,
    KTP_TYPE_BMP,
    KTP_TYPE_TIFF,
    KTP_TYPE_UNKNOWN,
    KTP_TYPE_NOT_ALLOWED, /* JPEG or PNG, but ktp_image_types lacks it */
    KTP_TRUNCATED,
    KTP_TOO_COSTLY, /* to decode: the extractor's */
    KTP_URL_NOT_ALLOWED,
    KTP_URL_TOO_LONG,
    KTP_URL_NOT_FETCHED,

    /* its size */
    KTP_TOO_FEW_PIXELS,
    KTP_TOO_MANY_PIXELS,
    KTP_TRAILER_TOO_LONG,
    KTP_BODY_TOO_LARGE,

    /* the body or a member of it */
    KTP_EMPTY_BODY,
    KTP_BODY_TRUNCATED,
    KTP_NOT_JSON,
    KTP_NOT_OBJECT,
    KTP_DUPLICATE_KEY,
    KTP_TOO_MANY_KEYS,
    KTP_TOO_DEEP,
    KTP_TOKEN_TOO_LONG,
    KTP_BAD_MULTIPART,
    KTP_NO_BOUNDARY,
    KTP_TOO_MANY_PARTS,
    KTP_PART_CODING,
    KTP_NUL_BYTE,
    KTP_IMAGE_NOT_STRING,
    KTP_TWO_IMAGES,
    KTP_BAD_FLAG,
    KTP_REFERENCE_NOT_STRING,
    KTP_EMPTY_VALUES,
    KTP_SANDBOX_UNKNOWN, /* reference_id selects no answer of the sandbox */
    KTP_CODED_BODY,

    /* the client */
    KTP_DISABLED,
    KTP_TICKET_INVALID, /* missing, or not of this gateway */
    KTP_TICKET_EXPIRED,
    KTP_TICKET_USED,
    KTP_CLIENT_BUSY,

    /* the gateway */
    KTP_NO_CONNECTIONS,
    KTP_TOO_MANY_WAITING, /* for the same call */
    KTP_NO_LEASE,         /* of the fleet's quota, and nobody to ask */
    KTP_BREAKER_OPEN,     /* no call is made while the upstream fails */
    KTP_FLIGHT_LOST,      /* the call is over, and may be billed */
    KTP_BODY_IN_FILE,     /* where another handler of nginx has put it */
    KTP_BODY_IN_PART,
    KTP_BODY_DISCARDED,

    /* the upstream */
    KTP_UPSTREAM_CONNECT,
    KTP_UPSTREAM_DNS,
    KTP_UPSTREAM_TLS_NAME,
    KTP_UPSTREAM_TLS_EXPIRED,
    KTP_UPSTREAM_TLS_ISSUER,
    KTP_UPSTREAM_CA_FILE, /* trusted certificates cannot be read */
    KTP_UPSTREAM_TLS,
    KTP_UPSTREAM_RESET,
    KTP_UPSTREAM_REDIRECT,
    KTP_UPSTREAM_STATUS,
    KTP_UPSTREAM_CONTENT_TYPE,
    KTP_UPSTREAM_NOT_JSON,
    KTP_UPSTREAM_TOO_LARGE,
    KTP_UPSTREAM_HEAD,
    KTP_UPSTREAM_CODING,
    KTP_UPSTREAM_PROTOCOL,
    KTP_UPSTREAM_UNSAFE, /* a mask or ktp_fields cannot be applied */
    KTP_UPSTREAM_CREDENTIALS,
    KTP_UPSTREAM_QUOTA,
    KTP_UPSTREAM_RATE,

    KTP_CODES
} ktp_code_t;

/* Which numbers a row's body has, where they are known. */
typedef enum {
    KTP_ERROR_PLAIN = 0,
    KTP_ERROR_MEMBERS, /* "members", those with another name */
    KTP_ERROR_BYTES,   /* "bytes" and "max_bytes" */
    KTP_ERROR_SIDES,   /* "width", "height", "min_width", "min_height" */
    KTP_ERROR_PIXELS   /* "width", "height", "pixels", "max_pixels" */
} ktp_error_numbers_t;

typedef struct {
    ktp_code_t          kind;     /* the row whose error code it shares */
    unsigned            status;   /* HTTP status */
    const char         *name;     /* "error_code" on the wire */
    const char         *reason;   /* "reason" on the wire, a fixed word */
    const char         *body;     /* the JSON body without numbers, constant */
    size_t              body_len; /* without the terminating null */
    ktp_error_numbers_t numbers;
} ktp_error_t;

/* Bytes of a body with all numbers, less its request id. */
#define KTP_ERROR_BODY 512

/* What the body of an error tells beside its row; 0: not known. */
typedef struct {
    unsigned    members; /* of the body, with names that are ignored */
    uint64_t    bytes;
    uint64_t    max_bytes;
    uint32_t    width; /* pixels, as the file's header has them */
    uint32_t    height;
    uint32_t    min_width; /* of an image that lies as this one does */
    uint32_t    min_height;
    uint64_t    max_pixels;
    const char *status_code; /* "status_code"; NULL: none */
    const char *request_id;  /* characters that JSON does not escape */
    size_t      request_id_len;
} ktp_error_facts_t;


/* Never returns NULL; an unknown code is an internal server error. */
const ktp_error_t *ktp_error(ktp_code_t code);

/*
 * Returns the error whose body replaces that of a response generated by nginx
 * with this HTTP status, or KTP_OK if there is none.
 */
ktp_code_t ktp_error_by_status(unsigned status);

/*
 * 1 if the "error_code" of len bytes blames the client's request: that of a
 * 400 of the contract, including those that only the vendor returns.
 */
int ktp_error_of_request(const char *name, size_t len);

/*
 * Writes the JSON body of a code with the numbers of its row to buf, which
 * has KTP_ERROR_BODY and facts->request_id_len bytes.  Returns its length.
 */
size_t ktp_error_write(ktp_code_t code, const ktp_error_facts_t *facts,
                       char *buf);


#endif /* KTP_ERROR_H */
