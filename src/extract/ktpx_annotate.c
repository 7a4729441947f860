#include <leptonica/allheaders.h>

#include "ktpx_annotate.h"


/* Thickness of a frame, in pixels of the picture. */
#define KTPX_ANNOTATE_WIDTH 3


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


static void
ktpx_annotate_field(PIX *pix, const ktpr_field_t *field, double scale)
{
    BOX *box;

    if (field->w == 0) {
        return;
    }

    box = boxCreate((int) (field->x / scale), (int) (field->y / scale),
                    (int) (field->w / scale), (int) (field->h / scale));

    if (field->value[0] == '\0') {
        pixRenderBoxArb(pix, box, KTPX_ANNOTATE_WIDTH, 220, 0, 0);
    } else if (field->repaired) {
        pixRenderBoxArb(pix, box, KTPX_ANNOTATE_WIDTH, 255, 140, 0);
    } else {
        pixRenderBoxArb(pix, box, KTPX_ANNOTATE_WIDTH, 0, 160, 0);
    }

    boxDestroy(&box);
}


int
ktpx_annotate(ktpr_reader_t *reader, const unsigned char *bytes, size_t len,
              const ktpr_card_t *card, const char *name)
{
    int          i, rc;
    PIX         *pix;
    ktpr_image_t image;

    if (ktpr_reader_image(reader, bytes, len, &image) != 0) {
        return -1;
    }

    pix = ktpx_annotate_pix(&image);
    if (pix == NULL) {
        return -1;
    }

    for (i = 0; i < KTPR_ALL_FIELDS; i++) {
        ktpx_annotate_field(pix, &card->fields[i], image.scale);
    }

    rc = pixWrite(name, pix, IFF_PNG) == 0 ? 0 : -1;
    pixDestroy(&pix);

    return rc;
}
