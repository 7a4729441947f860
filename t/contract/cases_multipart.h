/* Cases of the multipart way in; the boundary is XX unless said. */

#ifndef KTP_CASES_MULTIPART_H
#define KTP_CASES_MULTIPART_H

#include "case.h"


#define BAD       KTP_INVALID_PAYLOAD
#define TEXT      KTP_INVALID_PAYLOAD_IMAGE_MISSING
#define FORMAT    KTP_INVALID_PAYLOAD_IMAGE_FORMAT
#define SIZE      KTP_INVALID_PAYLOAD_IMAGE_SIZE
#define REFERENCE KTP_INVALID_PAYLOAD_REFERENCE_ID

#define NEXT        "\r\n--XX\r\n"
#define LAST        "\r\n--XX--\r\n"
#define NEXT_CODED  "--XX\r\nContent-Transfer-Encoding: base64\r\n"
#define NAMED(name) "Content-Disposition: form-data; name=\"" name "\"\r\n"
#define FILED(name)                                                           \
    "Content-Disposition: form-data; name=\"" name "\"; "                     \
    "filename=\"a.jpg\"\r\nContent-Type: image/jpeg\r\n"
#define PART(name, value) "--XX\r\n" NAMED(name) "\r\n" value
#define FILE_PART         "--XX\r\n" FILED("image") "\r\n@j"
#define TYPE(boundary)    .content_type = "multipart/form-data; " boundary

/* clang-format off */

