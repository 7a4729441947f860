#include <ctype.h>
#include <math.h>
#include <string.h>

#include "ktpr_assign.h"
#include "ktpr_lexicon.h"
#include "ktpr_text.h"


/* What things cost and earn on the way through the rows. */
#define KTPR_ROW_JUNK  .25 /* a row that is nothing */
#define KTPR_ROW_MORE  .12 /* a row that goes on the one above: earns */
#define KTPR_ROW_FOUND .05 /* a row that is a line: earns */
#define KTPR_LINE_SKIP .18 /* a line that has no row */
#define KTPR_ROW_OFF   .25 /* a row a whole spacing from where it should be */

/*
 * Spacings from a card's first line to its last: eleven, and some for long
 * names and addresses.  The same line of a card below is 20 away.
 */
#define KTPR_TABLE_REACH 17.

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


static int
ktpr_date_place(const char *p)
{
    int i;

    /* DD MM YYYY with up to two other characters between */
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

    for (i = n - 8; i >= 0; i--) {
        if (!ktpr_date_place(text + i)) {
            continue;
        }

        digits = 0;
        real = 0;

        for (j = i; j < n && digits < 8; j++) {
            c = ktpr_text_digit(text[j]);
            if (c == '\0') {
                continue;
            }

            real += isdigit((unsigned char) text[j]) != 0;
            date[digits + (digits >= 2) + (digits >= 4)] = c;
            digits++;
        }

        if (real >= 5) {
            date[2] = date[5] = '-';
            date[10] = '\0';
            return i;
        }
    }

    return -1;
}


static int
ktpr_looks_rt_rw(const char *s)
{
    int run, part;

    s += strspn(s, " :.;,-'\"");

    for (part = 0; part < 2; part++) {
        for (run = 0; ktpr_text_digit(*s) != '\0' && run < 3; run++) {
            s++;
        }

        if (run < 2) {
            return 0;
        }

        if (part == 0 && *s != '\0' && !isalnum((unsigned char) *s)) {
            s++;
        }
    }

    return s[strspn(s, " :.;,-'\"")] == '\0';
}


static int
ktpr_looks_address(const char *s)
{
    size_t i, n;

    static const char *const starts[] = {
        "JL",    "JALAN", "KP",   "KAMPUNG", "DUSUN", "DSN",   "KOMP",
        "PERUM", "LINGK", "BLOK", "GG",      "GANG",  "DUKUH", "PERUMAHAN"};

    for (i = 0; i < sizeof(starts) / sizeof(starts[0]); i++) {
        n = strlen(starts[i]);
        if (strncmp(s, starts[i], n) == 0 && !isalpha((unsigned char) s[n])) {
            return 1;
        }
    }

    return 0;
}


/* What the shape of a value says; s is in capitals. */
static void
ktpr_weigh_value(const char *s, double evidence[KTPR_LINES])
{
    int    digits, letters;
    char   date[11], key[KTPR_TEXT_MAX];
    size_t i;

    digits = 0;
    letters = 0;

    for (i = 0; s[i] != '\0'; i++) {
        digits += isdigit((unsigned char) s[i]) != 0;
        letters += digits == 0 && isalpha((unsigned char) s[i]);
    }

    if (ktpr_assign_date(s, date) >= 0) {
        evidence[KTPR_LINE_BIRTH] += digits <= 9 && letters >= 3 ? .5 : .1;
        evidence[KTPR_LINE_VALID] += letters < 3 ? .3 : 0;
    }

    evidence[KTPR_LINE_GENDER] +=
        ktpr_lexicon_like(KTPR_LEX_GENDER, s) > .65 ? .5 : 0;
    evidence[KTPR_LINE_RT_RW] += ktpr_looks_rt_rw(s) ? .5 : 0;
    evidence[KTPR_LINE_ADDRESS] += ktpr_looks_address(s) ? .3 : 0;
    evidence[KTPR_LINE_RELIGION] +=
        ktpr_lexicon_like(KTPR_LEX_RELIGION, s) > .7 ? .45 : 0;
    evidence[KTPR_LINE_STATUS] +=
        ktpr_lexicon_like(KTPR_LEX_STATUS, s) > .7 ? .45 : 0;
    evidence[KTPR_LINE_OCCUPATION] +=
        ktpr_lexicon_like(KTPR_LEX_OCCUPATION, s) > .75 ? .35 : 0;
    evidence[KTPR_LINE_VALID] +=
        ktpr_lexicon_like(KTPR_LEX_VALID, s) > .65 ? .55 : 0;

    ktpr_text_key(s, key, sizeof(key));
    evidence[KTPR_LINE_NATIONALITY] +=
        strncmp(key, "WN", 2) == 0 && strlen(key) == 3 ? .5 : 0;
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

    for (i = 0; i < KTPR_LINES; i++) {
        m = strlen(ktpr_labels[i]);
        m = m > n ? m : n;
        like =
            1
            - (double) ktpr_text_distance(label, ktpr_labels[i]) / (double) m;
        e->like[i] = like;
        e->evidence[i] = (like > .5 ? 1.2 : .3) * fmax(0, like - .35)
                         - (like < .3 && n > 0 ? .25 : 0);
    }

    ktpr_weigh_value(value, e->evidence);
}


