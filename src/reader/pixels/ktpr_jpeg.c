#include <setjmp.h>
#include <stdio.h>
#include <string.h>

#include <jpeglib.h>
#include <jerror.h>

#include "ktp_limits.h"
#include "ktp_probe.h"
#include "ktpr_jpeg.h"


/* fixed: bytes that are searched at once for the orientation */
#define KTPR_JPEG_PIECE 4096

/*
 * fixed: pixels times components that all scans of a file decode, at most.  A
 * progressive file of the usual ten scans has 14 components, one of the
 * largest image with 32 takes 0.6 s of CPU time; one with 480 takes 8 s.
 */
#define KTPR_JPEG_WORK (32. * KTP_MAX_PIXELS)

/* fixed: times as long that arithmetic coding takes, in such pixels */
#define KTPR_JPEG_ARITHMETIC 8

/* fixed: a whole in libjpeg's reductions */
#define KTPR_JPEG_WHOLE 8

typedef struct {
    struct jpeg_error_mgr    errors;
    struct jpeg_progress_mgr progress;
    const ktpr_area_t       *upright; /* what is wanted, NULL: all */
    int                      orientation;
    int                      least; /* longer side; 0: as large as can be */
    ktpr_area_t              area;  /* the same as stored, then as put out */
    jmp_buf                  failed;
    ktpr_status_t            status; /* with which it failed */
    int                      scan;   /* the last one that was counted */
    double                   work;   /* pixels of components of all scans */
} ktpr_jpeg_t;


static void
ktpr_jpeg_fail(ktpr_jpeg_t *jpeg, ktpr_status_t status)
{
    jpeg->status = status;
    longjmp(jpeg->failed, 1);
}


static void
ktpr_jpeg_error(j_common_ptr info)
{
    ktpr_jpeg_fail(info->client_data, info->err->msg_code == JERR_OUT_OF_MEMORY
                                          ? KTPR_NO_MEMORY
                                          : KTPR_UNFIT);
}


/* A warning: the file is truncated or slightly damaged. */
static void
ktpr_jpeg_message(j_common_ptr info, int level)
{
    (void) info;
    (void) level;
}


/* Called before each row of blocks that a scan has. */
static void
ktpr_jpeg_progress(j_common_ptr info)
{
    ktpr_jpeg_t     *jpeg;
    j_decompress_ptr file;

    jpeg = info->client_data;
    file = (j_decompress_ptr) info;

    if (file->input_scan_number == jpeg->scan) {
        return;
    }

    jpeg->scan = file->input_scan_number;
    jpeg->work += (double) file->image_width * file->image_height
                  * file->comps_in_scan
                  * (file->arith_code ? KTPR_JPEG_ARITHMETIC : 1);

    if (jpeg->work > KTPR_JPEG_WORK) {
        ktpr_jpeg_fail(jpeg, KTPR_COSTLY);
    }
}


int
ktpr_jpeg_orientation(const unsigned char *bytes, size_t len)
{
    size_t             n;
    ktp_probe_t        probe;
    const ktp_policy_t any = {.types = KTP_IMAGE_JPEG,
                              .max_pixels = UINT32_MAX};

    ktp_probe_init(&probe, &any);

    for (/* void */; len > 0 && probe.width == 0; bytes += n, len -= n) {
        n = len < KTPR_JPEG_PIECE ? len : KTPR_JPEG_PIECE;
        if (ktp_probe_feed(&probe, bytes, n) != KTP_OK) {
            break;
        }
    }

    return (int) probe.orientation;
}


/* The largest of libjpeg's reductions, in eighths, that fits KTPR_MAX_SIDE. */
static unsigned
ktpr_jpeg_scale(unsigned side)
{
    unsigned scale;

    for (scale = KTPR_JPEG_WHOLE; scale > 1; scale--) {
        if ((side * scale + KTPR_JPEG_WHOLE - 1) / KTPR_JPEG_WHOLE
            <= KTPR_MAX_SIDE) {
            break;
        }
    }

    return scale;
}


/* The smallest one by halves, which are fast, that leaves a longer side. */
static unsigned
ktpr_jpeg_halve(int side, int least)
{
    unsigned scale;

    scale = KTPR_JPEG_WHOLE;

    while (scale > 1 && side * (int) (scale / 2) / KTPR_JPEG_WHOLE >= least) {
        scale /= 2;
    }

    return scale;
}


/* Converts inks to light; Adobe's files hold the inks inverted. */
static void
ktpr_jpeg_inks(const unsigned char *cmyk, int n, unsigned char *rgb)
{
    int i, c;

    for (i = 0; i < n; i++) {
        for (c = 0; c < 3; c++) {
            rgb[3 * i + c] = cmyk[4 * i + c] * cmyk[4 * i + 3] / 255;
        }
    }
}


