#include <math.h>
#include <string.h>

#include "ktpr_flatten.h"
#include "ktpr_page.h"
#include "ktpr_skew.h"
#include "ktpr_warp.h"


/*
 * Lengths are in pixels of work or level if no other unit is given.  Numbers
 * were chosen by eye, set not recorded, if no other source is.
 */

/*
 * Window of the closing: the height of three capitals on a card that fills the
 * plane.  Less makes thick print fade; more leaves uneven light.
 */
#define KTPR_PAGE_WINDOW 41

/*
 * Degrees from level that are searched at the finest step; a page that is
 * turned more is turned back first.
 */
#define KTPR_PAGE_SKEW 14.

/*
 * A page is turned if its lines are so many times sharper there than near
 * level.  Less turns level pages of few lines; more leaves turned ones.
 */
#define KTPR_PAGE_SHARPER 1.2

/* Ink that tells where lines go: grey levels, of paper at KTPR_PAPER. */
#define KTPR_PAGE_INK ((int) (.70 * KTPR_PAPER))

/* Background seen around a straightened card. */
#define KTPR_PAGE_MARGIN 30

/* An image larger than this times the straight plane is reduced by means. */
#define KTPR_PAGE_REDUCE 1.3

/*
 * Size of blobs, at most: a head line's letters; with letters that touch, a
 * line's width, and less on the level page, where rules are as long.
 */
#define KTPR_PAGE_BLOB_HIGH  70
#define KTPR_PAGE_BLOB_WIDE  500
#define KTPR_PAGE_LEVEL_WIDE 400

/* Blobs, and fragments, that a page has at least; a card has hundreds. */
#define KTPR_PAGE_BLOBS     20
#define KTPR_PAGE_FRAGMENTS 8

/* Heights of a capital that can be read, at least. */
#define KTPR_PAGE_TEXT 5

/* Lengths from here on are in heights of a capital. */

/* Higher blobs are pictures, and would chain rows. */
#define KTPR_PAGE_HIGH 3.6

/* The gap within a fragment: of two words, but not of two columns. */
#define KTPR_PAGE_GAP 1.9

/*
 * Writing: as high as LOW, and two blobs, or one as wide as WORD (letters that
 * touch), or as wide as LETTER and of a letter's height.
 */
#define KTPR_PAGE_LOW         .55
#define KTPR_PAGE_WORD        2.5
#define KTPR_PAGE_LETTER      1.2
#define KTPR_PAGE_LETTER_LOW  .7
#define KTPR_PAGE_LETTER_HIGH 1.5


/* Enlarges the page of a small image: letters are apart only then. */
static ktpr_status_t
ktpr_page_enlarge(ktpr_pool_t *pool, int side, ktpr_page_t *page)
{
    double      up;
    ktpr_map_t  work_to_image;
    ktpr_gray_t large;

    up = (double) KTPR_WORK_SIDE / side;
    work_to_image =
        ktpr_map_affine(1 / up, 0, .5 / up - .5, 0, 1 / up, .5 / up - .5);

    if (ktpr_gray_create(pool, (int) (page->work.w * up),
                         (int) (page->work.h * up), &large)
        != KTPR_DONE) {
        return KTPR_NO_MEMORY;
    }

    ktpr_warp_gray(&page->work, &work_to_image, 1, &large);
    ktpr_pool_free(pool, page->work.px);
    page->work = large;
    page->work_to_image = work_to_image;

    return KTPR_DONE;
}


ktpr_status_t
ktpr_page_create(ktpr_pool_t *pool, const ktpr_image_t *image,
                 ktpr_page_t *page)
{
    int           side, w, h;
    double        down;
    ktpr_image_t  small;
    ktpr_status_t rc;

    side = image->w > image->h ? image->w : image->h;

    if (side <= KTPR_WORK_SIDE) {
        rc =
            ktpr_flatten(pool, image, KTPR_PAGE_WINDOW * side / KTPR_WORK_SIDE,
                         KTPR_MIX_LIGHTEST, &page->work);

        return rc == KTPR_DONE ? ktpr_page_enlarge(pool, side, page) : rc;
    }

    down = (double) side / KTPR_WORK_SIDE;
    w = (int) (image->w / down);
    h = (int) (image->h / down);

    if (w < 1 || h < 1) {
        return KTPR_UNFIT;
    }

    if (ktpr_warp_reduce(pool, image, w, h, &small) != KTPR_DONE) {
        return KTPR_NO_MEMORY;
    }

    page->work_to_image =
        ktpr_map_affine(down, 0, down / 2 - .5, 0, down, down / 2 - .5);

    rc = ktpr_flatten(pool, &small, KTPR_PAGE_WINDOW, KTPR_MIX_LIGHTEST,
                      &page->work);
    ktpr_pool_free(pool, small.rgb);

    return rc;
}


