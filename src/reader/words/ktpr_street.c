#include <ctype.h>
#include <string.h>

#include "ktpr_reading.h"
#include "ktpr_street.h"
#include "ktpr_text.h"


/* Usual words of addresses that are no other word with a letter changed. */
static const char *const ktpr_street_words[] = {
    "JALAN",   "PERUMAHAN",  "PERUMNAS", "KOMPLEK", "KOMPLEKS", "DUSUN",
    "KAMPUNG", "LINGKUNGAN", "PERMAI",   "ASRAMA",  "INDAH",    "LORONG",
};

/* Words before a number. */
static const char *const ktpr_street_numbers[] = {"NO", "NO."};


/* Whether a word is in a list. */
static int
ktpr_street_is(const char *word, const char *const *list, size_t n)
{
    size_t i;

    for (i = 0; i < n; i++) {
        if (strcmp(word, list[i]) == 0) {
            return 1;
        }
    }

    return 0;
}


/* Corrects a word that is one letter off a usual one; whether it did. */
static int
ktpr_street_word(char *word)
{
    size_t i, n;

    n = strlen(word);

    for (i = 0; i < sizeof(ktpr_street_words) / sizeof(ktpr_street_words[0]);
         i++) {
        if (strlen(ktpr_street_words[i]) == n
            && word[0] == ktpr_street_words[i][0]
            && ktpr_text_distance(word, ktpr_street_words[i]) == 1) {
            memcpy(word, ktpr_street_words[i], n);
            return 1;
        }
    }

    return 0;
}


/* Makes letters of a number digits; whether it did. */
static int
ktpr_street_number(char *s)
{
    int  changed, digits, other;
    char c, *p;

    digits = 0;
    other = 0;

    for (p = s; *p != '\0'; p++) {
        digits += isdigit((unsigned char) *p) != 0;
        other += isalpha((unsigned char) *p) && strchr("OISBZ", *p) == NULL;
    }

    if (digits == 0 || other > 0) {
        return 0;
    }

    changed = 0;

    for (p = s; *p != '\0'; p++) {
        if (isalpha((unsigned char) *p)
            && (*p != 'B' || p == s || p[1] != '\0')) {
            c = ktpr_text_digit(*p);
            if (c != '\0') {
                *p = c;
                changed = 1;
            }
        }
    }

    return changed;
}


/* Corrects a block: a letter, a digit or none, a slash and a number. */
static int
ktpr_street_block(char *s)
{
    int         changed;
    char       *slash;
    const char *p;

    static const char digits[] = "8051";
    static const char letters[] = "BDSI";

    changed = 0;
    slash = strchr(s, '/');

    if (slash == NULL && isalpha((unsigned char) s[0]) && s[1] == 'I'
        && s[2] != '\0' && s[2 + strspn(s + 2, "0123456789")] == '\0') {
        /* no name of a block has an I there: it was a slash */
        s[1] = '/';
        slash = s + 1;
        changed = 1;
    }

    if (slash == NULL || slash == s) {
        return 0;
    }

    p = strchr(digits, s[0]);

    if (p != NULL) {
        s[0] = letters[p - digits];
        changed = 1;
    }

    if (slash - s == 2 && strchr("OISBZ", s[1]) != NULL) {
        s[1] = ktpr_text_digit(s[1]);
        changed = 1;
    }

    return changed | ktpr_street_number(slash + 1);
}


/* Corrects the mark behind an abbreviation, which is a dot. */
static int
ktpr_street_dot(char *word)
{
    size_t i;

    static const char *const words[] = {"JL", "NO", "KP", "GG"};

    for (i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (strncmp(word, words[i], 2) == 0 && word[2] != '\0'
            && strchr(",/:'", word[2]) != NULL && word[3] == '\0') {
            word[2] = '.';
            return 1;
        }
    }

    return 0;
}


int
ktpr_street_repair(char *address, size_t size, const float *sure)
{
    int    changed;
    char   out[KTPR_TEXT_MAX], copy[KTPR_TEXT_MAX], *word, *rest, last[8];
    size_t i;

    changed = 0;
    last[0] = '\0';
    out[0] = '\0';
    ktpr_text_copy(copy, sizeof(copy), address);

    for (word = strtok_r(copy, " ", &rest); word != NULL;
         word = strtok_r(NULL, " ", &rest)) {

        changed |= ktpr_street_dot(word);

        if (strcmp(last, "BLOK") == 0 || strcmp(last, "BLK") == 0) {
            changed |= ktpr_street_block(word);

        } else if (ktpr_street_is(last, ktpr_street_numbers,
                                  sizeof(ktpr_street_numbers)
                                      / sizeof(ktpr_street_numbers[0]))) {
            changed |= ktpr_street_number(word);

        } else {
            changed |= ktpr_street_word(word);
        }

        if (out[0] != '\0') {
            ktpr_text_append(out, sizeof(out), " ");
        }
        ktpr_text_append(out, sizeof(out), word);
        ktpr_text_copy(last, sizeof(last), word);
    }

    /* no rule changes the length */
    if (!changed || strlen(out) != strlen(address) || strlen(out) >= size) {
        return 0;
    }

    changed = 0;

    for (i = 0; out[i] != '\0'; i++) {
        /* a block's slash is no letter, however clear its I is */
        if (out[i] != address[i]
            && (sure[i] <= KTPR_READING_CLEAR || out[i] == '/')) {
            address[i] = out[i];
            changed = 1;
        }
    }

    return changed;
}
