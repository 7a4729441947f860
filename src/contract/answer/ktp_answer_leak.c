/* memmem(); nginx's own flags do not have it */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include "ktp_answer_doc.h"
#include "ktp_leak_text.h"
#include "ktp_utf8.h"


/*
 * What an answer with hidden fields may show.  Each text that is shown must
 * have the form of its field: length, characters, case, and so few digits
 * that there is no room for the number of a card or for a date.  Forms are
 * listed, not ways of writing: digits of other scripts, coded text and marks
 * that tear a word are part of none.
 *
 * Texts of a right form are compared with the hidden values, one by one; and
 * the digits of all of them together, so that a number in pieces is found.
 *
 * Places have names in common (a city and the district in its middle), so
 * that one of them in another's field is nothing, but for an address of
 * several words.
 */

/* Words from which on an address is not just the name of a place. */
#define KTP_LEAK_ADDRESS_WORDS 3

/* Digits that no letter separates: a date has 8. */
#define KTP_LEAK_RUN 7

/* Digits of all texts together that usually have none. */
#define KTP_LEAK_STRAY 6

/* Between letters and digits in one word: "12A", "RT01RW02". */
#define KTP_LEAK_CHANGES 3

/*
 * Digits of a NIK in a row, and in pieces of at least three: "001/002" has
 * four in common with the numbers of many.
 */
#define KTP_LEAK_NIK        8
#define KTP_LEAK_NIK_PIECES 12
#define KTP_LEAK_PIECE      3

/* Letters of a word of a name: alone, and where all of them are needed. */
#define KTP_LEAK_NAME_WORD  4
#define KTP_LEAK_NAME_PIECE 3

/* Digits that are looked at together; the forms have no room for more. */
#define KTP_LEAK_DIGITS 256

/* Characters of a score that is shown: "0.123". */
#define KTP_LEAK_SCORE 5

/* In place of a field: a code of the answer. */
#define KTP_LEAK_CODE KTP_FIELDS

#define KTP_LEAK_PLACES                                                       \
    (ktp_field_bit(KTP_FIELD_PLACE_OF_BIRTH)                                  \
     | ktp_field_bit(KTP_FIELD_ADDRESS)                                       \
     | ktp_field_bit(KTP_FIELD_ADMINISTRATIVE_VILLAGE)                        \
     | ktp_field_bit(KTP_FIELD_DISTRICT) | ktp_field_bit(KTP_FIELD_CITY)      \
     | ktp_field_bit(KTP_FIELD_STATE))

#define ktp_leak_hides(leak, field) ((leak)->hidden & ktp_field_bit(field))

/* The form of a text; values that are the contract's own always pass. */
typedef struct {
    unsigned char max;    /* bytes */
    unsigned char digits; /* of them, those that may be digits */
    unsigned char stray;  /* digits are counted into KTP_LEAK_STRAY */
    const char   *values; /* each between bars */
} ktp_leak_form_t;

typedef struct {
    ktp_answer_doc_t *doc;
    unsigned          hidden; /* bits of fields */
    unsigned          words;  /* bits of the name's words that were found */
    size_t            stray;  /* digits */
    size_t            pieces; /* digits of the NIK */
    size_t            digits_len;
    size_t            numbers_len;
    char              digits[KTP_LEAK_DIGITS];  /* of all texts */
    char              numbers[KTP_LEAK_DIGITS]; /* a space behind each */
    ktp_leak_text_t   text;                     /* the one that is looked at */
    ktp_leak_text_t   value[KTP_FIELD_TEXTS];   /* of hidden fields only */
} ktp_leak_t;


