/*
 * The state file of quotas: a file that is read is written again as other
 * bytes with the same meaning, and only a right checksum lets one in.  The
 * input is a file without its last line, which is made here: no mutation
 * finds a checksum.
 */

#include "fuzz.h"
#include "ktp_quota_file.h"


typedef struct {
    size_t n;
    char  *text;
    char  *p;
} again_t;


static int
again(void *data, const ktp_quota_entry_t *entry)
{
    again_t *a = data;

    must(entry->len > 0 && entry->len <= KTP_MAX_CLIENT_NAME);

    a->p = ktp_quota_file_entry(a->p, entry);
    a->n++;

    return 0;
}


static int
none(void *data, const ktp_quota_entry_t *entry)
{
    (void) entry;
    ++*(size_t *) data;

    return 0;
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char       *file, *entries;
    size_t      len, seen, head;
    again_t     a;
    const char *why;

    seen = 0;
    why = NULL;

    /* as it is: the checksum is wrong, or there is none */

    if (ktp_quota_file_read((const char *) data, size, none, &seen, &why)
        != 0) {
        must(seen == 0 && why != NULL);
    }

    file = malloc(size + sizeof("crc32 01234567\n"));
    must(file != NULL);
    memcpy(file, data, size);
    len = ktp_quota_file_foot(file, file + size) - file;

    /* a line has 9 bytes at least */

    a.n = 0;
    a.text = malloc(ktp_quota_file_size(size / 9 + 1));
    must(a.text != NULL);

    a.p = a.text;
    why = NULL;

    if (ktp_quota_file_read(file, len, again, &a, &why) != 0) {
        must(a.n == 0 && why != NULL);

    } else {
        entries = malloc(ktp_quota_file_size(a.n));
        must(entries != NULL);

        head = ktp_quota_file_head(entries,
                                   ktp_quota_file_generation(file, len), a.n)
               - entries;
        memcpy(entries + head, a.text, a.p - a.text);
        len = ktp_quota_file_foot(entries, entries + head + (a.p - a.text))
              - entries;

        seen = 0;
        must(ktp_quota_file_read(entries, len, none, &seen, &why) == 0);
        must(seen == a.n);
        free(entries);
    }

    free(a.text);
    free(file);

    return 0;
}
