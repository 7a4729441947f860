/* ktp-extract: reads cards from files and prints the contract's JSON. */

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "ktpr_reader.h"
#include "ktpx_file.h"
#include "ktpx_jobs.h"
#include "ktpx_list.h"
#include "ktpx_record.h"


/* Readings of --bench, at most. */
#define KTP_EXTRACT_TIMES 1000000

typedef struct {
    ktpx_record_options_t record;
    ktpx_list_t           files;
    const char           *tessdata;
    int                   times;     /* --bench; 0: none */
    int                   processes; /* --jobs */
    int                   recursive, help;
} ktp_extract_t;


static void
ktp_extract_usage(FILE *out)
{
    fprintf(
        out,
        "usage: ktp-extract [OPTION]... FILE...\n"
        "       ktp-extract [OPTION]... -r DIR...\n"
        "Reads photos of Indonesian identity cards (JPEG or PNG files; \"-\" "
        "is standard\ninput) and prints their fields.\n\n"
        "  -r, --recursive         read the photos in each DIR and below it\n"
        "  -f, --format=FORMAT     json, jsonl (an object a line) or csv; "
        "json is an\n"
        "                          array with -r or several FILEs\n"
        "  -j, --jobs=N            read in N processes (1)\n"
        "  -c, --contract          reject what the gateway would reject: "
        "images under\n"
        "                          720x480, over 5 MB, incomplete\n"
        "  -d, --details           print confidence, raw text and box of "
        "each field\n"
        "  -s, --scores            print details, and what each confidence "
        "was taken\n"
        "                          from, for ktp-evaluate --table\n"
        "  -q, --validate-quality  answer FAIL_ON_1 to a photo of bad "
        "quality\n"
        "  -a, --annotate=OUT.png  draw the fields on the photo, as a PNG or "
        "JPEG file;\n"
        "                          for one FILE only\n"
        "  -b, --bench=N           read each file N times, print the CPU "
        "time\n"
        "  -t, --tessdata=DIR      directory of Tesseract's "
        "eng.traineddata\n"
        "  -h, --help              print this text\n\n"
        "Exit status: 0 if a card was found in every file, 1 if not, 2 "
        "for a usage error\nor a DIR without data\n");
}


/* Parses a number from 1 to max; 0 if it is not one. */
static int
ktp_extract_number(const char *value, long max)
{
    long  n;
    char *end;

    n = strtol(value, &end, 10);

    return end != value && *end == '\0' && n >= 1 && n <= max ? (int) n : 0;
}


/* Parses the name of a format; 0, or -1. */
static int
ktp_extract_format(const char *value, ktpx_record_options_t *options)
{
    int i;

    static const char *const names[] = {
        [KTPX_RECORD_JSON] = "json",
        [KTPX_RECORD_JSONL] = "jsonl",
        [KTPX_RECORD_CSV] = "csv",
    };

    for (i = 0; i < (int) (sizeof(names) / sizeof(names[0])); i++) {
        if (strcmp(value, names[i]) == 0) {
            options->format = (ktpx_record_format_t) i;
            return 0;
        }
    }

    return -1;
}


/* Takes one option; 0, or -1 if it is wrong. */
static int
ktp_extract_option(ktp_extract_t *extract, int option, const char *value)
{
    switch (option) {
    case 'r':
        extract->recursive = 1;
        return 0;
    case 'f':
        return ktp_extract_format(value, &extract->record);
    case 'j':
        extract->processes = ktp_extract_number(value, KTPX_JOBS_MAX);
        return extract->processes > 0 ? 0 : -1;
    case 'c':
        extract->record.contract = 1;
        return 0;
    case 'd':
        extract->record.json.details = 1;
        return 0;
    case 's':
        extract->record.json.details = 1;
        extract->record.json.scores = 1;
        return 0;
    case 'q':
        extract->record.json.validate_quality = 1;
        return 0;
    case 'a':
        extract->record.picture = value;
        return 0;
    case 'b':
        extract->times = ktp_extract_number(value, KTP_EXTRACT_TIMES);
        return extract->times > 0 ? 0 : -1;
    case 't':
        extract->tessdata = value;
        return 0;
    case 'h':
        extract->help = 1;
        return 0;
    default:
        return -1;
    }
}


