/* Cases of the JSON way in. */

#ifndef KTP_CASES_JSON_H
#define KTP_CASES_JSON_H

#include "case.h"


#define BAD       KTP_INVALID_PAYLOAD
#define TEXT      KTP_INVALID_PAYLOAD_IMAGE_MISSING
#define FORMAT    KTP_INVALID_PAYLOAD_IMAGE_FORMAT
#define SIZE      KTP_INVALID_PAYLOAD_IMAGE_SIZE
#define REFERENCE KTP_INVALID_PAYLOAD_REFERENCE_ID

/* clang-format off */

static const case_t cases_json[] = {

    /* what is right */

    { "jpeg", "{\"image\":\"@J\"}", KTP_OK, "@j" },
    { "png", "{\"image\":\"@P\"}", KTP_OK, "@p" },
    { "spaces", " {\r\n\t\"image\" : \"@J\" }\n", KTP_OK, "@j" },
    { "url-safe, unpadded", "{\"image\":\"@U\"}", KTP_OK, "@j" },
    { "escaped slashes", "{\"image\":\"@E\"}", KTP_OK, "@j" },
    { "escaped line breaks", "{\"image\":\"@L\"}", KTP_OK, "@j" },
    { "escaped all over", "{\"image\":\"@X\"}", KTP_OK, "@j" },
    { "white space around", "{\"image\":\" \\t@J\\n \"}", KTP_OK, "@j" },
    { "data URL", "{\"image\":\"data:image/jpeg;base64,@J\"}",
      KTP_OK, "@j" },
    { "data URL, escaped", "{\"image\":\"data:image\\/png;base64,@P\"}",
      KTP_OK, "@p" },
    { "data URL, other case and parameter",
      "{\"image\":\"DATA:Image/JPEG;x=y;Base64,@J\"}", KTP_OK, "@j" },
    { "data URL of the other type", "{\"image\":\"data:image/png;base64,@J\"}",
      KTP_OK, "@j" },
    { "key with escapes", "{\"im\\u0061ge\":\"@J\"}", KTP_OK, "@j" },
    { "all members",
      "{\"reference_id\":\"a-1\",\"validate_quality\":true,"
      "\"is_quality\":true,\"image\":\"@J\"}", KTP_OK, "@j",
      .reference_id = "a-1", .validate_quality = KTP_FLAG_TRUE,
      .is_quality = KTP_FLAG_TRUE },
    { "flags after the image",
      "{\"image\":\"@J\",\"validate_quality\":false,\"is_quality\":false}",
      KTP_OK, "@j", .validate_quality = KTP_FLAG_FALSE,
      .is_quality = KTP_FLAG_FALSE },
    { "validate_quality alone",
      "{\"image\":\"@J\",\"validate_quality\":true}", KTP_OK, "@j",
      .validate_quality = KTP_FLAG_TRUE },
    { "reference of 64", "{\"image\":\"@J\",\"reference_id\":\"@[64|x]\"}",
      KTP_OK, "@j",
      .reference_id = "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
                      "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx" },
    { "reference with escapes",
      "{\"reference_id\":\"\\u0041\\\"\\\\\\/~ \",\"image\":\"@J\"}",
      KTP_OK, "@j", .reference_id = "A\"\\/~ " },
    { "unknown members",
      "{\"a\":null,\"b\":[1,-2.5e+3,{\"image\":\"x\",\"c\":[]}],"
      "\"image\":\"@J\",\"d\":{\"image\":1,\"e\":\"\\ud83d\\ude00\xc3\xa9\"}}",
      KTP_OK, "@j" },
    { "unknown member of much text",
      "{\"a\":\"@[60000|x]\",\"image\":\"@J\"}", KTP_OK, "@j" },
    { "escaped NUL in an unknown member",
      "{\"a\":\"\\u0000\",\"image\":\"@J\"}", KTP_OK, "@j" },
    { "numbers beyond 64 bits",
      "{\"a\":123456789012345678901234567890,\"b\":1e999,\"image\":\"@J\"}",
      KTP_OK, "@j" },
    { "more unknown text than the image has",
      "{\"a\":\"@[100000|x]\",\"b\":[\"@[30000|\\u00e9]\",\"\"],"
      "\"c\":[{\"d\":\"x\"},\"@J\"],\"image\":\"@J\",\"e\":\"@J\"}",
      KTP_OK, "@j" },
    { "much white space", "{@[70000| ]\"image\":\"@J\"}", KTP_OK, "@j" },
    { "closed objects have more than 256 keys",
      "{\"a\":[@[1000|{\"k\":1},]0],\"image\":\"@J\"}", KTP_OK, "@j" },
    { "members that are not set",
      "{\"image\":\"@J\",\"validate_quality\":null,\"is_quality\":null,"
      "\"reference_id\":null,\"x\":null}", KTP_OK, "@j" },
    { "byte order mark", "\xef\xbb\xbf{\"image\":\"@J\"}", KTP_OK, "@j" },
    { "data URL of no type", "{\"image\":\"data:;base64,@J\"}", KTP_OK,
      "@j" },
    { "data URL of another type",
      "{\"image\":\"data:application/octet-stream;base64,@J\"}", KTP_OK,
      "@j" },
    { "film behind the image", "{\"image\":\"@F\",\"x\":1}", KTP_OK, "@j",
      .max_size = 73 },
    { "long key", "{\"@[60000|x]\":1,\"image\":\"@J\"}", KTP_OK, "@j" },
    { "number of 256", "{\"a\":@[256|1],\"image\":\"@J\"}", KTP_OK, "@j" },
    { "depth of 8",
      "{\"a\":[[[[[[[1]]]]]]],\"image\":\"@J\"}", KTP_OK, "@j" },
    { "same key in two objects",
      "{\"a\":{\"k\":1,\"l\":{\"k\":1}},\"b\":{\"k\":1},\"image\":\"@J\"}",
      KTP_OK, "@j" },
    { "256 keys",
      "{\"a\":[@[254|{\"k\":1},]0],\"image\":\"@J\"}", KTP_OK, "@j" },
    { "start marker twice", "{\"image\":\"/9j/@J\"}", FORMAT },

    /* the image is missing or no text of an image */

    { "empty object", "{}", KTP_MISSING_PAYLOAD_IMAGE },
    { "other members only",
      "{\"validate_quality\":true,\"reference_id\":\"a\",\"x\":1}",
      KTP_MISSING_PAYLOAD_IMAGE },
    { "keys are compared with case", "{\"Image\":\"@J\"}",
      KTP_MISSING_PAYLOAD_IMAGE },
    { "empty image", "{\"image\":\"\"}", TEXT },
    { "white space only", "{\"image\":\" \\n\"}", TEXT },
    { "data URL of nothing", "{\"image\":\"data:image/png;base64,\"}", TEXT },
    { "short text", "{\"image\":\"this is not base64!\"}", TEXT },
    { "one bad character", "{\"image\":\"/9j/*\"}", TEXT, .early = 16 },
    { "bad character late", "{\"image\":\"@H$\"}", TEXT },
    { "other scheme", "{\"image\":\"ftp://example.org/a.jpg\"}", TEXT },
    { "file scheme", "{\"image\":\"file:///etc/passwd\"}", TEXT },
    { "data URL without base64", "{\"image\":\"data:image/png,@P\"}", TEXT },
    { "data URL cut off", "{\"image\":\"data:image/png;base64\"}", TEXT },
    { "data URL with a long type",
      "{\"image\":\"data:image/@[200|x];base64,@J\"}", TEXT },
    { "data URL with too long a type",
      "{\"image\":\"data:image/@[116|x];base64,@J\"}", TEXT },
    { "data URL with the longest type",
      "{\"image\":\"data:image/@[115|x];base64,@J\"}", KTP_OK, "@j" },
    { "not ASCII", "{\"image\":\"/9j/\xc3\xa9\"}", TEXT },
    { "not ASCII, escaped", "{\"image\":\"/9j/\\u00e9\"}", TEXT },
    { "surrogate pair", "{\"image\":\"\\ud83d\\ude00\"}", TEXT },
    { "path", "{\"image\":\"C:\\\\photo.jpg\"}", TEXT },

    /* URLs */

    { "URL, off", "{\"image\":\"https://example.org/a.jpg\"}", FORMAT,
      .early = 18 },
    { "URL, on", "{\"image\":\"https:\\/\\/example.org/a.jpg?b=c\"}", KTP_OK,
      .url_on = 1, .url = "https://example.org/a.jpg?b=c" },
    { "URL, other case", "{\"image\":\" HTTP://example.org \"}", KTP_OK,
      .url_on = 1, .url = "HTTP://example.org" },
    { "URL without a host", "{\"image\":\"http://\"}", TEXT, .url_on = 1 },
    { "URL with an empty host", "{\"image\":\"http:///a\"}", TEXT,
      .url_on = 1 },
    { "URL with a space", "{\"image\":\"http://a b\"}", TEXT, .url_on = 1 },
    { "URL not ASCII", "{\"image\":\"http://\xc3\xa9/\"}", TEXT,
      .url_on = 1 },
    { "URL too long", "{\"image\":\"http://@[2042|x]\"}", FORMAT,
      .url_on = 1 },
    { "longest URL", "{\"image\":\"http://@[2041|x]\"}", KTP_OK,
      .url_on = 1, .url = "http://@[2041|x]" },
    { "nearly a URL", "{\"image\":\"http/9j/\"}", FORMAT, .url_on = 1 },

    /* the image does not decode, or is no image */

    { "pdf", "{\"image\":\"@D\",\"x\":", KTP_TYPE_PDF, .early = 76 },
    { "short base64 of something", "{\"image\":\"aGVsbG8=\"}", FORMAT },
    { "one character over", "{\"image\":\"@PA\"}", FORMAT },
    { "padding in the middle", "{\"image\":\"/9==/9j/\"}", FORMAT },
    { "padding alone", "{\"image\":\"====\"}", FORMAT },
    { "padding too short", "{\"image\":\"/9j//w=\"}", FORMAT },
    { "padding too long", "{\"image\":\"/9j//w===\"}", FORMAT,
      .early = 19 },
    { "bits after the end", "{\"image\":\"/9j//x==\"}", FORMAT },
    { "cut-off jpeg", "{\"image\":\"@C\"}", FORMAT },
    { "half of a jpeg", "{\"image\":\"@H\"}", FORMAT },
    { "data URL of a pdf",
      "{\"image\":\"data:application/pdf;base64,@D\"}", KTP_TYPE_PDF,
      .early = 102 },
    { "type not asked for", "{\"image\":\"@P\"}", FORMAT,
      .types = KTP_IMAGE_JPEG },

    /* size */

    { "719 pixels", "{\"image\":\"@S\",\"x\":", SIZE, .early = 76 },
    { "too many bytes", "{\"image\":\"@J\"}", SIZE, .max_size = 60 },
    { "too many bytes of the wrong type", "{\"image\":\"@P\"}", FORMAT,
      .max_size = 60, .types = KTP_IMAGE_JPEG },
    { "just enough bytes", "{\"image\":\"@J\"}", KTP_OK, "@j",
      .max_size = 73 },
    { "one byte too many", "{\"image\":\"@J\"}", SIZE, .max_size = 72 },

    /* reference_id */

    { "reference empty", "{\"image\":\"@J\",\"reference_id\":\"\"}",
      REFERENCE },
    { "reference without end", "{\"reference_id\":\"@[400|x]", REFERENCE,
      .early = 404 },
    { "reference of 65", "{\"image\":\"@J\",\"reference_id\":\"@[65|x]\"}",
      REFERENCE },
    { "reference not ASCII",
      "{\"image\":\"@J\",\"reference_id\":\"\xc3\xa9\"}", REFERENCE },
    { "reference with a DEL", "{\"reference_id\":\"a\x7f\"}", REFERENCE,
      .early = 20 },
    { "reference with a control character",
      "{\"reference_id\":\"a\\n\",\"image\":\"@J\"}", REFERENCE,
      .early = 21 },

    /* flags against each other */

    { "dependency",
      "{\"is_quality\":false,\"image\":\"@J\",\"validate_quality\":true}",
      KTP_INVALID_PAYLOAD_DEPENDENCY },

    /* a body that is wrong as such */

    { "empty body", "", BAD },
    { "white space body", " \n", BAD },
    { "array", "[]", BAD, .early = 1 },
    { "string", "\"@J\"", BAD, .early = 120 },
    { "number", "1", BAD },
    { "null", "null", BAD, .early = 4 },
    { "not JSON", "image=@J", BAD, .early = 1 },
    { "cut off in the image", "{\"image\":\"@H", BAD },
    { "cut off after the image", "{\"image\":\"@J\"", BAD },
    { "cut off in a key", "{\"image\":\"@J\",\"a", BAD },
    { "trailing bytes", "{\"image\":\"@J\"}x", BAD },
    { "two bodies", "{\"image\":\"@J\"}{}", BAD },
    { "trailing comma", "{\"image\":\"@J\",}", BAD },
    { "comment", "/* a */{\"image\":\"@J\"}", BAD, .early = 2 },
    { "comment behind", "{\"image\":\"@J\"}// a", BAD },
    { "comment inside", "{\"image\":/**/\"@J\"}", BAD, .early = 12 },
    { "single quotes", "{'image':'@J'}", BAD, .early = 2 },
    { "no quotes", "{image:\"@J\"}", BAD, .early = 2 },
    { "half a byte order mark", "\xef\xbb{\"image\":\"@J\"}", KTP_NOT_JSON,
      .early = 3 },
    { "byte order mark twice",
      "\xef\xbb\xbf\xef\xbb\xbf{\"image\":\"@J\"}", KTP_NOT_JSON },
    { "byte order mark behind", "{\"image\":\"@J\"}\xef\xbb\xbf",
      KTP_NOT_JSON },
    { "byte order mark only", "\xef\xbb\xbf", KTP_BODY_TRUNCATED },
    { "UTF-16", "{@0\"@0i@0m@0", BAD },
    { "NUL between", "{@0\"image\":\"@J\"}", BAD },
    { "NUL behind", "{\"image\":\"@J\"}@0", BAD },
    { "NUL in the image", "{\"image\":\"/9j/@0\"}", BAD },
    { "NUL in the image, escaped", "{\"image\":\"/9j/\\u0000\"}", BAD },
    { "NUL in the reference",
      "{\"image\":\"@J\",\"reference_id\":\"a\\u0000\"}", BAD },
    { "form feed between", "{\f\"image\":\"@J\"}", BAD, .early = 2 },
    { "vertical tab behind", "{\"image\":\"@J\"}\v", BAD },
    { "number before the image", "{\"image\":1\"@J\"}", BAD, .early = 112 },
    { "two colons", "{\"image\"::\"@J\"}", BAD, .early = 10 },
    { "no colon", "{\"image\" \"@J\"}", BAD, .early = 130 },
    { "colon first", "{:\"image\":\"@J\"}", BAD, .early = 2 },
    { "two strings", "{\"image\":\"@J\"\"@J\"}", BAD },
    { "bare word", "{\"image\":@J}", BAD },

    { "image is null", "{\"image\":null}", KTP_IMAGE_NULL },
    { "image is a number", "{\"image\":1}", BAD },
    { "image is true", "{\"image\":true}", BAD },
    { "image is a list", "{\"image\":[\"@J\"]}", BAD, .early = 10 },
    { "image is an object", "{\"image\":{\"image\":\"@J\"}}", BAD,
      .early = 10 },
    { "flag is a string", "{\"image\":\"@J\",\"is_quality\":\"true\"}", BAD },
    { "flag is a number", "{\"image\":\"@J\",\"validate_quality\":1}", BAD },
    { "reference is a number", "{\"image\":\"@J\",\"reference_id\":7}", BAD },

    { "image twice", "{\"image\":\"@J\",\"image\":\"@J\"}", BAD },
    { "image twice, spelled otherwise",
      "{\"image\":\"@J\",\"im\\u0061ge\":\"@J\"}", BAD },
    { "flag twice", "{\"is_quality\":true,\"is_quality\":true}", BAD },
    { "unknown twice", "{\"x\":1,\"\\u0078\":2,\"image\":\"@J\"}", BAD,
      .early = 15 },
    { "empty key twice", "{\"\":1,\"\":2}", BAD },
    { "twice inside", "{\"a\":{\"b\":1,\"c\":{},\"b\":1}}", BAD },
    { "two empty values", "{\"image\":\"\",\"reference_id\":\"\"}", BAD },
    { "depth of 9", "{\"a\":[[[[[[[[1]]]]]]]]}", BAD, .early = 13 },
    { "number of 257", "{\"a\":@[257|1]", BAD, .early = 262 },
    { "key of 65536", "{\"@[65536|x]\":1,\"image\":\"@J\"}",
      KTP_TOKEN_TOO_LONG, .early = 65539 },
    { "keys of 65536 in all",
      "{\"@[40000|x]\":1,\"@[30000|y]\":1,\"image\":\"@J\"}",
      KTP_TOO_MANY_KEYS },

    { "control character in the image", "{\"image\":\"/9j/\x1f\"}", BAD,
      .early = 16 },
    { "tab in the image", "{\"image\":\"/9j/\t\"}", BAD },
    { "real line break in the image", "{\"image\":\"@N\"}", BAD },
    { "bad escape in the image", "{\"image\":\"/9j/\\x\"}", BAD },
    { "bad hex in the image", "{\"image\":\"/9j/\\u00g1\"}", BAD },
    { "lone high surrogate", "{\"image\":\"\\ud83d/9j/\"}", BAD },
    { "lone low surrogate", "{\"image\":\"/9j/\\ude00\"}", BAD },
    { "high surrogate, other escape", "{\"image\":\"\\ud83d\\n\"}", BAD },
    { "high surrogate at the end", "{\"image\":\"\\ud83d\"}", BAD },
    { "invalid UTF-8 in the image", "{\"image\":\"/9j/\xff\"}", BAD },
    { "overlong UTF-8 in the image", "{\"image\":\"/9j/\xc0\xaf\"}", BAD },
    { "cut UTF-8 in the image", "{\"image\":\"/9j/\xc3\"}", BAD },
    { "invalid UTF-8 in a key", "{\"\xff\":1}", BAD, .early = 3 },
    { "overlong UTF-8", "{\"a\":\"\xe0\x80\xaf\"}", BAD, .early = 8 },
    { "surrogate in UTF-8", "{\"a\":\"\xed\xa0\x80\"}", BAD, .early = 8 },
    { "overlong UTF-8 of four bytes", "{\"a\":\"\xf0\x8f\xbf\xbf\"}", BAD,
      .early = 8 },
    { "no lead byte of UTF-8", "{\"a\":\"\xf5\x80\x80\x80\"}", BAD,
      .early = 7 },
    { "UTF-8 beyond U+10FFFF", "{\"a\":\"\xf4\x90\x80\x80\"}", BAD,
      .early = 8 },
    { "lone surrogate in an unknown member", "{\"a\":\"\\ud800\"}", BAD,
      .early = 13 },
};

/* clang-format on */

#undef BAD
#undef TEXT
#undef FORMAT
#undef SIZE
#undef REFERENCE

#endif /* KTP_CASES_JSON_H */
