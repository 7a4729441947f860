/*
 * The image probe: determines format, dimensions, orientation and completeness
 * of an image file as its bytes arrive.  The image is not decoded, and no part
 * of the file is kept.
 *
 * JPEG: ITU-T T.81, annex B; EXIF: JEITA CP-3451, 4.6.  PNG: W3C PNG, 5.
 */

#ifndef KTP_PROBE_H
#define KTP_PROBE_H

#include <stddef.h>
#include <stdint.h>
#include "ktp_error.h"


/* Bytes that tell the type of a file, also of one that is not accepted. */
#define KTP_PROBE_SIGNATURE 12

typedef enum {
    KTP_IMAGE_UNKNOWN = 0,
    KTP_IMAGE_JPEG = 1,
    KTP_IMAGE_PNG = 2
} ktp_image_format_t;

/* The requirements on an image. */
typedef struct {
    size_t   max_size;   /* bytes of the decoded file */
    uint32_t min_long;   /* pixels of the longer side, at least */
    uint32_t min_short;  /* pixels of the shorter side, at least */
    uint64_t max_pixels; /* width times height, at most */
    unsigned types;      /* KTP_IMAGE_JPEG | KTP_IMAGE_PNG */
    unsigned strip : 1;  /* metadata is removed, see ktp_strip.h */
    unsigned url : 1;    /* an image that is an http(s) URL is accepted */
} ktp_policy_t;

/*
 * The requirements of the contract: those of the extractor, and of the gateway
 * where nothing else is configured.
 */
extern const ktp_policy_t ktp_probe_limits_contract;

/* Looks for the orientation in an Exif segment; never fails. */
typedef struct {
    int           state;
    uint32_t      skip; /* bytes before the next that is of interest */
    unsigned char buf[14];
    size_t        want; /* bytes to collect in buf */
    size_t        len;
    unsigned      big : 1; /* byte order of the TIFF part */
    unsigned      entries; /* directory entries to come */
} ktp_exif_t;

typedef struct {
    int           state;
    uint32_t      length; /* bytes of the segment's payload */
    uint32_t      left;   /* of them to come */
    unsigned      marker;
    unsigned      frame_marker; /* 0: no frame header was seen */
    unsigned char buf[8];
    size_t        len;
    unsigned      at;    /* byte of a header, or of a table in a segment */
    unsigned      want;  /* bytes of the table; 0: between tables */
    int           space; /* codes that a Huffman table may still have */
    unsigned char scan_header[3];
    ktp_exif_t    exif;
    unsigned      in_exif : 1;
    unsigned checked : 1; /* the segment goes past ktp_jpeg_tables_check() */
    unsigned scan : 1;    /* a scan was seen */
    uint32_t tail;        /* the last four bytes */
} ktp_jpeg_t;

typedef struct {
    int           state;
    uint32_t      left; /* bytes of the chunk's data to come */
    uint32_t      type;
    uint32_t      crc;    /* computed */
    uint32_t      stored; /* as it comes in */
    unsigned char buf[13];
    size_t        len;
    unsigned      palette : 1;
    unsigned      data : 1; /* an IDAT was seen */
    unsigned      color;
} ktp_png_t;

typedef struct {
    const ktp_policy_t *policy;
    ktp_image_format_t  format; /* known after the signature */
    uint32_t            width;  /* 0 until the frame header is complete */
    uint32_t            height;
    unsigned            orientation;  /* EXIF, 1 to 8; 1 if absent */
    unsigned            complete : 1; /* the end marker was seen */
    unsigned            foreign : 1;  /* no signature of ours */
    uint64_t            size; /* bytes of the file up to its end marker */
    unsigned char       signature[KTP_PROBE_SIGNATURE];
    size_t              signature_len;
    ktp_jpeg_t          jpeg;
    ktp_png_t           png;
} ktp_probe_t;


void ktp_probe_init(ktp_probe_t *pr, const ktp_policy_t *policy);

/*
 * Feeds the next bytes.  Returns KTP_INVALID_PAYLOAD_IMAGE_FORMAT or
 * KTP_INVALID_PAYLOAD_IMAGE_SIZE at the first byte that makes the error
 * certain.  Data after a complete file is ignored.
 */
ktp_code_t ktp_probe_feed(ktp_probe_t *pr, const unsigned char *p, size_t n);

/* Ends the file; returns KTP_INVALID_PAYLOAD_IMAGE_FORMAT if truncated. */
ktp_code_t ktp_probe_finish(ktp_probe_t *pr);


/*
 * For the formats: notes the dimensions.  KTP_INVALID_PAYLOAD_IMAGE_SIZE if
 * the policy does not accept them.
 */
ktp_code_t ktp_probe_limits_check(ktp_probe_t *pr, uint32_t width,
                                  uint32_t height);

/* The bytes that follow the signature, of each format. */
void       ktp_jpeg_init(ktp_jpeg_t *jpeg);
ktp_code_t ktp_jpeg_probe(ktp_probe_t *pr, const unsigned char *p, size_t n);
ktp_code_t ktp_jpeg_finish(ktp_probe_t *pr);
void       ktp_png_init(ktp_png_t *png);
ktp_code_t ktp_png_probe(ktp_probe_t *pr, const unsigned char *p, size_t n);

/* SOF0 to SOF15; DHT, JPG and DAC, which share the range, are none. */
int ktp_jpeg_tables_is_frame(unsigned marker);

/* Whether ktp_jpeg_tables_check() checks segments of this marker. */
int ktp_jpeg_tables_is_checked(unsigned marker);

/* Whether the payload of such a segment may have this length. */
int ktp_jpeg_tables_is_length(unsigned marker, uint32_t length);

/*
 * Checks the next byte of a segment and decrements jpeg->left, which still
 * includes it.
 */
ktp_code_t ktp_jpeg_tables_check(ktp_jpeg_t *jpeg, unsigned char c);

/* The payload of an APP1 segment, from its first byte. */
void ktp_exif_init(ktp_exif_t *exif);
void ktp_exif_feed(ktp_exif_t *exif, const unsigned char *p, size_t n,
                   unsigned *orientation);


#endif /* KTP_PROBE_H */
