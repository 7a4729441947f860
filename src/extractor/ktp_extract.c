/* ktp-extract: reads cards from files and prints the contract's JSON. */

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

#include "ktpd_file.h"
#include "ktpd_json.h"
#include "ktpd_reader.h"


static void
ktp_extract_usage(FILE *out)
{
    fprintf(out, "usage: ktp-extract [OPTION]... FILE...\n"
                 "Reads photos of Indonesian identity cards (JPEG, PNG; \"-\" "
                 "is standard input)\nand prints their fields as JSON.\n\n"
                 "  -d, --details           confidence, raw text and place of "
                 "each field\n"
                 "  -q, --validate-quality  a bad photo is FAIL_ON_1\n"
                 "  -t, --tessdata=DIR      where Tesseract's data are\n"
                 "  -h, --help              this text\n");
}


/* Prints one file's answer; 0, or 1 when it has no card. */
static int
ktp_extract_file(ktpd_reader_t *reader, const char *name,
                 const ktpd_json_options_t *options)
{
    char          *body;
    size_t         len;
    ktpd_card_t    card;
    ktpd_result_t  result;
    unsigned char *bytes;

    bytes = ktpd_file_read(name, &len);
    if (bytes == NULL) {
        return 1;
    }

    result = ktpd_reader_read(reader, bytes, len, &card);
    free(bytes);

    switch (result) {
    case KTPD_OK:
        body = ktpd_json_card(&card, options, &len);
        break;
    case KTPD_NOT_DETECTED:
        body = ktpd_json_error("KTP not detected in the image",
                               "KTP_NOT_DETECTED", 1, &len);
        break;
    case KTPD_UNDECODABLE:
        body = ktpd_json_error("The image is not a JPEG or PNG file",
                               "INVALID_PAYLOAD_IMAGE_FORMAT", 1, &len);
        break;
    default:
        body = ktpd_json_error("The image could not be read",
                               "INTERNAL_SERVER_ERROR", 1, &len);
        break;
    }

    if (body != NULL) {
        fputs(body, stdout);
        free(body);
    }

    return result != KTPD_OK || body == NULL;
}


int
main(int argc, char **argv)
{
    int                 c, i, failed;
    const char         *tessdata;
    ktpd_reader_t      *reader;
    ktpd_json_options_t options = {.pretty = 1};

    static const struct option longs[] = {
        {"details", no_argument, NULL, 'd'},
        {"validate-quality", no_argument, NULL, 'q'},
        {"tessdata", required_argument, NULL, 't'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };

    tessdata = NULL;

    while ((c = getopt_long(argc, argv, "dqt:h", longs, NULL)) != -1) {
        switch (c) {
        case 'd':
            options.details = 1;
            break;
        case 'q':
            options.validate_quality = 1;
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

    if (optind == argc) {
        ktp_extract_usage(stderr);
        return 2;
    }

    reader = ktpd_reader_create(tessdata);
    if (reader == NULL) {
        return 2;
    }

    failed = 0;

    for (i = optind; i < argc; i++) {
        failed |= ktp_extract_file(reader, argv[i], &options);
    }

    ktpd_reader_destroy(reader);

    return failed;
}
