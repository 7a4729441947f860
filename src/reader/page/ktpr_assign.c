#include <ctype.h>
#include <math.h>
#include <string.h>

#include "ktpr_assign.h"
#include "ktpr_lexicon.h"
#include "ktpr_text.h"


/*
 * Evidence that a row is a line of the card, and the cost of what does not
 * fit, in one unit: a label that is read without an error is worth .78.
 * Chosen on the hard sets of docs/accuracy.md.
 */

/*
 * A label: STRONG for each part of likeness above BASE when more than KNOWN of
 * it is right, else WEAK; a label that is less than UNLIKE a line's costs
 * OTHER.  More at STRONG trusts labels over the order of lines.
 */
#define KTPR_ASSIGN_LABEL_BASE   .35
#define KTPR_ASSIGN_LABEL_KNOWN  .5
#define KTPR_ASSIGN_LABEL_STRONG 1.2
#define KTPR_ASSIGN_LABEL_WEAK   .3
#define KTPR_ASSIGN_LABEL_UNLIKE .3
#define KTPR_ASSIGN_LABEL_OTHER  .25

/* A label more alike than this is counted as recognised. */
#define KTPR_ASSIGN_LABEL_SEEN .55

/*
 * The shape of a value: what each earns (ktpr_hints).  More takes a line for
 * another whose value has its words; less loses rows without a label.
 */
#define KTPR_ASSIGN_BIRTH       .5 /* a place and a date */
#define KTPR_ASSIGN_DATE        .1 /* a date with anything else */
#define KTPR_ASSIGN_DATE_ALONE  .3
#define KTPR_ASSIGN_GENDER      .5
#define KTPR_ASSIGN_RT_RW       .5
#define KTPR_ASSIGN_ADDRESS     .3
#define KTPR_ASSIGN_RELIGION    .45
#define KTPR_ASSIGN_STATUS      .45
#define KTPR_ASSIGN_OCCUPATION  .35
#define KTPR_ASSIGN_VALID       .55
#define KTPR_ASSIGN_NATIONALITY .5
#define KTPR_ASSIGN_HEAD        -.8 /* the head or the number, for a name */

/* Likeness to a word of the lexicon from which on a value is of its shape. */
#define KTPR_ASSIGN_LIKE_GENDER     .65
#define KTPR_ASSIGN_LIKE_RELIGION   .7
#define KTPR_ASSIGN_LIKE_STATUS     .7
#define KTPR_ASSIGN_LIKE_OCCUPATION .75
#define KTPR_ASSIGN_LIKE_VALID      .65

/* A place and a date: digits at most, and letters before them at least. */
#define KTPR_ASSIGN_BIRTH_DIGITS  9
#define KTPR_ASSIGN_BIRTH_LETTERS 3

/* Digits that no name has, but the number if some are lost. */
#define KTPR_ASSIGN_NUMBER_DIGITS 8

/* fixed: digits of a date */
#define KTPR_ASSIGN_DATE_DIGITS 8

/* Digits of a date that are read as such, and not as a letter, at least. */
#define KTPR_ASSIGN_DATE_REAL 5

/* fixed: RT and RW have three digits each, and two are read at least */
#define KTPR_ASSIGN_RT_RW_DIGITS 3
#define KTPR_ASSIGN_RT_RW_LEAST  2

/* Costs of a row that is nothing and of a line that has no row. */
#define KTPR_ASSIGN_JUNK .25
#define KTPR_ASSIGN_SKIP .18

/* What a row earns that is a line, and one that continues the line above. */
#define KTPR_ASSIGN_FOUND .05
#define KTPR_ASSIGN_MORE  .12

/*
 * Cost of a row a spacing away from its place after the last line, and the
 * most that this costs: a line may be hidden, and names may take two rows.
 */
#define KTPR_ASSIGN_OFF      .25
#define KTPR_ASSIGN_OFF_MOST 1.6

/* Distance of a row that continues the one above, in row spacings. */
#define KTPR_ASSIGN_MORE_MIN .6
#define KTPR_ASSIGN_MORE_MAX 1.45

/*
 * Row spacings from a card's first line to its last: eleven, and some for long
 * names and addresses.  The same line of a card below is 20 away.
 */
#define KTPR_ASSIGN_REACH 17.

/* fixed: the score of a state that cannot be reached */
#define KTPR_ASSIGN_NEVER -1e9

/* A value as its shape is looked at. */
typedef struct {
    const char *text; /* in capitals */
    int         digits;
    int         letters; /* before the first digit */
    int         date;    /* there is one */
} ktpr_shape_t;

