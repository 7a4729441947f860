/*
 * Measures how well the corners of cards are found in labelled images, whose
 * truth files list them as "quad": clockwise from the upper left one of the
 * card, in pixels.
 */

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "ktpx_file.h"
#include "ktpr_decode.h"
#include "ktpr_quad.h"
#include "specimens.h"
#include "truth_json.h"


/* Card widths: corners that are all nearer than this count as found. */
#define CORNERS_NEAR .04

typedef struct {
    int    cards, found, wrong;
    int    others, none;
    double seconds;
} corners_t;


static double
corners_clock(void)
{
    struct timespec t;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);

    return (double) t.tv_sec + (double) t.tv_nsec / 1e9;
}


/* The largest error of a corner in card widths; upside down is allowed. */
static double
corners_off(const truth_t *truth, const ktpr_quad_t *quad, double scale)
{
    int    i, first;
    double off, least, width;

    least = 1e9;
    width = hypot(truth->quad[1][0] - truth->quad[0][0],
                  truth->quad[1][1] - truth->quad[0][1]);

    for (first = 0; first < 4; first += 2) {
        off = 0;
        for (i = 0; i < 4; i++) {
            off = fmax(off, hypot(quad->corners[(first + i) % 4].x * scale
                                      - truth->quad[i][0],
                                  quad->corners[(first + i) % 4].y * scale
                                      - truth->quad[i][1]));
        }
        least = fmin(least, off);
    }

    return least / width;
}


static void
corners_image(ktpr_pool_t *pool, const char *name, int verbose,
              corners_t *sums)
{
    int            i, found;
    char           truth_name[4096];
    size_t         len;
    double         off, start;
    truth_t        truth;
    ktpr_quad_t    quad;
    ktpr_image_t   image;
    unsigned char *bytes;

    bytes = ktpx_file_read(name, &len);
    specimens_truth(name, truth_name, sizeof(truth_name));

    if (bytes == NULL || ktpr_decode(pool, bytes, len, NULL, &image) != 0) {
        free(bytes);
        return;
    }

    start = corners_clock();
    found = ktpr_quad_find(pool, &image, &quad);
    sums->seconds += corners_clock() - start;

    if (truth_read(truth_name, &truth) != 0 || !truth.has_quad) {
        sums->others++;
        sums->none += !found;

    } else {
        off = found ? corners_off(&truth, &quad, image.scale) : 0;
        sums->cards++;
        sums->found += found && off <= CORNERS_NEAR;
        sums->wrong += found && off > CORNERS_NEAR;

        if (verbose && (!found || off > CORNERS_NEAR)) {
            printf("%s: %s, off %.3f, score %.2f:", strrchr(name, '/') + 1,
                   found ? "wrong" : "none", off, quad.score);
            for (i = 0; i < 4; i++) {
                printf(" %.0f,%.0f", quad.corners[i].x * image.scale,
                       quad.corners[i].y * image.scale);
            }
            printf("\n");
        }
    }

    ktpr_pool_reset(pool);
    free(bytes);
}


int
main(int argc, char **argv)
{
    int          i, k, verbose;
    corners_t    sums;
    ktpr_pool_t *pool;
    specimens_t  images;

    verbose = argc > 1 && strcmp(argv[1], "-v") == 0;
    pool = ktpr_pool_create(160UL << 20);

    if (argc < 2 + verbose || pool == NULL) {
        fprintf(stderr, "usage: corners [-v] FOLDER...\n");
        return 2;
    }

    for (k = 1 + verbose; k < argc; k++) {
        memset(&sums, 0, sizeof(sums));

        if (specimens_list(argv[k], 1, &images) != 0) {
            return 1;
        }

        for (i = 0; i < images.n; i++) {
            corners_image(pool, images.names[i], verbose, &sums);
        }

        printf("%s: %d cards, corners found %d, wrong %d; %d others, none "
               "found %d; %.1f ms an image\n",
               argv[k], sums.cards, sums.found, sums.wrong, sums.others,
               sums.none, 1e3 * sums.seconds / (images.n > 0 ? images.n : 1));
        specimens_free(&images);
    }

    ktpr_pool_destroy(pool);

    return 0;
}
