/*
 * ktp-intake: what the contract says of files, for measuring on collections.
 *
 *   ktp-intake [-t TYPE] [-d WxH] [-p BYTES] FILE...
 *
 * TYPE is the Content-Type that each file is taken as (by default
 * application/octet-stream), WxH the least dimensions (720x480), BYTES the
 * size of the pieces it is fed in (the whole).  Prints a line a file:
 * verdict, format, dimensions, orientation, bytes of the image, name.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "ktp_intake.h"


static unsigned char *
read_file(const char *name, size_t *len)
{
    FILE          *f;
    size_t         n, size;
    unsigned char *data, *more;

    f = fopen(name, "rb");
    if (f == NULL) {
        return NULL;
    }

    data = NULL;
    size = 0;
    *len = 0;

    do {
        if (*len == size) {
            size = size ? 2 * size : 65536;
            more = realloc(data, size);
            if (more == NULL) {
                break;
            }

            data = more;
        }

        n = fread(data + *len, 1, size - *len, f);
        *len += n;

    } while (n);

    (void) fclose(f);

    return data;
}


static ktp_code_t
take(ktp_intake_t *in, const unsigned char *p, size_t left, size_t piece)
{
    size_t     n;
    ktp_code_t rc;

    for (; left; p += n, left -= n) {
        n = left < piece ? left : piece;

        rc = ktp_intake_feed(in, p, n);
        if (rc != KTP_OK) {
            return rc;
        }
    }

    return ktp_intake_finish(in);
}


static int
run(const char *name, const char *type, const ktp_policy_t *policy,
    size_t piece)
{
    size_t               len;
    ktp_code_t           rc;
    ktp_store_t          store;
    ktp_intake_t        *in;
    unsigned char       *data;
    const ktp_request_t *request;

    static const char *const formats[] = {"-", "jpeg", "png"};

    data = read_file(name, &len);
    if (data == NULL) {
        perror(name);
        return 1;
    }

    ktp_store_init(&store, NULL, policy->max_size);

    rc = ktp_intake_create(&in, policy, &store, type, strlen(type));

    if (rc != KTP_OK) {
        printf("%s - 0x0 - 0 %s\n", ktp_error(rc)->name, name);
        free(data);
        return 0;
    }

    rc = take(in, data, len, piece ? piece : len + 1);
    request = ktp_intake_request(in);

    printf("%s %s %ux%u %u %zu %s\n",
           rc == KTP_OK ? "OK" : ktp_error(rc)->name, formats[request->format],
           request->width, request->height, request->orientation, store.size,
           name);

    ktp_intake_destroy(in);
    ktp_store_free(&store);
    free(data);

    return 0;
}


int
main(int argc, char **argv)
{
    int          c, rc;
    size_t       piece;
    unsigned     a, b;
    const char  *type;
    ktp_policy_t policy = {.max_size = 5 * 1024 * 1024,
                           .min_long = 720,
                           .min_short = 480,
                           .max_pixels = 50000000,
                           .types = KTP_IMAGE_JPEG | KTP_IMAGE_PNG};

    type = "application/octet-stream";
    piece = 0;

    while ((c = getopt(argc, argv, "t:d:p:")) != -1) {

        switch (c) {

        case 't':
            type = optarg;
            break;

        case 'd':
            if (sscanf(optarg, "%ux%u", &a, &b) != 2) {
                fprintf(stderr, "%s: dimensions are WxH\n", argv[0]);
                return 2;
            }

            policy.min_long = a > b ? a : b;
            policy.min_short = a > b ? b : a;
            break;

        case 'p':
            piece = strtoul(optarg, NULL, 10);
            break;

        default:
            fprintf(stderr,
                    "usage: %s [-t TYPE] [-d WxH] [-p BYTES] FILE...\n",
                    argv[0]);
            return 2;
        }
    }

    for (rc = 0; optind < argc; optind++) {
        rc |= run(argv[optind], type, &policy, piece);
    }

    return rc;
}
