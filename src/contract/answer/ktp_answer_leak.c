/* memmem(); nginx's own flags do not have it */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include <stdlib.h>
#include <string.h>
#include "ktp_answer_doc.h"
#include "ktp_nik.h"


/*
 * A mask is worth nothing if the value stands elsewhere in the answer as
 * well: in the message, or in another field, where a reader of cards may
 * have put it by mistake.  Texts are compared as words, in upper case,
 * without marks; long values also without the spaces between their words.
 *
 * Places have names in common (a city and the district in its middle), so
 * that one of them in another's field is nothing, but for an address of
 * several words.
 */

/* Letters and digits from which on a value is found within other text. */
#define KTP_SHORT 3

/* Words of a name that are looked for by themselves. */
#define KTP_NAME_WORD 4

/* Letters and digits from which on spaces do not matter. */
#define KTP_LONG 8

/* Words from which on an address is not just the name of a place. */
#define KTP_ADDRESS_WORDS 3

/* What ktp_words_init() takes for a text of n bytes at most. */
#define KTP_WORDS_SIZE(n) (2 * (n) + 2)

/* Digits of a score's whole part. */
#define KTP_SCORE_DIGITS 6

#define KTP_PLACES                                                            \
    (ktp_field_bit(KTP_FIELD_PLACE_OF_BIRTH)                                  \
     | ktp_field_bit(KTP_FIELD_ADDRESS)                                       \
     | ktp_field_bit(KTP_FIELD_ADMINISTRATIVE_VILLAGE)                        \
     | ktp_field_bit(KTP_FIELD_DISTRICT) | ktp_field_bit(KTP_FIELD_CITY)      \
     | ktp_field_bit(KTP_FIELD_STATE))

/* A text as its words: " WORD WORD ", and without spaces: "WORDWORD". */
typedef struct {
    char  *words;
    char  *joined;
    size_t words_len;
    size_t joined_len; /* 0: there is nothing to be found */
    size_t count;
} ktp_words_t;

/* Every text of an answer, in one piece of memory. */
typedef struct {
    ktp_words_t top[KTP_ANSWER_TEXTS];
    ktp_words_t field[KTP_FIELD_TEXTS];
    char       *memory;
} ktp_texts_t;


static int   ktp_texts_init(ktp_texts_t *texts, const ktp_answer_doc_t *doc);
static char *ktp_words_init(ktp_words_t *words, const ktp_value_t *value,
                            char *p);
static int   ktp_words_have(const ktp_words_t *in, const ktp_words_t *value);
static int ktp_words_have_name(const ktp_words_t *in, const ktp_words_t *name);
static int ktp_has_nik(const ktp_value_t *value);
static int ktp_has_date(const ktp_value_t *value);
static int ktp_is_digit(char c);
static int ktp_score_is_nik(const ktp_value_t *score, const ktp_value_t *nik);
static int ktp_answer_found(ktp_answer_doc_t *doc, const char *place);
static int ktp_answer_fields(ktp_answer_doc_t *doc, const ktp_texts_t *texts,
                             unsigned hidden, ktp_value_t reference_id);
static int ktp_answer_look_at(const ktp_texts_t *texts,
                              const ktp_value_t *value, const ktp_words_t *in,
                              unsigned hidden, unsigned place);
static int ktp_answer_scores(ktp_answer_doc_t *doc);


int
ktp_answer_leak(ktp_answer_doc_t *doc, unsigned status,
                const ktp_answer_policy_t *policy, ktp_value_t reference_id)
{
    int         rc;
    unsigned    i, hidden;
    ktp_texts_t texts;

    hidden = 0;

    for (i = 0; i < KTP_FIELD_TEXTS; i++) {
        if (policy->mask[i].style != KTP_MASK_NONE
            || !(policy->fields & ktp_field_bit(i))) {
            hidden |= ktp_field_bit(i);
        }
    }

    if (hidden == 0) {
        return 0;
    }

    if (ktp_texts_init(&texts, doc) != 0) {
        doc->reason = "no memory";
        return -1;
    }

    rc = 0;

    for (i = 0; rc == 0 && i < KTP_ANSWER_TEXTS; i++) {
        if (ktp_answer_look_at(&texts, &doc->top[i], &texts.top[i], hidden,
                               KTP_FIELDS)) {
            rc = ktp_answer_found(doc, ktp_answer_text_name(i));
        }
    }

    if (rc == 0 && status == 200) {
        rc = ktp_answer_fields(doc, &texts, hidden, reference_id);
    }

    free(texts.memory);

    return rc;
}


