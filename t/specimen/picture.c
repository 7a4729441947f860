#include "picture.h"
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <turbojpeg.h>

/* cairo's RGB24 is a 32-bit word: its bytes are in the host's order */
#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "blue is taken to be the first byte of a pixel"
#endif


static void    picture_tone(cairo_surface_t *picture, const camera_t *camera,
                            dice_t *dice);
static double  picture_glare(const camera_t *camera, double dx, double dy);
static uint8_t clamp(double v);
static int     picture_blur(cairo_surface_t *picture, double sigma);
static void   blur_line(uint8_t *line, size_t step, int n, const float *kernel,
                        int radius, float *copy);
static double dice_normal(dice_t *dice);
static int    picture_jpeg(cairo_surface_t *picture, const char *name,
                           int quality);


int
camera_apply(cairo_surface_t *picture, const camera_t *camera, dice_t *dice)
{
    cairo_surface_flush(picture);

    /* a lens blurs before the sensor adds its noise */

    if (camera->blur > 0 && picture_blur(picture, camera->blur) != 0) {
        return -1;
    }

    picture_tone(picture, camera, dice);
    cairo_surface_mark_dirty(picture);

    return 0;
}


static void
picture_tone(cairo_surface_t *picture, const camera_t *camera, dice_t *dice)
{
    int      x, y, c, w, h;
    double   v, glare, light, luma, right, down;
    uint8_t *row, *px;

    w = cairo_image_surface_get_width(picture);
    h = cairo_image_surface_get_height(picture);
    right = 2 * camera->uneven * cos(camera->uneven_turn * M_PI / 180) / w;
    down = 2 * camera->uneven * sin(camera->uneven_turn * M_PI / 180) / w;

    for (y = 0; y < h; y++) {
        row = cairo_image_surface_get_data(picture)
              + (size_t) y * cairo_image_surface_get_stride(picture);

        for (x = 0; x < w; x++) {
            px = row + 4 * x;
            glare = picture_glare(camera, (double) x / w - camera->glare_x,
                                  ((double) y - camera->glare_y * h) / w);
            light = camera->dark
                    * (1 + (x - w / 2.) * right + (y - h / 2.) * down);

            luma = 0.114 * px[0] + 0.587 * px[1] + 0.299 * px[2];

            for (c = 0; c < 3; c++) {
                v = camera->gray ? luma : px[c];
                v *= 1 + .15 * camera->tint * (c - 1);
                v = v * light + glare;
                v += camera->noise > 0 ? camera->noise * dice_normal(dice) : 0;
                px[c] = clamp(v);
            }
        }
    }
}


/* What a lamp's reflection adds so far from its middle, in widths. */
static double
picture_glare(const camera_t *camera, double dx, double dy)
{
    double c, s, along, across, radius;

    if (camera->glare <= 0) {
        return 0;
    }

    c = cos(camera->glare_turn * M_PI / 180);
    s = sin(camera->glare_turn * M_PI / 180);
    radius = camera->glare * sqrt(camera->glare_long);
    along = (dx * c + dy * s) / radius;
    across = (dy * c - dx * s) / radius * camera->glare_long;

    return 420
           * exp(
               -2
               * pow(along * along + across * across, camera->glare_edge / 2));
}


static uint8_t
clamp(double v)
{
    return v < 0 ? 0 : v > 255 ? 255 : (uint8_t) (v + 0.5);
}


static double
dice_normal(dice_t *dice)
{
    double u;

    u = 1 - dice_real(dice);

    return sqrt(-2 * log(u)) * cos(2 * M_PI * dice_real(dice));
}


static int
picture_blur(cairo_surface_t *picture, double sigma)
{
    int      i, radius, w, h, c;
    float   *kernel, *copy, sum;
    size_t   stride;
    uint8_t *data;

    w = cairo_image_surface_get_width(picture);
    h = cairo_image_surface_get_height(picture);
    stride = (size_t) cairo_image_surface_get_stride(picture);
    data = cairo_image_surface_get_data(picture);
    radius = (int) ceil(3 * sigma);

    kernel = malloc(sizeof(float) * (size_t) (2 * radius + 1));
    copy = malloc(sizeof(float) * (size_t) ((w > h ? w : h) + 2 * radius));

    if (kernel == NULL || copy == NULL) {
        free(kernel);
        free(copy);
        return -1;
    }

    sum = 0;

    for (i = -radius; i <= radius; i++) {
        kernel[i + radius] = expf(-(float) (i * i / (2 * sigma * sigma)));
        sum += kernel[i + radius];
    }

    for (i = 0; i <= 2 * radius; i++) {
        kernel[i] /= sum;
    }

    for (c = 0; c < 3; c++) {
        for (i = 0; i < h; i++) {
            blur_line(data + (size_t) i * stride + c, 4, w, kernel, radius,
                      copy);
        }

        for (i = 0; i < w; i++) {
            blur_line(data + 4 * i + c, stride, h, kernel, radius, copy);
        }
    }

    free(kernel);
    free(copy);

    return 0;
}


static void
blur_line(uint8_t *line, size_t step, int n, const float *kernel, int radius,
          float *copy)
{
    int   i, k, at;
    float sum;

    for (i = -radius; i < n + radius; i++) {
        at = i < 0 ? 0 : i >= n ? n - 1 : i;
        copy[i + radius] = line[(size_t) at * step];
    }

    for (i = 0; i < n; i++) {
        sum = 0;

        for (k = 0; k <= 2 * radius; k++) {
            sum += kernel[k] * copy[i + k];
        }

        line[(size_t) i * step] = clamp((double) sum);
    }
}


int
picture_write(cairo_surface_t *picture, const char *name, int quality)
{
    size_t         len;
    cairo_status_t status;

    len = strlen(name);

    if (len < 4 || strcmp(name + len - 4, ".png") != 0) {
        return picture_jpeg(picture, name, quality);
    }

    status = cairo_surface_write_to_png(picture, name);

    if (status != CAIRO_STATUS_SUCCESS) {
        fprintf(stderr, "%s: %s\n", name, cairo_status_to_string(status));
        return -1;
    }

    return 0;
}


static int
picture_jpeg(cairo_surface_t *picture, const char *name, int quality)
{
    int            rc;
    FILE          *file;
    tjhandle       jpeg;
    unsigned long  size;
    unsigned char *data;

    data = NULL;
    size = 0;
    jpeg = tjInitCompress();

    if (jpeg == NULL
        || tjCompress2(jpeg, cairo_image_surface_get_data(picture),
                       cairo_image_surface_get_width(picture),
                       cairo_image_surface_get_stride(picture),
                       cairo_image_surface_get_height(picture), TJPF_BGRX,
                       &data, &size, TJSAMP_420, quality, TJFLAG_ACCURATEDCT)
               != 0) {
        fprintf(stderr, "%s: %s\n", name, tjGetErrorStr2(jpeg));
        rc = -1;
        goto done;
    }

    rc = -1;
    file = fopen(name, "wb");

    if (file != NULL) {
        rc = fwrite(data, 1, size, file) == size ? 0 : -1;
        rc = fclose(file) == 0 ? rc : -1;
    }

    if (rc != 0) {
        perror(name);
    }

done:

    tjFree(data);

    if (jpeg != NULL) {
        tjDestroy(jpeg);
    }

    return rc;
}
