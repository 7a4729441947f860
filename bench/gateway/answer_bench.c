/*
 * CPU time of one answer: what is noted of one that passes as it is, and
 * what it takes to write it anew, by policy.  -q: quickly, to see that it
 * works.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "ktp_answer.h"


/* Calls between two looks at the clock. */
#define BATCH 200

/* CPU seconds of one measurement, of which the best of some is shown. */
static double   seconds = 0.3;
static unsigned rounds = 5;

static const char body[] =
    "{\"message\":\"Success\",\"status_code\":\"V-200\",\"data\":{"
    "\"nik\":\"3273010107900001\",\"full_name\":\"BUDI SANTOSO\","
    "\"place_of_birth\":\"BANDUNG\",\"date_of_birth\":\"01-07-1990\","
    "\"gender\":\"LAKI-LAKI\",\"blood_type\":\"O\","
    "\"address\":\"JL. JENDERAL SUDIRMAN NO. 123 BLOK C\","
    "\"rt_rw\":\"001/002\",\"administrative_village\":\"SUKAMAJU\","
    "\"district\":\"CICENDO\",\"city\":\"KOTA BANDUNG\","
    "\"state\":\"JAWA BARAT\",\"religion\":\"ISLAM\","
    "\"marital_status\":\"BELUM KAWIN\","
    "\"occupation\":\"KARYAWAN SWASTA\",\"nationality\":\"WNI\","
    "\"reference_id\":\"7d444840-9dc0-11d1-b245-5ffdce74fad2\","
    "\"image_quality\":{\"blur\":false,\"dark\":false,\"flashlight\":false,"
    "\"grayscale\":false,\"blur_score\":0.0125,\"dark_score\":0.25}}}";

static char out[sizeof(body) + KTP_ANSWER_EXTRA];


static double
now(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);

    return (double) ts.tv_sec + (double) ts.tv_nsec * 1e-9;
}


static void
one(const ktp_answer_policy_t *policy)
{
    ktp_answer_t answer;

    memset(&answer, 0, sizeof(answer));
    answer.status = 200;
    answer.body = body;
    answer.len = sizeof(body) - 1;
    answer.out = out;
    answer.out_size = sizeof(out);

    if (policy == NULL) {
        ktp_answer_read(&answer);

    } else if (ktp_answer_rewrite(&answer, policy) != 0) {
        fprintf(stderr, "answer_bench: refused, %s\n", answer.reason);
        exit(1);
    }
}


/* The best of some rounds, in microseconds of one answer. */
static void
measure(const char *name, const ktp_answer_policy_t *policy)
{
    double   start, took, best;
    unsigned i, n, round;

    best = 0;

    for (round = 0; round < rounds; round++) {
        start = now();
        n = 0;

        do {
            for (i = 0; i < BATCH; i++) {
                one(policy);
            }

            n += BATCH;
            took = now() - start;
        } while (took < seconds);

        took = took / n * 1e6;
        best = (round == 0 || took < best) ? took : best;
    }

    printf("%-44s %7.2f us\n", name, best);
}


int
main(int argc, char **argv)
{
    unsigned            i;
    ktp_answer_policy_t policy;

    if (argc > 1 && strcmp(argv[1], "-q") == 0) {
        seconds = 0.01;
        rounds = 1;
    }

    printf("an answer of %zu bytes\n", sizeof(body) - 1);

    measure("passed as it is, codes and number noted", NULL);

    memset(&policy, 0, sizeof(policy));
    policy.fields = KTP_FIELDS_ALL;
    policy.nik_check = 1;
    measure("nik_check", &policy);

    policy.nik_check = 0;
    policy.mask[KTP_FIELD_NIK].style = KTP_MASK_LAST;
    policy.mask[KTP_FIELD_NIK].n = 4;
    measure("one mask", &policy);

    for (i = 0; i < KTP_FIELD_TEXTS; i += 2) {
        policy.mask[i].style = KTP_MASK_FULL;
    }

    policy.nik_check = 1;
    measure("every second field masked, and nik_check", &policy);

    for (i = 0; i < KTP_FIELD_TEXTS; i++) {
        policy.mask[i].style = KTP_MASK_FULL;
    }

    measure("every field masked, and nik_check", &policy);

    return 0;
}
