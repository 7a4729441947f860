/* Quotas: periods, counting by many threads, rates, and the state file. */

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <stdio.h>
#include <string.h>
#include <pthread.h>
#include <cmocka.h>
#include "ktp_quota_file.h"


#define HOUR 3600

static void
test_numbers(void **state)
{
    size_t i;

    /* seconds from date -u +%s -d ..., numbers counted by hand */
    static const struct {
        int64_t  now;
        int      offset;
        uint32_t day, month;
    } cases[] = {
        {0, 0, 0, 0},
        {86399, 0, 0, 0},
        {86400, 0, 1, 0},
        {31 * 86400 - 1, 0, 30, 0},
        {31 * 86400, 0, 31, 1},
        /* 2024-02-29 23:59:59 and a second later */
        {1709251199, 0, 19782, 54 * 12 + 1},
        {1709251200, 0, 19783, 54 * 12 + 2},
        /* 2025-12-31 17:00 UTC is the new year of Jakarta */
        {1767200399, 7 * HOUR, 20453, 55 * 12 + 11},
        {1767200400, 7 * HOUR, 20454, 56 * 12},
        /* and 2026-01-01 00:00 UTC is the old one 5 hours west */
        {1767225600, -5 * HOUR, 20453, 55 * 12 + 11},
        {1767225600, 0, 20454, 56 * 12},
        /* before 1970, by the clock or by the offset */
        {-1, 0, 0, 0},
        {0, -HOUR, 0, 0},
    };

    (void) state;

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_int_equal(
            ktp_quota_number(KTP_QUOTA_DAY, cases[i].now, cases[i].offset),
            cases[i].day);
        assert_int_equal(
            ktp_quota_number(KTP_QUOTA_MONTH, cases[i].now, cases[i].offset),
            cases[i].month);
        assert_int_equal(
            ktp_quota_number(KTP_QUOTA_TOTAL, cases[i].now, cases[i].offset),
            0);
    }
}


/* The end of a period is the first second of the next one. */

static void
test_ends(void **state)
{
    int     offset;
    int64_t now, end;

    static const ktp_quota_period_t periods[] = {KTP_QUOTA_DAY,
                                                 KTP_QUOTA_MONTH};

    (void) state;

    for (size_t p = 0; p < 2; p++) {
        for (offset = -23 * HOUR; offset <= 23 * HOUR; offset += 23 * HOUR) {
            for (now = 1700000000; now < 1900000000; now += 123457) {
                end = ktp_quota_end(periods[p], now, offset);

                assert_true(end > now);
                assert_int_equal(ktp_quota_number(periods[p], end - 1, offset),
                                 ktp_quota_number(periods[p], now, offset));
                assert_int_equal(ktp_quota_number(periods[p], end, offset),
                                 ktp_quota_number(periods[p], now, offset)
                                     + 1);
            }
        }
    }

    /* 2024-02-29 23:59:59 */
    assert_int_equal(ktp_quota_end(KTP_QUOTA_MONTH, 1709251199, 0),
                     1709251200);
    assert_int_equal(ktp_quota_end(KTP_QUOTA_TOTAL, 1709251199, 0), 0);
}


static void
test_take(void **state)
{
    uint32_t taken;
    uint64_t word;

    (void) state;
    word = 0;

    assert_true(ktp_quota_take(&word, 100, 2, &taken));
    assert_int_equal(taken, 100);
    assert_true(ktp_quota_take(&word, 100, 2, &taken));
    assert_false(ktp_quota_take(&word, 100, 2, &taken));
    assert_int_equal(ktp_quota_used(&word, 100), 2);

    /* what was given back can be taken again, once */
    ktp_quota_give(&word, 100);
    assert_int_equal(ktp_quota_used(&word, 100), 1);
    assert_true(ktp_quota_take(&word, 100, 2, &taken));
    assert_false(ktp_quota_take(&word, 100, 2, &taken));

    /* a lower limit takes nothing away and lets nothing in */
    assert_false(ktp_quota_take(&word, 100, 1, &taken));
    assert_int_equal(ktp_quota_used(&word, 100), 2);

    /* a quota of none */
    assert_false(ktp_quota_take(&word, 200, 0, &taken));
}


