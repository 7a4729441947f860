#include <math.h>
#include <string.h>

#include "ktpr_gazetteer.h"
#include "ktpr_text.h"


/* By level: a code over this is the digits down to that level. */
static const unsigned long long ktpr_region_units[] = {
    10000000000ULL, 100000000ULL, 1000000ULL, 10000ULL, 1ULL,
};


/* Whether a region is of a level. */
static int
ktpr_region_is(const ktpr_region_t *region, ktpr_level_t level)
{
    return region->code % ktpr_region_units[level] == 0
           && region->code % ktpr_region_units[level - 1] != 0;
}


/* The first region with this code or a higher one. */
static unsigned
ktpr_region_lower(unsigned long long code)
{
    unsigned low, high, middle;

    low = 0;
    high = ktpr_gazetteer_table_n;

    while (low < high) {
        middle = low + (high - low) / 2;

        if (ktpr_gazetteer_table[middle].code < code) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }

    return low;
}


/* The level that a code's trailing zeros tell. */
static ktpr_level_t
ktpr_region_level(const ktpr_region_t *region)
{
    int level;

    for (level = KTPR_LEVEL_PROVINCE; level < KTPR_LEVEL_VILLAGE; level++) {
        if (region->code % ktpr_region_units[level] == 0) {
            break;
        }
    }

    return (ktpr_level_t) level;
}


/* The part of the table inside a region (NULL: all), without last. */
static void
ktpr_region_span(const ktpr_region_t *inside, unsigned *first, unsigned *last)
{
    *first = 0;
    *last = ktpr_gazetteer_table_n;

    if (inside != NULL) {
        *first = (unsigned) (inside - ktpr_gazetteer_table);
        *last = ktpr_region_lower(
            inside->code + ktpr_region_units[ktpr_region_level(inside)]);
    }
}


/* The only name of a code, which the table has; NULL: it has former ones. */
static const ktpr_region_t *
ktpr_region_only(unsigned long long code)
{
    const ktpr_region_t *region;

    region = &ktpr_gazetteer_table[ktpr_region_lower(code)];

    /* former names are behind the current one; then come the parts */
    return region[1].code != code ? region : NULL;
}


/* A name without the words KABUPATEN and KOTA. */
static const char *
ktpr_region_short(const char *name)
{
    size_t i, n;

    static const char *const words[] = {"KABUPATEN ", "KOTA "};

    for (i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        n = strlen(words[i]);
        name += strncmp(name, words[i], n) == 0 ? n : 0;
    }

    return name;
}


const ktpr_region_t *
ktpr_gazetteer_find(const ktpr_region_t *inside, ktpr_level_t level,
                    int shortened, const char *name)
{
    unsigned    i, last;
    const char *other;

    ktpr_region_span(inside, &i, &last);

    for (; i < last; i++) {
        other = ktpr_gazetteer_table[i].name;
        other = shortened ? ktpr_region_short(other) : other;

        /* names differ more often than levels, and faster */
        if (strcmp(other, name) == 0
            && ktpr_region_is(&ktpr_gazetteer_table[i], level)) {
            return &ktpr_gazetteer_table[i];
        }
    }

    return NULL;
}


int
ktpr_gazetteer_part(const ktpr_region_t *inside, ktpr_level_t level,
                    int anywhere, const char *text,
                    const ktpr_region_t **region)
{
    int         found, part;
    size_t      n;
    unsigned    i, last;
    const char *name;

    n = strlen(text);
    found = 0;
    ktpr_region_span(inside, &i, &last);

    for (; i < last && n > 0; i++) {
        name = ktpr_gazetteer_table[i].name;
        part = anywhere ? strstr(name, text) != NULL
                        : strncmp(name, text, n) == 0;

        if (part && strlen(name) > n
            && ktpr_region_is(&ktpr_gazetteer_table[i], level)) {
            *region = found++ == 0 ? &ktpr_gazetteer_table[i] : *region;
        }
    }

    return found;
}