/* A shape that a value may have, and what it earns its line. */
typedef struct {
    ktpr_line_id_t line;
    double         earns;
    int (*has)(const ktpr_shape_t *shape);

    /* without has(): more than least like a word of the lexicon */
    ktpr_lexicon_t lexicon;
    double         least;
} ktpr_hint_t;

static const char *const ktpr_labels[KTPR_LINES] = {
    "nama",
    "tempat/tgl lahir",
    "jenis kelamin",
    "alamat",
    "rt/rw",
    "kel/desa",
    "kecamatan",
    "agama",
    "status perkawinan",
    "pekerjaan",
    "kewarganegaraan",
    "berlaku hingga",
};


/* Whether a text begins with a date: digits, or what is read for one. */
static int
ktpr_date_place(const char *p)
{
    int i;

    /* DD MM YYYY with other characters between */
    for (i = 0; i < 2; i++) {
        if (!ktpr_text_digit(p[0]) || !ktpr_text_digit(p[1])) {
            return 0;
        }

        for (p += 2; *p != '\0' && !isalnum((unsigned char) *p); p++) {
            /* void */
        }
    }

    for (i = 0; i < 4; i++) {
        if (!ktpr_text_digit(p[i])) {
            return 0;
        }
    }

    return 1;
}


int
ktpr_assign_date(const char *text, char date[11])
{
    int  i, j, n, digits, real;
    char c;

    n = (int) strlen(text);

    for (i = n - KTPR_ASSIGN_DATE_DIGITS; i >= 0; i--) {
        if (!ktpr_date_place(text + i)) {
            continue;
        }

        digits = 0;
        real = 0;

        for (j = i; j < n && digits < KTPR_ASSIGN_DATE_DIGITS; j++) {
            c = ktpr_text_digit(text[j]);
            if (c == '\0') {
                continue;
            }

            real += isdigit((unsigned char) text[j]) != 0;
            date[digits + (digits >= 2) + (digits >= 4)] = c;
            digits++;
        }

        if (real >= KTPR_ASSIGN_DATE_REAL) {
            date[2] = date[5] = '-';
            date[10] = '\0';
            return i;
        }
    }

    return -1;
}


static int
ktpr_shape_rt_rw(const ktpr_shape_t *shape)
{
    const char *s;
    int         run, part;

    s = shape->text + strspn(shape->text, " :.;,-'\"");

    for (part = 0; part < 2; part++) {
        for (run = 0;
             ktpr_text_digit(*s) != '\0' && run < KTPR_ASSIGN_RT_RW_DIGITS;
             run++) {
            s++;
        }

        if (run < KTPR_ASSIGN_RT_RW_LEAST) {
            return 0;
        }

        if (part == 0 && *s != '\0' && !isalnum((unsigned char) *s)) {
            s++;
        }
    }

    return s[strspn(s, " :.;,-'\"")] == '\0';
}


static int
ktpr_shape_address(const ktpr_shape_t *shape)
{
    size_t i, n;

    static const char *const starts[] = {
        "JL",    "JALAN", "KP",   "KAMPUNG", "DUSUN", "DSN",   "KOMP",
        "PERUM", "LINGK", "BLOK", "GG",      "GANG",  "DUKUH", "PERUMAHAN"};

    for (i = 0; i < sizeof(starts) / sizeof(starts[0]); i++) {
        n = strlen(starts[i]);
        if (strncmp(shape->text, starts[i], n) == 0
            && !isalpha((unsigned char) shape->text[n])) {
            return 1;
        }
    }

    return 0;
}


static int
ktpr_shape_birth(const ktpr_shape_t *shape)
{
    return shape->date && shape->digits <= KTPR_ASSIGN_BIRTH_DIGITS
           && shape->letters >= KTPR_ASSIGN_BIRTH_LETTERS;
}


static int
ktpr_shape_date(const ktpr_shape_t *shape)
{
    return shape->date && !ktpr_shape_birth(shape);
}


static int
ktpr_shape_date_alone(const ktpr_shape_t *shape)
{
    return shape->date && shape->letters < KTPR_ASSIGN_BIRTH_LETTERS;
}


/* WNI or WNA, with one letter read for another. */
static int
ktpr_shape_nationality(const ktpr_shape_t *shape)
{
    char key[KTPR_TEXT_MAX];

    ktpr_text_key(shape->text, key, sizeof(key));

    return strncmp(key, "WN", 2) == 0 && strlen(key) == 3;
}


/* A line of the head, or the number: it is above the name, and is none. */
static int
ktpr_shape_head(const ktpr_shape_t *shape)
{
    size_t i;
    char   start[KTPR_MAX_VALUE];

    static const char *const words[] = {"PROVINSI", "KABUPATEN", "KOTA "};

    for (i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        ktpr_text_copy(start, strlen(words[i]) + 1, shape->text);

        if (ktpr_text_distance(start, words[i]) <= (i < 2)) {
            return 1;
        }
    }

    return shape->digits >= KTPR_ASSIGN_NUMBER_DIGITS;
}


