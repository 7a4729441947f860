#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ktp_utf8.h"
#include "ktpx_annotate.h"
#include "ktpx_check.h"
#include "ktpx_file.h"
#include "ktpx_record.h"


/* What is said of a file. */
typedef struct {
    const char        *name;
    const char        *body; /* a JSON object */
    const char        *code; /* "error_code"; "": none */
    const char        *reason;
    const ktpr_card_t *card; /* NULL: none */
} ktpx_record_answer_t;


/* A file name as a JSON string; bytes that are no UTF-8 become U+FFFD. */
static void
ktpx_record_string(FILE *out, const char *s)
{
    size_t      n;
    const char *end;

    end = s + strlen(s);
    fputc('"', out);

    while (s < end) {
        n = ktp_utf8_char((const unsigned char *) s,
                          (const unsigned char *) end);

        if (n == 0) {
            fputs("\\ufffd", out);
            n = 1;

        } else if (*s == '"' || *s == '\\') {
            fprintf(out, "\\%c", *s);

        } else if ((unsigned char) *s < 0x20) {
            fprintf(out, "\\u%04x", (unsigned) *s);

        } else {
            fwrite(s, 1, n, out);
        }

        s += n;
    }

    fputc('"', out);
}


/* A JSON object with the file's name as its first member, if it is wanted. */
static void
ktpx_record_object(FILE *out, const ktpx_record_options_t *options,
                   const ktpx_record_answer_t *answer)
{
    size_t      len;
    const char *body;

    body = answer->body;
    len = strlen(body);

    if (len > 0 && body[len - 1] == '\n') {
        len--;
    }

    if (options->named && len > 0) {
        /* behind the brace */
        fputs(body[1] == '\n' ? "{\n    \"file\": " : "{\"file\":", out);
        ktpx_record_string(out, answer->name);
        fputc(',', out);
        body++;
        len--;
    }

    fwrite(body, 1, len, out);
}


static void
ktpx_record_cell(FILE *out, const char *s)
{
    if (s[strcspn(s, ",\"\r\n")] == '\0') {
        fputs(s, out);
        return;
    }

    fputc('"', out);

    for (; *s != '\0'; s++) {
        if (*s == '"') {
            fputc('"', out);
        }
        fputc(*s, out);
    }

    fputc('"', out);
}


/* Columns of a line: of all names or, with an answer, of a file. */
static void
ktpx_record_line(FILE *out, const ktpx_record_options_t *options,
                 const ktpx_record_answer_t *answer)
{
    int                 i;
    const char         *name;
    const ktpr_field_t *field;

    static const ktpr_field_t none = {0};

    ktpx_record_cell(out, answer != NULL ? answer->name : "file");
    fputc(',', out);
    ktpx_record_cell(out, answer != NULL ? answer->code : "error_code");
    fputc(',', out);
    ktpx_record_cell(out, answer != NULL ? answer->reason : "reason");

    for (i = 0; i < (options->json.details ? KTPR_ALL_FIELDS : KTPR_FIELDS);
         i++) {

        name = ktpr_field_name((ktpr_field_id_t) i);
        field = answer != NULL && answer->card != NULL
                    ? &answer->card->fields[i]
                    : &none;

        fputc(',', out);
        ktpx_record_cell(out, answer != NULL ? field->value : name);

        if (!options->json.details) {
            continue;
        }

        if (answer == NULL) {
            fprintf(out, ",%s_confidence", name);

        } else if (answer->card == NULL) {
            fputc(',', out);

        } else {
            fprintf(out, ",%.3f", (double) field->confidence);
        }
    }
}


static void
ktpx_record_write(const ktpx_record_options_t *options,
                  const ktpx_record_answer_t *answer, ktpx_record_t *record)
{
    FILE *out;

    record->text = NULL;
    record->len = 0;

    out = open_memstream(&record->text, &record->len);
    if (out == NULL) {
        return;
    }

    if (options->format == KTPX_RECORD_CSV) {
        ktpx_record_line(out, options, answer);

    } else {
        ktpx_record_object(out, options, answer);
    }

    if (fclose(out) != 0) {
        free(record->text);
        record->text = NULL;
    }
}


/* The record of a file without a card. */
static void
ktpx_record_error(const ktpx_record_options_t *options, const char *name,
                  ktp_code_t code, const char *body, ktpx_record_t *record)
{
    const ktp_error_t   *error;
    ktpx_record_answer_t answer = {0};

    error = ktp_error(code);
    answer.name = name;
    answer.body = body;
    answer.code = error->name;
    answer.reason = error->reason;
    record->failed = 1;
    ktpx_record_write(options, &answer, record);
}


