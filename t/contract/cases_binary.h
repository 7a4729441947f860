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
      "@j trailing \xff\xd8@j" },
    { "trailing data of a png", "@p@j@0", KTP_OK, "@p@j@0" },

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
      .args = "is_quality=yes" },
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
    { "pdf", "@d", KTP_INVALID_PAYLOAD_IMAGE_FORMAT, .early = 1 },
    { "gif", "GIF89a", KTP_INVALID_PAYLOAD_IMAGE_FORMAT, .early = 1 },
    { "base64", "@J", KTP_INVALID_PAYLOAD_IMAGE_FORMAT, .early = 1 },
    { "one byte", "\xff", KTP_INVALID_PAYLOAD_IMAGE_FORMAT },
    { "cut-off jpeg", "@c", KTP_INVALID_PAYLOAD_IMAGE_FORMAT },
    { "type not asked for", "@j", KTP_INVALID_PAYLOAD_IMAGE_FORMAT,
      .types = KTP_IMAGE_PNG, .early = 3 },
    { "719 pixels", "@s", KTP_INVALID_PAYLOAD_IMAGE_SIZE, .early = 30 },
    { "too many bytes", "@j", KTP_INVALID_PAYLOAD_IMAGE_SIZE,
      .max_size = 72, .early = 73 },
    { "just enough bytes", "@j", KTP_OK, "@j", .max_size = 73 },
    { "trailing data over the limit", "@jx", KTP_INVALID_PAYLOAD_IMAGE_SIZE,
      .max_size = 73 },
};

/* clang-format on */

#endif /* KTP_CASES_BINARY_H */