static int
ktp_answer_fields(ktp_answer_doc_t *doc, const ktp_texts_t *texts,
                  unsigned hidden, ktp_value_t reference_id)
{
    unsigned           i, shown;
    const ktp_value_t *value;

    shown = KTP_FIELDS_ALL & ~hidden;
    value = &doc->field[KTP_FIELD_REFERENCE_ID];

    if (value->len && value->len == reference_id.len
        && memcmp(value->p, reference_id.p, value->len) == 0) {
        shown &= ~ktp_field_bit(KTP_FIELD_REFERENCE_ID);
    }

    for (i = 0; i < KTP_FIELD_TEXTS; i++) {
        if ((shown & ktp_field_bit(i))
            && ktp_answer_look_at(texts, &doc->field[i], &texts->field[i],
                                  hidden, i)) {
            return ktp_answer_found(doc, ktp_field_name(i));
        }
    }

    if ((hidden & ktp_field_bit(KTP_FIELD_NIK)) && ktp_answer_scores(doc)) {
        return ktp_answer_found(doc, ktp_field_name(KTP_FIELD_IMAGE_QUALITY));
    }

    return 0;
}


static int
ktp_answer_found(ktp_answer_doc_t *doc, const char *place)
{
    doc->reason = "personal data out of place";
    doc->place = place;

    return -1;
}


/*
 * Whether a value in a place (a field's number, or KTP_FIELDS for the
 * answer's own texts) has anything of the hidden fields in it.
 */
static int
ktp_answer_look_at(const ktp_texts_t *texts, const ktp_value_t *value,
                   const ktp_words_t *in, unsigned hidden, unsigned place)
{
    int                is_place;
    unsigned           i;
    const ktp_words_t *other;

    if (value->len == 0) {
        return 0;
    }

    if ((hidden & ktp_field_bit(KTP_FIELD_NIK)) && ktp_has_nik(value)) {
        return 1;
    }

    if ((hidden & ktp_field_bit(KTP_FIELD_DATE_OF_BIRTH))
        && ktp_has_date(value)) {
        return 1;
    }

    is_place = (KTP_PLACES & ktp_field_bit(place)) != 0;

    for (i = 0; i < KTP_FIELD_TEXTS; i++) {

        other = &texts->field[i];

        if (!(hidden & ktp_field_bit(i)) || other->joined_len == 0) {
            continue;
        }

        if (is_place && (KTP_PLACES & ktp_field_bit(i))
            && (i != KTP_FIELD_ADDRESS || other->count < KTP_ADDRESS_WORDS)) {
            continue;
        }

        if (ktp_words_have(in, other)) {
            return 1;
        }

        if (place == KTP_FIELDS && i == KTP_FIELD_FULL_NAME
            && ktp_words_have_name(in, other)) {
            return 1;
        }
    }

    return 0;
}


static int
ktp_texts_init(ktp_texts_t *texts, const ktp_answer_doc_t *doc)
{
    char    *p;
    size_t   size;
    unsigned i;

    size = 0;

    for (i = 0; i < KTP_ANSWER_TEXTS; i++) {
        size += KTP_WORDS_SIZE(doc->top[i].len);
    }

    for (i = 0; i < KTP_FIELD_TEXTS; i++) {
        size += KTP_WORDS_SIZE(doc->field[i].len);
    }

    p = malloc(size);
    texts->memory = p;

    if (p == NULL) {
        return -1;
    }

    for (i = 0; i < KTP_ANSWER_TEXTS; i++) {
        p = ktp_words_init(&texts->top[i], &doc->top[i], p);
    }

    for (i = 0; i < KTP_FIELD_TEXTS; i++) {
        p = ktp_words_init(&texts->field[i], &doc->field[i], p);
    }

    return 0;
}


/*
 * Writes a text's words to p; returns the end of what it took.  Characters
 * that are not ASCII are left out: a space of no width must not tear a word
 * in two.
 */
