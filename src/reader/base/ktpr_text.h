/* Plain ASCII text: comparing and cleaning recognised text. */

#ifndef KTPR_TEXT_H
#define KTPR_TEXT_H

#include <stddef.h>


/* Bytes of a text that ktpr_text_distance() compares; the rest is ignored. */
#define KTPR_TEXT_MAX 160


/* The edits (insertions, deletions, replacements) from one to the other. */
int ktpr_text_distance(const char *a, const char *b);

/* To upper case, in place. */
void ktpr_text_upper(char *s);

/*
 * Copies letters and digits only, in upper case, as many as fit into size
 * bytes; to may be from.
 */
void ktpr_text_key(const char *from, char *to, size_t size);

/* Removes characters of left and of right from either end, in place. */
void ktpr_text_trim(char *s, const char *left, const char *right);

/* Replaces runs of blanks by one, and removes those at the ends, in place. */
void ktpr_text_fold(char *s);

/* Copies as much as fits into size bytes with a terminating null. */
void ktpr_text_copy(char *to, size_t size, const char *from);

/* Appends as much as fits into size bytes with a terminating null. */
void ktpr_text_append(char *to, size_t size, const char *from);

/* The digit that a character is or looks like; '\0': none. */
char ktpr_text_digit(char c);

/* Replaces digits that look like letters by these, in place. */
void ktpr_text_letters(char *s);

/*
 * Copies the characters that are digits or look like one, as digits, as many
 * as fit into size bytes; their number.
 */
int ktpr_text_digits(const char *s, char *to, size_t size);


#endif /* KTPR_TEXT_H */