/* The last is that of a code. */
static const ktp_leak_form_t ktp_leak_forms[KTP_LEAK_CODE + 1] = {
    [KTP_FIELD_NIK] = {32, 16, 0, NULL},
    [KTP_FIELD_FULL_NAME] = {128, 3, 1, NULL},
    [KTP_FIELD_PLACE_OF_BIRTH] = {64, 3, 1, NULL},
    [KTP_FIELD_DATE_OF_BIRTH] = {32, 8, 0, NULL},
    [KTP_FIELD_GENDER] = {40, 0, 0, "|LAKI-LAKI|PEREMPUAN|"},
    [KTP_FIELD_BLOOD_TYPE] = {16, 0, 0,
                              "|-|A|B|AB|O|A+|A-|B+|B-|AB+|AB-|O+|O-|"},
    [KTP_FIELD_ADDRESS] = {255, 15, 0, NULL},
    [KTP_FIELD_RT_RW] = {32, 7, 0, NULL},
    [KTP_FIELD_ADMINISTRATIVE_VILLAGE] = {64, 3, 1, NULL},
    [KTP_FIELD_DISTRICT] = {64, 3, 1, NULL},
    [KTP_FIELD_CITY] = {64, 3, 1, NULL},
    [KTP_FIELD_STATE] = {64, 3, 1, NULL},
    [KTP_FIELD_RELIGION] =
        {64, 0, 0,
         "|ISLAM|KRISTEN|KATOLIK|KATHOLIK|HINDU|BUDDHA|BUDHA|KONGHUCU|"
         "KHONGHUCU|KEPERCAYAAN TERHADAP TUHAN YME|"},
    [KTP_FIELD_MARITAL_STATUS] =
        {40, 0, 0, "|BELUM KAWIN|KAWIN|CERAI HIDUP|CERAI MATI|"},
    [KTP_FIELD_OCCUPATION] = {64, 3, 1, NULL},
    [KTP_FIELD_NATIONALITY] = {64, 0, 0, "|WNI|WNA|"},
    [KTP_LEAK_CODE] = {KTP_ANSWER_MAX_CODE, KTP_ANSWER_CODE_DIGITS, 0, NULL},
};


static void
ktp_leak_init(ktp_leak_t *leak, ktp_answer_doc_t *doc, unsigned hidden)
{
    unsigned i;

    memset(leak, 0, offsetof(ktp_leak_t, digits));

    leak->doc = doc;
    leak->hidden = hidden;

    for (i = 0; i < KTP_FIELD_TEXTS; i++) {
        if (hidden & ktp_field_bit(i)) {
            (void) ktp_leak_text_init(&leak->value[i], &doc->field[i]);
        }
    }
}


static int
ktp_leak_found(ktp_leak_t *leak, const char *place)
{
    leak->doc->reason = "personal data out of place";
    leak->doc->place = place;

    return -1;
}


/* What a mask leaves of a value. */
static ktp_value_t
ktp_leak_visible(const ktp_mask_t *mask, const ktp_value_t *value)
{
    size_t               n, from;
    ktp_value_t          visible;
    const unsigned char *p, *end;

    visible = *value;

    if (mask->style == KTP_MASK_NONE || value->len == 0) {
        return visible;
    }

    visible.len = 0;

    p = (const unsigned char *) value->p;
    end = p + value->len;
    n = ktp_utf8_length(p, value->len);

    if ((mask->style != KTP_MASK_FIRST && mask->style != KTP_MASK_LAST)
        || n <= mask->n) {
        return visible;
    }

    from = (mask->style == KTP_MASK_FIRST) ? mask->n : n - mask->n;

    for (; from; from--) {
        p += ktp_utf8_char(p, end);
    }

    if (mask->style == KTP_MASK_FIRST) {
        visible.len = (size_t) ((const char *) p - value->p);

    } else {
        visible.p = (const char *) p;
        visible.len = (size_t) (end - p);
    }

    return visible;
}


/* A score is from 0 to 1, in plain digits; of others nothing is shown. */
static void
ktp_leak_score(ktp_value_t *score)
{
    size_t      i;
    const char *p;

    p = score->p;

    if (p == NULL) {
        return;
    }

    for (i = 0; i < score->len; i++) {
        if (i == 1 ? p[i] != '.'
                   : p[i] < '0' || p[i] > (p[0] == '1' && i ? '0' : '9')) {
            break;
        }
    }

    if (i == 0 || i < score->len || p[0] > '1') {
        score->p = NULL;
        score->len = 0;

    } else if (score->len > KTP_LEAK_SCORE) {
        score->len = KTP_LEAK_SCORE;
    }
}