static char *
ktp_words_init(ktp_words_t *words, const ktp_value_t *value, char *p)
{
    char   c;
    size_t i, n, j;

    words->joined = p;
    words->words = p + value->len;
    words->count = 0;

    n = 0;
    j = 0;
    words->words[n++] = ' ';

    for (i = 0; i < value->len; i++) {
        c = value->p[i];

        if (c >= 'a' && c <= 'z') {
            c = (char) (c - 'a' + 'A');
        }

        if (ktp_is_digit(c) || (c >= 'A' && c <= 'Z')) {
            words->words[n++] = c;
            words->joined[j++] = c;

        } else if ((unsigned char) c < 0x80 && words->words[n - 1] != ' ') {
            words->words[n++] = ' ';
            words->count++;
        }
    }

    if (words->words[n - 1] != ' ') {
        words->words[n++] = ' ';
        words->count++;
    }

    words->words_len = n;
    words->joined_len = j;

    return words->words + n;
}


static int
ktp_words_have(const ktp_words_t *in, const ktp_words_t *value)
{
    if (value->joined_len < KTP_SHORT) {
        return in->joined_len == value->joined_len
               && memcmp(in->joined, value->joined, value->joined_len) == 0;
    }

    if (memmem(in->words, in->words_len, value->words, value->words_len)) {
        return 1;
    }

    return value->joined_len >= KTP_LONG
           && memmem(in->joined, in->joined_len, value->joined,
                     value->joined_len);
}


/* Any word of a name, in a text that is the upstream's own. */
static int
ktp_words_have_name(const ktp_words_t *in, const ktp_words_t *name)
{
    size_t      len;
    const char *p, *end, *next;

    end = name->words + name->words_len;

    /* from the space before a word to that behind it; the last has one */

    for (p = name->words; p + 1 < end; p = next) {
        next = memchr(p + 1, ' ', (size_t) (end - p - 1));
        len = (size_t) (next - p) + 1;

        if (len - 2 >= KTP_NAME_WORD
            && memmem(in->words, in->words_len, p, len)) {
            return 1;
        }
    }

    return 0;
}


static int
ktp_is_digit(char c)
{
    return c >= '0' && c <= '9';
}


/* 16 digits that make a number of a card, whatever is written between. */
static int
ktp_has_nik(const ktp_value_t *value)
{
    char      c, digits[KTP_NIK_DIGITS];
    size_t    i, n;
    ktp_nik_t nik;

    n = 0;

    for (i = 0; i < value->len; i++) {
        c = value->p[i];

        if (!ktp_is_digit(c)) {
            if (strchr(" .,-_/:", c) == NULL) {
                n = 0;
            }

            continue;
        }

        if (n == KTP_NIK_DIGITS) {
            memmove(digits, digits + 1, KTP_NIK_DIGITS - 1);
            n--;
        }

        digits[n++] = c;

        if (n == KTP_NIK_DIGITS
            && ktp_nik_parse(&nik, digits, KTP_NIK_DIGITS) == 0) {
            return 1;
        }
    }

    return 0;
}


/* Two digits, two digits, four digits, with a mark between. */
static int
ktp_has_date(const ktp_value_t *value)
{
    size_t            i, j;
    static const char form[] = "dd-dd-dddd";

    for (i = 0; i + sizeof(form) - 1 <= value->len; i++) {
        for (j = 0; j < sizeof(form) - 1; j++) {
            if (form[j] == 'd') {
                if (!ktp_is_digit(value->p[i + j])) {
                    break;
                }

            } else if (strchr("-/. ", value->p[i + j]) == NULL) {
                break;
            }
        }

        if (j == sizeof(form) - 1) {
            return 1;
        }
    }

    return 0;
}


/*
 * A score of 17 digits behind its point may have the form of a NIK by
 * chance, so only this card's own counts there.
 */
static int
ktp_score_is_nik(const ktp_value_t *score, const ktp_value_t *nik)
{
    size_t n;

    for (n = 0; n < score->len; n++) {
        if (score->p[n] == '.') {
            break;
        }
    }

    if (n > KTP_SCORE_DIGITS) {
        return 1;
    }

    return nik->len && memmem(score->p, score->len, nik->p, nik->len);
}


static int
ktp_answer_scores(ktp_answer_doc_t *doc)
{
    unsigned i;

    for (i = KTP_QUALITY_FLAGS; i < KTP_QUALITIES; i++) {
        if (doc->quality[i].p
            && ktp_score_is_nik(&doc->quality[i],
                                &doc->field[KTP_FIELD_NIK])) {
            return 1;
        }
    }

    return 0;
}