static const ktpr_hint_t ktpr_hints[] = {
    {KTPR_LINE_NAME, KTPR_ASSIGN_HEAD, ktpr_shape_head, 0, 0},
    {KTPR_LINE_BIRTH, KTPR_ASSIGN_BIRTH, ktpr_shape_birth, 0, 0},
    {KTPR_LINE_BIRTH, KTPR_ASSIGN_DATE, ktpr_shape_date, 0, 0},
    {KTPR_LINE_VALID, KTPR_ASSIGN_DATE_ALONE, ktpr_shape_date_alone, 0, 0},
    {KTPR_LINE_GENDER, KTPR_ASSIGN_GENDER, NULL, KTPR_LEX_GENDER,
     KTPR_ASSIGN_LIKE_GENDER},
    {KTPR_LINE_RT_RW, KTPR_ASSIGN_RT_RW, ktpr_shape_rt_rw, 0, 0},
    {KTPR_LINE_ADDRESS, KTPR_ASSIGN_ADDRESS, ktpr_shape_address, 0, 0},
    {KTPR_LINE_RELIGION, KTPR_ASSIGN_RELIGION, NULL, KTPR_LEX_RELIGION,
     KTPR_ASSIGN_LIKE_RELIGION},
    {KTPR_LINE_STATUS, KTPR_ASSIGN_STATUS, NULL, KTPR_LEX_STATUS,
     KTPR_ASSIGN_LIKE_STATUS},
    {KTPR_LINE_OCCUPATION, KTPR_ASSIGN_OCCUPATION, NULL, KTPR_LEX_OCCUPATION,
     KTPR_ASSIGN_LIKE_OCCUPATION},
    {KTPR_LINE_VALID, KTPR_ASSIGN_VALID, NULL, KTPR_LEX_VALID,
     KTPR_ASSIGN_LIKE_VALID},
    {KTPR_LINE_NATIONALITY, KTPR_ASSIGN_NATIONALITY, ktpr_shape_nationality, 0,
     0},
};


/* Adds what the shape of a value, in capitals, says. */
static void
ktpr_weigh_value(const char *text, double evidence[KTPR_LINES])
{
    int                has;
    char               date[11];
    size_t             i;
    ktpr_shape_t       shape = {.text = text};
    const ktpr_hint_t *hint;

    for (i = 0; text[i] != '\0'; i++) {
        shape.digits += isdigit((unsigned char) text[i]) != 0;
        shape.letters += shape.digits == 0 && isalpha((unsigned char) text[i]);
    }

    shape.date = ktpr_assign_date(text, date) >= 0;

    for (i = 0; i < sizeof(ktpr_hints) / sizeof(ktpr_hints[0]); i++) {
        hint = &ktpr_hints[i];
        has = hint->has != NULL
                  ? hint->has(&shape)
                  : ktpr_lexicon_like(hint->lexicon, text) > hint->least;
        evidence[hint->line] += has ? hint->earns : 0;
    }
}


void
ktpr_assign_weigh(ktpr_entry_t *e)
{
    int    i;
    char   label[KTPR_MAX_VALUE], value[KTPR_MAX_VALUE];
    size_t n, m;
    double like;

    n = 0;
    for (i = 0; e->label.text[i] != '\0'; i++) {
        if (isalpha((unsigned char) e->label.text[i])
            || e->label.text[i] == '/' || e->label.text[i] == ' ') {
            label[n++] = (char) tolower((unsigned char) e->label.text[i]);
        }
    }

    label[n] = '\0';
    ktpr_text_fold(label);
    n = strlen(label);

    ktpr_text_copy(value, sizeof(value), e->value.text);
    ktpr_text_upper(value);

    e->part = 0;

    for (i = 0; i < KTPR_LINES; i++) {
        e->part |= strstr(ktpr_labels[i], label) != NULL;
        m = strlen(ktpr_labels[i]);
        m = m > n ? m : n;
        like =
            1
            - (double) ktpr_text_distance(label, ktpr_labels[i]) / (double) m;
        e->like[i] = like;
        e->evidence[i] =
            (like > KTPR_ASSIGN_LABEL_KNOWN ? KTPR_ASSIGN_LABEL_STRONG
                                            : KTPR_ASSIGN_LABEL_WEAK)
                * fmax(0, like - KTPR_ASSIGN_LABEL_BASE)
            - (like < KTPR_ASSIGN_LABEL_UNLIKE && n > 0
                   ? KTPR_ASSIGN_LABEL_OTHER
                   : 0);
    }

    ktpr_weigh_value(value, e->evidence);
}


