/* The limits of the contract, each with its reason. */

#ifndef KTP_LIMITS_H
#define KTP_LIMITS_H

/*
 * Default size of a chunk of an image in bytes.  It is small enough that an
 * upload that has sent little takes little memory, and large enough that
 * 5 MB are 160 chunks.
 */
#define KTP_CHUNK_SIZE 32768

/* JSON nesting; the contract's own bodies have 2 levels. */
#define KTP_MAX_DEPTH 8

/* Characters of "reference_id": 1 to 64 printable ASCII characters. */
#define KTP_MAX_REFERENCE_ID 64

/* Bytes of an image URL; longer ones are refused by many servers anyway. */
#define KTP_MAX_URL 2048

/*
 * Bytes of a body beside an image of the maximum size: keys, flags, headers of
 * parts.  Unknown members share the limit of the body with the image.
 */
#define KTP_MAX_OVERHEAD 65536

/* Bytes of an image, unless it is configured. */
#define KTP_MAX_IMAGE (5 * 1024 * 1024)

/*
 * Pixels of an image, unless it is configured: as cameras of 50 megapixels
 * make them, up to 8192x6144.
 */
#define KTP_MAX_PIXELS (50 * 1024 * 1024)

/*
 * Bytes behind the end of the picture in its file: the film of a motion photo,
 * the gain map of an HDR one.  They are read and dropped, so that they cost
 * time only; films have 3 to 8 MB.
 */
#define KTP_MAX_TRAILER (8 * 1024 * 1024)

/*
 * Keys of the JSON objects that are open at a time, so that the search for
 * duplicates stays short; the contract has 4 in a body and 29 in an answer.
 */
#define KTP_MAX_KEYS 256

/*
 * Bytes of one key in a JSON body, with its escapes, and of all keys that are
 * open: they are held in memory, unlike values.
 */
#define KTP_MAX_NAMES 65536

/*
 * Bytes of a number or word in JSON: yajl reads one that arrives in pieces
 * again with every piece.
 */
#define KTP_MAX_TOKEN 256

/* Parts of a multipart body; the contract has 4. */
#define KTP_MAX_PARTS 32

/*
 * Header lines of a part, and bytes of a line with its end.  A file name of
 * 255 characters, in base64 and again percent-encoded, takes 3.4 KB.
 */
#define KTP_MAX_PART_LINES 16
#define KTP_MAX_PART_LINE  4096

/* Characters of a multipart boundary (RFC 2046, 5.1.1). */
#define KTP_MAX_BOUNDARY 70

#endif /* KTP_LIMITS_H */
