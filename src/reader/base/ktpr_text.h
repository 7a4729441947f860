/* Plain text: comparing and cleaning what recognition gives. */

#ifndef KTPR_TEXT_H
#define KTPR_TEXT_H

#include <stddef.h>


/* The longest string that ktpr_text_distance looks at. */
#define KTPR_TEXT_MAX 160


/* Insertions, deletions and replacements that make one the other. */
int ktpr_text_distance(const char *a, const char *b);

/* To upper case, in place. */
void ktpr_text_upper(char *s);

/* Keeps letters and digits only, upper case; to may be from. */
void ktpr_text_key(const char *from, char *to, size_t size);

/* Takes characters of set away at the ends, in place. */
void ktpr_text_trim(char *s, const char *left, const char *right);

/* Folds runs of blanks to one and takes them away at the ends, in place. */
void ktpr_text_fold(char *s);

/* Copies; cuts what does not fit. */
void ktpr_text_copy(char *to, size_t size, const char *from);

/* Appends; cuts what does not fit. */
void ktpr_text_append(char *to, size_t size, const char *from);

/* The digit that a letter was likely meant as, or '\0'. */
char ktpr_text_digit(char c);

/* Digits that stand where letters belong become letters, in place. */
void ktpr_text_letters(char *s);

/* What of s is a digit, or likely meant as one; how many. */
int ktpr_text_digits(const char *s, char *to, size_t size);


#endif /* KTPR_TEXT_H */
