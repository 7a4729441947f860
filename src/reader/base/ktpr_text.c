#include <ctype.h>
#include <string.h>

#include "ktpr_text.h"


int
ktpr_text_distance(const char *a, const char *b)
{
    int    row[KTPR_TEXT_MAX + 1], last, next, best;
    size_t i, j, na, nb;

    na = strnlen(a, KTPR_TEXT_MAX);
    nb = strnlen(b, KTPR_TEXT_MAX);

    for (j = 0; j <= nb; j++) {
        row[j] = (int) j;
    }

    for (i = 1; i <= na; i++) {
        last = row[0];
        row[0] = (int) i;

        for (j = 1; j <= nb; j++) {
            next = row[j];
            best = last + (a[i - 1] != b[j - 1]);
            best = next + 1 < best ? next + 1 : best;
            best = row[j - 1] + 1 < best ? row[j - 1] + 1 : best;
            last = next;
            row[j] = best;
        }
    }

    return row[nb];
}


void
ktpr_text_upper(char *s)
{
    for (; *s != '\0'; s++) {
        *s = (char) toupper((unsigned char) *s);
    }
}


void
ktpr_text_key(const char *from, char *to, size_t size)
{
    size_t n;

    for (n = 0; *from != '\0' && n < size - 1; from++) {
        if (isalnum((unsigned char) *from)) {
            to[n++] = (char) toupper((unsigned char) *from);
        }
    }

    to[n] = '\0';
}


void
ktpr_text_trim(char *s, const char *left, const char *right)
{
    size_t n, skip;

    n = strlen(s);

    while (n > 0 && strchr(right, s[n - 1]) != NULL) {
        s[--n] = '\0';
    }

    skip = strspn(s, left);
    memmove(s, s + skip, n - skip + 1);
}


void
ktpr_text_fold(char *s)
{
    char *to, *start;

    start = s;

    for (to = s; *s != '\0'; s++) {
        if (*s != ' ' || (to > start && to[-1] != ' ')) {
            *to++ = *s;
        }
    }

    while (to > start && to[-1] == ' ') {
        to--;
    }

    *to = '\0';
}


void
ktpr_text_copy(char *to, size_t size, const char *from)
{
    size_t n;

    n = strnlen(from, size - 1);
    memmove(to, from, n);
    to[n] = '\0';
}


void
ktpr_text_append(char *to, size_t size, const char *from)
{
    size_t n;

    n = strlen(to);
    if (n < size) {
        ktpr_text_copy(to + n, size - n, from);
    }
}


char
ktpr_text_digit(char c)
{
    const char *p;

    /* pairs: the character as read, the digit it is */
    static const char pairs[] =
        "O0o0Q0D0U0I1l1i1|1!1L1]1[1)1(1Z2z2e2E3A4H4S5s5$5b6G6?7T7Y7B8&8g9q9P9";

    if (c >= '0' && c <= '9') {
        return c;
    }

    for (p = pairs; *p != '\0'; p += 2) {
        if (*p == c) {
            return p[1];
        }
    }

    return '\0';
}


int
ktpr_text_digits(const char *s, char *to, size_t size)
{
    size_t n;
    char   c;

    for (n = 0; *s != '\0' && n < size - 1; s++) {
        c = ktpr_text_digit(*s);
        if (c != '\0') {
            to[n++] = c;
        }
    }

    to[n] = '\0';

    return (int) n;
}


void
ktpr_text_letters(char *s)
{
    const char *p;

    static const char digits[] = "01258";
    static const char letters[] = "OIZSB";

    for (; *s != '\0'; s++) {
        p = strchr(digits, *s);
        if (p != NULL) {
            *s = letters[p - digits];
        }
    }
}
