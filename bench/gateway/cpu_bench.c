/*
 * What each vector technique of the contract buys: its bytes per CPU second
 * beside those of the function that a library has for the same, or of a loop
 * over bytes where it has none, in one run.  -q: quickly, to see that it
 * works.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <openssl/evp.h>
#include <zlib.h>
#include "ktp_base64.h"
#include "ktp_cpu.h"
#include "ktp_crc32.h"
#include "ktp_jpeg_scan.h"
#include "ktp_span.h"
#include "ktp_utf8.h"


/* what a read of nginx brings at most, as this module asks for it */
#define SIZE 16383

/* CPU seconds of one measurement, of which the best of some is shown */
static double seconds = 0.2;
static int    rounds = 3;

static unsigned char image[SIZE];        /* random */
static unsigned char scan[SIZE + 1];     /* random, with stuffed FFs */
static unsigned char text[SIZE / 3 * 4]; /* base64, with no other character */
static unsigned char out[2 * SIZE];

static volatile size_t sink;


static void
encode(void)
{
    ktp_base64_encode(image, SIZE, out);
}


static void
encode_openssl(void)
{
    (void) EVP_EncodeBlock(out, image, SIZE);
}


static void
decode(void)
{
    sink = ktp_base64_decode(text, sizeof(text), out, sizeof(out));
}


static void
decode_openssl(void)
{
    sink = EVP_DecodeBlock(out, text, sizeof(text));
}


static void
crc(void)
{
    sink = ktp_crc32(0, image, SIZE);
}


static void
crc_zlib(void)
{
    sink = crc32(0, image, SIZE);
}


static void
stuffed(void)
{
    sink = ktp_jpeg_scan_stuffed(scan, SIZE);
}


static void
span(void)
{
    sink = ktp_span_copy(out, text, sizeof(text));
}


static void
span_bytes(void)
{
    size_t        i;
    unsigned char c;

    for (i = 0; i < sizeof(text); i++) {
        c = text[i];

        if (c <= 0x20 || c >= 0x80 || c == '"' || c == '\\') {
            break;
        }

        out[i] = c;
    }

    sink = i;
}


static void
utf8(void)
{
    sink = ktp_utf8_valid(text, sizeof(text));
}


static void
utf8_chars(void)
{
    size_t               n;
    const unsigned char *p, *end;

    end = text + sizeof(text);

    for (p = text; p < end; p += n) {
        n = ktp_utf8_char(p, end);
        if (n == 0) {
            break;
        }
    }

    sink = p - text;
}


static double
cpu_time(void)
{
    struct timespec ts;

    (void) clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);

    return ts.tv_sec + ts.tv_nsec / 1e9;
}


/* Calls per CPU second, the best of some rounds. */

static double
measure(void (*work)(void))
{
    int    round, i;
    double begin, time, best;
    size_t n;

    best = 0;

    for (round = 0; round < rounds; round++) {
        begin = cpu_time();
        n = 0;

        do {
            for (i = 0; i < 64; i++) {
                work();
            }

            n += 64;
            time = cpu_time() - begin;

        } while (time < seconds);

        if (n / time > best) {
            best = n / time;
        }
    }

    return best;
}


int
main(int argc, char **argv)
{
    size_t i, k;
    double first, speed;

    if (argc > 1 && strcmp(argv[1], "-q") == 0) {
        seconds = 0.005;
        rounds = 1;
    }

    /* of each technique the library's way is the first row */

    static const struct {
        const char *name;
        void (*work)(void);
        size_t   size;
        unsigned features;
        int      first;
    } rows[] = {
        {"base64 encode, OpenSSL", encode_openssl, SIZE, 0, 1},
        {"  portable", encode, SIZE, 0, 0},
        {"  SSSE3", encode, SIZE, KTP_CPU_SSSE3, 0},
        {"  AVX2", encode, SIZE, KTP_CPU_SSSE3 | KTP_CPU_AVX2, 0},
        {"  AVX-512", encode, SIZE, KTP_CPU_ALL, 0},
        {"base64 decode, OpenSSL", decode_openssl, sizeof(text), 0, 1},
        {"  portable", decode, sizeof(text), 0, 0},
        {"  SSSE3", decode, sizeof(text), KTP_CPU_SSSE3, 0},
        {"  AVX2", decode, sizeof(text), KTP_CPU_SSSE3 | KTP_CPU_AVX2, 0},
        {"CRC-32, zlib", crc_zlib, SIZE, 0, 1},
        {"  tables", crc, SIZE, 0, 0},
        {"  PCLMUL", crc, SIZE, KTP_CPU_PCLMUL, 0},
        {"JPEG scan, memchr()", stuffed, SIZE, 0, 1},
        {"  AVX2", stuffed, SIZE, KTP_CPU_AVX2, 0},
        {"span of a string, bytes", span_bytes, sizeof(text), 0, 1},
        {"  SSE2", span, sizeof(text), 0, 0},
        {"UTF-8 of ASCII, characters", utf8_chars, sizeof(text), 0, 1},
        {"  words of 8 bytes", utf8, sizeof(text), 0, 0},
    };

    srand(1);

    for (i = 0; i < SIZE; i++) {
        image[i] = rand() >> 8;
    }

    for (i = 0, k = 0; i < SIZE; i++) {
        scan[i] = image[k++];

        if (scan[i] == 0xff) {
            scan[++i] = 0;
        }
    }

    ktp_base64_encode(image, SIZE, text);

    first = 0;

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        ktp_cpu_allow(rows[i].features);

        if (rows[i].features != KTP_CPU_ALL
            && !ktp_cpu_has(rows[i].features)) {
            continue;
        }

        speed = measure(rows[i].work) * rows[i].size / 1e6;
        first = rows[i].first ? speed : first;

        printf("%-28s %8.0f MB/s  %5.1f\n", rows[i].name, speed,
               speed / first);
    }

    return 0;
}
