#include <stdio.h>
#include <string.h>
#include <strings.h>

#include <leptonica/allheaders.h>

#include "ktpx_annotate.h"


/*
 * In pixels of the picture: thickness of a frame, and its distance from the
 * letters, whose boxes end at their feet.
 */
#define KTPX_ANNOTATE_WIDTH 3
#define KTPX_ANNOTATE_SPACE 6

/* Sizes of Leptonica's letters: even numbers of points, at 300 an inch. */
#define KTPX_ANNOTATE_SMALLEST 4
#define KTPX_ANNOTATE_LARGEST  20

/* Pixels of a letter's height for each point, roughly. */
#define KTPX_ANNOTATE_POINT 4

/* Red, green and blue, each of 8 bits. */
#define KTPX_ANNOTATE_EMPTY    0xdc0000u
#define KTPX_ANNOTATE_REPAIRED 0xff8c00u
#define KTPX_ANNOTATE_READ     0x00a000u
#define KTPX_ANNOTATE_PAPER    0xffffffu


static PIX *
ktpx_annotate_pix(const ktpr_image_t *image)
{
    int                  x, y;
    PIX                 *pix;
    l_uint32            *line;
    const unsigned char *p;

    pix = pixCreate(image->w, image->h, 32);
    if (pix == NULL) {
        return NULL;
    }

    p = image->rgb;

    for (y = 0; y < image->h; y++) {
        line = pixGetData(pix) + (size_t) y * pixGetWpl(pix);
        for (x = 0; x < image->w; x++, p += 3) {
            composeRGBPixel(p[0], p[1], p[2], &line[x]);
        }
    }

    return pix;
}


/* Letters about half as high as the box of a field; NULL: none. */
static L_BMF *
ktpx_annotate_letters(int h)
{
    int size;

    size = h / 2 / KTPX_ANNOTATE_POINT / 2 * 2;
    size = size < KTPX_ANNOTATE_SMALLEST  ? KTPX_ANNOTATE_SMALLEST
           : size > KTPX_ANNOTATE_LARGEST ? KTPX_ANNOTATE_LARGEST
                                          : size;

    return bmfCreate(NULL, size);
}


/*
 * Writes the name and the confidence of a field from left on, on paper within
 * the picture, and returns the right end; without letters, which take memory,
 * nothing.
 */
static int
ktpx_annotate_label(PIX *pix, const char *name, const ktpr_field_t *field,
                    int left, const BOX *frame, unsigned color)
{
    int    x, y, w, h, tw, over;
    BOX   *paper;
    char   text[64];
    L_BMF *letters;

    boxGetGeometry((BOX *) frame, &x, &y, &w, &h);
    letters = ktpx_annotate_letters(h);
    if (letters == NULL) {
        return left;
    }

    snprintf(text, sizeof(text), "%s %.2f", name, (double) field->confidence);

    if (bmfGetStringWidth(letters, text, &tw) == 0) {
        x = left + tw < pixGetWidth(pix) ? left : pixGetWidth(pix) - tw;
        x = x > 0 ? x : 0;
        paper = boxCreate(x, y, tw, letters->lineheight);
        pixSetInRectArbitrary(pix, paper, KTPX_ANNOTATE_PAPER << 8);
        boxDestroy(&paper);
        pixSetTextline(pix, letters, text, color << 8, x,
                       y + letters->baselinetab[93], &tw, &over);
        left = x + tw;
    }

    bmfDestroy(&letters);

    return left;
}


/*
 * Draws a field.  left: where its label begins if it has the box of the field
 * before it, or 0; the right end of the label is returned.
 */
static int
ktpx_annotate_field(PIX *pix, const char *name, const ktpr_field_t *field,
                    int left, double scale)
{
    int      x, y, w, h;
    BOX     *frame;
    unsigned color;

    color = field->value[0] == '\0' ? KTPX_ANNOTATE_EMPTY
            : field->repaired       ? KTPX_ANNOTATE_REPAIRED
                                    : KTPX_ANNOTATE_READ;

    frame = boxCreate((int) (field->x / scale) - KTPX_ANNOTATE_SPACE,
                      (int) (field->y / scale) - KTPX_ANNOTATE_SPACE,
                      (int) (field->w / scale) + 2 * KTPX_ANNOTATE_SPACE,
                      (int) (field->h / scale) + 2 * KTPX_ANNOTATE_SPACE);
    if (frame == NULL) {
        return 0;
    }

    pixRenderBoxArb(pix, frame, KTPX_ANNOTATE_WIDTH, (l_uint8) (color >> 16),
                    (l_uint8) (color >> 8), (l_uint8) color);
    boxGetGeometry(frame, &x, &y, &w, &h);
    left = ktpx_annotate_label(pix, name, field,
                               (left > 0 ? left : x + w) + KTPX_ANNOTATE_SPACE,
                               frame, color);
    boxDestroy(&frame);

    return left;
}


/* Whether two fields were read from the same place: birth is a line. */
static int
ktpx_annotate_same(const ktpr_field_t *a, const ktpr_field_t *b)
{
    return a->x == b->x && a->y == b->y && a->w == b->w && a->h == b->h;
}


/* By the end of its name, a JPEG or a PNG file. */
static int
ktpx_annotate_format(const char *name)
{
    const char *dot;

    dot = strrchr(name, '.');

    return dot != NULL
                   && (strcasecmp(dot, ".jpg") == 0
                       || strcasecmp(dot, ".jpeg") == 0)
               ? IFF_JFIF_JPEG
               : IFF_PNG;
}


int
ktpx_annotate(ktpr_reader_t *reader, const unsigned char *bytes, size_t len,
              const ktpr_card_t *card, const char *name)
{
    int                 i, rc, left;
    PIX                *pix;
    ktpr_image_t        image;
    const ktpr_field_t *field;

    /* failures are reported once, by the caller */
    setMsgSeverity(L_SEVERITY_NONE);

    if (ktpr_reader_image(reader, bytes, len, &image) != 0) {
        return -1;
    }

    pix = ktpx_annotate_pix(&image);
    if (pix == NULL) {
        return -1;
    }

    left = 0;

    for (i = 0; i < KTPR_ALL_FIELDS; i++) {
        field = &card->fields[i];
        if (field->w == 0) {
            continue;
        }

        left = ktpx_annotate_field(
            pix, ktpr_field_name((ktpr_field_id_t) i), field,
            i > 0 && ktpx_annotate_same(field, field - 1) ? left : 0,
            image.scale);
    }

    rc = pixWrite(name, pix, ktpx_annotate_format(name)) == 0 ? 0 : -1;
    pixDestroy(&pix);

    return rc;
}
