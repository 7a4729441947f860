/*
 * Quotas and rates: arithmetic on words that processes share, and the file
 * in which quotas outlive a restart.  No function here locks: a process that
 * is killed in the middle leaves every word right.
 */

#ifndef KTP_QUOTA_H
#define KTP_QUOTA_H

#include <stddef.h>
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


/*
 * Number of the period that a time is in.  now is seconds since 1970 UTC,
 * offset seconds east of UTC at which days begin, -86400 < offset < 86400.
 */
uint32_t ktp_quota_number(ktp_quota_period_t period, int64_t now, int offset);

/*
 * Calls counted in the period of a number.  A counter that is one period
 * ahead is that of a process whose clock is ahead, and counts as well.
 */
uint64_t ktp_quota_used(const uint64_t *word, uint32_t number);

/*
 * Counts one call unless limit are counted.  1 and the number of the period
 * that it was counted in, for ktp_quota_give(); or 0.
 */
int ktp_quota_take(uint64_t *word, uint32_t number, uint64_t limit,
                   uint32_t *taken);

/* Takes back one call; nothing when its period is over. */
void ktp_quota_give(uint64_t *word, uint32_t taken);


/*
 * A leaky bucket as one word: the time when it will have run empty.
 * interval is that of one call at the full rate, burst how many calls may
 * come at once, at least 1; times are microseconds of any clock that does
 * not go back.  0 lets the call through; else the microseconds to wait.
 */
uint64_t ktp_rate_take(uint64_t *word, uint64_t now, uint64_t interval,
                       unsigned burst);


/*
 * The state file:
 *
 *     file   = head *entry foot
 *     head   = "ktp-quota 1 " generation " " count LF
 *     entry  = counter " " counter " " count " " name LF
 *     counter = number ":" count        ; day, month; then the total
 *     foot   = "crc32 " 8HEXDIG LF      ; of all bytes before this line
 *
 * Numbers are decimal.  The generation is one more at each start, so that
 * the file tells who wrote it last.
 */

typedef struct {
    const char *name; /* not null-terminated */
    size_t      len;
    uint64_t    words[KTP_QUOTA_PERIODS];
} ktp_quota_entry_t;

/* Bytes that a file of so many entries has at most. */
size_t ktp_quota_state_size(size_t entries);

/*
 * Writing, in this order, into a buffer of that size; each returns the
 * position after what it wrote.
 */
char *ktp_quota_state_head(char *p, uint64_t generation, size_t entries);
char *ktp_quota_state_entry(char *p, const ktp_quota_entry_t *entry);
char *ktp_quota_state_foot(char *start, char *p);

/* The generation in the head of a file, which may be cut off; 0: none. */
uint64_t ktp_quota_state_generation(const char *p, size_t len);

/*
 * Reads a whole file.  The handler is called for each entry, only after the
 * whole was found right; it returns 0, or ends the reading with another
 * value, which is returned.  A damaged file returns -1 and in *why a
 * constant text.
 */
int ktp_quota_state_read(const char *p, size_t len,
                         int (*handler)(void                    *data,
                                        const ktp_quota_entry_t *entry),
                         void *data, const char **why);


#endif /* KTP_QUOTA_H */
