/*
 * Answers of a local reader.  Two bytes choose fields and a confidence; then
 * there are two bodies, with a zero byte between them.  An answer stands in
 * place of the upstream's only for reasons that hold for a weaker rule, too; a
 * refusal is an answer of the contract; an answer agrees with itself.
 */

#include "fuzz.h"
#include "ktp_answer_doc.h"
#include "ktp_local.h"


/* A number from 0 to 1, in thousandths; -1 for anything else. */

static double
confidence(const ktp_value_t *value)
{
    char   text[512], *end;
    double n;

    if (value->p == NULL || value->len == 0 || value->len >= sizeof(text)) {
        return -1;
    }

    memcpy(text, value->p, value->len);
    text[value->len] = '\0';
    n = strtod(text, &end);

    return *end == '\0' && n >= 0 && n <= 1 ? n * 1000 : -1;
}


static void
fuzz_check(const char *body, size_t len)
{
    int               quality;
    char             *buf;
    size_t            n;
    unsigned          status;
    ktp_answer_doc_t  doc;
    ktp_local_check_t check;

    if (ktp_local_check(&check, body, len) != 0) {
        return;
    }

    must(check.confidence <= 1000);

    for (quality = 0; quality < 2; quality++) {
        status = ktp_local_refuse(&check, quality);

        if (status == 0) {
            continue;
        }

        must(status == (check.detected ? 200 : 400));
        must(!check.detected || (quality && check.quality));

        buf = malloc(KTP_LOCAL_REFUSAL);
        must(buf != NULL);
        n = ktp_local_refusal(&check, status, "a \"\\\001\xc3\xa9 reference",
                              buf);
        must(n > 0 && n < KTP_LOCAL_REFUSAL);
        must(ktp_answer_json_read(&doc, buf, n, KTP_ANSWER_JSON_STRICT) == 0);
        must(doc.has_data == (status == 200));
        ktp_answer_json_read_free(&doc);
        free(buf);
    }
}


static void
fuzz_doubt(const char *body, size_t len, unsigned fields, unsigned least)
{
    unsigned         i;
    ktp_answer_doc_t doc;

    if (ktp_local_doubt(body, len, fields, least) != NULL) {
        return;
    }

    must(ktp_local_doubt(body, len, fields, least / 2) == NULL);
    must(ktp_local_doubt(body, len, fields & (fields >> 3), least) == NULL);

    must(ktp_answer_json_read(&doc, body, len, KTP_ANSWER_JSON_LOCAL) == 0);
    must(doc.has_data && doc.top[KTP_ANSWER_TEXT_ERROR_CODE].len == 0);
    must(doc.field[KTP_FIELD_NIK].len == 16);

    for (i = 0; i < KTP_LOCAL_FIELDS; i++) {
        if (fields & ktp_field_bit(i)) {
            must(doc.field[i].len > 0);
            must(doc.sure[i].len >= 512
                 || confidence(&doc.sure[i]) >= least - 1e-6);
        }
    }

    ktp_answer_json_read_free(&doc);
}


static void
fuzz_compare(const char *body, size_t len, const char *local, size_t local_len)
{
    unsigned            i, differs;
    ktp_local_compare_t compare, same;

    if (ktp_local_compare(&compare, body, len, local, local_len) != 0) {
        return;
    }

    differs = 0;
    must(compare.card_bin < KTP_LOCAL_BINS);

    for (i = 0; i < KTP_LOCAL_FIELDS; i++) {
        must(compare.bin[i] < KTP_LOCAL_BINS);
        must(compare.card_bin <= compare.bin[i]);
        differs += compare.match[i] == KTP_LOCAL_DIFFERS;
    }

    must(compare.card == (differs ? KTP_LOCAL_DIFFERS : KTP_LOCAL_AGREES));

    /* what is right strictly, with members of its own, is so leniently */

    must(ktp_local_compare(&same, local, local_len, local, local_len) == 0);
    must(same.card == KTP_LOCAL_AGREES);
    must(same.card_bin == compare.card_bin);
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char          *text[2];
    size_t         len[2];
    unsigned       i, fields, least;
    const uint8_t *p;

    if (size < 2) {
        return 0;
    }

    fields = data[0] | (unsigned) data[0] << 8;
    least = data[1] * 1000u / 255;
    data += 2;
    size -= 2;

    p = memchr(data, '\0', size);
    len[0] = p ? (size_t) (p - data) : size;
    len[1] = p ? size - len[0] - 1 : 0;

    /* of its very size, so that a byte read behind it is found */

    for (i = 0; i < 2; i++) {
        text[i] = malloc(len[i] ? len[i] : 1);
        must(text[i] != NULL);
        memcpy(text[i], i && p ? p + 1 : data, len[i]);
    }

    fuzz_check(text[0], len[0]);
    fuzz_doubt(text[0], len[0], fields, least);
    fuzz_compare(text[0], len[0], text[0], len[0]);

    if (p) {
        fuzz_check(text[1], len[1]);
        fuzz_doubt(text[1], len[1], fields, least);
        fuzz_compare(text[0], len[0], text[1], len[1]);
        fuzz_compare(text[1], len[1], text[0], len[0]);
    }

    free(text[0]);
    free(text[1]);

    return 0;
}
