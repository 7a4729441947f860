/*
 * Reads damaged images: COUNT times an image of the folder with flipped bits,
 * an overwritten part, or its end cut off, as SEED says.  Prints the results,
 * the longest time and the memory; VARIANT=asan aborts at an invalid access.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "ktpx_file.h"
#include "ktpr_reader.h"
#include "specimens.h"


static unsigned long long damage_seed = 88172645463325252ULL;


/* xorshift64 (Marsaglia 2003) */
static size_t
damage_random(size_t n)
{
    damage_seed ^= damage_seed << 13;
    damage_seed ^= damage_seed >> 7;
    damage_seed ^= damage_seed << 17;

    return n > 0 ? (size_t) (damage_seed >> 11) % n : 0;
}


static size_t
damage_do(unsigned char *bytes, size_t len)
{
    size_t i, n, at;

    switch (damage_random(4)) {
    case 0:
        n = 1 + damage_random(20);
        for (i = 0; i < n; i++) {
            at = damage_random(len);
            bytes[at] ^= (unsigned char) (1 << damage_random(8));
        }
        return len;

    case 1:
        /* the headers, with sizes and tables */
        n = 1 + damage_random(8);
        for (i = 0; i < n; i++) {
            at = damage_random(len < 700 ? len : 700);
            bytes[at] = (unsigned char) damage_random(256);
        }
        return len;

    case 2:
        at = damage_random(len);
        n = damage_random(len - at < 4096 ? len - at : 4096);
        memset(bytes + at, (int) damage_random(256), n);
        return len;

    default:
        return damage_random(len);
    }
}


static double
damage_clock(void)
{
    struct timespec t;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);

    return (double) t.tv_sec + (double) t.tv_nsec / 1e9;
}


int
main(int argc, char **argv)
{
    int            i, count, results[KTPR_FAILED + 1] = {0};
    double         start, seconds, most;
    size_t         len;
    specimens_t    images;
    ktpr_card_t    card;
    unsigned char *bytes;
    struct rusage  usage;
    ktpr_reader_t *reader;

    if (argc < 3 || argc > 4 || (count = atoi(argv[1])) < 1
        || specimens_list(argv[2], 1, &images) != 0 || images.n == 0) {
        fprintf(stderr, "usage: damage COUNT FOLDER [SEED]\n");
        return 2;
    }

    if (argc == 4) {
        damage_seed ^= strtoull(argv[3], NULL, 10);
    }

    reader = ktpr_reader_create(NULL, time(NULL));
    if (reader == NULL) {
        return 2;
    }

    most = 0;

    for (i = 0; i < count; i++) {
        bytes = ktpx_file_read(images.names[damage_random((size_t) images.n)],
                               &len);
        if (bytes == NULL || len == 0) {
            return 1;
        }

        len = damage_do(bytes, len);
        start = damage_clock();
        results[ktpr_reader_read(reader, bytes, len, &card)]++;
        seconds = damage_clock() - start;
        most = seconds > most ? seconds : most;
        free(bytes);
    }

    getrusage(RUSAGE_SELF, &usage);
    printf("%d damaged images: %d read, %d not detected, %d undecodable, "
           "%d failed; at most %.2f s of CPU each, %ld MB in all\n",
           count, results[KTPR_OK], results[KTPR_NOT_DETECTED],
           results[KTPR_UNDECODABLE] + results[KTPR_TOO_COSTLY],
           results[KTPR_FAILED], most, usage.ru_maxrss / 1024);

    ktpr_reader_destroy(reader);
    specimens_free(&images);

    return results[KTPR_FAILED] != 0;
}
