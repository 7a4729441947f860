#include <math.h>
#include <string.h>

#include "ktpr_ctc.h"


/*
 * Likelihood under which a class of a column is not tried.  Chosen for speed;
 * set not recorded.  Higher: the right text of a blurred line is not found;
 * lower: only CPU.
 */
#define KTPR_CTC_LEAST .001f

/*
 * Classes of a column that are tried, at most.  Chosen for speed; set not
 * recorded.  Lower: as above; higher: only CPU and memory.
 */
#define KTPR_CTC_WORTH 8

/* fixed: log units after which a term of a sum is under a float's precision */
#define KTPR_CTC_TERMS 16

/* fixed: added to a likelihood, whose logarithm is finite then */
#define KTPR_CTC_TINY 1e-20f

/* The beginning of a text, and its likelihood up to a column. */
typedef struct {
    char     text[KTPR_CTC_LENGTH];
    int      n;
    unsigned hash;
    float    none; /* log, with no character in the column */
    float    some; /* log, with its last character in it */
} ktpr_ctc_start_t;

typedef struct {
    ktpr_ctc_start_t starts[KTPR_CTC_TEXTS * (KTPR_CTC_WORTH + 1)];
    int              n;
} ktpr_ctc_starts_t;


/* The class of a character; 0: there is none. */
static int
ktpr_ctc_class(char c)
{
    const char *p;

    p = c == '\0' ? NULL : strchr(KTPR_LINE_ALPHABET, c);

    return p == NULL ? 0 : (int) (p - KTPR_LINE_ALPHABET) + 1;
}


/* The logarithm of the sum of two likelihoods, given as logarithms. */
static float
ktpr_ctc_add(float a, float b)
{
    float most, least;

    most = a > b ? a : b;
    least = a > b ? b : a;

    return least < most - KTPR_CTC_TERMS ? most
                                         : most + log1pf(expf(least - most));
}


/* Moves the likelihoods of the states on by a column; their sum. */
static float
ktpr_ctc_column(const float *p, const int *class, int states, float *way)
{
    int   k, blank;
    float v, sum;

    blank = ktpr_ctc_class(' ');
    sum = 0;

    for (k = states - 1; k >= 0; k--) {
        v = way[k] + (k > 0 ? way[k - 1] : 0);

        if (k > 1 && k % 2 && class[k] != class[k - 2]) {
            v += way[k - 2];
        }

        /* a blank before and behind the text is nothing */
        way[k] =
            v * (p[class[k]] + (k == 0 || k == states - 1 ? p[blank] : 0));
        sum += way[k];
    }

    return sum;
}


double
ktpr_ctc_score(const ktpr_line_columns_t *columns, const char *text,
               double least)
{
    int    i, k, n, states, class[2 * KTPR_CTC_LENGTH + 1];
    float  sum, way[2 * KTPR_CTC_LENGTH + 1];
    double score;

    n = (int) strlen(text);
    if (n >= KTPR_CTC_LENGTH) {
        return (double) KTPR_CTC_NEVER;
    }

    /* nothing, a character, nothing, a character ... nothing */
    states = 2 * n + 1;
    memset(way, 0, sizeof(way));
    way[0] = 1;

    for (k = 0; k < states; k++) {
        class[k] = k % 2 ? ktpr_ctc_class(text[k / 2]) : 0;

        if (k % 2 && class[k] == 0) {
            return (double) KTPR_CTC_NEVER;
        }
    }

    score = 0;

    for (i = 0; i < columns->n; i++) {
        sum = ktpr_ctc_column(columns->p[i], class, states, way);
        if (!(sum > 0)) {
            return (double) KTPR_CTC_NEVER;
        }

        /* scaled to 1: the likelihood of a long line underflows */
        score += log((double) sum);

        /* no column raises it */
        if (score < least) {
            return (double) KTPR_CTC_NEVER;
        }

        for (k = 0; k < states; k++) {
            way[k] /= sum;
        }
    }

    sum = way[states - 1] + (n > 0 ? way[states - 2] : 0);

    score += sum > 0 ? log((double) sum) : (double) KTPR_CTC_NEVER;

    return score < least ? (double) KTPR_CTC_NEVER : score;
}


/*
 * Follows the likeliest way back from the last column, and notes the highest
 * likelihood of each character on it.
 */
