/*
 * The text of the file in which quotas outlive a restart:
 *
 *     file   = head *entry foot
 *     head   = "ktp-quota 1 " generation " " count LF
 *     entry  = counter " " counter " " count " " name LF
 *     counter = number ":" count        ; day, month; then the total
 *     foot   = "crc32 " 8HEXDIG LF      ; of all bytes before this line
 *
 * Numbers are decimal.  The generation is incremented at each start, and
 * identifies the last writer.
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

/* Returns the maximum size in bytes of a file with this many entries. */
size_t ktp_quota_file_size(size_t entries);

/*
 * Write the parts of a file, in this order, to a buffer of that size.  Return
 * the position after the part.
 */
char *ktp_quota_file_head(char *p, uint64_t generation, size_t entries);
char *ktp_quota_file_entry(char *p, const ktp_quota_entry_t *entry);
char *ktp_quota_file_foot(char *start, char *p);

/* Returns the generation in the head of a file, possibly truncated; or 0. */
uint64_t ktp_quota_file_generation(const char *p, size_t len);

/*
 * Reads a whole file.  After validation the handler is called for each entry;
 * it returns 0, or another value, which stops reading and is returned.
 * Returns -1 and a constant text in *why for a damaged file.
 */
int ktp_quota_file_read(const char *p, size_t len,
                        int (*handler)(void                    *data,
                                       const ktp_quota_entry_t *entry),
                        void *data, const char **why);


#endif /* KTP_QUOTA_FILE_H */
