/*
 * Measures checks beside readings on folders of images: cards that are
 * detected, flags of quality, and CPU time.  An image without a truth file is
 * not of a card.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "ktpx_file.h"
#include "ktpr_reader.h"
#include "specimens.h"
#include "truth_json.h"


/*
 * Times that each image is checked, and read; the least counts, since another
 * process on the same core makes the others longer.
 */
#define CHECK_TIMES 3

typedef enum {
    CHECK_CHECK,
    CHECK_READING,
    CHECK_WAYS
} checks_way_t;

typedef ktpr_result_t (*checks_pt)(ktpr_reader_t       *reader,
                                   const unsigned char *image, size_t len,
                                   ktpr_card_t *card);

typedef struct {
    double *seconds; /* of each image */
    int     detected, false_cards;
    int     flagged[KTPR_MEASURES];
} checks_score_t;

static const struct {
    const char *name;
    checks_pt   run;
} checks_ways[CHECK_WAYS] = {
    [CHECK_CHECK] = {"check", ktpr_reader_check},
    [CHECK_READING] = {"reading", ktpr_reader_read},
};


static double
checks_clock(void)
{
    struct timespec t;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);

    return (double) t.tv_sec + (double) t.tv_nsec / 1e9;
}


/* Does one of the two with a file and returns its CPU time in seconds. */
static double
checks_time(ktpr_reader_t *reader, checks_pt run, const unsigned char *bytes,
            size_t len, ktpr_card_t *card, ktpr_result_t *result)
{
    int    i;
    double start, spent, least;

    least = 1e9;

    for (i = 0; i < CHECK_TIMES; i++) {
        start = checks_clock();
        *result = run(reader, bytes, len, card);
        spent = checks_clock() - start;
        least = spent < least ? spent : least;
    }

    return least;
}


/* Prints each flag that is set. */
static void
checks_flags(const ktpr_quality_t *quality)
{
    int i;

    const unsigned flags[KTPR_MEASURES] = {
        [KTPR_MEASURE_BLUR] = quality->blur,
        [KTPR_MEASURE_DARK] = quality->dark,
        [KTPR_MEASURE_FLASH] = quality->flashlight,
        [KTPR_MEASURE_GRAY] = quality->grayscale,
    };

    for (i = 0; i < KTPR_MEASURES; i++) {
        printf(" %s%.3f%s", flags[i] ? "[" : "", quality->measures[i],
               flags[i] ? "]" : "");
    }
}


static int
checks_image(ktpr_reader_t *reader, const char *name, int verbose, int at,
             checks_score_t scores[CHECK_WAYS], int *is_card)
{
    int             way;
    char            truth_name[4096];
    size_t          len;
    truth_t         truth;
    ktpr_card_t     card;
    checks_score_t *score;
    ktpr_result_t   result;
    unsigned char  *bytes;

    bytes = ktpx_file_read(name, &len);
    if (bytes == NULL) {
        return -1;
    }

    specimens_truth(name, truth_name, sizeof(truth_name));
    *is_card = truth_read(truth_name, &truth) == 0;

    if (verbose) {
        printf("%s", strrchr(name, '/') + 1);
    }

    for (way = 0; way < CHECK_WAYS; way++) {
        score = &scores[way];
        score->seconds[at] = checks_time(reader, checks_ways[way].run, bytes,
                                         len, &card, &result);
        score->detected += *is_card && result == KTPR_OK;
        score->false_cards += !*is_card && result == KTPR_OK;
        score->flagged[KTPR_MEASURE_BLUR] += card.quality.blur;
        score->flagged[KTPR_MEASURE_DARK] += card.quality.dark;
        score->flagged[KTPR_MEASURE_FLASH] += card.quality.flashlight;
        score->flagged[KTPR_MEASURE_GRAY] += card.quality.grayscale;

        if (verbose) {
            printf("; %s %s %.2f %.1f ms,", checks_ways[way].name,
                   result == KTPR_OK ? "card" : "none", card.confidence,
                   1000 * score->seconds[at]);
            checks_flags(&card.quality);
        }
    }

    if (verbose) {
        printf("\n");
    }

    free(bytes);

    return 0;
}


static int
checks_compare(const void *a, const void *b)
{
    const double *p = a, *q = b;

    return (*p > *q) - (*p < *q);
}


static void
checks_print(const char *folder, checks_score_t scores[CHECK_WAYS], int n,
             int cards)
{
    int             i, way;
    double          sum[CHECK_WAYS] = {0};
    checks_score_t *score;

    printf("%s: %d images, %d of a card\n", folder, n, cards);

    for (way = 0; way < CHECK_WAYS; way++) {
        score = &scores[way];

        for (i = 0; i < n; i++) {
            sum[way] += score->seconds[i];
        }

        qsort(score->seconds, (size_t) n, sizeof(double), checks_compare);
        printf("  %s: %d cards detected, %d false; CPU mean %.1f ms, median "
               "%.1f ms, 95 %% under %.1f ms, at most %.1f ms; flagged",
               checks_ways[way].name, score->detected, score->false_cards,
               1000 * sum[way] / n, 1000 * score->seconds[n / 2],
               1000 * score->seconds[(int) (.95 * (n - 1))],
               1000 * score->seconds[n - 1]);

        for (i = 0; i < KTPR_MEASURES; i++) {
            printf("%s %s %d", i > 0 ? "," : "", ktpr_quality_names[i],
                   score->flagged[i]);
        }

        printf("\n");
    }

    printf("  a check takes %.1f %% of a reading\n",
           100 * sum[CHECK_CHECK] / sum[CHECK_READING]);
}


static int
checks_folder(ktpr_reader_t *reader, const char *folder, int stride,
              int verbose)
{
    int            i, rc, is_card, cards;
    specimens_t    images;
    checks_score_t scores[CHECK_WAYS];

    if (specimens_list(folder, stride, &images) != 0 || images.n == 0) {
        fprintf(stderr, "%s: no images\n", folder);
        return -1;
    }

    memset(scores, 0, sizeof(scores));
    rc = 0;
    cards = 0;

    for (i = 0; i < CHECK_WAYS; i++) {
        scores[i].seconds = calloc((size_t) images.n, sizeof(double));
        rc = scores[i].seconds != NULL ? rc : -1;
    }

    for (i = 0; i < images.n && rc == 0; i++) {
        rc = checks_image(reader, images.names[i], verbose, i, scores,
                          &is_card);
        cards += rc == 0 && is_card;
    }

    if (rc == 0) {
        checks_print(folder, scores, images.n, cards);
    }

    for (i = 0; i < CHECK_WAYS; i++) {
        free(scores[i].seconds);
    }

    specimens_free(&images);

    return rc;
}


int
main(int argc, char **argv)
{
    int            c, i, stride, verbose, rc;
    ktpr_reader_t *reader;

    stride = 1;
    verbose = 0;

    while ((c = getopt(argc, argv, "n:v")) != -1) {
        if (c == 'n' && atoi(optarg) > 0) {
            stride = atoi(optarg);

        } else if (c == 'v') {
            verbose = 1;

        } else {
            fprintf(stderr, "usage: checks [-v] [-n STRIDE] FOLDER...\n");
            return 2;
        }
    }

    reader = ktpr_reader_create(NULL, time(NULL));
    if (reader == NULL || ktpr_reader_load(reader) != 0) {
        ktpr_reader_destroy(reader);
        return 2;
    }

    rc = 0;

    for (i = optind; i < argc && rc == 0; i++) {
        rc = checks_folder(reader, argv[i], stride, verbose);
    }

    ktpr_reader_destroy(reader);

    return rc == 0 ? 0 : 1;
}