static void
ktpr_ctc_back(const ktpr_line_columns_t *columns, const int *class, int k,
              unsigned char from[KTPR_LINE_COLUMNS][2 * KTPR_CTC_LENGTH + 1],
              float        *sure)
{
    int   i;
    float p;

    for (i = columns->n - 1; i >= 0; i--) {
        if (k % 2) {
            p = columns->p[i][class[k]];
            sure[k / 2] = p > sure[k / 2] ? p : sure[k / 2];
        }

        k -= from[i][k];
    }
}


void
ktpr_ctc_sure(const ktpr_line_columns_t *columns, const char *text,
              float *sure)
{
    int           i, k, n, states, blank, back, class[2 * KTPR_CTC_LENGTH + 1];
    float         p, best, way[2 * KTPR_CTC_LENGTH + 1];
    unsigned char from[KTPR_LINE_COLUMNS][2 * KTPR_CTC_LENGTH + 1];

    n = (int) strlen(text);
    memset(sure, 0, sizeof(float) * (size_t) n);

    if (columns->n == 0
        || ktpr_ctc_score(columns, text, (double) KTPR_CTC_NEVER) < -1e20) {
        return;
    }

    states = 2 * n + 1;
    blank = ktpr_ctc_class(' ');

    for (k = 0; k < states; k++) {
        class[k] = k % 2 ? ktpr_ctc_class(text[k / 2]) : 0;
        way[k] = k == 0 ? 0 : KTPR_CTC_NEVER;
    }

    for (i = 0; i < columns->n; i++) {
        for (k = states - 1; k >= 0; k--) {
            best = way[k];
            back = 0;

            if (k > 0 && way[k - 1] > best) {
                best = way[k - 1];
                back = 1;
            }

            if (k > 1 && k % 2 && class[k] != class[k - 2]
                && way[k - 2] > best) {
                best = way[k - 2];
                back = 2;
            }

            p = columns->p[i][class[k]]
                + (k == 0 || k == states - 1 ? columns->p[i][blank] : 0);
            way[k] = best + logf(p + KTPR_CTC_TINY);
            from[i][k] = (unsigned char) back;
        }
    }

    k = states - 1;
    ktpr_ctc_back(columns, class, n > 0 && way[k - 1] > way[k] ? k - 1 : k,
                  from, sure);
}


/*
 * The start that is the text of another one and a character (none, if it is
 * '\0'); it is added if it is not there.
 */
static ktpr_ctc_start_t *
ktpr_ctc_start(ktpr_ctc_starts_t *starts, const ktpr_ctc_start_t *from, char c)
{
    int               i, n;
    unsigned          hash;
    ktpr_ctc_start_t *s;

    n = from->n;
    hash = c != '\0' ? from->hash * 31 + (unsigned char) c : from->hash;

    for (i = 0; i < starts->n; i++) {
        s = &starts->starts[i];
        if (s->hash == hash && s->n == n + (c != '\0')
            && memcmp(s->text, from->text, (size_t) n) == 0
            && s->text[n] == c) {
            return s;
        }
    }

    s = &starts->starts[starts->n++];
    memcpy(s->text, from->text, (size_t) n);
    s->text[n] = c;
    s->n = n + (c != '\0');
    s->text[s->n] = '\0';
    s->hash = hash;
    s->none = KTPR_CTC_NEVER;
    s->some = KTPR_CTC_NEVER;

    return s;
}


/*
 * Continues a start by one column: with no character, its last one again, or
 * another one.
 */
static void
ktpr_ctc_go_on(const ktpr_ctc_start_t *from, const float *column,
               const int classes[KTPR_CTC_WORTH], int n,
               ktpr_ctc_starts_t *next)
{
    int               i;
    char              c, last;
    float             p, all;
    ktpr_ctc_start_t *s;

    all = ktpr_ctc_add(from->none, from->some);
    last = from->n > 0 ? from->text[from->n - 1] : ' ';

    for (i = 0; i < n; i++) {
        p = logf(column[classes[i]] + KTPR_CTC_TINY);
        c = classes[i] > 0 ? KTPR_LINE_ALPHABET[classes[i] - 1] : '\0';

        if (c == '\0' || (c == ' ' && last == ' ')) {
            /* one blank is as good as two, and none at the beginning */
            s = ktpr_ctc_start(next, from, '\0');
            s->none = ktpr_ctc_add(s->none, all + p);
            continue;
        }

        if (c == last) {
            s = ktpr_ctc_start(next, from, '\0');
            s->some = ktpr_ctc_add(s->some, from->some + p);
        }

        if (from->n < KTPR_CTC_LENGTH - 1) {
            s = ktpr_ctc_start(next, from, c);
            s->some =
                ktpr_ctc_add(s->some, (c == last ? from->none : all) + p);
        }
    }
}


