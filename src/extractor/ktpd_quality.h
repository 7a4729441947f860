/*
 * What is wrong with a photo: blurred, dark, a lamp's reflection, no colour.
 * One measure each, held against a threshold; "make quality SET=dir" finds
 * the thresholds anew from labelled images.
 */

#ifndef KTPD_QUALITY_H
#define KTPD_QUALITY_H

#include "ktpd_image.h"
#include "ktpd_reader.h"
#include "ktpd_warp.h"


/* In the order of ktpd_quality_t's measures. */
typedef enum {
    KTPD_MEASURE_BLUR,  /* energy of the Laplacian over that of the gradient,
                           where there is most gradient; low: blurred */
    KTPD_MEASURE_DARK,  /* luma that nine pixels in ten are under; low: dark */
    KTPD_MEASURE_FLASH, /* how much darker the card is beside a burnt-out
                           spot; high: flashlight */
    KTPD_MEASURE_GRAY,  /* spread of chroma, of squares of pixels, over mean
                           luma; low: grayscale */
    KTPD_MEASURES
} ktpd_measure_t;

/* Under it (FLASH: over it) the flag is set. */
extern const double ktpd_quality_thresholds[KTPD_MEASURES];

extern const char *const ktpd_quality_names[KTPD_MEASURES];


/*
 * Measures an image.  spacing is that of the card's rows in pixels of the
 * image, so that all cards are measured at one size; 0 when no card was
 * found.  plane is as ktpd_glare_measure() takes it, NULL with no card.
 * 0, or -1 (too small, no memory).
 */
int ktpd_quality_measures(ktpd_pool_t *pool, const ktpd_image_t *image,
                          double spacing, const ktpd_map_t *plane,
                          double measures[KTPD_MEASURES]);

/* Flags and scores (0 to 1, .5 at the threshold) from measures. */
void ktpd_quality_judge(const double    measures[KTPD_MEASURES],
                        ktpd_quality_t *quality);


#endif /* KTPD_QUALITY_H */
