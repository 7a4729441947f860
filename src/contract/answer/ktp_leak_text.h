/*
 * A text of an answer as its words and digits, to compare it with the values
 * of hidden fields: in upper case and without accents and marks.
 */

#ifndef KTP_LEAK_TEXT_H
#define KTP_LEAK_TEXT_H

#include <stddef.h>
#include "ktp_answer_doc.h"
#include "ktp_value.h"


/* Bytes of each form of a text. */
#define KTP_LEAK_TEXT_SIZE (KTP_ANSWER_MAX_FIELD + 2)

/* The changes of a word in which case is mixed, as coded text does. */
#define KTP_LEAK_TEXT_CODED 1000

typedef struct {
    char   words[KTP_LEAK_TEXT_SIZE];  /* " WORD WORD " */
    char   joined[KTP_LEAK_TEXT_SIZE]; /* "WORDWORD" */
    char   digits[KTP_LEAK_TEXT_SIZE]; /* null-terminated */
    size_t words_len;
    size_t joined_len; /* 0: there is nothing to be found */
    size_t digits_len;
    size_t count;   /* words */
    size_t run;     /* digits without a letter between, at most */
    size_t changes; /* from letters to digits and back in a word, at most */
} ktp_leak_text_t;


/*
 * Takes a text (valid UTF-8 of at most KTP_ANSWER_MAX_FIELD bytes) apart.
 * Letters that stand alone are one word: "B U D I".  Returns -1 if the text
 * has a character that no text of a card has, such as a digit of another
 * script or a space of no width; the others are there all the same.
 */
int ktp_leak_text_init(ktp_leak_text_t *text, const ktp_value_t *value);

/*
 * Whether a text has a value in it: as words, and a long one also without
 * spaces and backwards.  A value of one or two characters is found only if it
 * is the whole text.
 */
int ktp_leak_text_have(const ktp_leak_text_t *in,
                       const ktp_leak_text_t *value);

/*
 * The words of a value of at least min characters, a bit each, that a text
 * has; *all is set to those that the value has.
 */
unsigned ktp_leak_text_common_words(const ktp_leak_text_t *in,
                                    const ktp_leak_text_t *value, size_t min,
                                    unsigned *all);

/*
 * Whether a text has len digits in a row of a value, also if they are
 * written as letters that look alike: "3I7IOI57".
 */
int ktp_leak_text_alike(const ktp_leak_text_t *text,
                        const ktp_leak_text_t *value, size_t len);

/* Length of the longest piece that a and b have in common. */
size_t ktp_leak_text_common(const char *a, size_t a_len, const char *b,
                            size_t b_len);


#endif /* KTP_LEAK_TEXT_H */
