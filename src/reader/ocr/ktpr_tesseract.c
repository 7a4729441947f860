#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <omp.h>
#include <tesseract/capi.h>

#include "ktpr_tesseract.h"


/* The language that reads digits best; no word of it is used. */
#define KTPR_TESSERACT_LANGUAGE "eng"

/*
 * Pixels an inch: what Tesseract's data were trained at.  Without it Tesseract
 * guesses a resolution, and says so on standard error.
 */
#define KTPR_TESSERACT_DPI "300"

struct ktpr_tesseract_s {
    const char  *tessdata;
    TessBaseAPI *api; /* NULL: not loaded */
};


/* Whether the file of the language can be read in the folder. */
static int
ktpr_tesseract_has_data(const char *tessdata)
{
    int  rc;
    char name[4096];

    rc = snprintf(name, sizeof(name),
                  "%s/" KTPR_TESSERACT_LANGUAGE ".traineddata", tessdata);

    return rc > 0 && (size_t) rc < sizeof(name) && access(name, R_OK) == 0;
}


ktpr_tesseract_t *
ktpr_tesseract_create(const char *tessdata)
{
    ktpr_tesseract_t *tesseract;

    if (tessdata != NULL && !ktpr_tesseract_has_data(tessdata)) {
        fprintf(stderr,
                "no \"" KTPR_TESSERACT_LANGUAGE
                ".traineddata\" of Tesseract in \"%s\"\n",
                tessdata);
        return NULL;
    }

    tesseract = calloc(1, sizeof(ktpr_tesseract_t));
    if (tesseract != NULL) {
        tesseract->tessdata = tessdata;
    }

    return tesseract;
}


void
ktpr_tesseract_destroy(ktpr_tesseract_t *tesseract)
{
    if (tesseract == NULL) {
        return;
    }

    if (tesseract->api != NULL) {
        TessBaseAPIEnd(tesseract->api);
        TessBaseAPIDelete(tesseract->api);
    }

    free(tesseract);
}


int
ktpr_tesseract_load(ktpr_tesseract_t *tesseract)
{
    size_t       i;
    TessBaseAPI *api;

    /* word lists are of no use for digits */
    static char *names[] = {
        (char *) "load_system_dawg", (char *) "load_freq_dawg",
        (char *) "load_punc_dawg", (char *) "load_number_dawg"};
    static char *values[] = {(char *) "0", (char *) "0", (char *) "0",
                             (char *) "0"};
    static const char *const settings[][2] = {
        {"tessedit_do_invert", "0"},
        {"classify_enable_learning", "0"},
        {"user_defined_dpi", KTPR_TESSERACT_DPI},
    };

    if (tesseract->api != NULL) {
        return 0;
    }

    api = TessBaseAPICreate();

    /* its messages, those about missing data included */
    if (api != NULL) {
        TessBaseAPISetVariable(api, "debug_file", "/dev/null");
    }

    if (api == NULL
        || TessBaseAPIInit4(api, tesseract->tessdata, KTPR_TESSERACT_LANGUAGE,
                            OEM_LSTM_ONLY, NULL, 0, names, values,
                            sizeof(names) / sizeof(names[0]), 0)
               != 0) {
        fprintf(stderr, "Tesseract's data for \"" KTPR_TESSERACT_LANGUAGE
                        "\" cannot be loaded\n");
        if (api != NULL) {
            TessBaseAPIDelete(api);
        }
        return -1;
    }

    for (i = 0; i < sizeof(settings) / sizeof(settings[0]); i++) {
        TessBaseAPISetVariable(api, settings[i][0], settings[i][1]);
    }

    TessBaseAPISetPageSegMode(api, PSM_RAW_LINE);
    tesseract->api = api;

    return 0;
}


/*
 * UTF-8 to the ASCII that cards are printed in: typographic quotes and
 * dashes become plain ones, any other character is dropped, runs of blanks
 * become one.
 */
static void
ktpr_tesseract_ascii(const char *from, char *to, size_t size)
{
    size_t i, n;

    static const struct {
        const char *utf8;
        char        ascii;
    } table[] = {
        {"\xe2\x80\x98", '\''}, {"\xe2\x80\x99", '\''}, {"\xe2\x80\x9c", '"'},
        {"\xe2\x80\x9d", '"'},  {"\xe2\x80\x93", '-'},  {"\xe2\x80\x94", '-'},
    };

    n = 0;

    while (*from != '\0' && n < size - 1) {

        if ((unsigned char) *from >= 0x80) {
            for (i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
                if (strncmp(from, table[i].utf8, 3) == 0) {
                    to[n++] = table[i].ascii;
                }
            }

            do {
                from++;
            } while (((unsigned char) *from & 0xc0) == 0x80);

            continue;
        }

        if (*from > ' ' && *from < 0x7f) {
            to[n++] = *from;

        } else if (n > 0 && to[n - 1] != ' ') {
            to[n++] = ' ';
        }

        from++;
    }

    while (n > 0 && to[n - 1] == ' ') {
        n--;
    }

    to[n] = '\0';
}


static int
ktpr_tesseract_symbols(TessBaseAPI *api, ktpr_reading_t *reading)
{
    int                 y0, y1;
    char               *text;
    ktpr_symbol_t      *s;
    TessResultIterator *it;
    TessPageIterator   *page;

    it = TessBaseAPIGetIterator(api);
    if (it == NULL) {
        return -1;
    }

    page = TessResultIteratorGetPageIterator(it);

    do {
        text = TessResultIteratorGetUTF8Text(it, RIL_SYMBOL);

        if (text != NULL && text[0] > ' ' && text[0] < 0x7f
            && reading->n < KTPR_MAX_VALUE) {
            s = &reading->symbols[reading->n++];
            s->c = text[0];
            s->confidence = TessResultIteratorConfidence(it, RIL_SYMBOL) / 100;
            TessPageIteratorBoundingBox(page, RIL_SYMBOL, &s->x0, &y0, &s->x1,
                                        &y1);
        }

        TessDeleteText(text);

    } while (TessResultIteratorNext(it, RIL_SYMBOL));

    TessResultIteratorDelete(it);

    return 0;
}


int
ktpr_tesseract_line(ktpr_tesseract_t *tesseract, const ktpr_gray_t *line,
                    const char *alphabet, ktpr_reading_t *reading)
{
    char        *text;
    TessBaseAPI *api;

    memset(reading, 0, sizeof(ktpr_reading_t));

    if (ktpr_tesseract_load(tesseract) != 0) {
        return -1;
    }

    /*
     * Tesseract asks OpenMP for four threads by name, so that only a limit
     * on the depth of parallel regions keeps it to the calling thread.
     */
    omp_set_max_active_levels(0);

    api = tesseract->api;
    TessBaseAPISetVariable(api, "tessedit_char_whitelist", alphabet);
    TessBaseAPISetImage(api, line->px, line->w, line->h, 1, line->w);

    if (TessBaseAPIRecognize(api, NULL) != 0) {
        return -1;
    }

    text = TessBaseAPIGetUTF8Text(api);
    if (text == NULL) {
        return -1;
    }

    ktpr_tesseract_ascii(text, reading->text, sizeof(reading->text));
    TessDeleteText(text);

    reading->confidence = TessBaseAPIMeanTextConf(api) / 100.f;

    return ktpr_tesseract_symbols(api, reading);
}