static void
test_periods(void **state)
{
    uint32_t taken;
    uint64_t word;

    (void) state;
    word = 0;

    assert_true(ktp_quota_take(&word, 100, 5, &taken));
    assert_true(ktp_quota_take(&word, 101, 5, &taken));
    assert_int_equal(taken, 101);
    assert_int_equal(ktp_quota_used(&word, 101), 1);

    /* of a period that is over nothing is given back */
    ktp_quota_give(&word, 100);
    assert_int_equal(ktp_quota_used(&word, 101), 1);

    /* a process whose clock is a little behind counts in the new period */
    assert_true(ktp_quota_take(&word, 100, 5, &taken));
    assert_int_equal(taken, 101);
    assert_int_equal(ktp_quota_used(&word, 101), 2);
    assert_int_equal(ktp_quota_used(&word, 100), 2);
    ktp_quota_give(&word, taken);
    assert_int_equal(ktp_quota_used(&word, 101), 1);

    /* neither does a clock that was set back begin a period anew */
    assert_false(ktp_quota_ahead(&word, 101));
    assert_false(ktp_quota_ahead(&word, 100));
    assert_true(ktp_quota_ahead(&word, 99));
    assert_int_equal(ktp_quota_used(&word, 50), 1);
    assert_true(ktp_quota_take(&word, 50, 2, &taken));
    assert_int_equal(taken, 101);
    assert_false(ktp_quota_take(&word, 0, 2, &taken));
    assert_int_equal(ktp_quota_used(&word, 101), 2);
    ktp_quota_give(&word, taken);

    /* nothing goes below zero */
    ktp_quota_give(&word, 101);
    ktp_quota_give(&word, 101);
    assert_int_equal(ktp_quota_used(&word, 101), 0);
    assert_true(ktp_quota_take(&word, 101, 1, &taken));
}


/* 40 bits of calls: the period beside them is never touched. */
static void
test_full(void **state)
{
    uint32_t taken;
    uint64_t word;

    (void) state;
    word = (UINT64_C(7) << KTP_QUOTA_COUNT_BITS) | (KTP_QUOTA_MAX - 1);

    assert_true(ktp_quota_take(&word, 7, UINT64_MAX, &taken));
    assert_int_equal(ktp_quota_used(&word, 7), KTP_QUOTA_MAX);
    assert_false(ktp_quota_take(&word, 7, UINT64_MAX, &taken));
    assert_int_equal(word >> KTP_QUOTA_COUNT_BITS, 7);
}


#define THREADS 8
#define TRIES   20000
#define LIMIT   100000

static uint64_t shared;

static void *
taker(void *arg)
{
    int      i;
    uint32_t taken;
    intptr_t n;

    (void) arg;
    n = 0;

    /* 160,000 tries for 100,000 calls; each third is given back */

    for (i = 0; i < TRIES; i++) {
        if (ktp_quota_take(&shared, 3, LIMIT, &taken)) {
            if (i % 3 == 0) {
                ktp_quota_give(&shared, taken);

            } else {
                n++;
            }
        }
    }

    return (void *) n;
}


static void
test_threads(void **state)
{
    int       i;
    void     *n;
    intptr_t  sum;
    uint32_t  taken;
    pthread_t threads[THREADS];

    (void) state;
    sum = 0;

    for (i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, taker, NULL), 0);
    }

    for (i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_join(threads[i], &n), 0);
        sum += (intptr_t) n;
    }

    assert_int_equal(ktp_quota_used(&shared, 3), sum);

    /* what the last ones gave back may be left */
    while (ktp_quota_take(&shared, 3, LIMIT, &taken)) {
        assert_true(++sum - LIMIT <= THREADS);
    }

    assert_int_equal(sum, LIMIT);
}