const ktpr_region_t *
ktpr_gazetteer_twin(const ktpr_region_t *inside, const ktpr_region_t *regency)
{
    unsigned             i, last;
    const char          *name;
    const ktpr_region_t *region;

    name = ktpr_region_short(regency->name);
    ktpr_region_span(inside, &i, &last);

    for (; i < last; i++) {
        region = &ktpr_gazetteer_table[i];

        if (region->code != regency->code
            && ktpr_region_is(region, KTPR_LEVEL_REGENCY)
            && strcmp(ktpr_region_short(region->name), name) == 0) {
            return region;
        }
    }

    return NULL;
}


const ktpr_region_t *
ktpr_gazetteer_district(const ktpr_region_t *inside,
                        const ktpr_region_t *village)
{
    unsigned             i, last;
    unsigned long long   unit, code;
    const ktpr_region_t *region;

    unit = ktpr_region_units[KTPR_LEVEL_DISTRICT];
    code = village->code / unit * unit;
    ktpr_region_span(inside, &i, &last);

    for (; i < last; i++) {
        region = &ktpr_gazetteer_table[i];

        if (strcmp(region->name, village->name) == 0
            && ktpr_region_is(region, KTPR_LEVEL_VILLAGE)
            && region->code / unit * unit != code) {
            return NULL;
        }
    }

    return ktpr_region_only(code);
}


const ktpr_region_t *
ktpr_gazetteer_province(const ktpr_region_t *regency)
{
    size_t             i;
    unsigned long long code;

    /*
     * provinces that were parted from others since cards of this kind are
     * issued: law 20 of 2012, laws 14, 15, 16 and 29 of 2022
     */
    static const unsigned parted[] = {65, 93, 94, 95, 96};

    code = regency->code / ktpr_region_units[KTPR_LEVEL_PROVINCE];

    for (i = 0; i < sizeof(parted) / sizeof(parted[0]); i++) {
        if (code == parted[i]) {
            return NULL;
        }
    }

    return ktpr_region_only(code * ktpr_region_units[KTPR_LEVEL_PROVINCE]);
}


void
ktpr_gazetteer_try(ktpr_choice_t *choice, const ktpr_region_t *inside,
                   ktpr_level_t level, int shortened, const char *before,
                   const char *behind)
{
    char        text[KTPR_MAX_VALUE];
    unsigned    i, last;
    const char *name;

    ktpr_region_span(inside, &i, &last);

    for (; i < last; i++) {
        if (!ktpr_region_is(&ktpr_gazetteer_table[i], level)) {
            continue;
        }

        name = ktpr_gazetteer_table[i].name;
        name = shortened ? ktpr_region_short(name) : name;

        ktpr_text_copy(text, sizeof(text), before);
        ktpr_text_append(text, sizeof(text), name);
        ktpr_text_append(text, sizeof(text), behind);
        ktpr_choice_try(choice, text, &ktpr_gazetteer_table[i]);
    }
}


const ktpr_region_t *
ktpr_gazetteer_match(const ktpr_region_t *inside, ktpr_level_t level,
                     const char *text, double limit, double *distance)
{
    int                  d, diff;
    char                 key[KTPR_TEXT_MAX], name[KTPR_TEXT_MAX];
    char                 nearest[KTPR_TEXT_MAX];
    double               rel;
    size_t               n, m;
    unsigned             i, last;
    const ktpr_region_t *best;

    ktpr_text_key(text, key, sizeof(key));
    n = strlen(key);
    best = NULL;
    *distance = HUGE_VAL;

    if (n == 0) {
        return NULL;
    }

    ktpr_region_span(inside, &i, &last);

    for (; i < last; i++) {
        if (!ktpr_region_is(&ktpr_gazetteer_table[i], level)) {
            continue;
        }

        ktpr_text_key(ktpr_gazetteer_table[i].name, name, sizeof(name));
        m = strlen(name);
        diff = (int) m - (int) n;

        if (m == 0 || (diff < 0 ? -diff : diff) > limit * (double) m) {
            continue;
        }

        d = ktpr_text_distance(key, name);
        rel = (double) d / (double) m;

        if (rel <= limit && rel < *distance) {
            *distance = rel;
            best = &ktpr_gazetteer_table[i];
            ktpr_text_copy(nearest, sizeof(nearest), name);

        } else if (best != NULL && rel <= *distance
                   && strcmp(name, nearest) != 0) {
            best = NULL;
        }
    }

    return best;
}
