#include <stdint.h>
#include <string.h>

#include <spng.h>
#include <turbojpeg.h>

#include "ktp_probe.h"
#include "ktpr_image.h"


/* fixed: bytes that are searched at once for the orientation */
#define KTPR_IMAGE_PIECE 4096

/*
 * fixed: pixels of an interlaced PNG file, which is held whole, 4 bytes each;
 * with the reduced image it is just below the reader's memory
 */
#define KTPR_IMAGE_INTERLACED (38 * 1000 * 1000L)

/*
 * fixed: sides of a PNG file, and bytes of one chunk of text or profile and of
 * all, that libspng holds: KTPR_MAX_PIXELS limits an image before these do.
 */
#define KTPR_IMAGE_PNG_SIDE   30000
#define KTPR_IMAGE_PNG_CHUNK  (1 << 20)
#define KTPR_IMAGE_PNG_CHUNKS (4 << 20)

/* fixed: libjpeg's largest reduction, if none makes an image small enough. */
#define KTPR_IMAGE_REDUCE 8


static ktpr_status_t ktpr_image_jpeg(ktpr_pool_t         *pool,
                                     const unsigned char *bytes, size_t len,
                                     ktpr_image_t *image);
static ktpr_status_t ktpr_image_png(ktpr_pool_t         *pool,
                                    const unsigned char *bytes, size_t len,
                                    ktpr_image_t *image);
static ktpr_status_t ktpr_image_turn(ktpr_pool_t *pool, ktpr_image_t *image,
                                     int orientation);


static ktpr_status_t
ktpr_image_create(ktpr_pool_t *pool, int w, int h, ktpr_image_t *image)
{
    image->w = w;
    image->h = h;
    image->scale = 1;
    image->rgb = ktpr_pool_alloc(pool, (size_t) w * (size_t) h, 3);

    return image->rgb == NULL ? KTPR_NO_MEMORY : KTPR_DONE;
}


ktpr_status_t
ktpr_image_decode(ktpr_pool_t *pool, const unsigned char *bytes, size_t len,
                  ktpr_image_t *image)
{
    if (len > 8 && memcmp(bytes, "\x89PNG\r\n\x1a\n", 8) == 0) {
        return ktpr_image_png(pool, bytes, len, image);
    }

    if (len > 3 && memcmp(bytes, "\xff\xd8\xff", 3) == 0) {
        return ktpr_image_jpeg(pool, bytes, len, image);
    }

    return KTPR_UNFIT;
}


/* The orientation in EXIF, as the contract's probe finds it. */
static int
ktpr_jpeg_orientation(const unsigned char *bytes, size_t len)
{
    size_t             n;
    ktp_probe_t        probe;
    const ktp_policy_t any = {.types = KTP_IMAGE_JPEG,
                              .max_pixels = UINT32_MAX};

    ktp_probe_init(&probe, &any);

    for (/* void */; len > 0 && probe.width == 0; bytes += n, len -= n) {
        n = len < KTPR_IMAGE_PIECE ? len : KTPR_IMAGE_PIECE;
        if (ktp_probe_feed(&probe, bytes, n) != KTP_OK) {
            break;
        }
    }

    return (int) probe.orientation;
}


/* The largest of libjpeg's reductions that fits KTPR_MAX_SIDE. */
static tjscalingfactor
ktpr_jpeg_scale(int w, int h)
{
    int              i, n, side, best;
    tjscalingfactor *list, scale;

    list = tjGetScalingFactors(&n);
    side = w > h ? w : h;
    scale.num = 1;
    scale.denom = KTPR_IMAGE_REDUCE;
    best = 0;

    for (i = 0; i < n; i++) {
        if (list[i].num > list[i].denom) {
            continue;
        }

        if (TJSCALED(side, list[i]) <= KTPR_MAX_SIDE
            && TJSCALED(side, list[i]) > best) {
            best = TJSCALED(side, list[i]);
            scale = list[i];
        }
    }

    return scale;
}


/* Converts inks to light; Adobe's files hold the inks inverted. */
static void
ktpr_jpeg_inks(const unsigned char *cmyk, size_t n, unsigned char *rgb)
{
    int    c;
    size_t i;

    for (i = 0; i < n; i++) {
        for (c = 0; c < 3; c++) {
            rgb[3 * i + c] = cmyk[4 * i + c] * cmyk[4 * i + 3] / 255;
        }
    }
}


