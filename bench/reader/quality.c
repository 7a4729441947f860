/*
 * Measures of quality on labelled images: for each, the best threshold and
 * the built-in one with their balanced accuracy, which is the mean of the
 * shares of bad images that are flagged and of good ones that are not.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ktpx_file.h"
#include "ktpr_quality.h"
#include "specimens.h"
#include "truth_json.h"


/* An image between these labels is ignored: people would disagree. */
#define QUALITY_BLUR_GOOD 0.9
#define QUALITY_BLUR_BAD  1.3
#define QUALITY_DARK_GOOD .50
#define QUALITY_DARK_BAD  .38

typedef struct {
    double value;
    int    bad;
} quality_sample_t;

/* Reads or checks an image. */
typedef ktpr_result_t (*quality_pt)(ktpr_reader_t       *reader,
                                    const unsigned char *image, size_t len,
                                    ktpr_card_t *card);

typedef struct {
    quality_sample_t *samples;
    int               n;
} quality_set_t;


static int
quality_compare(const void *a, const void *b)
{
    const quality_sample_t *p = a, *q = b;

    return (p->value > q->value) - (p->value < q->value);
}


/* 1: bad, 0: good, -1: in between or unknown. */
static int
quality_label(const truth_t *truth, int measure)
{
    switch (measure) {
    case KTPR_MEASURE_BLUR:
        return truth->blur < 0                    ? -1
               : truth->blur <= QUALITY_BLUR_GOOD ? 0
               : truth->blur >= QUALITY_BLUR_BAD  ? 1
                                                  : -1;
    case KTPR_MEASURE_DARK:
        return truth->dark < 0                    ? -1
               : truth->dark >= QUALITY_DARK_GOOD ? 0
               : truth->dark <= QUALITY_DARK_BAD  ? 1
                                                  : -1;
    case KTPR_MEASURE_FLASH:
        return truth->glare;
    default:
        return truth->gray;
    }
}


/*
 * The shares of good (right[0]) and of bad images (right[1]) that are
 * classified correctly when values under the threshold are bad (with over:
 * above it), and returns their mean.
 */
static double
quality_balance(const quality_set_t *set, double threshold, int over,
                double right[2])
{
    int i, n[2] = {0}, flagged;

    right[0] = right[1] = 0;

    for (i = 0; i < set->n; i++) {
        flagged = over ? set->samples[i].value > threshold
                       : set->samples[i].value < threshold;
        n[set->samples[i].bad]++;
        right[set->samples[i].bad] += flagged == set->samples[i].bad;
    }

    for (i = 0; i < 2; i++) {
        right[i] = n[i] > 0 ? right[i] / n[i] : 0;
    }

    return .5 * right[0] + .5 * right[1];
}


static void
quality_print(quality_set_t *set, int measure)
{
    int    i, over, bad;
    double threshold, balance, best, at, right[2];

    over = measure == KTPR_MEASURE_FLASH;
    qsort(set->samples, (size_t) set->n, sizeof(quality_sample_t),
          quality_compare);
    best = 0;
    at = 0;
    bad = 0;

    for (i = 0; i < set->n; i++) {
        bad += set->samples[i].bad;
        threshold =
            i > 0 ? (set->samples[i - 1].value + set->samples[i].value) / 2
                  : set->samples[i].value;
        balance = quality_balance(set, threshold, over, right);
        if (balance > best) {
            best = balance;
            at = threshold;
        }
    }

    balance =
        quality_balance(set, ktpr_quality_thresholds[measure], over, right);
    printf("%-10s %4d images, %3d bad; best threshold %9.5f: %5.1f %%; "
           "the program's %9.5f: %5.1f %%, of bad %5.1f %%, of good %5.1f "
           "%%\n",
           ktpr_quality_names[measure], set->n, bad, at, 100 * best,
           ktpr_quality_thresholds[measure], 100 * balance, 100 * right[1],
           100 * right[0]);
}


static int
quality_image(ktpr_reader_t *reader, quality_pt run, const char *name,
              ktpr_card_t *card)
{
    size_t         len;
    ktpr_result_t  result;
    unsigned char *bytes;

    bytes = ktpx_file_read(name, &len);
    if (bytes == NULL) {
        return -1;
    }

    result = run(reader, bytes, len, card);
    free(bytes);

    return result == KTPR_OK || result == KTPR_NOT_DETECTED ? 0 : -1;
}


static void
quality_folder(ktpr_reader_t *reader, quality_pt run,
               const specimens_t *images, int verbose,
               quality_set_t sets[KTPR_MEASURES])
{
    int         i, k, label;
    char        name[4096];
    double     *measures;
    truth_t     truth;
    ktpr_card_t card;

    for (i = 0; i < images->n; i++) {
        specimens_truth(images->names[i], name, sizeof(name));

        if (truth_read(name, &truth) != 0
            || quality_image(reader, run, images->names[i], &card) != 0) {
            continue;
        }

        measures = card.quality.measures;

        if (verbose) {
            printf("%s", images->names[i]);
        }

        for (k = 0; k < KTPR_MEASURES; k++) {
            label = quality_label(&truth, k);
            if (verbose) {
                printf(" %s %.5f (%d)", ktpr_quality_names[k], measures[k],
                       label);
            }

            if (label >= 0) {
                sets[k].samples[sets[k].n].value = measures[k];
                sets[k].samples[sets[k].n++].bad = label;
            }
        }

        if (verbose) {
            printf(" blur %.2f dark %.2f\n", truth.blur, truth.dark);
        }
    }
}


int
main(int argc, char **argv)
{
    int            c, k, verbose;
    quality_pt     run;
    ktpr_reader_t *reader;
    specimens_t    images;
    quality_set_t  sets[KTPR_MEASURES];

    verbose = 0;
    run = ktpr_reader_read;

    while ((c = getopt(argc, argv, "cv")) != -1) {
        if (c == 'c') {
            run = ktpr_reader_check;

        } else if (c == 'v') {
            verbose = 1;

        } else {
            optind = argc;
        }
    }

    if (optind != argc - 1) {
        fprintf(stderr, "usage: quality [-cv] FOLDER\n");
        return 2;
    }

    reader = ktpr_reader_create(NULL, time(NULL));
    if (reader == NULL || specimens_list(argv[optind], 1, &images) != 0) {
        return 1;
    }

    for (k = 0; k < KTPR_MEASURES; k++) {
        sets[k].n = 0;
        sets[k].samples =
            calloc((size_t) images.n + 1, sizeof(quality_sample_t));
        if (sets[k].samples == NULL) {
            return 1;
        }
    }

    quality_folder(reader, run, &images, verbose, sets);

    for (k = 0; k < KTPR_MEASURES; k++) {
        quality_print(&sets[k], k);
        free(sets[k].samples);
    }

    specimens_free(&images);
    ktpr_reader_destroy(reader);

    return 0;
}
