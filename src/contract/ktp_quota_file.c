#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include "ktp_crc32.h"
#include "ktp_quota_file.h"


/* Bytes of a head, an entry and a foot at most. */
#define KTP_QUOTA_FILE_HEAD_SIZE  64
#define KTP_QUOTA_FILE_ENTRY_SIZE (KTP_MAX_CLIENT_NAME + 64)
#define KTP_QUOTA_FILE_FOOT_SIZE  (sizeof("crc32 01234567\n") - 1)

#define KTP_QUOTA_FILE_HEAD "ktp-quota 1 "


static const char *ktp_quota_file_decimal(const char *p, const char *end,
                                          uint64_t max, uint64_t *value);
static const char *ktp_quota_file_char(const char *p, const char *end, char c);
static const char *ktp_quota_file_read_head(const char *p, const char *end,
                                            uint64_t *generation,
                                            uint64_t *entries);
static const char *ktp_quota_file_read_entry(const char *p, const char *end,
                                             ktp_quota_entry_t *entry);


size_t
ktp_quota_file_size(size_t entries)
{
    return KTP_QUOTA_FILE_HEAD_SIZE + entries * KTP_QUOTA_FILE_ENTRY_SIZE
           + KTP_QUOTA_FILE_FOOT_SIZE + 1;
}


char *
ktp_quota_file_head(char *p, uint64_t generation, size_t entries)
{
    return p
           + snprintf(p, KTP_QUOTA_FILE_HEAD_SIZE,
                      KTP_QUOTA_FILE_HEAD "%" PRIu64 " %zu\n", generation,
                      entries);
}


char *
ktp_quota_file_entry(char *p, const ktp_quota_entry_t *entry)
{
    uint64_t day, month;

    day = entry->words[KTP_QUOTA_DAY];
    month = entry->words[KTP_QUOTA_MONTH];

    p += snprintf(p, KTP_QUOTA_FILE_ENTRY_SIZE,
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
ktp_quota_file_foot(char *start, char *p)
{
    return p
           + snprintf(p, KTP_QUOTA_FILE_FOOT_SIZE + 1, "crc32 %08" PRIx32 "\n",
                      ktp_crc32(0, (unsigned char *) start, p - start));
}


uint64_t
ktp_quota_file_generation(const char *p, size_t len)
{
    uint64_t generation, entries;

    return ktp_quota_file_read_head(p, p + len, &generation, &entries)
               ? generation
               : 0;
}


int
ktp_quota_file_read(const char *p, size_t len,
                    int (*handler)(void *data, const ktp_quota_entry_t *entry),
                    void *data, const char **why)
{
    int               rc;
    char              foot[KTP_QUOTA_FILE_FOOT_SIZE + 1];
    uint64_t          generation, entries, n;
    const char       *q, *first, *end;
    ktp_quota_entry_t entry;

    if (len < KTP_QUOTA_FILE_FOOT_SIZE || p[len - 1] != '\n') {
        *why = "it is cut off";
        return -1;
    }

    end = p + len - KTP_QUOTA_FILE_FOOT_SIZE;

    (void) snprintf(foot, sizeof(foot), "crc32 %08" PRIx32 "\n",
                    ktp_crc32(0, (const unsigned char *) p, end - p));

    if (memcmp(end, foot, KTP_QUOTA_FILE_FOOT_SIZE) != 0) {
        *why = "its checksum does not match";
        return -1;
    }

    first = ktp_quota_file_read_head(p, end, &generation, &entries);

    if (first == NULL) {
        *why = "its first line is not of this version";
        return -1;
    }

    for (q = first, n = 0; q && q < end; n++) {
        q = ktp_quota_file_read_entry(q, end, &entry);
    }

    if (q == NULL || n != entries) {
        *why = "an entry is wrong or missing";
        return -1;
    }

    for (q = first; q < end; /* void */) {
        q = ktp_quota_file_read_entry(q, end, &entry);

        rc = handler(data, &entry);
        if (rc != 0) {
            return rc;
        }
    }

    return 0;
}


/* Each returns the position after what it read, or NULL. */

static const char *
ktp_quota_file_decimal(const char *p, const char *end, uint64_t max,
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
ktp_quota_file_char(const char *p, const char *end, char c)
{
    return p && p < end && *p == c ? p + 1 : NULL;
}


static const char *
ktp_quota_file_read_head(const char *p, const char *end, uint64_t *generation,
                         uint64_t *entries)
{
    size_t len;

    len = sizeof(KTP_QUOTA_FILE_HEAD) - 1;

    if ((size_t) (end - p) < len || memcmp(p, KTP_QUOTA_FILE_HEAD, len) != 0) {
        return NULL;
    }

    p = ktp_quota_file_decimal(p + len, end, UINT64_MAX, generation);
    p = ktp_quota_file_char(p, end, ' ');

    if (p == NULL) {
        return NULL;
    }

    p = ktp_quota_file_decimal(p, end, UINT32_MAX, entries);

    return ktp_quota_file_char(p, end, '\n');
}


static const char *
ktp_quota_file_read_entry(const char *p, const char *end,
                          ktp_quota_entry_t *entry)
{
    unsigned i;
    uint64_t number, count;

    for (i = 0; i < KTP_QUOTA_PERIODS; i++) {
        number = 0;

        if (i != KTP_QUOTA_TOTAL) {
            p = ktp_quota_file_decimal(p, end, KTP_QUOTA_NUMBER_MAX, &number);
            p = ktp_quota_file_char(p, end, ':');

            if (p == NULL) {
                return NULL;
            }
        }

        p = ktp_quota_file_decimal(p, end, KTP_QUOTA_MAX, &count);
        p = ktp_quota_file_char(p, end, ' ');

        if (p == NULL) {
            return NULL;
        }

        entry->words[i] = ktp_quota_word(number, count);
    }

    entry->name = p;

    while (p < end && p[0] > ' ' && p[0] < 0x7f) {
        p++;
    }

    entry->len = p - entry->name;

    if (entry->len == 0 || entry->len > KTP_MAX_CLIENT_NAME) {
        return NULL;
    }

    return ktp_quota_file_char(p, end, '\n');
}
