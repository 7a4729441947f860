#include "scene.h"
#include <math.h>
#include <stdint.h>
#include <string.h>
#include "table.h"

/*
 * The camera's focal length, in widths of the picture: that of a telephone
 * (26 mm, where a picture is 35 mm wide).
 */
#define SCENE_FOCAL 0.75

/* From card to card, in widths and heights of one. */
#define SCENE_APART 1.15

/* Samples a pixel has in each direction. */
#define SCENE_SAMPLES 2

/* From the plane of the card, in its units, to the picture. */
typedef struct {
    double m[3][3];
} view_t;


static void view_make(view_t *view, const scene_t *scene);
static void view_point(const view_t *view, double x, double y, double p[2]);
static void view_invert(const view_t *view, view_t *back);
static void scene_flat(cairo_t *cr, const scene_t *scene,
                       const person_t *people, dice_t *dice);
static int  scene_tilted(cairo_surface_t *picture, const scene_t *scene,
                         const view_t *view, const person_t *person,
                         dice_t *dice);
static void scene_lay(cairo_surface_t *picture, cairo_surface_t *card,
                      double scale, const view_t *back);
static void scene_sample(const unsigned char *data, int stride, int w, int h,
                         double x, double y, double sum[4]);


cairo_surface_t *
scene_draw(scene_t *scene, const person_t *people, dice_t *dice, uint64_t seed)
{
    int              i;
    view_t           view;
    dice_t           chance;
    cairo_t         *cr;
    cairo_surface_t *picture;

    picture = cairo_image_surface_create(CAIRO_FORMAT_RGB24, scene->width,
                                         scene->height);
    if (cairo_surface_status(picture) != CAIRO_STATUS_SUCCESS) {
        return picture;
    }

    dice_init(&chance, ~seed);
    cr = cairo_create(picture);
    table_draw(cr, (table_t) scene->table, scene->width, scene->height,
               &chance);

    view_make(&view, scene);

    for (i = 0; i < 4; i++) {
        view_point(&view, i == 1 || i == 2 ? CARD_WIDTH : 0,
                   i >= 2 ? CARD_HEIGHT : 0, scene->quad[i]);
    }

    if (scene->yaw == 0 && scene->pitch == 0) {
        scene_flat(cr, scene, people, dice);
        cairo_destroy(cr);
        return picture;
    }

    cairo_destroy(cr);

    if (scene_tilted(picture, scene, &view, people, dice) != 0) {
        cairo_surface_destroy(picture);
        /* a surface of no size stands for no memory */
        picture = cairo_image_surface_create(CAIRO_FORMAT_RGB24, -1, -1);
    }

    return picture;
}


/*
 * A pinhole camera that looks at the middle of the card: the card is turned
 * in its plane, then about its own vertical and the camera's horizontal axis.
 */

static void
view_make(view_t *view, const scene_t *scene)
{
    int    i, j;
    double f, far, cr, sr, cy, sy, cp, sp, axes[3][2];

    f = SCENE_FOCAL * scene->width;
    far = SCENE_FOCAL * CARD_WIDTH / scene->cover;
    cr = cos(scene->rotate * M_PI / 180);
    sr = sin(scene->rotate * M_PI / 180);
    cy = cos(scene->yaw * M_PI / 180);
    sy = sin(scene->yaw * M_PI / 180);
    cp = cos(scene->pitch * M_PI / 180);
    sp = sin(scene->pitch * M_PI / 180);

    /* where the card's two axes point: right, down, away */

    axes[0][0] = cy * cr;
    axes[0][1] = -cy * sr;
    axes[1][0] = cp * sr + sp * sy * cr;
    axes[1][1] = cp * cr - sp * sy * sr;
    axes[2][0] = -sp * sr + cp * sy * cr;
    axes[2][1] = -sp * cr - cp * sy * sr;

    for (j = 0; j < 2; j++) {
        view->m[2][j] = axes[2][j];
        view->m[0][j] = f * axes[0][j] + scene->width / 2.0 * axes[2][j];
        view->m[1][j] = f * axes[1][j] + scene->height / 2.0 * axes[2][j];
    }

    view->m[0][2] = scene->width / 2.0 * far;
    view->m[1][2] = scene->height / 2.0 * far;
    view->m[2][2] = far;

    /* the card's origin is its corner */

    for (i = 0; i < 3; i++) {
        view->m[i][2] -=
            view->m[i][0] * CARD_WIDTH / 2 + view->m[i][1] * CARD_HEIGHT / 2;
    }
}


static void
view_point(const view_t *view, double x, double y, double p[2])
{
    double w;

    w = view->m[2][0] * x + view->m[2][1] * y + view->m[2][2];
    p[0] = (view->m[0][0] * x + view->m[0][1] * y + view->m[0][2]) / w;
    p[1] = (view->m[1][0] * x + view->m[1][1] * y + view->m[1][2]) / w;
}


/* but for a factor, which points do not show */

