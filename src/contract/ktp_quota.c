#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include "ktp_crc32.h"
#include "ktp_quota.h"


#define KTP_QUOTA_NUMBER_MAX ((1u << (64 - KTP_QUOTA_COUNT_BITS)) - 1)

#define ktp_quota_word_number(word)                                           \
    ((uint32_t) ((word) >> KTP_QUOTA_COUNT_BITS))
#define ktp_quota_word_count(word) ((word) &KTP_QUOTA_MAX)
#define ktp_quota_word(number, count)                                         \
    (((uint64_t) (number) << KTP_QUOTA_COUNT_BITS) | (count))

/* Bytes of a head, an entry and a foot at most. */
#define KTP_QUOTA_HEAD_SIZE  64
#define KTP_QUOTA_ENTRY_SIZE (KTP_MAX_CLIENT_NAME + 64)
#define KTP_QUOTA_FOOT_SIZE  (sizeof("crc32 01234567\n") - 1)

#define KTP_QUOTA_HEAD "ktp-quota 1 "


static const char *ktp_quota_decimal(const char *p, const char *end,
                                     uint64_t max, uint64_t *value);
static const char *ktp_quota_char(const char *p, const char *end, char c);
static const char *ktp_quota_head(const char *p, const char *end,
                                  uint64_t *generation, uint64_t *entries);
static const char *ktp_quota_entry(const char *p, const char *end,
                                   ktp_quota_entry_t *entry);


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


uint64_t
ktp_quota_used(const uint64_t *word, uint32_t number)
{
    uint32_t counted;
    uint64_t w;

    w = __atomic_load_n(word, __ATOMIC_RELAXED);
    counted = ktp_quota_word_number(w);

    return counted == number || counted == number + 1 ? ktp_quota_word_count(w)
                                                      : 0;
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

        if (in != number && in != number + 1) {
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
ktp_rate_take(uint64_t *word, uint64_t now, uint64_t interval, unsigned burst)
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


size_t
ktp_quota_state_size(size_t entries)
{
    return KTP_QUOTA_HEAD_SIZE + entries * KTP_QUOTA_ENTRY_SIZE
           + KTP_QUOTA_FOOT_SIZE + 1;
}


char *
ktp_quota_state_head(char *p, uint64_t generation, size_t entries)
{
    return p
           + snprintf(p, KTP_QUOTA_HEAD_SIZE,
                      KTP_QUOTA_HEAD "%" PRIu64 " %zu\n", generation, entries);
}


char *
ktp_quota_state_entry(char *p, const ktp_quota_entry_t *entry)
{
    uint64_t day, month;

    day = entry->words[KTP_QUOTA_DAY];
    month = entry->words[KTP_QUOTA_MONTH];

    p += snprintf(p, KTP_QUOTA_ENTRY_SIZE,
                  "%" PRIu32 ":%" PRIu64 " %" PRIu32 ":%" PRIu64 " %" PRIu64
                  " ",
                  ktp_quota_word_number(day), ktp_quota_word_count(day),
                  ktp_quota_word_number(month), ktp_quota_word_count(month),
                  ktp_quota_word_count(entry->words[KTP_QUOTA_TOTAL]));

    memcpy(p, entry->name, entry->len);
    p += entry->len;

    *p++ = '\n';

    return p;
}


char *
ktp_quota_state_foot(char *start, char *p)
{
    return p
           + snprintf(p, KTP_QUOTA_FOOT_SIZE + 1, "crc32 %08" PRIx32 "\n",
                      ktp_crc32(0, (unsigned char *) start, p - start));
}


uint64_t
ktp_quota_state_generation(const char *p, size_t len)
{
    uint64_t generation, entries;

    return ktp_quota_head(p, p + len, &generation, &entries) ? generation : 0;
}


int
ktp_quota_state_read(const char *p, size_t len,
                     int (*handler)(void                    *data,
                                    const ktp_quota_entry_t *entry),
                     void *data, const char **why)
{
    int               rc;
    char              foot[KTP_QUOTA_FOOT_SIZE + 1];
    uint64_t          generation, entries, n;
    const char       *q, *first, *end;
    ktp_quota_entry_t entry;

    if (len < KTP_QUOTA_FOOT_SIZE || p[len - 1] != '\n') {
        *why = "it is cut off";
        return -1;
    }

    end = p + len - KTP_QUOTA_FOOT_SIZE;

    (void) snprintf(foot, sizeof(foot), "crc32 %08" PRIx32 "\n",
                    ktp_crc32(0, (const unsigned char *) p, end - p));

    if (memcmp(end, foot, KTP_QUOTA_FOOT_SIZE) != 0) {
        *why = "its checksum does not match";
        return -1;
    }

    first = ktp_quota_head(p, end, &generation, &entries);

    if (first == NULL) {
        *why = "its first line is not of this version";
        return -1;
    }

    for (q = first, n = 0; q && q < end; n++) {
        q = ktp_quota_entry(q, end, &entry);
    }

    if (q == NULL || n != entries) {
        *why = "an entry is wrong or missing";
        return -1;
    }

    for (q = first; q < end; /* void */) {
        q = ktp_quota_entry(q, end, &entry);

        rc = handler(data, &entry);
        if (rc != 0) {
            return rc;
        }
    }

    return 0;
}


/* Each returns the position after what it read, or NULL. */

static const char *
ktp_quota_decimal(const char *p, const char *end, uint64_t max,
                  uint64_t *value)
{
    uint64_t    v;
    const char *first;

    v = 0;

    for (first = p; p < end && *p >= '0' && *p <= '9'; p++) {
        if (v > (max - (*p - '0')) / 10) {
            return NULL;
        }

        v = v * 10 + (*p - '0');
    }

    *value = v;

    return p > first ? p : NULL;
}


static const char *
ktp_quota_char(const char *p, const char *end, char c)
{
    return p && p < end && *p == c ? p + 1 : NULL;
}


static const char *
ktp_quota_head(const char *p, const char *end, uint64_t *generation,
               uint64_t *entries)
{
    size_t len;

    len = sizeof(KTP_QUOTA_HEAD) - 1;

    if ((size_t) (end - p) < len || memcmp(p, KTP_QUOTA_HEAD, len) != 0) {
        return NULL;
    }

    p = ktp_quota_decimal(p + len, end, UINT64_MAX, generation);
    p = ktp_quota_char(p, end, ' ');

    if (p == NULL) {
        return NULL;
    }

    p = ktp_quota_decimal(p, end, UINT32_MAX, entries);

    return ktp_quota_char(p, end, '\n');
}


static const char *
ktp_quota_entry(const char *p, const char *end, ktp_quota_entry_t *entry)
{
    unsigned i;
    uint64_t number, count;

    for (i = 0; i < KTP_QUOTA_PERIODS; i++) {
        number = 0;

        if (i != KTP_QUOTA_TOTAL) {
            p = ktp_quota_decimal(p, end, KTP_QUOTA_NUMBER_MAX, &number);
            p = ktp_quota_char(p, end, ':');

            if (p == NULL) {
                return NULL;
            }
        }

        p = ktp_quota_decimal(p, end, KTP_QUOTA_MAX, &count);
        p = ktp_quota_char(p, end, ' ');

        if (p == NULL) {
            return NULL;
        }

        entry->words[i] = ktp_quota_word(number, count);
    }

    entry->name = p;

    while (p<end && * p> ' ' && *p < 0x7f) {
        p++;
    }

    entry->len = p - entry->name;

    if (entry->len == 0 || entry->len > KTP_MAX_CLIENT_NAME) {
        return NULL;
    }

    return ktp_quota_char(p, end, '\n');
}
