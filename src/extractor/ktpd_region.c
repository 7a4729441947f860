#include <string.h>

#include "ktpd_region.h"
#include "ktpd_text.h"


/* What a code is divided by to leave the digits of a level. */
static const unsigned long long ktpd_region_units[] = {
    10000000000ULL, 100000000ULL, 1000000ULL, 10000ULL, 1ULL,
};


static int
ktpd_region_is(const ktpd_region_t *region, ktpd_level_t level)
{
    return region->code % ktpd_region_units[level] == 0
           && region->code % ktpd_region_units[level - 1] != 0;
}


/* The first region with this code or a higher one. */
static unsigned
ktpd_region_lower(unsigned long long code)
{
    unsigned low, high, middle;

    low = 0;
    high = ktpd_nregions;

    while (low < high) {
        middle = low + (high - low) / 2;

        if (ktpd_regions[middle].code < code) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }

    return low;
}


static ktpd_level_t
ktpd_region_level(const ktpd_region_t *region)
{
    int level;

    for (level = KTPD_LEVEL_PROVINCE; level < KTPD_LEVEL_VILLAGE; level++) {
        if (region->code % ktpd_region_units[level] == 0) {
            break;
        }
    }

    return (ktpd_level_t) level;
}


/* Where what is inside a region stands in the table. */
static void
ktpd_region_span(const ktpd_region_t *inside, unsigned *first, unsigned *last)
{
    *first = 0;
    *last = ktpd_nregions;

    if (inside != NULL) {
        *first = (unsigned) (inside - ktpd_regions);
        *last = ktpd_region_lower(
            inside->code + ktpd_region_units[ktpd_region_level(inside)]);
    }
}


void
ktpd_region_try(ktpd_choice_t *choice, const ktpd_region_t *inside,
                ktpd_level_t level, int shortened, const char *before,
                const char *behind)
{
    char        text[KTPD_MAX_VALUE];
    size_t      k, n;
    unsigned    i, last;
    const char *name;

    static const char *const words[] = {"KABUPATEN ", "KOTA "};

    ktpd_region_span(inside, &i, &last);

    for (; i < last; i++) {
        if (!ktpd_region_is(&ktpd_regions[i], level)) {
            continue;
        }

        name = ktpd_regions[i].name;

        for (k = 0; shortened && k < sizeof(words) / sizeof(words[0]); k++) {
            n = strlen(words[k]);
            name += strncmp(name, words[k], n) == 0 ? n : 0;
        }

        ktpd_text_copy(text, sizeof(text), before);
        ktpd_text_append(text, sizeof(text), name);
        ktpd_text_append(text, sizeof(text), behind);
        ktpd_choice_try(choice, text, &ktpd_regions[i]);
    }
}


const ktpd_region_t *
ktpd_region_match(const ktpd_region_t *inside, ktpd_level_t level,
                  const char *text, double limit, double *distance)
{
    int                  d, diff;
    char                 key[KTPD_TEXT_MAX], name[KTPD_TEXT_MAX];
    double               rel;
    size_t               n, m;
    unsigned             i, last;
    const ktpd_region_t *best;

    ktpd_text_key(text, key, sizeof(key));
    n = strlen(key);
    best = NULL;
    *distance = 9;

    if (n == 0) {
        return NULL;
    }

    ktpd_region_span(inside, &i, &last);

    for (; i < last; i++) {
        if (!ktpd_region_is(&ktpd_regions[i], level)) {
            continue;
        }

        ktpd_text_key(ktpd_regions[i].name, name, sizeof(name));
        m = strlen(name);
        diff = (int) m - (int) n;

        if (m == 0 || (diff < 0 ? -diff : diff) > limit * (double) m) {
            continue;
        }

        d = ktpd_text_distance(key, name);
        rel = (double) d / (double) m;

        if (rel <= limit && rel < *distance) {
            *distance = rel;
            best = &ktpd_regions[i];
        }
    }

    return best;
}


const ktpd_region_t *
ktpd_region_by_code(const char *digits, ktpd_level_t level)
{
    int                i;
    unsigned           at;
    unsigned long long code;

    code = 0;

    for (i = 0; i < 2 * (int) level; i++) {
        if (digits[i] < '0' || digits[i] > '9') {
            return NULL;
        }
        code = code * 10 + (unsigned) (digits[i] - '0');
    }

    code *= ktpd_region_units[level];
    at = ktpd_region_lower(code);

    return at < ktpd_nregions && ktpd_regions[at].code == code
               ? &ktpd_regions[at]
               : NULL;
}


const ktpd_region_t *
ktpd_region_above(const ktpd_region_t *region, ktpd_level_t level)
{
    unsigned           at;
    unsigned long long code;

    code = region->code - region->code % ktpd_region_units[level];
    at = ktpd_region_lower(code);

    return at < ktpd_nregions && ktpd_regions[at].code == code
               ? &ktpd_regions[at]
               : NULL;
}
