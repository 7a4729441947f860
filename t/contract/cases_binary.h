/* Cases of the bare file, with the flags as query arguments. */

#ifndef KTP_CASES_BINARY_H
#define KTP_CASES_BINARY_H

#include "case.h"


/* clang-format off */

static const case_t cases_binary[] = {

    { "jpeg", "@j", KTP_OK, "@j" },
    { "png", "@p", KTP_OK, "@p" },
    { "no type", "@p", KTP_OK, "@p",
      .content_type = "application/octet-stream" },
    { "png as image/png", "@p", KTP_OK, "@p", .content_type = "image/png" },
    { "trailing data", "@j trailing \xff\xd8@j", KTP_OK,
      "@j" },
    { "trailing data of a png", "@p@j@0", KTP_OK, "@p" },
    { "no end, and a trailer of Samsung", "@cMotionPhoto_Data\xff\x01SEFT",
      KTP_OK, "@cMotionPhoto_Data\xff\x01SEFT" },
    { "no end, and a trailer that looks damaged",
      "@c@0@0\xff\xc0@0\x08zzzzzz\xff\xc4@0\x03zSEFT", KTP_OK,
      "@c@0@0\xff\xc0@0\x08zzzzzz\xff\xc4@0\x03zSEFT" },
    { "no end, and half a trailer", "@cMotionPhoto_Data\xff\x01SEF",
      KTP_INVALID_PAYLOAD_IMAGE_FORMAT },
    { "a trailer only", "\xff\xd8\xff\xe0SEFT", KTP_TRUNCATED },
    { "image/jpg", "@j", KTP_OK, "@j", .content_type = "image/jpg" },

    { "arguments", "@j", KTP_OK, "@j",
      .args = "validate_quality=true&x=y&is_quality=1&reference_id=a%2Db+c",
      .validate_quality = KTP_FLAG_TRUE, .is_quality = KTP_FLAG_TRUE,
      .reference_id = "a-b c" },
    { "arguments with nothing in them", "@j", KTP_OK, "@j",
      .args = "&&a&=b&%zz=1&image=x&" },
    { "argument names are decoded", "@j", KTP_OK, "@j",
      .args = "%69s_quality=0", .is_quality = KTP_FLAG_FALSE },
    { "dependency", "@j", KTP_INVALID_PAYLOAD_DEPENDENCY,
      .args = "is_quality=false&validate_quality=true" },
    { "argument twice", "@j", KTP_INVALID_PAYLOAD,
      .args = "is_quality=true&is_quality=true" },
    { "flag of another value", "@j", KTP_INVALID_PAYLOAD,
      .args = "is_quality=maybe" },
    { "flags of a form", "@j", KTP_OK, "@j",
      .args = "is_quality=on&validate_quality=",
      .is_quality = KTP_FLAG_TRUE, .validate_quality = KTP_FLAG_FALSE },
    { "flag without a value", "@j", KTP_INVALID_PAYLOAD,
      .args = "is_quality" },
    { "flag badly encoded", "@j", KTP_INVALID_PAYLOAD,
      .args = "is_quality=%7" },
    { "reference empty", "@j", KTP_INVALID_PAYLOAD_REFERENCE_ID,
      .args = "reference_id=" },
    { "reference badly encoded", "@j", KTP_INVALID_PAYLOAD_REFERENCE_ID,
      .args = "reference_id=a%g1" },
    { "reference not ASCII", "@j", KTP_INVALID_PAYLOAD_REFERENCE_ID,
      .args = "reference_id=%C3%A9" },
    { "reference with a NUL", "@j", KTP_INVALID_PAYLOAD,
      .args = "reference_id=a%00" },
    { "reference of 65", "@j", KTP_INVALID_PAYLOAD_REFERENCE_ID,
      .args = "reference_id=0123456789012345678901234567890123456789"
              "0123456789012345678901234" },
    { "reference of 64, encoded", "@j", KTP_OK, "@j",
      .args = "reference_id=%30%31234567890123456789012345678901234567890123"
              "45678901234567890123",
      .reference_id = "0123456789012345678901234567890123456789"
                      "012345678901234567890123" },

    { "empty", "", KTP_INVALID_PAYLOAD },
    { "pdf", "@d", KTP_TYPE_PDF, .early = 5 },
    { "gif", "GIF89a", KTP_TYPE_GIF, .early = 4 },
    { "heic", "@0@0@0\x18""ftypheic", KTP_TYPE_HEIC, .early = 11 },
    { "avif", "@0@0@0 ftypavif", KTP_TYPE_HEIC, .early = 11 },
    { "mp4", "@0@0@0 ftypisom", KTP_TYPE_UNKNOWN, .early = 9 },
    { "webp", "RIFFabcdWEBPVP8 ", KTP_TYPE_WEBP, .early = 12 },
    { "wav", "RIFFabcdWAVE", KTP_TYPE_UNKNOWN, .early = 10 },
    { "bmp", "BM", KTP_TYPE_BMP },
    { "tiff", "II*@0", KTP_TYPE_TIFF },
    { "tiff of the other order", "MM@0*", KTP_TYPE_TIFF },
    { "cut in a signature", "RIFF", KTP_TYPE_UNKNOWN },
    { "cut in our signature", "\x89PNG", KTP_TRUNCATED },
    { "base64", "@J", KTP_TYPE_UNKNOWN, .early = 1 },
    { "one byte", "\xff", KTP_INVALID_PAYLOAD_IMAGE_FORMAT },
    { "cut-off jpeg", "@c", KTP_INVALID_PAYLOAD_IMAGE_FORMAT },
    { "type not asked for", "@j", KTP_INVALID_PAYLOAD_IMAGE_FORMAT,
      .types = KTP_IMAGE_PNG, .early = 3 },
    { "719 pixels", "@s", KTP_INVALID_PAYLOAD_IMAGE_SIZE, .early = 30 },
    { "too many bytes", "@j", KTP_INVALID_PAYLOAD_IMAGE_SIZE,
      .max_size = 72, .early = 73 },
    { "just enough bytes", "@j", KTP_OK, "@j", .max_size = 73 },
    { "trailing data over the limit", "@jx", KTP_OK, "@j", .max_size = 73 },
    { "film behind the image", "@f", KTP_OK, "@j", .max_size = 73 },
};

/* clang-format on */

#endif /* KTP_CASES_BINARY_H */
