/*
 * Measures the reader on folders of labelled images: exact matches of fields,
 * detection and cost.  An image without a truth file is not of a card.  An
 * empty blood group equals "-".
 */

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "ktpx_file.h"
#include "ktpr_reader.h"
#include "ktpr_text.h"
#include "specimens.h"
#include "truth_json.h"


typedef struct {
    int     right[KTPR_FIELDS];
    int     cards, whole, missed;
    int     others, false_cards;
    int     repaired, repaired_wrong;
    long    edits, characters;
    double *seconds;
    int     n;
} score_t;


static double
accuracy_clock(void)
{
    struct timespec t;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);

    return (double) t.tv_sec + (double) t.tv_nsec / 1e9;
}


static void
accuracy_normal(const char *from, char *to, size_t size, int field)
{
    ktpr_text_copy(to, size, from);
    ktpr_text_upper(to);
    ktpr_text_fold(to);

    if (field == KTPR_BLOOD_TYPE && to[0] == '\0') {
        ktpr_text_copy(to, size, "-");
    }
}


static void
accuracy_card(const truth_t *truth, const ktpr_card_t *card, const char *name,
              int verbose, score_t *score)
{
    int  i, bad, edits, length;
    char a[KTPR_MAX_VALUE], b[KTPR_MAX_VALUE];

    bad = 0;

    for (i = 0; i < KTPR_FIELDS; i++) {
        accuracy_normal(truth->fields[i], a, sizeof(a), i);
        accuracy_normal(card->fields[i].value, b, sizeof(b), i);

        edits = ktpr_text_distance(a, b);
        length = (int) strlen(a);
        score->characters += length;
        score->edits += edits < length ? edits : length;
        score->right[i] += edits == 0;
        score->repaired += card->fields[i].repaired;
        score->repaired_wrong += card->fields[i].repaired && edits != 0;

        if (edits != 0 && verbose) {
            printf("%s %s: \"%s\" for \"%s\" (raw \"%s\" %.2f)\n",
                   strrchr(name, '/') + 1,
                   ktpr_field_name((ktpr_field_id_t) i), b, a,
                   card->fields[i].raw, card->fields[i].confidence);
        }

        bad += edits != 0;
    }

    score->cards++;
    score->whole += bad == 0;
}


static int
accuracy_image(ktpr_reader_t *reader, const char *name, int verbose,
               score_t *score)
{
    char           truth_name[4096];
    size_t         len;
    double         start;
    truth_t        truth;
    ktpr_card_t    card;
    ktpr_result_t  result;
    unsigned char *bytes;

    bytes = ktpx_file_read(name, &len);
    if (bytes == NULL) {
        return -1;
    }

    start = accuracy_clock();
    result = ktpr_reader_read(reader, bytes, len, &card);
    score->seconds[score->n++] = accuracy_clock() - start;
    free(bytes);

    specimens_truth(name, truth_name, sizeof(truth_name));

    if (truth_read(truth_name, &truth) != 0) {
        score->others++;
        score->false_cards += result == KTPR_OK;
        if (verbose && result == KTPR_OK) {
            printf("%s is detected as a card\n", strrchr(name, '/') + 1);
        }
        return 0;
    }

    score->missed += result != KTPR_OK;
    if (verbose && result != KTPR_OK) {
        printf("%s is not detected\n", strrchr(name, '/') + 1);
    }

    accuracy_card(&truth, &card, name, verbose && result == KTPR_OK, score);

    return 0;
}


static int
accuracy_compare(const void *a, const void *b)
{
    const double *p = a, *q = b;

    return (*p > *q) - (*p < *q);
}


