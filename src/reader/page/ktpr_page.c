#include <math.h>
#include <string.h>

#include "ktpr_flatten.h"
#include "ktpr_page.h"
#include "ktpr_skew.h"
#include "ktpr_warp.h"


/* Three capitals' height on a card that fills the plane. */
#define KTPR_WORK_WINDOW 41

#define KTPR_SKEW_LIMIT 14.

/* Ink, for telling where lines of writing go. */
#define KTPR_LETTERS ((int) (.70 * KTPR_PAPER))

/* Lines of writing are this much sharper where they are than where not. */
#define KTPR_SHARPER 1.2

/* What is seen around a straightened card, in pixels. */
#define KTPR_STRAIGHT_MARGIN 30


/* A small image is enlarged: blobs need pixels to be told apart. */
static ktpr_status_t
ktpr_page_enlarge(ktpr_pool_t *pool, int side, ktpr_page_t *page)
{
    double      up;
    ktpr_map_t  map;
    ktpr_gray_t large;

    up = (double) KTPR_WORK_SIDE / side;
    map = ktpr_map_affine(1 / up, 0, .5 / up - .5, 0, 1 / up, .5 / up - .5);

    if (ktpr_gray_create(pool, (int) (page->work.w * up),
                         (int) (page->work.h * up), &large)
        != KTPR_DONE) {
        return KTPR_NO_MEMORY;
    }

    ktpr_warp_gray(&page->work, &map, 1, &large);
    ktpr_pool_free(pool, page->work.px);
    page->work = large;
    page->work_to_image = map;

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
            ktpr_flatten(pool, image, KTPR_WORK_WINDOW * side / KTPR_WORK_SIDE,
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

    rc = ktpr_flatten(pool, &small, KTPR_WORK_WINDOW, KTPR_MIX_LIGHTEST,
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
    ktpr_map_t   map, shrink;
    ktpr_image_t small, plane;
    ktpr_point_t to[4];

    h = (int) ((KTPR_WORK_SIDE - 2 * KTPR_STRAIGHT_MARGIN) * KTPR_CARD_HEIGHT
               / KTPR_CARD_WIDTH)
        + 2 * KTPR_STRAIGHT_MARGIN;
    to[0].x = to[3].x = to[0].y = to[1].y = KTPR_STRAIGHT_MARGIN;
    to[1].x = to[2].x = KTPR_WORK_SIDE - KTPR_STRAIGHT_MARGIN;
    to[2].y = to[3].y = h - KTPR_STRAIGHT_MARGIN;

    memset(page, 0, sizeof(ktpr_page_t));
    page->straight = 1;

    if (ktpr_map_corners(to, quad->corners, &page->work_to_image) != 0) {
        return KTPR_UNFIT;
    }

    /* what is made smaller is so by means, before it is straightened */
    map = page->work_to_image;
    small = *image;
    scale = ktpr_map_size(&map, KTPR_WORK_SIDE / 2., h / 2.);

    if (scale > 1.3) {
        if (ktpr_warp_reduce(pool, image, (int) (image->w / scale),
                             (int) (image->h / scale), &small)
            != KTPR_DONE) {
            return KTPR_NO_MEMORY;
        }

        shrink = ktpr_map_scale(1 / scale);
        map = ktpr_map_then(&map, &shrink);
    }

    if (ktpr_warp_image(pool, &small, &map, KTPR_WORK_SIDE, h, &plane) != 0
        || ktpr_flatten(pool, &plane, KTPR_WORK_WINDOW, KTPR_MIX_LIGHTEST,
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


/* Blobs that may be letters, to tell by where lines of writing go. */
static int
ktpr_page_letters(ktpr_pool_t *pool, const ktpr_gray_t *gray,
                  ktpr_blob_t **blobs)
{
    return ktpr_blobs_find(pool, gray, KTPR_LETTERS, 70, 500, blobs);
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

    rc = ktpr_skew_turn(pool, &page->work, KTPR_LETTERS, blobs, n,
                        KTPR_SKEW_LIMIT, KTPR_SHARPER, turn);
    ktpr_pool_free(pool, blobs);

    return rc;
}


/*
 * A copy of the page on which what went turn degrees clockwise goes to the
 * right; map is from there to the page.  0 or -1.
 */
static ktpr_status_t
ktpr_page_turned(ktpr_pool_t *pool, const ktpr_page_t *page, double turn,
                 ktpr_gray_t *turned, ktpr_map_t *map)
{
    int          x, y, w, h;
    double       c, s;
    ktpr_point_t p;

    c = cos(turn * M_PI / 180);
    s = sin(turn * M_PI / 180);
    w = (int) lrint(fabs(c) * page->work.w + fabs(s) * page->work.h);
    h = (int) lrint(fabs(s) * page->work.w + fabs(c) * page->work.h);
    *map = ktpr_map_affine(
        c, -s, ((page->work.w - 1) - c * (w - 1) + s * (h - 1)) / 2, s, c,
        ((page->work.h - 1) - s * (w - 1) - c * (h - 1)) / 2);

    if (ktpr_gray_create(pool, w, h, turned) != KTPR_DONE) {
        return KTPR_NO_MEMORY;
    }

    ktpr_warp_gray(&page->work, map, 0, turned);

    /* beyond the page is paper, and not what its border shows */

    for (y = 0; y < h; y++) {
        for (x = 0; x < w; x++) {
            p = ktpr_map_point(map, x, y);
            if (p.x < -1 || p.y < -1 || p.x > page->work.w
                || p.y > page->work.h) {
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
    ktpr_map_t    map, tilt;
    ktpr_gray_t   turned;
    ktpr_blob_t  *blobs;
    ktpr_status_t rc;

    map = ktpr_map_identity();
    turned = page->work;

    if (turn != 0
        && ktpr_page_turned(pool, page, turn, &turned, &map) != KTPR_DONE) {
        return KTPR_NO_MEMORY;
    }

    w = turned.w;
    h = turned.h;
    n = ktpr_page_letters(pool, &turned, &blobs);
    if (n < 0) {
        return KTPR_NO_MEMORY;
    }

    rc = ktpr_skew_level(pool, &turned, KTPR_LETTERS, blobs, n,
                         KTPR_SKEW_LIMIT, &angle);
    ktpr_pool_free(pool, blobs);
    if (rc != KTPR_DONE) {
        return rc;
    }

    c = cos(angle * M_PI / 180);
    s = sin(angle * M_PI / 180);
    tilt = ktpr_map_affine(c, -s, w / 2. - c * w / 2. + s * h / 2., s, c,
                           h / 2. - s * w / 2. - c * h / 2.);

    if (ktpr_gray_create(pool, w, h, &page->level) != KTPR_DONE) {
        return KTPR_NO_MEMORY;
    }

    ktpr_warp_gray(&turned, &tilt, 0, &page->level);
    map = ktpr_map_then(&tilt, &map);
    page->level_to_image = ktpr_map_then(&map, &page->work_to_image);

    if (turn != KTPR_DONE) {
        ktpr_pool_free(pool, turned.px);
    }

    return KTPR_DONE;
}


/* Writing, and not a speck, a rule or a piece of a picture. */
static int
ktpr_fragment_writing(const ktpr_fragment_t *f, double text)
{
    if (f->height < .55 * text) {
        return KTPR_DONE;
    }

    return f->n >= 2 || f->blobs[0].w > 2.5 * text
           || (f->blobs[0].w > 1.2 * text && f->blobs[0].h > .7 * text
               && f->blobs[0].h < 1.5 * text);
}


ktpr_status_t
ktpr_page_fragments(ktpr_pool_t *pool, ktpr_page_t *page, double threshold,
                    double text)
{
    int          i, n, kept;
    ktpr_blob_t *blobs;

    page->n = 0;

    n = ktpr_blobs_find(pool, &page->level, (int) (threshold * KTPR_PAPER), 70,
                        400, &blobs);
    if (n < 20) {
        return n < 0 ? KTPR_NO_MEMORY : KTPR_UNFIT;
    }

    page->text = text;

    if (text == 0
        && ktpr_fragments_text(pool, blobs, n, &page->text) != KTPR_DONE) {
        return KTPR_NO_MEMORY;
    }

    if (page->text < 5) {
        return KTPR_UNFIT;
    }

    kept = 0;

    for (i = 0; i < n; i++) {
        if (blobs[i].h < 3.6 * page->text) {
            blobs[kept++] = blobs[i];
        }
    }

    n = ktpr_fragments_find(pool, blobs, kept, page->text, 1.9,
                            &page->fragments);
    if (n < 0) {
        return KTPR_NO_MEMORY;
    }

    for (i = 0; i < n; i++) {
        if (ktpr_fragment_writing(&page->fragments[i], page->text)) {
            page->fragments[page->n++] = page->fragments[i];
        }
    }

    return page->n < 8 ? KTPR_UNFIT : KTPR_DONE;
}
