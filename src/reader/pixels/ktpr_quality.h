/*
 * The quality of a photo: blurred, dark, a lamp's reflection, no colour.  One
 * measure each, compared with a threshold; "make quality SET=dir" finds the
 * thresholds from labelled images.
 */

#ifndef KTPR_QUALITY_H
#define KTPR_QUALITY_H

#include "ktpr_image.h"
#include "ktpr_map.h"


/* In the order of ktpr_quality_t's measures. */
typedef enum {
    KTPR_MEASURE_BLUR,  /* energy of the Laplacian over that of the gradient,
                           where the gradient is strongest; low: blurred */
    KTPR_MEASURE_DARK,  /* 90th percentile of luma, 0 to 255; low: dark */
    KTPR_MEASURE_FLASH, /* grey levels by which the card is darker around a
                           burnt-out spot; high: flashlight */
    KTPR_MEASURE_GRAY,  /* standard deviation of chroma, of squares of pixels,
                           over mean luma; low: grayscale */
    KTPR_MEASURES
} ktpr_measure_t;

/* What sharpness is measured of. */
typedef enum {
    KTPR_PART_ALL, /* the whole image */
    KTPR_PART_CARD /* the card, if there is one */
} ktpr_part_t;

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

/* A measure below its threshold (FLASH: above it) sets the flag. */
extern const double ktpr_quality_thresholds[KTPR_MEASURES];

extern const char *const ktpr_quality_names[KTPR_MEASURES];


/*
 * Measures an image.  spacing is that of the card's rows in pixels of the
 * image, so that all cards are measured at one size; 0 when no card was
 * found.  card_to_image is as ktpr_glare_measure() takes it, NULL without a
 * card; brightness, colour and reflections are those of the card.  Of the card
 * alone, the blur is that of the file also if the image was reduced.
 * KTPR_UNFIT when the image is too small; KTPR_NO_MEMORY.
 */
ktpr_status_t ktpr_quality_measures(ktpr_pool_t        *pool,
                                    const ktpr_image_t *image,
                                    ktpr_part_t part, double spacing,
                                    const ktpr_map_t *card_to_image,
                                    double            measures[KTPR_MEASURES]);

/* Sets flags and scores (0 to 1, .5 at the threshold) from measures. */
void ktpr_quality_judge(const double    measures[KTPR_MEASURES],
                        ktpr_quality_t *quality);


#endif /* KTPR_QUALITY_H */