static void
accuracy_time(score_t *score)
{
    int           i;
    double        sum;
    struct rusage usage;

    sum = 0;
    for (i = 0; i < score->n; i++) {
        sum += score->seconds[i];
    }

    qsort(score->seconds, (size_t) score->n, sizeof(double), accuracy_compare);
    getrusage(RUSAGE_SELF, &usage);

    printf("  CPU an image: mean %.2f s, median %.2f s, 95 %% under %.2f s; "
           "memory at most %ld MB\n",
           sum / score->n, score->seconds[score->n / 2],
           score->seconds[(int) (.95 * (score->n - 1))],
           usage.ru_maxrss / 1024);
}


static void
accuracy_print(const char *folder, score_t *score)
{
    int    i;
    double n, sum;

    printf("%s: %d images\n", folder, score->n);

    if (score->others > 0) {
        printf("  not of a card: %d, detected as one: %d\n", score->others,
               score->false_cards);
    }

    if (score->cards > 0) {
        n = score->cards;
        sum = 0;

        for (i = 0; i < KTPR_FIELDS; i++) {
            sum += score->right[i];
        }

        printf("  fields %.1f %%, NIK %.1f %%, whole cards %.1f %%, "
               "character errors %.2f %%, not detected %.1f %%\n",
               100 * sum / n / KTPR_FIELDS, 100 * score->right[0] / n,
               100 * score->whole / n,
               100. * (double) score->edits / (double) score->characters,
               100 * score->missed / n);
        printf("  repaired fields: %d, of them wrong: %d\n", score->repaired,
               score->repaired_wrong);

        for (i = 0; i < KTPR_FIELDS; i++) {
            printf("%s%-22s %5.1f %%", i % 4 ? "  " : "\n  ",
                   ktpr_field_name((ktpr_field_id_t) i),
                   100 * score->right[i] / n);
        }
        printf("\n\n");
    }

    accuracy_time(score);
}


/* One line, for bench/reader/sensitivity. */
static void
accuracy_brief(const score_t *score)
{
    int i, right;

    right = 0;
    for (i = 0; i < KTPR_FIELDS; i++) {
        right += score->right[i];
    }

    printf("right %d of %d, cards %d, false %d of %d\n", right,
           score->cards * KTPR_FIELDS, score->cards, score->false_cards,
           score->others);
}


static int
accuracy_folder(ktpr_reader_t *reader, const char *folder, int stride,
                int verbose, int brief)
{
    int         i, rc;
    score_t     score;
    specimens_t images;

    memset(&score, 0, sizeof(score));

    if (specimens_list(folder, stride, &images) != 0 || images.n == 0) {
        fprintf(stderr, "%s: no images\n", folder);
        return -1;
    }

    score.seconds = calloc((size_t) images.n, sizeof(double));
    rc = score.seconds != NULL ? 0 : -1;

    for (i = 0; i < images.n && rc == 0; i++) {
        rc = accuracy_image(reader, images.names[i], verbose, &score);
    }

    if (rc == 0 && brief) {
        accuracy_brief(&score);

    } else if (rc == 0) {
        accuracy_print(folder, &score);
    }

    free(score.seconds);
    specimens_free(&images);

    return rc;
}


int
main(int argc, char **argv)
{
    int            c, i, stride, verbose, brief, rc;
    ktpr_reader_t *reader;

    stride = 1;
    verbose = 0;
    brief = 0;

    while ((c = getopt(argc, argv, "bn:v")) != -1) {
        if (c == 'n' && atoi(optarg) > 0) {
            stride = atoi(optarg);

        } else if (c == 'v') {
            verbose = 1;

        } else if (c == 'b') {
            brief = 1;

        } else {
            fprintf(stderr, "usage: accuracy [-bv] [-n STRIDE] FOLDER...\n");
            return 2;
        }
    }

    reader = ktpr_reader_create(NULL, time(NULL));
    if (reader == NULL) {
        return 2;
    }

    rc = 0;

    for (i = optind; i < argc && rc == 0; i++) {
        rc = accuracy_folder(reader, argv[i], stride, verbose, brief);
    }

    ktpr_reader_destroy(reader);

    return rc == 0 ? 0 : 1;
}