/* The best way to a state: so many rows seen, so many lines passed. */
typedef struct {
    double score;
    int    from; /* lines passed before */
    int    line; /* what the row is */
} ktpr_step_t;


static void
ktpr_step(ktpr_step_t *to, double score, int from, int line)
{
    if (score > to->score) {
        to->score = score;
        to->from = from;
        to->line = line;
    }
}


/* Steps from row i, with j lines passed, to all that the row may be. */
static void
ktpr_assign_row(const ktpr_table_t *table, int i, int j, double score,
                ktpr_step_t *next)
{
    int                 k;
    double              dy, off, most;
    const ktpr_entry_t *e;

    e = &table->entries[i];
    dy = i > 0 ? (e->row.y - e[-1].row.y) / table->spacing : 1;

    ktpr_step(&next[j], score - KTPR_ASSIGN_JUNK, j, KTPR_LINE_NONE);

    if (i > 0 && !e->row.has_label && dy > KTPR_ASSIGN_MORE_MIN
        && dy < KTPR_ASSIGN_MORE_MAX
        && (j == KTPR_LINE_NAME + 1 || j == KTPR_LINE_ADDRESS + 1)) {
        ktpr_step(&next[j], score + KTPR_ASSIGN_MORE, j, KTPR_LINE_MORE);
    }

    for (k = j; k < KTPR_LINES; k++) {
        off = i > 0 && j > 0 ? KTPR_ASSIGN_OFF * fabs(dy - (k - j + 1)) : 0;
        most = off > KTPR_ASSIGN_OFF_MOST ? KTPR_ASSIGN_OFF_MOST : off;
        ktpr_step(&next[k + 1],
                  score + e->evidence[k] - KTPR_ASSIGN_SKIP * (k - j) - most
                      + KTPR_ASSIGN_FOUND,
                  j, k);
    }
}


/* The row after the last one that may be on the same card as row first. */
static int
ktpr_assign_reach(const ktpr_table_t *table, int first)
{
    int    i;
    double lowest;

    lowest = table->entries[first].row.y + KTPR_ASSIGN_REACH * table->spacing;

    for (i = first + 1; i < table->n && table->entries[i].row.y <= lowest;
         i++) {
        /* void */
    }

    return i;
}


/*
 * Finds the best way through the rows when those from first to last - 1 may be
 * lines and the others are nothing.  The number of lines that it passes.
 */
static int
ktpr_assign_between(const ktpr_table_t *table, int first, int last,
                    ktpr_step_t steps[KTPR_MAX_ROWS + 1][KTPR_LINES + 1])
{
    int i, j;

    for (i = 0; i <= table->n; i++) {
        for (j = 0; j <= KTPR_LINES; j++) {
            steps[i][j].score = i == 0 && j == 0 ? 0 : KTPR_ASSIGN_NEVER;
        }
    }

    for (i = 0; i < table->n; i++) {
        for (j = 0; j <= KTPR_LINES; j++) {
            if (steps[i][j].score < KTPR_ASSIGN_NEVER / 2) {
                continue;
            }

            if (i >= first && i < last) {
                ktpr_assign_row(table, i, j, steps[i][j].score, steps[i + 1]);
            } else {
                ktpr_step(&steps[i + 1][j],
                          steps[i][j].score - KTPR_ASSIGN_JUNK, j,
                          KTPR_LINE_NONE);
            }
        }
    }

    j = 0;
    for (i = 1; i <= KTPR_LINES; i++) {
        if (steps[table->n][i].score > steps[table->n][j].score) {
            j = i;
        }
    }

    return j;
}


void
ktpr_assign(ktpr_table_t *table)
{
    int           i, j, best, last;
    ktpr_entry_t *e;
    ktpr_step_t   steps[KTPR_MAX_ROWS + 1][KTPR_LINES + 1];

    best = 0;
    last = 0;
    table->score = -HUGE_VAL;

    for (i = 0; i < table->n && last < table->n; i++) {
        last = ktpr_assign_reach(table, i);
        j = ktpr_assign_between(table, i, last, steps);

        if (steps[table->n][j].score > table->score) {
            table->score = steps[table->n][j].score;
            best = i;
        }
    }

    j = ktpr_assign_between(table, best, ktpr_assign_reach(table, best),
                            steps);
    table->labels = 0;
    table->lines = 0;

    for (i = table->n; i > 0; i--) {
        e = &table->entries[i - 1];
        e->line = steps[i][j].line;
        j = steps[i][j].from;

        if (e->line >= 0) {
            table->lines++;
            table->labels += e->like[e->line] > KTPR_ASSIGN_LABEL_SEEN;
        }
    }
}