/* Reads the header, and starts to decode at the size that fits the area. */
static void
ktpr_jpeg_open(ktpr_jpeg_t *jpeg, j_decompress_ptr file,
               const unsigned char *bytes, size_t len)
{
    int side;

    file->progress = &jpeg->progress;
    jpeg->progress.progress_monitor = ktpr_jpeg_progress;

    jpeg_mem_src(file, bytes, len);
    jpeg_read_header(file, TRUE);

    if ((double) file->image_width * file->image_height > KTP_MAX_PIXELS) {
        ktpr_jpeg_fail(jpeg, KTPR_UNFIT);
    }

    jpeg->area =
        ktpr_image_stored(jpeg->upright, (int) file->image_width,
                          (int) file->image_height, jpeg->orientation);
    side = jpeg->area.w > jpeg->area.h ? jpeg->area.w : jpeg->area.h;

    file->scale_num = ktpr_jpeg_scale((unsigned) side);
    file->scale_denom = KTPR_JPEG_WHOLE;

    if (jpeg->least > 0) {
        file->scale_num = ktpr_jpeg_halve(side, jpeg->least);
    }

    file->out_color_space = file->num_components == 4 ? JCS_CMYK : JCS_RGB;

    jpeg_start_decompress(file);
}


/* Makes the image for the area at the size of the output. */
static void
ktpr_jpeg_create(ktpr_pool_t *pool, ktpr_jpeg_t *jpeg, j_decompress_ptr file,
                 ktpr_image_t *image)
{
    int          n;
    ktpr_area_t *area;

    n = (int) file->scale_num;
    area = &jpeg->area;
    area->w = (area->x + area->w) * n;
    area->h = (area->y + area->h) * n;
    area->x = area->x * n / KTPR_JPEG_WHOLE;
    area->y = area->y * n / KTPR_JPEG_WHOLE;
    area->w = (area->w + KTPR_JPEG_WHOLE - 1) / KTPR_JPEG_WHOLE - area->x;
    area->h = (area->h + KTPR_JPEG_WHOLE - 1) / KTPR_JPEG_WHOLE - area->y;

    if (area->w > KTPR_MAX_SIDE + 1 || area->h > KTPR_MAX_SIDE + 1) {
        ktpr_jpeg_fail(jpeg, KTPR_UNFIT);
    }

    if (ktpr_image_create(pool, area->w, area->h, image) != KTPR_DONE) {
        ktpr_jpeg_fail(jpeg, KTPR_NO_MEMORY);
    }

    image->scale = (double) KTPR_JPEG_WHOLE / n;
}


/* Decodes the rows; what a truncated file lacks is grey. */
static void
ktpr_jpeg_rows(ktpr_pool_t *pool, ktpr_jpeg_t *jpeg, j_decompress_ptr file,
               ktpr_image_t *image)
{
    int                y, channels;
    JSAMPROW           row;
    unsigned char     *rgb, *from;
    const ktpr_area_t *area;

    area = &jpeg->area;
    channels = file->out_color_components;
    row = ktpr_pool_alloc(pool, file->output_width, (size_t) channels);
    if (row == NULL) {
        ktpr_jpeg_fail(jpeg, KTPR_NO_MEMORY);
    }

    from = row + area->x * channels;

    for (y = 0; y < area->y + area->h; y++) {
        jpeg_read_scanlines(file, &row, 1);
        if (y < area->y) {
            continue;
        }

        rgb = image->rgb + (size_t) (y - area->y) * (size_t) area->w * 3;

        if (channels == 4) {
            ktpr_jpeg_inks(from, area->w, rgb);
        } else {
            memcpy(rgb, from, (size_t) area->w * 3);
        }
    }

    ktpr_pool_free(pool, row);
}


ktpr_status_t
ktpr_jpeg_decode(ktpr_pool_t *pool, const unsigned char *bytes, size_t len,
                 const ktpr_area_t *area, int orientation, int least,
                 ktpr_image_t *image)
{
    ktpr_jpeg_t                   jpeg = {0};
    struct jpeg_decompress_struct file = {0};

    jpeg.upright = area;
    jpeg.orientation = orientation;
    jpeg.least = least;
    file.err = jpeg_std_error(&jpeg.errors);
    jpeg.errors.error_exit = ktpr_jpeg_error;
    jpeg.errors.emit_message = ktpr_jpeg_message;
    file.client_data = &jpeg;

    if (setjmp(jpeg.failed) == 0) {
        jpeg_create_decompress(&file);
        ktpr_jpeg_open(&jpeg, &file, bytes, len);
        ktpr_jpeg_create(pool, &jpeg, &file, image);
        ktpr_jpeg_rows(pool, &jpeg, &file, image);
    }

    jpeg_destroy_decompress(&file);

    return jpeg.status;
}