/* Parses options and arguments that go together; 0, or -1. */
static int
ktp_extract_options(ktp_extract_t *extract, int argc, char **argv)
{
    int                    c, n;
    ktpx_record_options_t *record;

    static const struct option longs[] = {
        {"recursive", no_argument, NULL, 'r'},
        {"format", required_argument, NULL, 'f'},
        {"jobs", required_argument, NULL, 'j'},
        {"contract", no_argument, NULL, 'c'},
        {"details", no_argument, NULL, 'd'},
        {"scores", no_argument, NULL, 's'},
        {"validate-quality", no_argument, NULL, 'q'},
        {"annotate", required_argument, NULL, 'a'},
        {"bench", required_argument, NULL, 'b'},
        {"tessdata", required_argument, NULL, 't'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };

    record = &extract->record;

    while ((c = getopt_long(argc, argv, "rf:j:cdsqa:b:t:h", longs, NULL))
           != -1) {
        if (ktp_extract_option(extract, c, optarg) != 0) {
            return -1;
        }
    }

    n = argc - optind;
    record->named =
        extract->recursive || n > 1 || record->format != KTPX_RECORD_JSON;
    record->json.pretty = record->format == KTPX_RECORD_JSON;

    if (extract->help) {
        return 0;
    }

    return n == 0 || (record->picture != NULL && record->named) ? -1 : 0;
}


/* Lists the files of the arguments; 0, or 1 with messages. */
static int
ktp_extract_list(ktp_extract_t *extract, char **args)
{
    int          before, failed;
    ktpx_list_t *files;

    failed = 0;
    files = &extract->files;

    for (; *args != NULL; args++) {
        before = files->n;

        if ((extract->recursive ? ktpx_list_folder(files, *args)
                                : ktpx_list_append(files, *args))
            != 0) {
            failed = 1;

        } else if (files->n == before) {
            fprintf(stderr, "%s: no photos\n", *args);
            failed = 1;
        }
    }

    return failed;
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


/* Reads all files; 0, or 1 if one has no card or cannot be written. */
static int
ktp_extract_files(const ktp_extract_t *extract)
{
    int                i, failed, progress;
    const ktpx_list_t *files;

    failed = 0;
    files = &extract->files;

    if (extract->times > 0) {
        for (i = 0; i < files->n; i++) {
            failed |= ktp_extract_bench(extract->record.reader,
                                        files->names[i], extract->times);
        }

    } else if (files->n > 0) {
        /* lines of a terminal that shows the answers would be mixed up */
        progress = extract->record.named && isatty(STDERR_FILENO)
                   && !isatty(STDOUT_FILENO);
        failed = ktpx_jobs_run(&extract->record, files->names, files->n,
                               extract->processes, progress);
    }

    /* reports write errors, such as a full disk */
    if (fflush(stdout) != 0 || ferror(stdout)) {
        perror("standard output");
        failed = 1;
    }

    return failed;
}


int
main(int argc, char **argv)
{
    int           failed;
    ktp_extract_t extract = {.processes = 1};

    if (ktp_extract_options(&extract, argc, argv) != 0) {
        ktp_extract_usage(stderr);
        return 2;
    }

    if (extract.help) {
        ktp_extract_usage(stdout);
        return 0;
    }

    extract.record.reader = ktpr_reader_create(extract.tessdata, time(NULL));
    if (extract.record.reader == NULL) {
        return 2;
    }

    failed = ktp_extract_list(&extract, argv + optind);
    failed |= ktp_extract_files(&extract);
    ktpr_reader_destroy(extract.record.reader);
    ktpx_list_free(&extract.files);

    return failed;
}