static ktpr_status_t
ktpr_jpeg_pixels(ktpr_pool_t *pool, tjhandle jpeg, const unsigned char *bytes,
                 size_t len, ktpr_image_t *image)
{
    int             w, h, sampling, space, rc;
    unsigned char  *inks;
    tjscalingfactor scale;

    rc = tjDecompressHeader3(jpeg, bytes, len, &w, &h, &sampling, &space);
    if (rc != 0 || w < 1 || h < 1 || (long) w * h > KTPR_MAX_PIXELS) {
        return KTPR_UNFIT;
    }

    scale = ktpr_jpeg_scale(w, h);
    w = TJSCALED(w, scale);
    h = TJSCALED(h, scale);

    if (w > KTPR_MAX_SIDE || h > KTPR_MAX_SIDE) {
        return KTPR_UNFIT;
    }

    if (ktpr_image_create(pool, w, h, image) != KTPR_DONE) {
        return KTPR_NO_MEMORY;
    }

    image->scale = (double) scale.denom / scale.num;

    if (space == TJCS_CMYK || space == TJCS_YCCK) {
        inks = ktpr_pool_alloc(pool, (size_t) w * (size_t) h, 4);
        if (inks == NULL) {
            return KTPR_NO_MEMORY;
        }

        rc = tjDecompress2(jpeg, bytes, len, inks, w, 0, h, TJPF_CMYK,
                           TJFLAG_LIMITSCANS);
        ktpr_jpeg_inks(inks, (size_t) w * (size_t) h, image->rgb);
        ktpr_pool_free(pool, inks);

    } else {
        rc = tjDecompress2(jpeg, bytes, len, image->rgb, w, 0, h, TJPF_RGB,
                           TJFLAG_LIMITSCANS);
    }

    /* a warning: the file is truncated or slightly damaged */
    return rc == 0 || tjGetErrorCode(jpeg) == TJERR_WARNING ? KTPR_DONE
                                                            : KTPR_UNFIT;
}


static ktpr_status_t
ktpr_image_jpeg(ktpr_pool_t *pool, const unsigned char *bytes, size_t len,
                ktpr_image_t *image)
{
    tjhandle      jpeg;
    ktpr_status_t rc;

    jpeg = tjInitDecompress();
    if (jpeg == NULL) {
        return KTPR_NO_MEMORY;
    }

    rc = ktpr_jpeg_pixels(pool, jpeg, bytes, len, image);
    tjDestroy(jpeg);

    if (rc != KTPR_DONE) {
        return rc;
    }

    return ktpr_image_turn(pool, image, ktpr_jpeg_orientation(bytes, len));
}


/*
 * Adds a row of RGBA pixels, on a white ground, to the sums of a reduced row,
 * of which each pixel is the mean of reduce x reduce pixels.
 */
static void
ktpr_png_add(const unsigned char *rgba, int w, int reduce, unsigned *sums)
{
    int      i, c;
    unsigned alpha;

    for (i = 0; i < w; i++) {
        alpha = rgba[4 * i + 3];

        for (c = 0; c < 3; c++) {
            sums[i / reduce * 3 + c] +=
                (rgba[4 * i + c] * alpha + 255 * (255 - alpha)) / 255;
        }
    }
}


static void
ktpr_png_mean(unsigned *sums, int w, int count, unsigned char *rgb)
{
    int i;

    for (i = 0; i < 3 * w; i++) {
        rgb[i] = sums[i] / count;
        sums[i] = 0;
    }
}


