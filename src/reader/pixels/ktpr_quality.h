/*
 * What is wrong with a photo: blurred, dark, a lamp's reflection, no colour.
 * One measure each, held against a threshold; "make quality SET=dir" finds
 * the thresholds anew from labelled images.
 */

#ifndef KTPR_QUALITY_H
#define KTPR_QUALITY_H

#include "ktpr_image.h"
#include "ktpr_map.h"


/* In the order of ktpr_quality_t's measures. */
typedef enum {
    KTPR_MEASURE_BLUR,  /* energy of the Laplacian over that of the gradient,
                           where there is most gradient; low: blurred */
    KTPR_MEASURE_DARK,  /* luma that nine pixels in ten are under; low: dark */
    KTPR_MEASURE_FLASH, /* how much darker the card is beside a burnt-out
                           spot; high: flashlight */
    KTPR_MEASURE_GRAY,  /* spread of chroma, of squares of pixels, over mean
                           luma; low: grayscale */
    KTPR_MEASURES
} ktpr_measure_t;

typedef struct {
    unsigned blur : 1;
    unsigned dark : 1;
    unsigned flashlight : 1;
    unsigned grayscale : 1;
    double   blur_score; /* 0 (sharp) to 1 (blurred) */
    double   dark_score; /* 0 (bright) to 1 (dark) */
    double   flashlight_score;
    double   grayscale_score;
    double   measures[KTPR_MEASURES]; /* what the scores come from */
} ktpr_quality_t;

/* Under it (FLASH: over it) the flag is set. */
extern const double ktpr_quality_thresholds[KTPR_MEASURES];

extern const char *const ktpr_quality_names[KTPR_MEASURES];


/*
 * Measures an image.  spacing is that of the card's rows in pixels of the
 * image, so that all cards are measured at one size; 0 when no card was
 * found.  plane is as ktpr_glare_measure() takes it, NULL with no card.
 * 0, or -1 (too small, no memory).
 */
int ktpr_quality_measures(ktpr_pool_t *pool, const ktpr_image_t *image,
                          double spacing, const ktpr_map_t *plane,
                          double measures[KTPR_MEASURES]);

/* Flags and scores (0 to 1, .5 at the threshold) from measures. */
void ktpr_quality_judge(const double    measures[KTPR_MEASURES],
                        ktpr_quality_t *quality);


#endif /* KTPR_QUALITY_H */