static int
ktp_leak_is_listed(const char *values, const ktp_value_t *value)
{
    const char *p, *end;

    if (values == NULL) {
        return 0;
    }

    for (p = values + 1; *p; p = end + 1) {
        end = strchr(p, '|');

        if ((size_t) (end - p) == value->len
            && memcmp(p, value->p, value->len) == 0) {
            return 1;
        }
    }

    return 0;
}


/* Whether eight digits are DDMMYYYY or YYYYMMDD. */
static int
ktp_leak_is_date(const char *digits)
{
    unsigned n, i, day, month, year;

    n = (unsigned) strtoul(digits, NULL, 10);

    for (i = 0; i < 2; i++) {
        day = i ? n % 100 : n / 1000000;
        month = n / (i ? 100 : 10000) % 100;
        year = i ? n / 10000 : n % 10000;

        if (day >= 1 && day <= 31 && month >= 1 && month <= 12 && year >= 1900
            && year < 2100) {
            return 1;
        }
    }

    return 0;
}


static int
ktp_leak_is_form(ktp_leak_t *leak, unsigned place)
{
    const ktp_leak_text_t *text;

    text = &leak->text;

    if (text->digits_len > ktp_leak_forms[place].digits
        || text->changes > KTP_LEAK_CHANGES) {
        return 0;
    }

    if (place == KTP_FIELD_DATE_OF_BIRTH) {
        return text->digits_len <= KTP_LEAK_RUN
               || ktp_leak_is_date(text->digits);
    }

    return place == KTP_FIELD_NIK || text->run <= KTP_LEAK_RUN;
}


/* Adds digits of a text or score, and counts those of a hidden number. */
static void
ktp_leak_digits(ktp_leak_t *leak, const char *p, size_t len)
{
    size_t                 n;
    const ktp_leak_text_t *value;

    n = sizeof(leak->digits) - leak->digits_len;
    len = len < n ? len : n;

    memcpy(leak->digits + leak->digits_len, p, len);
    leak->digits_len += len;

    /* zeros alone are in each number */

    if (len == 0 || strspn(p, "0") >= len) {
        return;
    }

    if (ktp_leak_hides(leak, KTP_FIELD_NIK)) {
        value = &leak->value[KTP_FIELD_NIK];
        n = ktp_leak_text_common(p, len, value->digits, value->digits_len);
        leak->pieces += n >= KTP_LEAK_PIECE ? n : 0;
    }
}


/* The month that a word begins like, in Indonesian or English; 0: none. */
static unsigned
ktp_leak_month(const char *word)
{
    size_t            i;
    static const char names[] = "JAN1FEB2MAR3APR4MEI5MAY5JUN6JUL7AGU8AUG8SEP9"
                                "OKT:OCT:NOV;DES<DEC<";

    for (i = 0; i < sizeof(names) - 1; i += 4) {
        if (strncmp(names + i, word, 3) == 0) {
            return (unsigned) (names[i + 3] - '0');
        }
    }

    return 0;
}


/* Adds the numbers of a text, by two digits a day and a month. */
static void
ktp_leak_numbers(ktp_leak_t *leak)
{
    char       *out;
    size_t      len;
    unsigned    month;
    const char *p, *end;

    end = leak->text.words + leak->text.words_len;

    for (p = leak->text.words; p < end; p += len ? len : 1) {
        len = strspn(p, "0123456789");
        month =
            (len == 0 && *p != ' ' && p[-1] == ' ') ? ktp_leak_month(p) : 0;

        if ((len == 0 && month == 0) || len > 8
            || leak->numbers_len + 9 > sizeof(leak->numbers)) {
            continue;
        }

        out = leak->numbers + leak->numbers_len;

        if (len > 1) {
            memcpy(out, p, len);
            out += len;

        } else {
            *out++ = (char) ('0' + month / 10);
            *out++ = month ? (char) ('0' + month % 10) : *p;
        }

        *out++ = ' ';
        leak->numbers_len = (size_t) (out - leak->numbers);
    }
}