/* The best way to reach a state: rows seen, lines passed. */
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


/* From row i with j lines passed to all that the row may be. */
static void
ktpr_assign_row(const ktpr_table_t *table, int i, int j, double score,
                ktpr_step_t *next)
{
    int                 k;
    double              dy, off, most;
    const ktpr_entry_t *e;

    e = &table->entries[i];
    dy = i > 0 ? (e->row.y - e[-1].row.y) / table->spacing : 1;

    ktpr_step(&next[j], score - KTPR_ROW_JUNK, j, KTPR_LINE_NONE);

    if (i > 0 && !e->row.has_label && dy > .6 && dy < 1.45
        && (j == KTPR_LINE_NAME + 1 || j == KTPR_LINE_ADDRESS + 1)) {
        ktpr_step(&next[j], score + KTPR_ROW_MORE, j, KTPR_LINE_MORE);
    }

    for (k = j; k < KTPR_LINES; k++) {
        off = i > 0 && j > 0 ? KTPR_ROW_OFF * fabs(dy - (k - j + 1)) : 0;
        most = off > 1.6 ? 1.6 : off;
        ktpr_step(&next[k + 1],
                  score + e->evidence[k] - KTPR_LINE_SKIP * (k - j) - most
                      + KTPR_ROW_FOUND,
                  j, k);
    }
}


/* After the last row that may be on the same card as row first. */
static int
ktpr_assign_reach(const ktpr_table_t *table, int first)
{
    int    i;
    double lowest;

    lowest = table->entries[first].row.y + KTPR_TABLE_REACH * table->spacing;

    for (i = first + 1; i < table->n && table->entries[i].row.y <= lowest;
         i++) {
        /* void */
    }

    return i;
}


/*
 * The best way through the rows when those from first to last - 1 may be
 * lines and the others are nothing; how many lines it passes.
 */
static int
ktpr_assign_between(const ktpr_table_t *table, int first, int last,
                    ktpr_step_t steps[KTPR_MAX_ROWS + 1][KTPR_LINES + 1])
{
    int                 i, j;
    static const double never = -1e9;

    for (i = 0; i <= table->n; i++) {
        for (j = 0; j <= KTPR_LINES; j++) {
            steps[i][j].score = i == 0 && j == 0 ? 0 : never;
        }
    }

    for (i = 0; i < table->n; i++) {
        for (j = 0; j <= KTPR_LINES; j++) {
            if (steps[i][j].score < never / 2) {
                continue;
            }

            if (i >= first && i < last) {
                ktpr_assign_row(table, i, j, steps[i][j].score, steps[i + 1]);
            } else {
                ktpr_step(&steps[i + 1][j], steps[i][j].score - KTPR_ROW_JUNK,
                          j, KTPR_LINE_NONE);
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
            table->labels += e->like[e->line] > .55;
        }
    }
}
