#include <time.h>
#include "ktp_quota.h"


uint32_t
ktp_quota_number(ktp_quota_period_t period, int64_t now, int offset)
{
    time_t    t;
    int64_t   n;
    struct tm tm;

    t = (time_t) (now + offset);

    if (t < 0) {
        return 0;
    }

    switch (period) {

    case KTP_QUOTA_DAY:
        n = t / 86400;
        break;

    case KTP_QUOTA_MONTH:
        if (gmtime_r(&t, &tm) == NULL) {
            return KTP_QUOTA_NUMBER_MAX;
        }

        n = (int64_t) (tm.tm_year - 70) * 12 + tm.tm_mon;
        break;

    default:
        return 0;
    }

    return n < KTP_QUOTA_NUMBER_MAX ? (uint32_t) n : KTP_QUOTA_NUMBER_MAX;
}


int
ktp_quota_ahead(const uint64_t *word, uint32_t number)
{
    uint64_t w;

    w = __atomic_load_n(word, __ATOMIC_RELAXED);

    return ktp_quota_word_number(w) > number + 1;
}


int64_t
ktp_quota_end(ktp_quota_period_t period, int64_t now, int offset)
{
    time_t    t;
    struct tm tm;

    t = (time_t) (now + offset);
    t -= t % 86400;

    switch (period) {

    case KTP_QUOTA_DAY:
        return t + 86400 - offset;

    case KTP_QUOTA_MONTH:

        /* from the first of this month to the first of the next one */

        if (gmtime_r(&t, &tm) == NULL) {
            return 0;
        }

        t += (32 - tm.tm_mday) * 86400;

        if (gmtime_r(&t, &tm) == NULL) {
            return 0;
        }

        return t - (tm.tm_mday - 1) * 86400 - offset;

    default: /* KTP_QUOTA_TOTAL */
        return 0;
    }
}


uint64_t
ktp_quota_used(const uint64_t *word, uint32_t number)
{
    uint64_t w;

    w = __atomic_load_n(word, __ATOMIC_RELAXED);

    return ktp_quota_word_number(w) >= number ? ktp_quota_word_count(w) : 0;
}


int
ktp_quota_take(uint64_t *word, uint32_t number, uint64_t limit,
               uint32_t *taken)
{
    uint32_t in;
    uint64_t w, count;

    w = __atomic_load_n(word, __ATOMIC_RELAXED);

    do {
        in = ktp_quota_word_number(w);
        count = ktp_quota_word_count(w);

        if (in < number) {
            in = number;
            count = 0;
        }

        if (count >= limit || count == KTP_QUOTA_MAX) {
            return 0;
        }

    } while (!__atomic_compare_exchange_n(word, &w,
                                          ktp_quota_word(in, count + 1), 0,
                                          __ATOMIC_ACQ_REL, __ATOMIC_RELAXED));

    *taken = in;

    return 1;
}


void
ktp_quota_give(uint64_t *word, uint32_t taken)
{
    uint64_t w;

    w = __atomic_load_n(word, __ATOMIC_RELAXED);

    do {
        if (ktp_quota_word_number(w) != taken
            || ktp_quota_word_count(w) == 0) {
            return;
        }

    } while (!__atomic_compare_exchange_n(word, &w, w - 1, 0, __ATOMIC_ACQ_REL,
                                          __ATOMIC_RELAXED));
}


uint64_t
ktp_quota_rate(uint64_t *word, uint64_t now, uint64_t interval, unsigned burst)
{
    uint64_t empty, ahead, room;

    room = interval * (burst - 1);
    empty = __atomic_load_n(word, __ATOMIC_RELAXED);

    do {
        ahead = empty > now ? empty - now : 0;

        if (ahead > room) {
            return ahead - room;
        }

    } while (!__atomic_compare_exchange_n(word, &empty, now + ahead + interval,
                                          0, __ATOMIC_ACQ_REL,
                                          __ATOMIC_RELAXED));

    return 0;
}
