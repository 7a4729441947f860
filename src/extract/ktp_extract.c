/* ktp-extract: reads cards from files and prints the contract's JSON. */

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "ktpr_json.h"
#include "ktpr_reader.h"
#include "ktpx_annotate.h"
#include "ktpx_file.h"


static void
ktp_extract_usage(FILE *out)
{
    fprintf(out,
            "usage: ktp-extract [OPTION]... FILE...\n"
            "Reads photos of Indonesian identity cards (JPEG or PNG files; "
            "\"-\" is standard input)\nand prints their fields as JSON.\n\n"
            "  -d, --details           print confidence, raw text and box of "
            "each field\n"
            "  -q, --validate-quality  answer FAIL_ON_1 to a photo of bad "
            "quality\n"
            "  -a, --annotate=OUT.png  draw the boxes of the fields; for one "
            "file only\n"
            "  -b, --bench=N           read each file N times, print the CPU "
            "time\n"
            "  -t, --tessdata=DIR      directory of Tesseract's "
            "eng.traineddata\n"
            "  -h, --help              print this text\n\n"
            "Exit status: 0 if a card was found in every file, 1 if not, 2 "
            "for a usage error\nor a DIR without data\n");
}


/* Parses the number of readings, 1 to 1,000,000; 0 if it is not one. */
static int
ktp_extract_times(const char *value)
{
    long  n;
    char *end;

    n = strtol(value, &end, 10);

    return end != value && *end == '\0' && n >= 1 && n <= 1000000 ? (int) n
                                                                  : 0;
}


/*
 * Reads a file a number of times and prints the CPU time of one reading.  0,
 * or 1 if it has no card.
 */
static int
ktp_extract_bench(ktpr_reader_t *reader, const char *name, int times)
{
    int            i;
    clock_t        start;
    size_t         len;
    ktpr_card_t    card;
    ktpr_result_t  result;
    unsigned char *bytes;

    bytes = ktpx_file_read(name, &len);
    if (bytes == NULL) {
        return 1;
    }

    result = KTPR_FAILED;
    start = clock();

    for (i = 0; i < times; i++) {
        result = ktpr_reader_read(reader, bytes, len, &card);
    }

    printf("%s: %.3f s of CPU a reading, %d readings\n", name,
           (double) (clock() - start) / CLOCKS_PER_SEC / times, times);
    free(bytes);

    return result != KTPR_OK;
}


/* Prints the answer for a file; 0, or 1 without a card or its picture. */
static int
ktp_extract_file(ktpr_reader_t *reader, const char *name,
                 const ktpr_json_options_t *options, const char *picture)
{
    int            failed;
    char          *body;
    size_t         len;
    ktpr_card_t    card;
    ktpr_result_t  result;
    unsigned char *bytes;

    bytes = ktpx_file_read(name, &len);
    if (bytes == NULL) {
        return 1;
    }

    result = ktpr_reader_read(reader, bytes, len, &card);
    failed = result != KTPR_OK;

    if (picture != NULL
        && ktpx_annotate(reader, bytes, len, &card, picture) != 0) {
        fprintf(stderr, "%s: cannot be written\n", picture);
        failed = 1;
    }

    free(bytes);

    switch (result) {
    case KTPR_OK:
        body = ktpr_json_card(&card, options, &len);
        break;
    case KTPR_NOT_DETECTED:
        body = ktpr_json_error("KTP not detected in the image",
                               "KTP_NOT_DETECTED", 1, &len);
        break;
    case KTPR_UNDECODABLE:
        body = ktpr_json_error("The image is not a JPEG or PNG file",
                               "INVALID_PAYLOAD_IMAGE_FORMAT", 1, &len);
        break;
    case KTPR_TOO_COSTLY:
        body = ktpr_json_error("The image takes too long to decode",
                               "INVALID_PAYLOAD_IMAGE_FORMAT", 1, &len);
        break;
    default:
        body = ktpr_json_error("The image could not be read",
                               "INTERNAL_SERVER_ERROR", 1, &len);
        break;
    }

    if (body != NULL) {
        fputs(body, stdout);
        free(body);
    }

    return failed || body == NULL;
}


int
main(int argc, char **argv)
{
    int                 c, i, failed, times;
    const char         *tessdata, *picture;
    ktpr_reader_t      *reader;
    ktpr_json_options_t options = {.pretty = 1};

    static const struct option longs[] = {
        {"details", no_argument, NULL, 'd'},
        {"validate-quality", no_argument, NULL, 'q'},
        {"annotate", required_argument, NULL, 'a'},
        {"bench", required_argument, NULL, 'b'},
        {"tessdata", required_argument, NULL, 't'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };

    tessdata = NULL;
    picture = NULL;
    times = 0;

    while ((c = getopt_long(argc, argv, "dqa:b:t:h", longs, NULL)) != -1) {
        switch (c) {
        case 'd':
            options.details = 1;
            break;
        case 'q':
            options.validate_quality = 1;
            break;
        case 'a':
            picture = optarg;
            break;
        case 'b':
            times = ktp_extract_times(optarg);
            if (times < 1) {
                ktp_extract_usage(stderr);
                return 2;
            }
            break;
        case 't':
            tessdata = optarg;
            break;
        case 'h':
            ktp_extract_usage(stdout);
            return 0;
        default:
            ktp_extract_usage(stderr);
            return 2;
        }
    }

    if (optind == argc || (picture != NULL && argc - optind > 1)) {
        ktp_extract_usage(stderr);
        return 2;
    }

    reader = ktpr_reader_create(tessdata, time(NULL));
    if (reader == NULL) {
        return 2;
    }

    failed = 0;

    for (i = optind; i < argc; i++) {
        failed |= times > 0
                      ? ktp_extract_bench(reader, argv[i], times)
                      : ktp_extract_file(reader, argv[i], &options, picture);
    }

    ktpr_reader_destroy(reader);

    /* reports write errors, such as a full disk */
    if (fflush(stdout) != 0 || ferror(stdout)) {
        perror("standard output");
        failed = 1;
    }

    return failed;
}