/* Whether a date can be made of the numbers of all texts, in any order. */
static int
ktp_leak_is_made(const ktp_leak_t *leak, const char *date, size_t len)
{
    char        reached[sizeof("DDMMYYYY")];
    size_t      at, n;
    const char *p, *end;

    memset(reached, 0, sizeof(reached));
    reached[0] = 1;

    end = leak->numbers + leak->numbers_len;

    for (at = 0; at < len; at++) {
        for (p = leak->numbers; reached[at] && p < end; p += n + 1) {
            n = (size_t) ((char *) memchr(p, ' ', (size_t) (end - p)) - p);

            if (n <= len - at && memcmp(p, date + at, n) == 0) {
                reached[at + n] = 1;
            }
        }
    }

    return reached[len];
}


/* Whether the text has anything of the hidden fields in it. */
static int
ktp_leak_values(ktp_leak_t *leak, unsigned place)
{
    int                    is_place;
    unsigned               i, all;
    const ktp_leak_text_t *other;

    is_place = (KTP_LEAK_PLACES & ktp_field_bit(place)) != 0;

    for (i = 0; i < KTP_FIELD_TEXTS; i++) {

        other = &leak->value[i];

        if (!ktp_leak_hides(leak, i) || i == place || other->joined_len == 0) {
            continue;
        }

        if (is_place && (KTP_LEAK_PLACES & ktp_field_bit(i))
            && (i != KTP_FIELD_ADDRESS
                || other->count < KTP_LEAK_ADDRESS_WORDS)) {
            continue;
        }

        if (ktp_leak_text_have(&leak->text, other)) {
            return 1;
        }

        if (i == KTP_FIELD_NIK
            && ktp_leak_text_alike(&leak->text, other, KTP_LEAK_NIK)) {
            return 1;
        }

        if (i == KTP_FIELD_FULL_NAME) {
            leak->words |= ktp_leak_text_common_words(
                &leak->text, other, KTP_LEAK_NAME_PIECE, &all);

            /* a place may be called like a person */

            if (!is_place
                && ktp_leak_text_common_words(&leak->text, other,
                                              KTP_LEAK_NAME_WORD, &all)) {
                return 1;
            }
        }
    }

    return 0;
}


/* A text that is shown, in the place of a field or a code. */
static int
ktp_leak_look(ktp_leak_t *leak, const ktp_value_t *value, unsigned place,
              const char *name)
{
    const ktp_leak_form_t *form;

    form = &ktp_leak_forms[place];

    if (value->len == 0 || ktp_leak_is_listed(form->values, value)) {
        return 0;
    }

    if (value->len > form->max || ktp_leak_text_init(&leak->text, value) != 0
        || !ktp_leak_is_form(leak, place)) {
        leak->doc->reason = "a text that has not the form of its field";
        leak->doc->place = name;
        return -1;
    }

    if (place != KTP_FIELD_NIK && place != KTP_FIELD_DATE_OF_BIRTH) {
        ktp_leak_digits(leak, leak->text.digits, leak->text.digits_len);
        ktp_leak_numbers(leak);

        if (form->stray) {
            leak->stray += leak->text.digits_len;
        }
    }

    return ktp_leak_values(leak, place) ? ktp_leak_found(leak, name) : 0;
}


/* Whether all texts together have the hidden date, DDMMYYYY. */
static int
ktp_leak_is_born(const ktp_leak_t *leak, const char *date)
{
    char   form[9];
    size_t i, j, n;

    /* which of its digits, and in which order */
    static const char *const forms[] = {"01234567", "45672301", "23014567",
                                        "012367", "672301"};

    for (i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
        n = strlen(forms[i]);

        for (j = 0; j < n; j++) {
            form[j] = date[forms[i][j] - '0'];
        }

        if (ktp_leak_is_made(leak, form, n)
            || (n == 8 && memmem(leak->digits, leak->digits_len, form, n))) {
            return 1;
        }
    }

    return 0;
}