static const case_t cases_multipart[] = {

    /* what is right */

    { "file", FILE_PART LAST, KTP_OK, "@j" },
    { "file, no line end at the end", FILE_PART "\r\n--XX--", KTP_OK, "@j" },
    { "png", "--XX\r\n" FILED("image") "\r\n@p" LAST, KTP_OK, "@p" },
    { "all parts",
      PART("reference_id", "a-1") "\r\n" PART("validate_quality", "true")
      "\r\n" FILE_PART "\r\n" PART("is_quality", "1") LAST, KTP_OK, "@j",
      .reference_id = "a-1", .validate_quality = KTP_FLAG_TRUE,
      .is_quality = KTP_FLAG_TRUE },
    { "flags as numbers and words",
      PART("validate_quality", "0") "\r\n" PART("is_quality", "False") "\r\n"
      FILE_PART LAST, KTP_OK, "@j", .validate_quality = KTP_FLAG_FALSE,
      .is_quality = KTP_FLAG_FALSE },
    { "text in base64", PART("image", "@J") LAST, KTP_OK, "@j" },
    { "text in lines", PART("image", "@N\r\n") LAST, KTP_OK, "@j" },
    { "text as a data URL",
      PART("image", "data:image/png;base64,@P") LAST, KTP_OK, "@p" },
    { "text as a URL", PART("image", "https://example.org/a\r\n") LAST,
      KTP_OK, .url_on = 1, .url = "https://example.org/a" },
    { "file by its type only",
      "--XX\r\n" NAMED("image") "content-type:image/png\r\n\r\n@p" LAST,
      KTP_OK, "@p" },
    { "file of no type",
      "--XX\r\n" NAMED("image") "Content-Type: application/octet-stream; "
      "a=b\r\n\r\n@j" LAST, KTP_OK, "@j" },
    { "text of a type",
      "--XX\r\n" NAMED("image") "Content-Type: text/plain\r\n\r\n@J" LAST,
      KTP_OK, "@j" },
    { "preamble and epilogue",
      "a preamble\r\n--X\r\n\r--XX\n\r\n" FILE_PART LAST "more\r\n--XX\r\n",
      KTP_OK, "@j" },
    { "transport padding",
      "--XX \t\r\n" FILED("image") "\r\n@j\r\n--XX-- \t\r\n", KTP_OK, "@j" },
    { "line end before the first", "\r\n" FILE_PART LAST, KTP_OK, "@j" },
    { "token names, odd case",
      "--XX\r\ncONTENT-dISPOSITION:FORM-DATA;NAME=image;FileName=a\r\n"
      "\r\n@j" LAST, KTP_OK, "@j" },
    { "escapes in names",
      "--XX\r\nContent-Disposition: form-data; filename=\"a\\\"; b\"; "
      "name=\"im\\age\"\r\n\r\n@j" LAST, KTP_OK, "@j" },
    { "name not ASCII",
      "--XX\r\nContent-Disposition: form-data; name=\"image\"; "
      "filename=\"f\xc3\xb6to.jpg\"; filename*=UTF-8''f%C3%B6to.jpg\r\n"
      "\r\n@j" LAST, KTP_OK, "@j" },
    { "encodings that are none",
      "--XX\r\n" FILED("image") "Content-Transfer-Encoding: Binary\r\n\r\n"
      "@j" LAST, KTP_OK, "@j" },
    { "unknown parts",
      PART("x", "@0\r\n--X") "\r\n" PART("x", "") "\r\n" FILE_PART LAST,
      KTP_OK, "@j" },
    { "part without data", "--XX\r\n" NAMED("x") "\r\n--XX\r\n" FILED("image")
      "\r\n@j" LAST, KTP_OK, "@j" },
    { "almost boundaries in the data",
      "--XX\r\n" FILED("image") "\r\n@k" LAST, KTP_OK, "@k" },
    { "32 parts",
      "@[31|--XX\r\nContent-Disposition: form-data; name=x\r\n\r\n\r\n]"
      FILE_PART LAST, KTP_OK, "@j" },
    { "boundary in quotes", "--a b\r\n" FILED("image") "\r\n@j\r\n--a b--",
      KTP_OK, "@j", TYPE("boundary=\"a b\"") },
    { "boundary with escapes", "--ab\r\n" FILED("image") "\r\n@j\r\n--ab--",
      KTP_OK, "@j", TYPE("charset=utf-8;BOUNDARY=\"\\a\\b\"") },
    { "boundary of 70",
      "--@[70|x]\r\n" FILED("image") "\r\n@j\r\n--@[70|x]--", KTP_OK, "@j",
      TYPE("boundary=xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
           "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx") },
    { "boundary of dashes",
      "--------\r\n" FILED("image") "\r\n@j\r\n-------\r\n----------\r\n",
      KTP_OK, "@j", TYPE("boundary=------") },

    /* what browsers, frameworks and libraries for mail make of it */

    { "photo and selfie",
      "--XX\r\n" FILED("selfie") "\r\n@[100000|x]\r\n" FILE_PART "\r\n--XX\r\n"
      FILED("file") "\r\n@[1000|y]" LAST, KTP_OK, "@j" },
    { "long preamble and epilogue",
      "@[70000|x]\r\n" FILE_PART LAST "@[70000|x]", KTP_OK, "@j" },
    { "checkbox that is set",
      PART("validate_quality", "on") "\r\n" PART("is_quality", "Yes") "\r\n"
      FILE_PART LAST, KTP_OK, "@j", .validate_quality = KTP_FLAG_TRUE,
      .is_quality = KTP_FLAG_TRUE },
    { "checkbox that is not",
      PART("validate_quality", "OFF") "\r\n" PART("is_quality", "no") "\r\n"
      FILE_PART LAST, KTP_OK, "@j", .validate_quality = KTP_FLAG_FALSE,
      .is_quality = KTP_FLAG_FALSE },
    { "false of PHP",
      PART("validate_quality", "") "\r\n" PART("is_quality", "1") "\r\n"
      FILE_PART LAST, KTP_OK, "@j", .validate_quality = KTP_FLAG_FALSE,
      .is_quality = KTP_FLAG_TRUE },
    { "name with blanks, not quoted",
      "--XX\r\nContent-Disposition: form-data; name=\"image\"; "
      "filename=foto ktp (1).jpg\r\n\r\n@j" LAST, KTP_OK, "@j" },
    { "name with blanks, not quoted, first",
      "--XX\r\nContent-Disposition: form-data; filename=foto ktp.jpg ; "
      "name=image\r\n\r\n@j" LAST, KTP_OK, "@j" },
    { "name of nothing, not quoted",
      "--XX\r\nContent-Disposition: form-data; name=image; filename="
      "\r\n\r\n@j" LAST, KTP_OK, "@j" },
    { "name of .NET, 255 characters",
      "--XX\r\nContent-Disposition: form-data; name=image; "
      "filename=\"=?utf-8?B?@[255|4oKs]?=\"; "
      "filename*=utf-8''@[255|%E2%82%AC]\r\n\r\n@j" LAST, KTP_OK, "@j" },
    { "file in base64",
      "--XX\r\nContent-Transfer-Encoding: BASE64\r\n" FILED("image")
      "\r\n@N\r\n" LAST, KTP_OK, "@j" },
    { "all parts in base64",
      "--XX\r\nContent-Transfer-Encoding: base64\r\n" NAMED("reference_id")
      "\r\nYS0x\r\n" NEXT_CODED NAMED("validate_quality") "\r\ndHJ1ZQ==\r\n"
      NEXT_CODED FILED("image") "\r\n@J" LAST, KTP_OK, "@j",
      .reference_id = "a-1", .validate_quality = KTP_FLAG_TRUE },
    { "text in base64, in base64 again",
      NEXT_CODED NAMED("image") "\r\n@B" LAST, KTP_OK, "@j" },
    { "ignored part of another coding",
      "--XX\r\nContent-Transfer-Encoding: quoted-printable\r\n" NAMED("x")
      "\r\n=41\r\n" FILE_PART LAST, KTP_OK, "@j" },
    { "film behind the image",
      "--XX\r\n" FILED("image") "\r\n@f" LAST, KTP_OK, "@j",
      .max_size = 73 },

    /* the image */

    { "no part", "--XX--\r\n", KTP_MISSING_PAYLOAD_IMAGE },
    { "no image", PART("validate_quality", "true") LAST,
      KTP_MISSING_PAYLOAD_IMAGE },
    { "empty file", "--XX\r\n" FILED("image") "\r\n" LAST, TEXT },
    { "no file chosen",
      "--XX\r\nContent-Disposition: form-data; name=\"image\"; "
      "filename=\"\"\r\nContent-Type: application/octet-stream\r\n\r\n" LAST,
      TEXT },
    { "empty text", PART("image", "") LAST, TEXT },
    { "text is no base64", PART("image", "a photo!") LAST, TEXT },
    { "text not ASCII", PART("image", "/9j/\xc3\xa9") LAST, TEXT },
    { "raw image in a text part", PART("image", "@j") LAST, TEXT },
    { "base64 in a file", "--XX\r\n" FILED("image") "\r\n@J" LAST, FORMAT },
    { "pdf", "--XX\r\n" FILED("image") "\r\n@d", KTP_TYPE_PDF, .early = 112 },
    { "pdf as text", PART("image", "@D"), KTP_TYPE_PDF, .early = 122 },
    { "cut-off jpeg", "--XX\r\n" FILED("image") "\r\n@c" LAST, FORMAT },
    { "URL, off", PART("image", "http://example.org/") LAST, FORMAT },
    { "719 pixels", "--XX\r\n" FILED("image") "\r\n@s", SIZE, .early = 138 },
    { "too many bytes", FILE_PART LAST, SIZE, .max_size = 72 },
    { "just enough bytes", FILE_PART LAST, KTP_OK, "@j", .max_size = 73 },

    /* the other parts */

    { "reference empty", FILE_PART "\r\n" PART("reference_id", "") LAST,
      REFERENCE },
    { "reference of 65",
      PART("reference_id", "@[65|x]") "\r\n" FILE_PART LAST, REFERENCE },
    { "reference of two lines",
      PART("reference_id", "a\r\nb") "\r\n" FILE_PART LAST, REFERENCE },
    { "reference with a NUL",
      PART("reference_id", "a@0") "\r\n" FILE_PART LAST, BAD },
    { "dependency",
      PART("is_quality", "0") "\r\n" PART("validate_quality", "TRUE") "\r\n"
      FILE_PART LAST, KTP_INVALID_PAYLOAD_DEPENDENCY },
    { "flag of another value", PART("is_quality", "maybe") LAST, BAD },
    { "flag with a NUL", PART("is_quality", "true@0") LAST, BAD },
    { "two empty values",
      PART("image", "") "\r\n" PART("reference_id", "") LAST, BAD },
    { "image twice", FILE_PART "\r\n" FILE_PART LAST, BAD },
    { "image twice, once as text",
      FILE_PART "\r\n" PART("image", "@J") LAST, BAD },
    { "reference twice",
      PART("reference_id", "a") "\r\n" PART("reference_id", "a") LAST, BAD },

    /* a body that is wrong as such */

    { "empty body", "", BAD },
    { "no boundary", "@j", BAD },
    { "other boundary", "--XY\r\n" FILED("image") "\r\n@j\r\n--XY--", BAD },
    { "boundary goes on", "--XXX\r\n" FILED("image") "\r\n@j" LAST, BAD,
      .early = 5 },
    { "boundary goes on, later", FILE_PART "\r\n--XXX\r\n", BAD },
    { "one dash only", FILE_PART "\r\n--XX-\r\n", BAD },
    { "end goes on", FILE_PART "\r\n--XX--x", BAD },
    { "cut off in the data", FILE_PART, BAD },
    { "cut off in a boundary", FILE_PART "\r\n--X", BAD },
    { "cut off after a boundary", FILE_PART "\r\n--XX", BAD },
    { "cut off before the end", FILE_PART "\r\n--XX-", BAD },
    { "cut off in a header", "--XX\r\nContent-Disp", BAD },
    { "CR alone at the end", FILE_PART "\r\n--XX--\r", BAD },
    { "bare LF after the boundary", "--XX\n" FILED("image") "\r\n@j" LAST,
      BAD, .early = 5 },
    { "bare LF in a header",
      "--XX\r\nContent-Disposition: form-data; name=\"image\"\n\r\n@J" LAST,
      BAD },
    { "bare CR in a header",
      "--XX\r\nContent-Disposition: form-data;\r name=\"image\"\r\n\r\n@J"
      LAST, BAD, .early = 41 },
    { "bare LF ends the header",
      "--XX\r\n" NAMED("image") "\n@J" LAST, BAD },
    { "bare LF before the end", "--XX\r\n" FILED("image") "\r\n@j\n--XX--",
      BAD },
    { "NUL in a header",
      "--XX\r\nX: @0\r\n" FILED("image") "\r\n@j" LAST, BAD, .early = 10 },
    { "DEL in a header",
      "--XX\r\nX: \x7f\r\n" FILED("image") "\r\n@j" LAST, BAD, .early = 10 },
    { "folded header",
      "--XX\r\nContent-Disposition: form-data;\r\n name=\"image\"\r\n\r\n@J"
      LAST, BAD },
    { "no colon in a header", "--XX\r\nabc\r\n" FILED("image") "\r\n@j" LAST,
      BAD },
    { "space before the colon",
      "--XX\r\nContent-Disposition : form-data; name=\"image\"\r\n\r\n@J"
      LAST, BAD },
    { "no header", "--XX\r\n\r\n@J" LAST, BAD },
    { "no disposition", "--XX\r\nContent-Type: image/jpeg\r\n\r\n@j" LAST,
      BAD },
    { "disposition twice",
      "--XX\r\n" NAMED("x") NAMED("image") "\r\n@J" LAST, BAD },
    { "type twice",
      "--XX\r\n" FILED("image") "Content-Type: image/png\r\n\r\n@j" LAST,
      BAD },
    { "other disposition",
      "--XX\r\nContent-Disposition: attachment; name=\"image\"\r\n\r\n@J"
      LAST, BAD },
    { "no name", "--XX\r\nContent-Disposition: form-data\r\n\r\n@J" LAST,
      BAD },
    { "name twice",
      "--XX\r\nContent-Disposition: form-data; name=x; name=image\r\n\r\n@J"
      LAST, BAD },
    { "name without a value",
      "--XX\r\nContent-Disposition: form-data; name\r\n\r\n@J" LAST, BAD },
    { "name without an end",
      "--XX\r\nContent-Disposition: form-data; name=\"image\r\n\r\n@J" LAST,
      BAD },
    { "name and more",
      "--XX\r\nContent-Disposition: form-data; name=image x\r\n\r\n@J" LAST,
      BAD },
    { "base64 that is none", NEXT_CODED FILED("image") "\r\n/9j/*" LAST,
      KTP_NOT_BASE64 },
    { "base64 that is cut", NEXT_CODED FILED("image") "\r\n/9j/4" LAST,
      KTP_BAD_BASE64 },
    { "flag of bad base64", NEXT_CODED NAMED("is_quality") "\r\ntrue=" LAST,
      KTP_PART_CODING },
    { "content quoted-printable",
      "--XX\r\nContent-Transfer-Encoding: quoted-printable\r\n" FILED("image")
      "\r\n@J" LAST, KTP_PART_CODING },
    { "long header line",
      "--XX\r\nX: @[4094|x]\r\n" FILED("image") "\r\n@j" LAST, BAD,
      .early = 4103 },
    { "longest header line",
      "--XX\r\nX: @[4093|x]\r\n" FILED("image") "\r\n@j" LAST, KTP_OK,
      "@j" },
    { "17 header lines",
      "--XX\r\n@[15|X: a\r\n]" FILED("image") "\r\n@j" LAST, BAD },
    { "16 header lines",
      "--XX\r\n@[14|X: a\r\n]" FILED("image") "\r\n@j" LAST, KTP_OK, "@j" },
    { "33 parts",
      "@[32|--XX\r\nContent-Disposition: form-data; name=x\r\n\r\n\r\n]"
      FILE_PART LAST, BAD },
};

/* clang-format on */

#undef BAD
#undef TEXT
#undef FORMAT
#undef SIZE
#undef REFERENCE
#undef TYPE

#endif /* KTP_CASES_MULTIPART_H */