static void
test_rate(void **state)
{
    int      i;
    uint64_t word, now;

    (void) state;
    word = 0;
    now = 5000000;

    /* 10 a second, 3 at once */
    for (i = 0; i < 3; i++) {
        assert_int_equal(ktp_quota_rate(&word, now, 100000, 3), 0);
    }
    assert_int_equal(ktp_quota_rate(&word, now, 100000, 3), 100000);
    assert_int_equal(ktp_quota_rate(&word, now + 99999, 100000, 3), 1);
    assert_int_equal(ktp_quota_rate(&word, now + 100000, 100000, 3), 0);
    assert_int_equal(ktp_quota_rate(&word, now + 100000, 100000, 3), 100000);

    /* over 10 seconds no more than 100 and the burst, asked each ms */
    word = 0;
    for (i = 0, now = 1000000; now < 11000000; now += 1000) {
        i += ktp_quota_rate(&word, now, 100000, 3) == 0;
    }
    assert_int_equal(i, 102);

    /* silence fills the bucket's burst again, and no more */
    now += 3600000000;
    for (i = 0; ktp_quota_rate(&word, now, 100000, 3) == 0; i++) {
        assert_true(i < 3);
    }
    assert_int_equal(i, 3);
}


/* -- the state file */

static char   file[4096];
static size_t file_len;

static uint64_t
word_of(uint64_t number, uint64_t count)
{
    return (number << KTP_QUOTA_COUNT_BITS) | count;
}


static void
make_file(void)
{
    char             *p;
    ktp_quota_entry_t entry;

    p = ktp_quota_file_head(file, 12, 2);

    entry.name = "app-one?";
    entry.len = 7;
    entry.words[KTP_QUOTA_DAY] = word_of(20780, 5);
    entry.words[KTP_QUOTA_MONTH] = word_of(682, 77);
    entry.words[KTP_QUOTA_TOTAL] = word_of(0, 1234567);
    p = ktp_quota_file_entry(p, &entry);

    entry.name = "b";
    entry.len = 1;
    entry.words[KTP_QUOTA_DAY] = word_of((1 << 24) - 1, KTP_QUOTA_MAX);
    entry.words[KTP_QUOTA_MONTH] = 0;
    entry.words[KTP_QUOTA_TOTAL] = KTP_QUOTA_MAX;
    p = ktp_quota_file_entry(p, &entry);

    p = ktp_quota_file_foot(file, p);

    file_len = p - file;
    assert_true(file_len <= ktp_quota_file_size(2));
}


static ktp_quota_entry_t seen[4];
static int               nseen;

static int
see(void *data, const ktp_quota_entry_t *entry)
{
    assert_ptr_equal(data, seen);
    assert_true(nseen < 4);
    seen[nseen++] = *entry;

    return 0;
}


static int
refuse(void *data, const ktp_quota_entry_t *entry)
{
    (void) data;
    (void) entry;

    return 5;
}


static int
read_file(const char *p, size_t len, const char **why)
{
    nseen = 0;
    *why = NULL;

    return ktp_quota_file_read(p, len, see, seen, why);
}


static void
test_state(void **state)
{
    const char *why;

    (void) state;
    make_file();

    assert_memory_equal(file,
                        "ktp-quota 1 12 2\n"
                        "20780:5 682:77 1234567 app-one\n",
                        48);

    assert_int_equal(read_file(file, file_len, &why), 0);
    assert_int_equal(nseen, 2);
    assert_int_equal(seen[0].len, 7);
    assert_memory_equal(seen[0].name, "app-one", 7);
    assert_true(seen[0].words[KTP_QUOTA_DAY] == word_of(20780, 5));
    assert_true(seen[0].words[KTP_QUOTA_MONTH] == word_of(682, 77));
    assert_true(seen[0].words[KTP_QUOTA_TOTAL] == 1234567);
    assert_true(seen[1].words[KTP_QUOTA_DAY]
                == word_of((1 << 24) - 1, KTP_QUOTA_MAX));
    assert_true(seen[1].words[KTP_QUOTA_TOTAL] == KTP_QUOTA_MAX);

    assert_int_equal(ktp_quota_file_generation(file, file_len), 12);
    assert_int_equal(ktp_quota_file_generation(file, 17), 12);
    assert_int_equal(ktp_quota_file_generation(file, 16), 0);

    assert_int_equal(ktp_quota_file_read(file, file_len, refuse, NULL, &why),
                     5);
}