static void
view_invert(const view_t *view, view_t *back)
{
    int i, j, a, b, c, d;

    for (i = 0; i < 3; i++) {
        for (j = 0; j < 3; j++) {
            a = (i + 1) % 3;
            b = (i + 2) % 3;
            c = (j + 1) % 3;
            d = (j + 2) % 3;
            back->m[j][i] =
                view->m[a][c] * view->m[b][d] - view->m[a][d] * view->m[b][c];
        }
    }
}


static void
scene_flat(cairo_t *cr, const scene_t *scene, const person_t *people,
           dice_t *dice)
{
    int    i;
    double scale;

    scale = scene->cover * scene->width / CARD_WIDTH;

    cairo_translate(cr, scene->width / 2.0, scene->height / 2.0);
    cairo_rotate(cr, scene->rotate * M_PI / 180);
    cairo_scale(cr, scale, scale);
    cairo_translate(cr, -CARD_WIDTH / 2, -CARD_HEIGHT / 2);

    if (scene->page) {
        page_draw(cr);
        return;
    }

    for (i = 0; i < scene->columns * scene->rows; i++) {
        cairo_save(cr);
        cairo_translate(cr,
                        (i % scene->columns - (scene->columns - 1) / 2.)
                            * SCENE_APART * CARD_WIDTH,
                        (i / scene->columns - (scene->rows - 1) / 2.)
                            * SCENE_APART * CARD_HEIGHT);
        card_draw(cr, &scene->style, &people[i], dice);
        cairo_restore(cr);
    }
}


/* the card is drawn flat, somewhat larger than it is seen, and laid in */

static int
scene_tilted(cairo_surface_t *picture, const scene_t *scene,
             const view_t *view, const person_t *person, dice_t *dice)
{
    double           scale;
    view_t           back;
    cairo_t         *cr;
    cairo_surface_t *card;

    scale = 1.5 * scene->cover * scene->width / CARD_WIDTH;

    card = cairo_image_surface_create(CAIRO_FORMAT_ARGB32,
                                      (int) (scale * CARD_WIDTH),
                                      (int) (scale * CARD_HEIGHT));
    if (cairo_surface_status(card) != CAIRO_STATUS_SUCCESS) {
        cairo_surface_destroy(card);
        return -1;
    }

    cr = cairo_create(card);
    cairo_scale(cr, scale, scale);

    if (scene->page) {
        page_draw(cr);

    } else {
        card_draw(cr, &scene->style, person, dice);
    }

    cairo_destroy(cr);

    cairo_surface_flush(card);
    cairo_surface_flush(picture);
    view_invert(view, &back);
    scene_lay(picture, card, scale, &back);
    cairo_surface_mark_dirty(picture);
    cairo_surface_destroy(card);

    return 0;
}


/* each pixel of the picture gets the mean of what its samples see */

static void
scene_lay(cairo_surface_t *picture, cairo_surface_t *card, double scale,
          const view_t *back)
{
    int            x, y, i, c, w, h, card_w, card_h, stride;
    double         p[2], sum[4], n;
    unsigned char *px, *data;

    w = cairo_image_surface_get_width(picture);
    h = cairo_image_surface_get_height(picture);
    card_w = cairo_image_surface_get_width(card);
    card_h = cairo_image_surface_get_height(card);
    data = cairo_image_surface_get_data(card);
    stride = cairo_image_surface_get_stride(card);
    n = SCENE_SAMPLES * SCENE_SAMPLES;

    for (y = 0; y < h; y++) {
        px = cairo_image_surface_get_data(picture)
             + (size_t) y * cairo_image_surface_get_stride(picture);

        for (x = 0; x < w; x++, px += 4) {
            memset(sum, 0, sizeof(sum));

            for (i = 0; i < SCENE_SAMPLES * SCENE_SAMPLES; i++) {
                view_point(back, x + (i % SCENE_SAMPLES + .5) / SCENE_SAMPLES,
                           y + (i / SCENE_SAMPLES + .5) / SCENE_SAMPLES, p);
                scene_sample(data, stride, card_w, card_h, p[0] * scale - .5,
                             p[1] * scale - .5, sum);
            }

            for (c = 0; c < 3; c++) {
                px[c] =
                    (unsigned char) (sum[c] / n
                                     + px[c] * (1 - sum[3] / n / 255) + .5);
            }
        }
    }
}


/* adds what lies at a place: colour times alpha, and alpha */

static void
scene_sample(const unsigned char *data, int stride, int w, int h, double x,
             double y, double sum[4])
{
    int                  i, c, sx, sy;
    double               part;
    const unsigned char *p;

    if (!(x > -1 && y > -1 && x < w && y < h)) {
        return;
    }

    for (i = 0; i < 4; i++) {
        sx = (int) floor(x) + i % 2;
        sy = (int) floor(y) + i / 2;

        if (sx < 0 || sy < 0 || sx >= w || sy >= h) {
            continue;
        }

        part = (1 - fabs(x - sx)) * (1 - fabs(y - sy));
        p = data + (size_t) sy * stride + 4 * sx;

        for (c = 0; c < 4; c++) {
            sum[c] += part * p[c];
        }
    }
}