/* The record of a file that cannot be opened or read. */
static void
ktpx_record_no_file(const ktpx_record_options_t *options, const char *name,
                    ktpx_record_t *record)
{
    ktpx_record_answer_t answer = {0};

    answer.name = name;
    answer.code = "FILE_UNREADABLE";
    answer.reason = "unreadable";
    answer.body = "{\"message\":\"file cannot be read\","
                  "\"error_code\":\"FILE_UNREADABLE\","
                  "\"reason\":\"unreadable\"}";

    record->failed = 1;
    record->no_file = 1;
    ktpx_record_write(options, &answer, record);
}


void
ktpx_record_lost(const ktpx_record_options_t *options, const char *name,
                 ktpx_record_t *record)
{
    char body[KTPX_CHECK_BODY];

    memset(record, 0, sizeof(ktpx_record_t));
    ktpx_record_error(options, name, KTP_INTERNAL_SERVER_ERROR,
                      ktpx_check_error(KTP_INTERNAL_SERVER_ERROR, body),
                      record);
}


static ktp_code_t
ktpx_record_code(ktpr_result_t result)
{
    switch (result) {
    case KTPR_OK:
        return KTP_OK;
    case KTPR_NOT_DETECTED:
        return KTP_NOT_DETECTED;
    case KTPR_UNDECODABLE:
        return KTP_INVALID_PAYLOAD_IMAGE_FORMAT;
    case KTPR_TOO_COSTLY:
        return KTP_TOO_COSTLY;
    case KTPR_FAILED:
        break;
    }

    return KTP_INTERNAL_SERVER_ERROR;
}


/* The record of a card, or of a photo that is too bad to be one. */
static void
ktpx_record_card(const ktpx_record_options_t *options, const char *name,
                 const ktpr_card_t *card, ktpx_record_t *record)
{
    char                *body;
    size_t               len;
    ktpx_record_answer_t answer = {0};

    body = ktpr_json_card(card, &options->json, &len);
    if (body == NULL) {
        return;
    }

    answer.name = name;
    answer.body = body;
    answer.code = "";
    answer.reason = "";
    answer.card = card;

    if (ktpr_json_refused(card, &options->json)) {
        answer.code = "FAIL_ON_1";
        answer.card = NULL;
    }

    ktpx_record_write(options, &answer, record);
    free(body);
}


void
ktpx_record_read(const ktpx_record_options_t *options, const char *name,
                 ktpx_record_t *record)
{
    char           body[KTPX_CHECK_BODY];
    size_t         len;
    ktp_code_t     code;
    ktpr_card_t    card;
    unsigned char *bytes;

    memset(record, 0, sizeof(ktpx_record_t));

    bytes = ktpx_file_read(name, &len);
    if (bytes == NULL) {
        ktpx_record_no_file(options, name, record);
        return;
    }

    code =
        options->contract ? ktpx_check(bytes, len, 1, KTP_OK, body) : KTP_OK;

    if (code == KTP_OK) {
        code = ktpx_record_code(
            ktpr_reader_read(options->reader, bytes, len, &card));
        record->failed = code != KTP_OK;

        if (code == KTP_INVALID_PAYLOAD_IMAGE_FORMAT) {
            code = ktpx_check(bytes, len, 0, code, body);

        } else if (code == KTP_NOT_DETECTED
                   && ktpr_json_refused(&card, &options->json)) {
            /* no card can be told from a photo that is too bad to show one */
            code = KTP_OK;

        } else if (code != KTP_OK) {
            ktpx_check_error(code, body);
        }

        if (options->picture != NULL
            && ktpx_annotate(options->reader, bytes, len, &card,
                             options->picture)
                   != 0) {
            fprintf(stderr, "%s: cannot be written\n", options->picture);
            record->failed = 1;
        }
    }

    free(bytes);

    if (code == KTP_OK) {
        ktpx_record_card(options, name, &card, record);

    } else {
        ktpx_record_error(options, name, code, body, record);
    }
}


void
ktpx_record_print(const ktpx_record_options_t *options, int index, int n,
                  const ktpx_record_t *record)
{
    int array;

    array = options->named && options->format == KTPX_RECORD_JSON;

    if (array) {
        puts(index == 0 ? "[" : ",");

    } else if (index == 0 && options->format == KTPX_RECORD_CSV) {
        ktpx_record_line(stdout, options, NULL);
        putchar('\n');
    }

    if (record->text == NULL) {
        fputs(array ? "null" : "", stdout);

    } else if (options->named || !record->no_file) {
        fwrite(record->text, 1, record->len, stdout);
        fputs(array ? "" : "\n", stdout);
    }

    if (array && index == n - 1) {
        puts("\n]");
    }
}
