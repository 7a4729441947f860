#include <stdlib.h>

#include "ktpr_blobs.h"


/* The least blob that may be a piece of a letter: pixels of ink, of a side. */
#define KTPR_BLOBS_AREA 4
#define KTPR_BLOBS_SIDE 4

/*
 * Percent of a blob's rectangle that has ink, at least: less is a frame or a
 * slanted line.  Chosen by eye, set not recorded.
 */
#define KTPR_BLOBS_FILL 8

/* A run of ink in a row: x0 to x1 - 1, and the part of a blob it is in. */
typedef struct {
    int x0, x1, part;
} ktpr_run_t;

/* Parts of blobs; of parts that met, one's root is the other. */
typedef struct {
    ktpr_blob_t *boxes; /* x + w and y + h are in w and h */
    int         *roots;
    int          n;
} ktpr_parts_t;


static int
ktpr_parts_root(const ktpr_parts_t *parts, int part)
{
    while (parts->roots[part] != part) {
        parts->roots[part] = parts->roots[parts->roots[part]];
        part = parts->roots[part];
    }

    return part;
}


static void
ktpr_box_add(ktpr_blob_t *to, const ktpr_blob_t *box)
{
    to->x = box->x < to->x ? box->x : to->x;
    to->y = box->y < to->y ? box->y : to->y;
    to->w = box->w > to->w ? box->w : to->w;
    to->h = box->h > to->h ? box->h : to->h;
    to->area += box->area;
}


/* Joins two parts: the one that began first in reading order is the root. */
static int
ktpr_parts_join(ktpr_parts_t *parts, int a, int b)
{
    int first, other;

    a = ktpr_parts_root(parts, a);
    b = ktpr_parts_root(parts, b);

    if (a == b) {
        return a;
    }

    first = a < b ? a : b;
    other = a < b ? b : a;
    parts->roots[other] = first;
    ktpr_box_add(&parts->boxes[first], &parts->boxes[other]);

    return first;
}


/* The runs of a row; how many. */
static int
ktpr_blobs_runs(const unsigned char *row, int w, int threshold,
                ktpr_run_t *runs)
{
    int x, n;

    n = 0;

    for (x = 0; x < w; x++) {
        if (row[x] < threshold) {
            runs[n].x0 = x;
            while (x < w && row[x] < threshold) {
                x++;
            }
            runs[n++].x1 = x;
        }
    }

    return n;
}


/* Gives a row's runs their parts, by the runs above that touch them. */
static void
ktpr_blobs_row(ktpr_parts_t *parts, int y, ktpr_run_t *runs, int n,
               const ktpr_run_t *above, int nabove)
{
    int         i, k, part;
    ktpr_blob_t box;

    k = 0;

    for (i = 0; i < n; i++) {
        part = -1;

        while (k < nabove && above[k].x1 < runs[i].x0) {
            k++;
        }

        /* corners touch too; the last may touch the next run as well */
        for (; k < nabove && above[k].x0 <= runs[i].x1; k++) {
            part = part < 0 ? ktpr_parts_root(parts, above[k].part)
                            : ktpr_parts_join(parts, part, above[k].part);
            if (above[k].x1 >= runs[i].x1) {
                break;
            }
        }

        box.x = runs[i].x0;
        box.y = y;
        box.w = runs[i].x1;
        box.h = y + 1;
        box.area = runs[i].x1 - runs[i].x0;

        if (part < 0) {
            part = parts->n++;
            parts->boxes[part] = box;
            parts->roots[part] = part;

        } else {
            ktpr_box_add(&parts->boxes[part], &box);
        }

        runs[i].part = part;
    }
}


static void
ktpr_blobs_label(const ktpr_gray_t *gray, int threshold, ktpr_parts_t *parts,
                 ktpr_run_t *runs, ktpr_run_t *above)
{
    int         y, n, nabove;
    ktpr_run_t *swap;

    nabove = 0;

    for (y = 0; y < gray->h; y++) {
        n = ktpr_blobs_runs(gray->px + (size_t) y * gray->w, gray->w,
                            threshold, runs);
        ktpr_blobs_row(parts, y, runs, n, above, nabove);
        swap = above;
        above = runs;
        runs = swap;
        nabove = n;
    }
}


static int
ktpr_blob_compare(const void *a, const void *b)
{
    const ktpr_blob_t *p = a, *q = b;

    return p->x != q->x ? p->x - q->x : p->y - q->y;
}


static int
ktpr_blobs_keep(const ktpr_parts_t *parts, int max_height, int max_width,
                ktpr_blob_t *blobs)
{
    int         i, kept;
    ktpr_blob_t b;

    kept = 0;

    for (i = 0; i < parts->n && kept < KTPR_MAX_BLOBS; i++) {
        if (parts->roots[i] != i) {
            continue;
        }

        b = parts->boxes[i];
        b.w -= b.x;
        b.h -= b.y;

        if ((b.h >= KTPR_BLOBS_SIDE || b.w >= KTPR_BLOBS_SIDE)
            && b.h <= max_height && b.w <= max_width
            && b.area >= KTPR_BLOBS_AREA
            && b.area * 100 >= KTPR_BLOBS_FILL * b.w * b.h) {
            blobs[kept++] = b;
        }
    }

    return kept;
}


int
ktpr_blobs_find(ktpr_pool_t *pool, const ktpr_gray_t *gray, int threshold,
                int max_height, int max_width, ktpr_blob_t **blobs)
{
    int          n;
    size_t       runs, parts_max;
    ktpr_run_t  *rows;
    ktpr_parts_t parts = {0};

    /* no two runs of a row touch, and a part begins with a run */
    runs = (size_t) gray->w / 2 + 1;
    parts_max = runs * (size_t) gray->h;

    *blobs = ktpr_pool_alloc(pool, KTPR_MAX_BLOBS, sizeof(ktpr_blob_t));
    rows = ktpr_pool_alloc(pool, 2 * runs, sizeof(ktpr_run_t));
    parts.boxes = ktpr_pool_alloc(pool, parts_max, sizeof(ktpr_blob_t));
    parts.roots = ktpr_pool_alloc(pool, parts_max, sizeof(int));

    if (*blobs == NULL || rows == NULL || parts.boxes == NULL
        || parts.roots == NULL) {
        return KTPR_NO_MEMORY;
    }

    ktpr_blobs_label(gray, threshold, &parts, rows, rows + runs);
    n = ktpr_blobs_keep(&parts, max_height, max_width, *blobs);
    qsort(*blobs, (size_t) n, sizeof(ktpr_blob_t), ktpr_blob_compare);

    ktpr_pool_free(pool, parts.roots);
    ktpr_pool_free(pool, parts.boxes);
    ktpr_pool_free(pool, rows);

    return n < KTPR_MAX_BLOBS ? n : 0;
}
