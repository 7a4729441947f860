/*
 * Reading strips of a page: each is cut from the image at the size that a
 * recogniser needs, and read by the network for lines or by Tesseract.
 */

#ifndef KTPR_VIEW_H
#define KTPR_VIEW_H

#include "ktpr_crop.h"
#include "ktpr_digit_net.h"
#include "ktpr_tesseract.h"


/* What reads: one set a thread. */
typedef struct {
    ktpr_line_net_t  *lines;
    ktpr_digit_net_t *digits;
    ktpr_tesseract_t *tesseract;
} ktpr_engines_t;

/* Where strips are cut from, and what reads them. */
typedef struct {
    ktpr_pool_t          *pool;
    const ktpr_engines_t *engines;
    const ktpr_sheet_t   *sheet;
    const ktpr_map_t     *to_image; /* from the page of the strips */
} ktpr_view_t;


/*
 * Creates all engines; Tesseract loads nothing yet, see ktpr_tesseract.h.
 * 0, or -1 with a message on standard error; destroy them in either case.
 */
int  ktpr_view_engines_create(ktpr_engines_t *engines, const char *tessdata);
void ktpr_view_engines_destroy(ktpr_engines_t *engines);

/*
 * Reads a strip by the network for lines, with margins of left and right
 * capitals; again: cuts and looks at it more than once, with what the glance
 * made of it, unless that is clear.  The reading is empty when the strip
 * cannot be cut.
 */
void ktpr_view_glance(const ktpr_view_t *view, const ktpr_strip_t *strip,
                      double left, double right, const char *alphabet,
                      ktpr_reading_t *reading);
void ktpr_view_again(const ktpr_view_t *view, const ktpr_strip_t *strip,
                     double left, double right, const char *alphabet,
                     ktpr_reading_t *reading);

/*
 * Reads a strip by Tesseract.  The reading is empty when the strip cannot be
 * cut, or Tesseract failed, which is a failure of the pool, too.
 */
void ktpr_view_read(const ktpr_view_t *view, const ktpr_strip_t *strip,
                    const ktpr_cut_t *cut, const char *alphabet,
                    ktpr_reading_t *reading);


#endif /* KTPR_VIEW_H */