ktpr_status_t
ktpr_page_straight(ktpr_pool_t *pool, const ktpr_image_t *image,
                   const ktpr_quad_t *quad, ktpr_page_t *page)
{
    int          h;
    double       scale;
    ktpr_map_t   work_to_small, image_to_small;
    ktpr_image_t small, plane;
    ktpr_point_t corners_work[4];

    h = (int) ((KTPR_WORK_SIDE - 2 * KTPR_PAGE_MARGIN) * KTPR_CARD_HEIGHT
               / KTPR_CARD_WIDTH)
        + 2 * KTPR_PAGE_MARGIN;
    corners_work[0].x = corners_work[3].x = corners_work[0].y =
        corners_work[1].y = KTPR_PAGE_MARGIN;
    corners_work[1].x = corners_work[2].x = KTPR_WORK_SIDE - KTPR_PAGE_MARGIN;
    corners_work[2].y = corners_work[3].y = h - KTPR_PAGE_MARGIN;

    memset(page, 0, sizeof(ktpr_page_t));
    page->straight = 1;

    if (ktpr_map_corners(corners_work, quad->corners, &page->work_to_image)
        != 0) {
        return KTPR_UNFIT;
    }

    /* a larger image is reduced by means first, or thin strokes are lost */
    work_to_small = page->work_to_image;
    small = *image;
    scale = ktpr_map_size(&work_to_small, KTPR_WORK_SIDE / 2., h / 2.);

    if (scale > KTPR_PAGE_REDUCE) {
        if (ktpr_warp_reduce(pool, image, (int) (image->w / scale),
                             (int) (image->h / scale), &small)
            != KTPR_DONE) {
            return KTPR_NO_MEMORY;
        }

        image_to_small = ktpr_map_scale(1 / scale);
        work_to_small = ktpr_map_then(&work_to_small, &image_to_small);
    }

    if (ktpr_warp_image(pool, &small, &work_to_small, KTPR_WORK_SIDE, h,
                        &plane)
            != KTPR_DONE
        || ktpr_flatten(pool, &plane, KTPR_PAGE_WINDOW, KTPR_MIX_LIGHTEST,
                        &page->work)
               != KTPR_DONE) {
        return KTPR_NO_MEMORY;
    }

    ktpr_pool_free(pool, plane.rgb);
    if (small.rgb != image->rgb) {
        ktpr_pool_free(pool, small.rgb);
    }

    return KTPR_DONE;
}


/* Finds blobs that may be letters, which tell where lines of writing go. */
static int
ktpr_page_letters(ktpr_pool_t *pool, const ktpr_gray_t *gray,
                  ktpr_blob_t **blobs)
{
    return ktpr_blobs_find(pool, gray, KTPR_PAGE_INK, KTPR_PAGE_BLOB_HIGH,
                           KTPR_PAGE_BLOB_WIDE, blobs);
}


ktpr_status_t
ktpr_page_turn(ktpr_pool_t *pool, const ktpr_page_t *page, double *turn)
{
    int           n;
    ktpr_blob_t  *blobs;
    ktpr_status_t rc;

    n = ktpr_page_letters(pool, &page->work, &blobs);
    if (n < 0) {
        return KTPR_NO_MEMORY;
    }

    rc = ktpr_skew_turn(pool, &page->work, KTPR_PAGE_INK, blobs, n,
                        KTPR_PAGE_SKEW, KTPR_PAGE_SHARPER, turn);
    ktpr_pool_free(pool, blobs);

    return rc;
}


/*
 * Turns the page back by turn degrees; turned_to_work maps the new plane to
 * the page.  KTPR_NO_MEMORY.
 */
static ktpr_status_t
ktpr_page_turned(ktpr_pool_t *pool, const ktpr_page_t *page, double turn,
                 ktpr_gray_t *turned, ktpr_map_t *turned_to_work)
{
    int          x, y, w, h;
    double       c, s;
    ktpr_point_t p_work;

    c = cos(turn * M_PI / 180);
    s = sin(turn * M_PI / 180);
    w = (int) lrint(fabs(c) * page->work.w + fabs(s) * page->work.h);
    h = (int) lrint(fabs(s) * page->work.w + fabs(c) * page->work.h);
    *turned_to_work = ktpr_map_affine(
        c, -s, ((page->work.w - 1) - c * (w - 1) + s * (h - 1)) / 2, s, c,
        ((page->work.h - 1) - s * (w - 1) - c * (h - 1)) / 2);

    if (ktpr_gray_create(pool, w, h, turned) != KTPR_DONE) {
        return KTPR_NO_MEMORY;
    }

    ktpr_warp_gray(&page->work, turned_to_work, 0, turned);

    /* beyond the page is paper, not its repeated border */
    for (y = 0; y < h; y++) {
        for (x = 0; x < w; x++) {
            p_work = ktpr_map_point(turned_to_work, x, y);
            if (p_work.x < -1 || p_work.y < -1 || p_work.x > page->work.w
                || p_work.y > page->work.h) {
                turned->px[(size_t) y * w + x] = KTPR_PAPER;
            }
        }
    }

    return KTPR_DONE;
}