/* Every single bit and every cut is noticed, before any entry is used. */
static void
test_damage(void **state)
{
    size_t      i;
    unsigned    bit;
    const char *why;

    (void) state;
    make_file();

    for (i = 0; i < file_len; i++) {
        for (bit = 0; bit < 8; bit++) {
            file[i] ^= 1 << bit;
            assert_int_equal(read_file(file, file_len, &why), -1);
            assert_non_null(why);
            assert_int_equal(nseen, 0);
            file[i] ^= 1 << bit;
        }

        assert_int_equal(read_file(file, i, &why), -1);
        assert_non_null(why);
        assert_int_equal(nseen, 0);
    }
}


/* Files with a right checksum and a wrong entry. */
static void
test_entries(void **state)
{
    char       *p;
    size_t      i;
    const char *why;

    static const struct {
        const char *text;
        int         rc;
    } cases[] = {
        {"ktp-quota 1 1 0\n", 0},
        {"ktp-quota 1 1 1\n0:0 0:0 0 a\n", 0},
        {"ktp-quota 1 1 1\n16777215:1099511627775 0:0 1099511627775 ~\n", 0},
        {"ktp-quota 2 1 0\n", -1},
        {"ktp-quota 1 1\n", -1},
        {"ktp-quota 1  0\n", -1},
        {"ktp-quota 1 18446744073709551616 0\n", -1},
        {"ktp-quota 1 1 0\n0:0 0:0 0 a\n", -1},
        {"ktp-quota 1 1 2\n0:0 0:0 0 a\n", -1},
        {"ktp-quota 1 1 1\n16777216:0 0:0 0 a\n", -1},
        {"ktp-quota 1 1 1\n0:1099511627776 0:0 0 a\n", -1},
        {"ktp-quota 1 1 1\n0:0 0:0 1099511627776 a\n", -1},
        {"ktp-quota 1 1 1\n0:0 0:0 a\n", -1},
        {"ktp-quota 1 1 1\n0:0 0:0 0 \n", -1},
        {"ktp-quota 1 1 1\n0:0 0:0 0 a b\n", -1},
        {"ktp-quota 1 1 1\n0:0 0:0 0 \x80\n", -1},
        {"ktp-quota 1 1 1\n-1:0 0:0 0 a\n", -1},
        {"ktp-quota 1 1 1\n0:0 0:0 0 "
         "12345678901234567890123456789012345678901234567890123456789012345\n",
         -1},
        {"ktp-quota 1 1 1\n0:0 0:0 0 "
         "1234567890123456789012345678901234567890123456789012345678901234\n",
         0},
    };

    (void) state;

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        strcpy(file, cases[i].text);
        p = ktp_quota_file_foot(file, file + strlen(file));

        assert_int_equal(read_file(file, p - file, &why), cases[i].rc);
        assert_int_equal(why == NULL, cases[i].rc == 0);
    }
}


int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_numbers), cmocka_unit_test(test_ends),
        cmocka_unit_test(test_take),    cmocka_unit_test(test_periods),
        cmocka_unit_test(test_full),    cmocka_unit_test(test_threads),
        cmocka_unit_test(test_rate),    cmocka_unit_test(test_state),
        cmocka_unit_test(test_damage),  cmocka_unit_test(test_entries),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
