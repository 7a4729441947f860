#include <string.h>
#include "ktp_region.h"
#include "ktp_region_table.h"


/* Longer than the longest key of the tables. */
#define KTP_REGION_KEY 64

/* Codes of cities begin here; below are regencies. */
#define KTP_REGION_CITY 71

typedef enum {
    KTP_REGION_ANY,
    KTP_REGION_REGENCY,
    KTP_REGION_TOWN
} ktp_kind_t;

typedef struct {
    const char *key;
    unsigned    code;
} ktp_region_alias_t;


static const ktp_region_t *ktp_region_find(const ktp_region_t *table, size_t n,
                                           unsigned code);
static size_t     ktp_region_word(const char **p, const char *end, char *word,
                                  size_t size);
static ktp_kind_t ktp_region_key(const char *name, size_t len, char *key);
static size_t     ktp_region_lower_bound(const char *key);


/* What cards and people write beside the official names. */
static const ktp_region_alias_t ktp_region_aliases[] = {
    {"NANGGROEACEHDARUSSALAM", 11},
    {"BANGKABELITUNG", 19},
    {"JAKARTA", 31},
    {"DAERAHKHUSUSIBUKOTAJAKARTA", 31},
    {"DAERAHKHUSUSJAKARTA", 31},
    {"DKJAKARTA", 31},
    {"YOGYAKARTA", 34},
    {"DIYOGYAKARTA", 34},
    {"NTB", 52},
    {"NTT", 53},
};


static const ktp_region_t *
ktp_region_find(const ktp_region_t *table, size_t n, unsigned code)
{
    size_t lo, hi, mid;

    lo = 0;
    hi = n;

    while (lo < hi) {
        mid = lo + (hi - lo) / 2;

        if (table[mid].code < code) {
            lo = mid + 1;

        } else {
            hi = mid;
        }
    }

    return (lo < n && table[lo].code == code) ? &table[lo] : NULL;
}


const char *
ktp_region_province(unsigned code)
{
    const ktp_region_t *region;

    region = ktp_region_find(ktp_region_table_provinces,
                             ktp_region_table_provinces_n, code);

    return region ? region->name : NULL;
}


unsigned
ktp_region_today(unsigned code)
{
    size_t i;

    if (ktp_region_find(ktp_region_table_regencies,
                        ktp_region_table_regencies_n, code)) {
        return code;
    }

    for (i = 0; i < ktp_region_table_moved_n; i++) {
        if (ktp_region_table_moved[i].from == code) {
            return ktp_region_table_moved[i].to;
        }
    }

    return 0;
}


const char *
ktp_region_regency(unsigned code)
{
    const ktp_region_t *region;

    region =
        ktp_region_find(ktp_region_table_regencies,
                        ktp_region_table_regencies_n, ktp_region_today(code));

    return region ? region->name : NULL;
}


/* The next run of letters, in upper case; its length, 0 at the end. */
static size_t
ktp_region_word(const char **p, const char *end, char *word, size_t size)
{
    char   c;
    size_t n;

    n = 0;

    for (; *p < end; (*p)++) {
        c = **p;

        if (c >= 'a' && c <= 'z') {
            c = (char) (c - 'a' + 'A');
        }

        if (c < 'A' || c > 'Z') {
            if (n) {
                break;
            }

            continue;
        }

        if (n == size - 1) {
            return 0;
        }

        word[n++] = c;
    }

    word[n] = '\0';

    return n;
}


/*
 * The key that the tables have: letters only, words for the kind of region
 * dropped from the front, KEP spelled out.  An empty key is nobody's.
 */
static ktp_kind_t
ktp_region_key(const char *name, size_t len, char *key)
{
    char        word[KTP_REGION_KEY];
    size_t      n, used;
    const char *end;
    ktp_kind_t  kind;

    kind = KTP_REGION_ANY;
    used = 0;
    end = len ? name + len : name; /* it may be NULL */

    while ((n = ktp_region_word(&name, end, word, sizeof(word))) != 0) {

        if (used == 0 && kind == KTP_REGION_ANY) {

            if (strcmp(word, "KABUPATEN") == 0 || strcmp(word, "KAB") == 0) {
                kind = KTP_REGION_REGENCY;
                continue;
            }

            if (strcmp(word, "KOTA") == 0) {
                kind = KTP_REGION_TOWN;
                continue;
            }
        }

        if (used == 0
            && (strcmp(word, "ADMINISTRASI") == 0 || strcmp(word, "ADM") == 0
                || strcmp(word, "PROVINSI") == 0)) {
            continue;
        }

        if (strcmp(word, "KEP") == 0) {
            memcpy(word, "KEPULAUAN", sizeof("KEPULAUAN"));
            n = sizeof("KEPULAUAN") - 1;
        }

        if (used + n >= KTP_REGION_KEY) {
            used = 0;
            break;
        }

        memcpy(key + used, word, n);
        used += n;
    }

    key[used] = '\0';

    return kind;
}


unsigned
ktp_region_province_by_name(const char *name, size_t len)
{
    char   key[KTP_REGION_KEY];
    size_t i, n;

    (void) ktp_region_key(name, len, key);

    for (i = 0; i < ktp_region_table_provinces_n; i++) {
        if (strcmp(ktp_region_table_provinces[i].key, key) == 0) {
            return ktp_region_table_provinces[i].code;
        }
    }

    n = sizeof(ktp_region_aliases) / sizeof(ktp_region_aliases[0]);

    for (i = 0; i < n; i++) {
        if (strcmp(ktp_region_aliases[i].key, key) == 0) {
            return ktp_region_aliases[i].code;
        }
    }

    return 0;
}


/* The place in ktp_region_table_by_key of the first key that is not smaller.
 */
static size_t
ktp_region_lower_bound(const char *key)
{
    size_t lo, hi, mid;

    lo = 0;
    hi = ktp_region_table_regencies_n;

    while (lo < hi) {
        mid = lo + (hi - lo) / 2;

        if (strcmp(
                ktp_region_table_regencies[ktp_region_table_by_key[mid]].key,
                key)
            < 0) {
            lo = mid + 1;

        } else {
            hi = mid;
        }
    }

    return lo;
}


ktp_region_match_t
ktp_region_match(unsigned code, const char *name, size_t len)
{
    int                 town;
    char                key[KTP_REGION_KEY];
    size_t              i;
    unsigned            today;
    ktp_kind_t          kind;
    ktp_region_match_t  match;
    const ktp_region_t *region;

    today = ktp_region_today(code);
    if (today == 0) {
        return KTP_REGION_UNKNOWN;
    }

    kind = ktp_region_key(name, len, key);
    match = KTP_REGION_UNKNOWN;

    for (i = ktp_region_lower_bound(key); i < ktp_region_table_regencies_n;
         i++) {

        region = &ktp_region_table_regencies[ktp_region_table_by_key[i]];

        if (strcmp(region->key, key) != 0) {
            break;
        }

        town = region->code % 100 >= KTP_REGION_CITY;

        if (kind != KTP_REGION_ANY && (kind == KTP_REGION_TOWN) != town) {
            continue;
        }

        if (region->code == today) {
            return KTP_REGION_SAME;
        }

        match = KTP_REGION_OTHER;
    }

    return match;
}
