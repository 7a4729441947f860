/*
 * Quotas and rates: arithmetic on words that processes share.  No function
 * here locks: a process that is killed in the middle leaves every word right.
 */

#ifndef KTP_QUOTA_H
#define KTP_QUOTA_H

#include <stdint.h>


/* Characters of a client's name, each visible ASCII. */
#define KTP_MAX_CLIENT_NAME 64

typedef enum {
    KTP_QUOTA_DAY = 0,
    KTP_QUOTA_MONTH,
    KTP_QUOTA_TOTAL,
    KTP_QUOTA_PERIODS
} ktp_quota_period_t;

/*
 * A counter is one word, so that one atomic exchange changes all of it: the
 * number of its period in the upper 24 bits (days or months since 1970; 0 of
 * a total), and the calls of that period in the lower 40.
 */
#define KTP_QUOTA_COUNT_BITS 40
#define KTP_QUOTA_MAX        ((UINT64_C(1) << KTP_QUOTA_COUNT_BITS) - 1)
#define KTP_QUOTA_NUMBER_MAX ((1u << (64 - KTP_QUOTA_COUNT_BITS)) - 1)

#define ktp_quota_word_number(word)                                           \
    ((uint32_t) ((word) >> KTP_QUOTA_COUNT_BITS))
#define ktp_quota_word_count(word) (KTP_QUOTA_MAX & (word))
#define ktp_quota_word(number, count)                                         \
    (((uint64_t) (number) << KTP_QUOTA_COUNT_BITS) | (count))


/*
 * Number of the period that a time is in.  now is seconds since 1970 UTC,
 * offset seconds east of UTC at which days begin, -86400 < offset < 86400.
 */
uint32_t ktp_quota_number(ktp_quota_period_t period, int64_t now, int offset);

/*
 * When the period that a time is in ends, in seconds since 1970 UTC; 0 for a
 * total.
 */
int64_t ktp_quota_end(ktp_quota_period_t period, int64_t now, int offset);

/*
 * Calls counted in the period of a number.  A counter of a later period was
 * written before the clock was set back, and applies as well: a period never
 * steps back, since a clock that is wrong once would reset the quota.
 */
uint64_t ktp_quota_used(const uint64_t *word, uint32_t number);

/*
 * 1 if a counter is ahead of the period of a number by more than one; by one
 * it may be when processes read the clock around the end of a period.
 */
int ktp_quota_ahead(const uint64_t *word, uint32_t number);

/*
 * Counts one call unless limit are counted, in the later of the period of the
 * number and that of the counter.  1 and the number of the period
 * that it was counted in, for ktp_quota_give(); or 0.
 */
int ktp_quota_take(uint64_t *word, uint32_t number, uint64_t limit,
                   uint32_t *taken);

/* Takes back one call; has no effect when its period is over. */
void ktp_quota_give(uint64_t *word, uint32_t taken);


/*
 * A leaky bucket as one word: the time when it will have run empty.
 * interval is that of one call at the full rate, burst how many calls may
 * come at once, at least 1; times are microseconds of any clock that does
 * not go back.  0 lets the call through; else the microseconds to wait.
 */
uint64_t ktp_quota_rate(uint64_t *word, uint64_t now, uint64_t interval,
                        unsigned burst);


#endif /* KTP_QUOTA_H */