/* Decodes the rows; an interlaced file, in seven passes, is held whole. */
static ktpr_status_t
ktpr_png_rows(ktpr_pool_t *pool, spng_ctx *png, const struct spng_ihdr *ihdr,
              int reduce, ktpr_image_t *image)
{
    int            y, rc;
    size_t         size;
    unsigned      *sums;
    unsigned char *rows, *row;

    size = (size_t) ihdr->width * 4;
    rows = ktpr_pool_alloc(
        pool, ihdr->interlace_method != 0 ? ihdr->height : 1, size);
    sums = ktpr_pool_alloc(pool, ihdr->width, 3 * sizeof(unsigned));

    if (rows == NULL || sums == NULL) {
        return KTPR_NO_MEMORY;
    }

    if (ihdr->interlace_method != 0) {
        rc = spng_decode_image(png, rows, size * ihdr->height, SPNG_FMT_RGBA8,
                               SPNG_DECODE_TRNS);
    } else {
        rc = spng_decode_image(png, NULL, 0, SPNG_FMT_RGBA8,
                               SPNG_DECODE_TRNS | SPNG_DECODE_PROGRESSIVE);
    }

    if (rc != 0) {
        return rc == SPNG_EMEM ? KTPR_NO_MEMORY : KTPR_UNFIT;
    }

    for (y = 0; y < image->h * reduce; y++) {
        row = rows;

        if (ihdr->interlace_method != 0) {
            row += size * (size_t) y;

        } else {
            rc = spng_decode_row(png, row, size);
            if (rc != 0 && rc != SPNG_EOI) {
                return rc == SPNG_EMEM ? KTPR_NO_MEMORY : KTPR_UNFIT;
            }
        }

        ktpr_png_add(row, image->w * reduce, reduce, sums);

        if (y % reduce == reduce - 1) {
            ktpr_png_mean(sums, image->w, reduce * reduce,
                          image->rgb + (size_t) (y / reduce) * image->w * 3);
        }
    }

    ktpr_pool_free(pool, sums);
    ktpr_pool_free(pool, rows);

    return KTPR_DONE;
}


static ktpr_status_t
ktpr_image_png(ktpr_pool_t *pool, const unsigned char *bytes, size_t len,
               ktpr_image_t *image)
{
    int              reduce, side;
    long             most;
    spng_ctx        *png;
    ktpr_status_t    rc;
    struct spng_ihdr ihdr;

    png = spng_ctx_new(SPNG_CTX_IGNORE_ADLER32);
    if (png == NULL) {
        return KTPR_NO_MEMORY;
    }

    rc = KTPR_UNFIT;
    reduce = 1;
    spng_set_image_limits(png, KTPR_IMAGE_PNG_SIDE, KTPR_IMAGE_PNG_SIDE);
    spng_set_chunk_limits(png, KTPR_IMAGE_PNG_CHUNK, KTPR_IMAGE_PNG_CHUNKS);

    if (spng_set_png_buffer(png, bytes, len) == 0
        && spng_get_ihdr(png, &ihdr) == 0) {
        most = ihdr.interlace_method != 0 ? KTPR_IMAGE_INTERLACED
                                          : KTPR_MAX_PIXELS;
        side = ihdr.width > ihdr.height ? ihdr.width : ihdr.height;
        reduce = (side + KTPR_MAX_SIDE - 1) / KTPR_MAX_SIDE;

        if ((long) ihdr.width * ihdr.height <= most
            && (int) ihdr.width >= reduce && (int) ihdr.height >= reduce) {
            rc = ktpr_image_create(pool, ihdr.width / reduce,
                                   ihdr.height / reduce, image);
            if (rc == KTPR_DONE) {
                rc = ktpr_png_rows(pool, png, &ihdr, reduce, image);
            }
        }
    }

    spng_ctx_free(png);
    image->scale = rc == KTPR_DONE ? reduce : 1;

    return rc;
}


/*
 * Turns the image upright: orientation says where row 0 and column 0 are (EXIF
 * 2.32, 4.6.4 A), as a mirror of either axis and an exchange of the two.
 */
static ktpr_status_t
ktpr_image_turn(ktpr_pool_t *pool, ktpr_image_t *image, int orientation)
{
    int            x, y, sx, sy, swap, flip_x, flip_y;
    ktpr_image_t   out;
    unsigned char *to;

    if (orientation == 1) {
        return KTPR_DONE;
    }

    swap = orientation >= 5;
    flip_x = orientation == 2 || orientation == 3 || orientation == 7
             || orientation == 8;
    flip_y = orientation == 3 || orientation == 4 || orientation == 6
             || orientation == 7;

    if (ktpr_image_create(pool, swap ? image->h : image->w,
                          swap ? image->w : image->h, &out)
        != KTPR_DONE) {
        return KTPR_NO_MEMORY;
    }

    to = out.rgb;

    for (y = 0; y < out.h; y++) {
        for (x = 0; x < out.w; x++) {
            sx = swap ? y : x;
            sy = swap ? x : y;
            sx = flip_x ? image->w - 1 - sx : sx;
            sy = flip_y ? image->h - 1 - sy : sy;
            memcpy(to, image->rgb + ((size_t) sy * image->w + sx) * 3, 3);
            to += 3;
        }
    }

    out.scale = image->scale;
    ktpr_pool_free(pool, image->rgb);
    *image = out;

    return KTPR_DONE;
}
