#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <omp.h>
#include <tesseract/capi.h>

#include "ktpr_ctc.h"
#include "ktpr_tesseract.h"


/* A text so much less likely than the best of its look is not tried. */
#define KTPR_OCR_POOR 6

struct ktpr_ocr_s {
    TessBaseAPI     *api;
    ktpr_line_net_t *net;
};

static TessBaseAPI *
ktpr_ocr_engine(const char *tessdata)
{
    size_t       i;
    TessBaseAPI *api;

    /* names and addresses are in no dictionary: it would invent words */
    static char *names[] = {
        (char *) "load_system_dawg", (char *) "load_freq_dawg",
        (char *) "load_punc_dawg", (char *) "load_number_dawg"};
    static char *values[] = {(char *) "0", (char *) "0", (char *) "0",
                             (char *) "0"};
    static const char *const settings[][2] = {
        {"tessedit_do_invert", "0"},
        {"classify_enable_learning", "0"},
        {"user_defined_dpi", "300"},
        {"debug_file", "/dev/null"},
    };

    api = TessBaseAPICreate();
    if (api == NULL) {
        return NULL;
    }

    if (TessBaseAPIInit4(api, tessdata, "eng", OEM_LSTM_ONLY, NULL, 0, names,
                         values, sizeof(names) / sizeof(names[0]), 0)
        != 0) {
        TessBaseAPIDelete(api);
        return NULL;
    }

    for (i = 0; i < sizeof(settings) / sizeof(settings[0]); i++) {
        TessBaseAPISetVariable(api, settings[i][0], settings[i][1]);
    }

    TessBaseAPISetPageSegMode(api, PSM_RAW_LINE);

    return api;
}


ktpr_ocr_t *
ktpr_ocr_create(const char *tessdata)
{
    ktpr_ocr_t *ocr;

    ocr = calloc(1, sizeof(ktpr_ocr_t));
    if (ocr == NULL) {
        return NULL;
    }

    ocr->api = ktpr_ocr_engine(tessdata);
    ocr->net = ktpr_line_net_create();

    if (ocr->api == NULL || ocr->net == NULL) {
        ktpr_ocr_destroy(ocr);
        return NULL;
    }

    return ocr;
}


void
ktpr_ocr_destroy(ktpr_ocr_t *ocr)
{
    if (ocr == NULL) {
        return;
    }

    if (ocr->api != NULL) {
        TessBaseAPIEnd(ocr->api);
        TessBaseAPIDelete(ocr->api);
    }

    ktpr_line_net_destroy(ocr->net);
    free(ocr);
}


/*
 * UTF-8 to the ASCII that cards are printed in: typographic quotes and
 * dashes to plain ones, what else is not ASCII dropped, blanks folded.
 */
static void
ktpr_ocr_ascii(const char *from, char *to, size_t size)
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


static void
ktpr_ocr_symbols(TessBaseAPI *api, ktpr_reading_t *reading)
{
    int                 y0, y1;
    char               *text;
    ktpr_symbol_t      *s;
    TessResultIterator *it;
    TessPageIterator   *page;

    it = TessBaseAPIGetIterator(api);
    if (it == NULL) {
        return;
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
}


void
ktpr_ocr_line(ktpr_ocr_t *ocr, const ktpr_gray_t *line, const char *alphabet,
              ktpr_reading_t *reading)
{
    char        *text;
    TessBaseAPI *api;

    reading->text[0] = '\0';
    reading->confidence = 0;
    reading->n = 0;

    /*
     * Tesseract asks OpenMP for four threads by name, so that only a limit
     * on the depth of parallel regions keeps it to the calling thread.
     */
    omp_set_max_active_levels(0);

    api = ocr->api;
    TessBaseAPISetVariable(api, "tessedit_char_whitelist",
                           alphabet == NULL ? "" : alphabet);
    TessBaseAPISetImage(api, line->px, line->w, line->h, 1, line->w);

    if (TessBaseAPIRecognize(api, NULL) != 0) {
        return;
    }

    text = TessBaseAPIGetUTF8Text(api);
    if (text == NULL) {
        return;
    }

    ktpr_ocr_ascii(text, reading->text, sizeof(reading->text));
    TessDeleteText(text);

    reading->confidence = TessBaseAPIMeanTextConf(api) / 100.f;
    ktpr_ocr_symbols(api, reading);
}


int
ktpr_ocr_look(ktpr_ocr_t *ocr, ktpr_pool_t *pool, const ktpr_gray_t *line,
              ktpr_reading_t *reading)
{
    ktpr_line_columns_t *columns;

    if (line->h != KTPR_LINE_H || line->w < KTPR_LINE_LEAST
        || line->w > KTPR_LINE_MAX || reading->nlooks == KTPR_LOOKS) {
        return KTPR_UNFIT;
    }

    columns = ktpr_pool_alloc(pool, 1,
                              sizeof(ktpr_line_columns_t)
                                  + sizeof(columns->p[0])
                                        * (size_t) ktpr_line_columns(line->w));
    if (columns == NULL) {
        return KTPR_NO_MEMORY;
    }

    ktpr_line_net_run(ocr->net, line->px, line->w, columns);
    reading->looks[reading->nlooks++] = columns;

    return 0;
}


double
ktpr_ocr_score(const ktpr_reading_t *reading, const char *text)
{
    int    i;
    double sum;

    sum = 0;
    for (i = 0; i < reading->nlooks; i++) {
        sum += ktpr_ctc_score(reading->looks[i], text);
    }

    return reading->nlooks > 0 ? sum / reading->nlooks
                               : (double) KTPR_CTC_NEVER;
}


void
ktpr_ocr_agree(const char *alphabet, ktpr_reading_t *reading)
{
    int             i, k, n;
    double          score, best;
    ktpr_ctc_text_t texts[KTPR_CTC_TEXTS];

    best = (double) KTPR_CTC_NEVER;
    reading->text[0] = '\0';
    reading->confidence = 0;
    reading->n = 0;

    for (i = 0; i < reading->nlooks; i++) {
        n = ktpr_ctc_read(reading->looks[i], alphabet, texts);

        for (k = 0; k < n; k++) {
            if (texts[k].score < texts[0].score - KTPR_OCR_POOR) {
                continue;
            }

            score = reading->nlooks > 1
                        ? ktpr_ocr_score(reading, texts[k].text)
                        : (double) texts[k].score;

            if (score > best) {
                best = score;
                memcpy(reading->text, texts[k].text, sizeof(reading->text));
            }
        }
    }

    n = (int) strlen(reading->text);
    if (n > 0) {
        reading->confidence = (float) exp(best / n);
    }
}