/* The likeliest allowed classes of a column, and always class 0. */
static int
ktpr_ctc_classes(const float *p, const unsigned char *allowed,
                 int classes[KTPR_CTC_WORTH])
{
    int i, k, n, least;

    n = 1;
    classes[0] = 0;

    for (i = 1; i < KTPR_LINE_CLASSES; i++) {
        if (!allowed[i] || p[i] < KTPR_CTC_LEAST) {
            continue;
        }

        if (n < KTPR_CTC_WORTH) {
            classes[n++] = i;
            continue;
        }

        least = 1;
        for (k = 2; k < n; k++) {
            least = p[classes[k]] < p[classes[least]] ? k : least;
        }

        if (p[i] > p[classes[least]]) {
            classes[least] = i;
        }
    }

    return n;
}


/* Keeps the best starts, in their order. */
static void
ktpr_ctc_keep(ktpr_ctc_starts_t *starts)
{
    int              i, k, best;
    float            v, most;
    ktpr_ctc_start_t swap;

    for (i = 0; i < starts->n && i < KTPR_CTC_TEXTS; i++) {
        best = i;
        most = KTPR_CTC_NEVER;

        for (k = i; k < starts->n; k++) {
            v = ktpr_ctc_add(starts->starts[k].none, starts->starts[k].some);
            if (v > most) {
                most = v;
                best = k;
            }
        }

        if (best != i) {
            swap = starts->starts[i];
            starts->starts[i] = starts->starts[best];
            starts->starts[best] = swap;
        }
    }

    starts->n = starts->n < KTPR_CTC_TEXTS ? starts->n : KTPR_CTC_TEXTS;
}


/* Texts from starts: a blank at the end is none. */
static int
ktpr_ctc_texts(const ktpr_ctc_starts_t *starts, ktpr_ctc_text_t *texts)
{
    int                     i, k, n, length;
    const ktpr_ctc_start_t *s;

    n = 0;

    for (i = 0; i < starts->n; i++) {
        s = &starts->starts[i];
        if (ktpr_ctc_add(s->none, s->some) < KTPR_CTC_NEVER / 2) {
            /* a letter twice with no room for nothing between */
            continue;
        }

        length = s->n - (s->n > 0 && s->text[s->n - 1] == ' ');
        memcpy(texts[n].text, s->text, (size_t) length);
        texts[n].text[length] = '\0';

        for (k = 0; k < n && strcmp(texts[k].text, texts[n].text) != 0; k++) {
            /* void */
        }

        if (k == n) {
            texts[n++].score = ktpr_ctc_add(s->none, s->some);
        } else {
            texts[k].score =
                ktpr_ctc_add(texts[k].score, ktpr_ctc_add(s->none, s->some));
        }
    }

    return n;
}


int
ktpr_ctc_read(const ktpr_line_columns_t *columns, const char *alphabet,
              ktpr_ctc_text_t *texts)
{
    int               i, k, n, classes[KTPR_CTC_WORTH];
    unsigned char     allowed[KTPR_LINE_CLASSES];
    ktpr_ctc_starts_t two[2], *starts, *next, *swap;
    ktpr_ctc_start_t *s;

    for (i = 1; i < KTPR_LINE_CLASSES; i++) {
        allowed[i] = alphabet == NULL
                     || strchr(alphabet, KTPR_LINE_ALPHABET[i - 1]) != NULL;
    }

    starts = &two[0];
    next = &two[1];
    s = &starts->starts[0];
    memset(s, 0, sizeof(ktpr_ctc_start_t));
    s->some = KTPR_CTC_NEVER;
    starts->n = 1;

    for (i = 0; i < columns->n; i++) {
        n = ktpr_ctc_classes(columns->p[i], allowed, classes);
        next->n = 0;

        for (k = 0; k < starts->n; k++) {
            ktpr_ctc_go_on(&starts->starts[k], columns->p[i], classes, n,
                           next);
        }

        ktpr_ctc_keep(next);
        swap = starts;
        starts = next;
        next = swap;
    }

    return ktpr_ctc_texts(starts, texts);
}
