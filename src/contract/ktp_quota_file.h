/*
 * The text of the file in which quotas outlive a restart:
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

#ifndef KTP_QUOTA_FILE_H
#define KTP_QUOTA_FILE_H

#include <stddef.h>
#include <stdint.h>
#include "ktp_quota.h"


typedef struct {
    const char *name; /* not null-terminated */
    size_t      len;
    uint64_t    words[KTP_QUOTA_PERIODS];
} ktp_quota_entry_t;

/* Bytes that a file of so many entries has at most. */
size_t ktp_quota_file_size(size_t entries);

/*
 * Writing, in this order, into a buffer of that size; each returns the
 * position after what it wrote.
 */
char *ktp_quota_file_head(char *p, uint64_t generation, size_t entries);
char *ktp_quota_file_entry(char *p, const ktp_quota_entry_t *entry);
char *ktp_quota_file_foot(char *start, char *p);

/* The generation in the head of a file, which may be cut off; 0: none. */
uint64_t ktp_quota_file_generation(const char *p, size_t len);

/*
 * Reads a whole file.  The handler is called for each entry, only after the
 * whole was found right; it returns 0, or ends the reading with another
 * value, which is returned.  A damaged file returns -1 and in *why a
 * constant text.
 */
int ktp_quota_file_read(const char *p, size_t len,
                        int (*handler)(void                    *data,
                                       const ktp_quota_entry_t *entry),
                        void *data, const char **why);


#endif /* KTP_QUOTA_FILE_H */