/* What can be told of all texts together only. */
static int
ktp_leak_all(ktp_leak_t *leak)
{
    unsigned               all;
    const ktp_leak_text_t *nik, *date, *name;

    nik = &leak->value[KTP_FIELD_NIK];
    date = &leak->value[KTP_FIELD_DATE_OF_BIRTH];
    name = &leak->value[KTP_FIELD_FULL_NAME];

    if (leak->stray > KTP_LEAK_STRAY || leak->pieces >= KTP_LEAK_NIK_PIECES) {
        return 1;
    }

    if (ktp_leak_hides(leak, KTP_FIELD_NIK)
        && ktp_leak_text_common(leak->digits, leak->digits_len, nik->digits,
                                nik->digits_len)
               >= KTP_LEAK_NIK) {
        return 1;
    }

    if (ktp_leak_hides(leak, KTP_FIELD_DATE_OF_BIRTH) && date->digits_len == 8
        && ktp_leak_is_born(leak, date->digits)) {
        return 1;
    }

    if (!ktp_leak_hides(leak, KTP_FIELD_FULL_NAME)) {
        return 0;
    }

    (void) ktp_leak_text_common_words(name, name, KTP_LEAK_NAME_PIECE, &all);

    /* one word alone may be that of a place */

    return (all & (all - 1)) && leak->words == all;
}


unsigned
ktp_answer_leak_hidden(const ktp_answer_policy_t *policy)
{
    unsigned i, hidden;

    hidden = 0;

    for (i = 0; i < KTP_FIELD_TEXTS; i++) {
        if (policy->mask[i].style != KTP_MASK_NONE
            || !(policy->fields & ktp_field_bit(i))) {
            hidden |= ktp_field_bit(i);
        }
    }

    return hidden;
}


int
ktp_answer_leak(ktp_answer_doc_t *doc, unsigned status,
                const ktp_answer_policy_t *policy, ktp_value_t reference_id)
{
    int         rc;
    unsigned    i, hidden;
    ktp_leak_t *leak;
    ktp_value_t visible, *reference;

    hidden = ktp_answer_leak_hidden(policy);
    if (hidden == 0) {
        return 0;
    }

    leak = malloc(sizeof(ktp_leak_t));
    if (leak == NULL) {
        doc->reason = "no memory";
        return -1;
    }

    ktp_leak_init(leak, doc, hidden);

    rc = 0;

    for (i = KTP_ANSWER_TEXT_STATUS_CODE; rc == 0 && i < KTP_ANSWER_TEXTS;
         i++) {
        rc = ktp_leak_look(leak, &doc->top[i], KTP_LEAK_CODE,
                           ktp_answer_doc_text_name(i));
    }

    for (i = 0; rc == 0 && status == 200 && i < KTP_FIELD_REFERENCE_ID; i++) {
        if (policy->fields & ktp_field_bit(i)) {
            visible = ktp_leak_visible(&policy->mask[i], &doc->field[i]);
            rc = ktp_leak_look(leak, &visible, i, ktp_field_name(i));
        }
    }

    /* what is not the client's own is nothing that it could need */

    reference = &doc->field[KTP_FIELD_REFERENCE_ID];

    if (reference->len != reference_id.len
        || (reference->len
            && memcmp(reference->p, reference_id.p, reference->len) != 0)) {
        reference->len = 0;
    }

    for (i = KTP_QUALITY_FLAGS; i < KTP_QUALITIES; i++) {
        ktp_leak_score(&doc->quality[i]);

        if (status == 200 && doc->quality[i].len > 2
            && (policy->fields & ktp_field_bit(KTP_FIELD_IMAGE_QUALITY))) {
            ktp_leak_digits(leak, doc->quality[i].p + 2,
                            doc->quality[i].len - 2);
        }
    }

    if (rc == 0 && ktp_leak_all(leak)) {
        rc = ktp_leak_found(leak, NULL);
    }

    explicit_bzero(leak, sizeof(ktp_leak_t));
    free(leak);

    return rc;
}