ktpr_status_t
ktpr_page_level(ktpr_pool_t *pool, ktpr_page_t *page, double turn)
{
    int           n, w, h;
    double        c, s, angle;
    ktpr_map_t    turned_to_work, level_to_turned, level_to_work;
    ktpr_gray_t   turned;
    ktpr_blob_t  *blobs;
    ktpr_status_t rc;

    turned_to_work = ktpr_map_identity();
    turned = page->work;

    if (turn != 0
        && ktpr_page_turned(pool, page, turn, &turned, &turned_to_work)
               != KTPR_DONE) {
        return KTPR_NO_MEMORY;
    }

    w = turned.w;
    h = turned.h;
    n = ktpr_page_letters(pool, &turned, &blobs);
    if (n < 0) {
        return KTPR_NO_MEMORY;
    }

    rc = ktpr_skew_level(pool, &turned, KTPR_PAGE_INK, blobs, n,
                         KTPR_PAGE_SKEW, &angle);
    ktpr_pool_free(pool, blobs);
    if (rc != KTPR_DONE) {
        return rc;
    }

    c = cos(angle * M_PI / 180);
    s = sin(angle * M_PI / 180);
    level_to_turned = ktpr_map_affine(c, -s, w / 2. - c * w / 2. + s * h / 2.,
                                      s, c, h / 2. - s * w / 2. - c * h / 2.);

    if (ktpr_gray_create(pool, w, h, &page->level) != KTPR_DONE) {
        return KTPR_NO_MEMORY;
    }

    ktpr_warp_gray(&turned, &level_to_turned, 0, &page->level);
    level_to_work = ktpr_map_then(&level_to_turned, &turned_to_work);
    page->level_to_image = ktpr_map_then(&level_to_work, &page->work_to_image);

    if (turn != 0) {
        ktpr_pool_free(pool, turned.px);
    }

    return KTPR_DONE;
}


/* Whether a fragment is writing: not a speck, a rule, part of a picture. */
static int
ktpr_fragment_writing(const ktpr_fragment_t *f, double text)
{
    if (f->height < KTPR_PAGE_LOW * text) {
        return KTPR_DONE;
    }

    return f->n >= 2 || f->blobs[0].w > KTPR_PAGE_WORD * text
           || (f->blobs[0].w > KTPR_PAGE_LETTER * text
               && f->blobs[0].h > KTPR_PAGE_LETTER_LOW * text
               && f->blobs[0].h < KTPR_PAGE_LETTER_HIGH * text);
}


ktpr_status_t
ktpr_page_fragments(ktpr_pool_t *pool, ktpr_page_t *page, double threshold,
                    double text)
{
    int          i, n, kept;
    ktpr_blob_t *blobs;

    page->n = 0;

    n = ktpr_blobs_find(pool, &page->level, (int) (threshold * KTPR_PAPER),
                        KTPR_PAGE_BLOB_HIGH, KTPR_PAGE_LEVEL_WIDE, &blobs);
    if (n < KTPR_PAGE_BLOBS) {
        return n < 0 ? KTPR_NO_MEMORY : KTPR_UNFIT;
    }

    page->text = text;

    if (text == 0
        && ktpr_fragments_text(pool, blobs, n, &page->text) != KTPR_DONE) {
        return KTPR_NO_MEMORY;
    }

    if (page->text < KTPR_PAGE_TEXT) {
        return KTPR_UNFIT;
    }

    kept = 0;

    for (i = 0; i < n; i++) {
        if (blobs[i].h < KTPR_PAGE_HIGH * page->text) {
            blobs[kept++] = blobs[i];
        }
    }

    n = ktpr_fragments_find(pool, blobs, kept, page->text, KTPR_PAGE_GAP,
                            &page->fragments);
    if (n < 0) {
        return KTPR_NO_MEMORY;
    }

    for (i = 0; i < n; i++) {
        if (ktpr_fragment_writing(&page->fragments[i], page->text)) {
            page->fragments[page->n++] = page->fragments[i];
        }
    }

    return page->n < KTPR_PAGE_FRAGMENTS ? KTPR_UNFIT : KTPR_DONE;
}
