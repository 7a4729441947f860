/* The reader's parts that need no Tesseract. */

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <turbojpeg.h>

#include "ktpr_street.h"
#include "ktpr_assign.h"
#include "ktpr_digit_net.h"
#include "ktpr_fields.h"
#include "ktpr_decode.h"
#include "ktpr_lexicon.h"
#include "ktpr_reading.h"
#include "ktpr_gazetteer.h"
#include "ktpr_text.h"
#include "ktpr_map.h"


static void
text_distance(void **state)
{
    (void) state;

    assert_int_equal(ktpr_text_distance("", ""), 0);
    assert_int_equal(ktpr_text_distance("ISLAM", ""), 5);
    assert_int_equal(ktpr_text_distance("ISLAM", "ISLAM"), 0);
    assert_int_equal(ktpr_text_distance("SLAM", "ISLAM"), 1);
    assert_int_equal(ktpr_text_distance("lSIAM", "ISLAM"), 2);
    assert_int_equal(ktpr_text_distance("KAWIN", "WIKAN"), 4);
}


static void
text_cleaning(void **state)
{
    char s[32];

    (void) state;

    strcpy(s, "  A  B   C ");
    ktpr_text_fold(s);
    assert_string_equal(s, "A B C");

    strcpy(s, ": ANI.;");
    ktpr_text_trim(s, " :", ";.");
    assert_string_equal(s, "ANI");

    assert_int_equal(ktpr_text_digits("O1Z-x/8", s, sizeof(s)), 4);
    assert_string_equal(s, "0128");

    /* what does not fit is cut, and what is appended too */
    ktpr_text_copy(s, 4, "ABCDEF");
    assert_string_equal(s, "ABC");
    ktpr_text_append(s, 6, "XYZ");
    assert_string_equal(s, "ABCXY");
}


static void
dates(void **state)
{
    char date[11];

    (void) state;

    assert_int_equal(ktpr_assign_date("BOGOR, 04-08-1978", date), 7);
    assert_string_equal(date, "04-08-1978");
    assert_int_equal(ktpr_assign_date("BOGOR, O4 08 1978", date), 7);
    assert_string_equal(date, "04-08-1978");
    assert_int_equal(ktpr_assign_date("BOGOR", date), -1);
    assert_int_equal(ktpr_assign_date("SOLOBOLO", date), -1);

    assert_true(ktpr_fields_date_valid("29-02-2000"));
    assert_false(ktpr_fields_date_valid("29-02-1900"));
    assert_false(ktpr_fields_date_valid("31-04-1980"));
    assert_false(ktpr_fields_date_valid("00-01-1980"));
    assert_false(ktpr_fields_date_valid("1-1-1980"));
}


static void
addresses(void **state)
{
    size_t i, k;
    char   s[64];
    float  sure[64];

    static const struct {
        const char *read, *repaired;
    } cases[] = {
        {"JL MERDEKA BLOK 8/12", "JL MERDEKA BLOK B/12"},
        {"KOMP INDAH BLK ES/8", "KOMP INDAH BLK E5/8"},
        {"PERUMAHAN INDAH PERMAT", "PERUMAHAN INDAH PERMAI"},
        {"JL MERDEKA NO 1O", "JL MERDEKA NO 10"},
        {"JL, MERDEKA", "JL. MERDEKA"},
        {"KP/ BARU", "KP. BARU"},
        {"KP' BARU", "KP. BARU"},
        {"KOMP INDAH BLK FI7", "KOMP INDAH BLK F/7"},
        {"GANG I BLOK II", "GANG I BLOK II"},
        {"JL MERDEKA NO I2B", "JL MERDEKA NO 12B"},
        /* nothing to repair, and nothing to be invented */
        {"JL MERDEKA NO 10", "JL MERDEKA NO 10"},
        {"DUSUN BLOK 8", "DUSUN BLOK 8"},
        {"", ""},
    };

    (void) state;

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        for (k = 0; k < sizeof(sure) / sizeof(sure[0]); k++) {
            sure[k] = KTPR_READING_CLEAR - .1f;
        }

        strcpy(s, cases[i].read);
        assert_int_equal(ktpr_street_repair(s, sizeof(s), sure),
                         strcmp(cases[i].read, cases[i].repaired) != 0);
        assert_string_equal(s, cases[i].repaired);

        /* clear letters stay, but where there can be none */
        for (k = 0; k < sizeof(sure) / sizeof(sure[0]); k++) {
            sure[k] = KTPR_READING_CLEAR + .05f;
        }

        strcpy(s, cases[i].read);
        assert_int_equal(ktpr_street_repair(s, sizeof(s), sure),
                         strchr(s, 'F') != NULL);
        assert_string_equal(s, strchr(s, 'F') != NULL ? cases[i].repaired
                                                      : cases[i].read);
    }

    /* each letter for itself */
    strcpy(s, "NO SZ");
    assert_int_equal(ktpr_street_repair(s, sizeof(s), sure), 0);
    strcpy(s, "NO 3S-SB");
    sure[4] = .5f;
    assert_int_equal(ktpr_street_repair(s, sizeof(s), sure), 1);
    assert_string_equal(s, "NO 35-SB");
}


static void
lexicon(void **state)
{
    double      distance;
    const char *entry;

    (void) state;

    assert_string_equal(
        ktpr_lexicon_match(KTPR_LEX_GENDER, "LAKL-LAKI", .3, &distance),
        "LAKI-LAKI");
    assert_true(distance > 0);
    assert_null(ktpr_lexicon_match(KTPR_LEX_RELIGION, "XXXX", .3, &distance));
    assert_null(ktpr_lexicon_match(KTPR_LEX_STATUS, "", 1, &distance));

    /* the beginning of one entry, of several, of none */
    assert_int_equal(
        ktpr_lexicon_begun(KTPR_LEX_OCCUPATION, "PELAJAR/MA", &entry), 1);
    assert_string_equal(entry, "PELAJAR/MAHASISWA");
    assert_int_equal(
        ktpr_lexicon_begun(KTPR_LEX_OCCUPATION, "KARYAWA", &entry), 4);
    assert_int_equal(ktpr_lexicon_begun(KTPR_LEX_OCCUPATION, "GURU", &entry),
                     0);
    assert_int_equal(ktpr_lexicon_begun(KTPR_LEX_RELIGION, "", &entry), 0);
}


static void
regions(void **state)
{
    double               distance;
    const ktpr_region_t *java, *bali, *bogor, *toba;

    (void) state;

    java = ktpr_gazetteer_match(NULL, KTPR_LEVEL_PROVINCE, "JAWA BARAF", .2,
                                &distance);
    assert_non_null(java);
    assert_string_equal(java->name, "JAWA BARAT");

    bogor = ktpr_gazetteer_match(java, KTPR_LEVEL_REGENCY, "KOTA BOGOR", 0,
                                 &distance);
    assert_non_null(bogor);
    assert_true(bogor->code == 3271000000ULL);
    assert_true(bogor > java);

    /* a former name has the code of the current one */
    toba = ktpr_gazetteer_match(NULL, KTPR_LEVEL_REGENCY,
                                "KABUPATEN TOBA SAMOSIR", 0, &distance);
    assert_non_null(toba);
    assert_true(toba->code == 1212000000ULL);
    assert_non_null(ktpr_gazetteer_match(toba, KTPR_LEVEL_DISTRICT, "BALIGE",
                                         0, &distance));
    assert_null(ktpr_gazetteer_match(toba, KTPR_LEVEL_DISTRICT, "COBLONG", 0,
                                     &distance));

    /* it is not in another province, and no province itself */
    bali =
        ktpr_gazetteer_match(NULL, KTPR_LEVEL_PROVINCE, "BALI", 0, &distance);
    assert_non_null(bali);
    assert_null(ktpr_gazetteer_match(bali, KTPR_LEVEL_REGENCY, "KOTA BOGOR", 0,
                                     &distance));
    assert_null(ktpr_gazetteer_match(NULL, KTPR_LEVEL_PROVINCE, "KOTA BOGOR",
                                     0, &distance));

    /* five letters are missing, of BARAT, TIMUR or UTARA */
    assert_null(ktpr_gazetteer_match(NULL, KTPR_LEVEL_PROVINCE, "KALIMANTAN",
                                     .34, &distance));
    assert_true(distance > .33 && distance < .34);
    assert_null(ktpr_gazetteer_match(NULL, KTPR_LEVEL_PROVINCE, "XXXXXXX", .34,
                                     &distance));
    assert_true(distance == HUGE_VAL);
}


static void
cut_regions(void **state)
{
    size_t               i;
    const ktpr_region_t *region, *city;

    static const struct {
        const char  *text;
        int          anywhere;
        ktpr_level_t level;
        const char  *name; /* NULL: none, or several */
    } cases[] = {
        {"JAWA TE", 0, KTPR_LEVEL_PROVINCE, "JAWA TENGAH"},
        {"JAWA T", 0, KTPR_LEVEL_PROVINCE, NULL},
        {"LAMPUNG", 0, KTPR_LEVEL_PROVINCE, NULL}, /* it is whole */
        {"LAMPUNG", 1, KTPR_LEVEL_PROVINCE, NULL},
        {"", 0, KTPR_LEVEL_PROVINCE, NULL},
        {"", 1, KTPR_LEVEL_PROVINCE, NULL},
        {"KOTA SAM", 0, KTPR_LEVEL_REGENCY, "KOTA SAMARINDA"},
        {"KOTA SA", 0, KTPR_LEVEL_REGENCY, NULL},
        {"SAM", 0, KTPR_LEVEL_PROVINCE, NULL},
        {"AWA TENGAH", 1, KTPR_LEVEL_PROVINCE, "JAWA TENGAH"},
        {"AWA TENGA", 1, KTPR_LEVEL_PROVINCE, "JAWA TENGAH"},
        {"TENGAH", 1, KTPR_LEVEL_PROVINCE, NULL}, /* or KALIMANTAN TENGAH */
        {"AWA TENGA", 0, KTPR_LEVEL_PROVINCE, NULL},
    };

    static const struct {
        const char *city, *province; /* NULL: more than one */
    } provinces[] = {
        {"KOTA SAMARINDA", "KALIMANTAN TIMUR"},
        {"KABUPATEN WAY KANAN", "LAMPUNG"},
        {"KABUPATEN MERAUKE", NULL}, /* was in PAPUA */
        {"KOTA BANDA ACEH", NULL},   /* ACEH has had other names */
    };

    (void) state;

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        region = NULL;

        if (ktpr_gazetteer_part(NULL, cases[i].level, cases[i].anywhere,
                                cases[i].text, &region)
            != 1) {
            region = NULL;
        }

        if (cases[i].name == NULL) {
            assert_null(region);
        } else {
            assert_non_null(region);
            assert_string_equal(region->name, cases[i].name);
        }
    }

    for (i = 0; i < sizeof(provinces) / sizeof(provinces[0]); i++) {
        city = ktpr_gazetteer_find(NULL, KTPR_LEVEL_REGENCY, 0,
                                   provinces[i].city);
        assert_non_null(city);
        region = ktpr_gazetteer_province(city);

        if (provinces[i].province == NULL) {
            assert_null(region);
        } else {
            assert_non_null(region);
            assert_string_equal(region->name, provinces[i].province);
        }
    }
}


static void
regions_of_one_name(void **state)
{
    const ktpr_region_t *regency, *city, *java, *village;

    (void) state;

    java = ktpr_gazetteer_find(NULL, KTPR_LEVEL_PROVINCE, 0, "JAWA BARAT");
    regency =
        ktpr_gazetteer_find(java, KTPR_LEVEL_REGENCY, 0, "KABUPATEN BOGOR");
    city = ktpr_gazetteer_find(java, KTPR_LEVEL_REGENCY, 0, "KOTA BOGOR");
    assert_non_null(regency);
    assert_ptr_equal(ktpr_gazetteer_twin(NULL, regency), city);
    assert_ptr_equal(ktpr_gazetteer_twin(java, city), regency);
    assert_null(
        ktpr_gazetteer_twin(java, ktpr_gazetteer_find(java, KTPR_LEVEL_REGENCY,
                                                      0, "KABUPATEN GARUT")));

    /* one district has such a village; or several do */
    village =
        ktpr_gazetteer_find(regency, KTPR_LEVEL_VILLAGE, 0, "BABAKANRADEN");
    assert_non_null(village);
    assert_string_equal(ktpr_gazetteer_district(regency, village)->name,
                        "CARIU");

    village = ktpr_gazetteer_find(java, KTPR_LEVEL_VILLAGE, 0, "SUKAMULYA");
    assert_non_null(village);
    assert_null(ktpr_gazetteer_district(java, village));
}


static void
maps(void **state)
{
    int          i;
    ktpr_map_t   map, back, both;
    ktpr_point_t p;

    static const ktpr_point_t from[4] = {{0, 0}, {10, 0}, {10, 5}, {0, 5}};
    static const ktpr_point_t to[4] = {{3, 1}, {9, 2}, {12, 9}, {1, 8}};

    (void) state;

    assert_int_equal(ktpr_map_corners(from, to, &map), 0);

    for (i = 0; i < 4; i++) {
        p = ktpr_map_point(&map, from[i].x, from[i].y);
        assert_true(p.x > to[i].x - 1e-6 && p.x < to[i].x + 1e-6);
        assert_true(p.y > to[i].y - 1e-6 && p.y < to[i].y + 1e-6);
    }

    assert_int_equal(ktpr_map_invert(&map, &back), 0);
    both = ktpr_map_then(&map, &back);
    p = ktpr_map_point(&both, 4, 2);
    assert_true(p.x > 4 - 1e-6 && p.x < 4 + 1e-6);

    map = ktpr_map_scale(0);
    assert_int_equal(ktpr_map_invert(&map, &back), -1);
}


/* A window with nothing on it has no digit. */
static void
digit_none(void **state)
{
    int                     i;
    ktpr_digit_run_t        run;
    static ktpr_digit_net_t net;

    (void) state;

    ktpr_digit_net_load(&net);

    for (i = 0; i < KTPR_DIGIT_W * KTPR_DIGIT_H; i++) {
        run.in[i] = 235;
    }

    ktpr_digit_net_even(&run);
    ktpr_digit_net_run(&net, &run);
    assert_true(run.p[KTPR_DIGIT_NONE] > .5f);
}


/* A JPEG of 16x8 pixels whose EXIF says that it lies on its side. */
static unsigned char *
sideways(size_t *len)
{
    tjhandle      jpeg;
    unsigned long n;
    unsigned char rgb[16 * 8 * 3], *bytes, *out;

    static const unsigned char exif[] = {
        0xff, 0xe1, 0x00, 0x22, 'E', 'x', 'i', 'f', 0,    0,    'M', 'M',
        0,    42,   0,    0,    0,   8,   0,   1,   0x01, 0x12, 0,   3,
        0,    0,    0,    1,    0,   6,   0,   0,   0,    0,    0,   0,
    };

    memset(rgb, 128, sizeof(rgb));
    jpeg = tjInitCompress();
    bytes = NULL;
    n = 0;
    assert_int_equal(tjCompress2(jpeg, rgb, 16, 0, 8, TJPF_RGB, &bytes, &n,
                                 TJSAMP_444, 90, 0),
                     0);
    tjDestroy(jpeg);

    *len = n + sizeof(exif);
    out = malloc(*len);
    assert_non_null(out);
    memcpy(out, bytes, 2);
    memcpy(out + 2, exif, sizeof(exif));
    memcpy(out + 2 + sizeof(exif), bytes + 2, n - 2);
    tjFree(bytes);

    return out;
}


static void
image_orientation(void **state)
{
    size_t         i, len;
    ktpr_pool_t   *pool;
    ktpr_image_t   image;
    unsigned char *bytes;

    (void) state;

    pool = ktpr_pool_create(1 << 20);
    bytes = sideways(&len);
    assert_int_equal(ktpr_decode(pool, bytes, len, NULL, &image), 0);
    assert_int_equal(image.w, 8);
    assert_int_equal(image.h, 16);

    /* cut anywhere it decodes or does not, and reads no byte too many */
    for (i = 0; i < len; i++) {
        unsigned char *cut = malloc(i + 1);

        memcpy(cut, bytes, i);
        (void) ktpr_decode(pool, cut, i, NULL, &image);
        free(cut);
        ktpr_pool_reset(pool);
    }

    free(bytes);
    ktpr_pool_destroy(pool);
}


static void
pool_ceiling(void **state)
{
    void        *p;
    ktpr_pool_t *pool;

    (void) state;

    pool = ktpr_pool_create(1000);
    p = ktpr_pool_alloc(pool, 600, 1);
    assert_non_null(p);
    assert_false(ktpr_pool_failed(pool));
    assert_null(ktpr_pool_alloc(pool, 600, 1));
    assert_true(ktpr_pool_failed(pool));
    assert_null(ktpr_pool_alloc(pool, (size_t) -1, 16));
    ktpr_pool_free(pool, p);
    assert_non_null(ktpr_pool_alloc(pool, 100, 10));

    /* a failure is remembered until the reset */
    assert_true(ktpr_pool_failed(pool));
    ktpr_pool_reset(pool);
    assert_false(ktpr_pool_failed(pool));
    ktpr_pool_destroy(pool);
}


/* two cards in one picture, one below the other; the upper one's is worn */
static void
lines_of_one_card(void **state)
{
    int                 i;
    ktpr_entry_t       *e;
    static ktpr_table_t table;

    static const char *const rows[KTPR_LINES][2] = {
        {"Nama", "SITI CONTOH"},
        {"Tempat/Tgl Lahir", "BANDUNG, 22-07-1992"},
        {"Jenis Kelamin", "PEREMPUAN"},
        {"Alamat", "JL. MELATI NO. 7"},
        {"RT/RW", "019/011"},
        {"Kel/Desa", "CIPAGANTI"},
        {"Kecamatan", "COBLONG"},
        {"Agama", "ISLAM"},
        {"Status Perkawinan", "KAWIN"},
        {"Pekerjaan", "GURU"},
        {"Kewarganegaraan", "WNI"},
        {"Berlaku Hingga", "SEUMUR HIDUP"},
    };

    (void) state;

    table.spacing = 30;
    table.n = 2 * KTPR_LINES;

    for (i = 0; i < table.n; i++) {
        e = &table.entries[i];
        e->row.y = 30 * (i % KTPR_LINES) + (i < KTPR_LINES ? 100 : 730);
        e->row.has_label = e->row.has_value = 1;
        strcpy(e->value.text, rows[i % KTPR_LINES][1]);

        if (i < KTPR_LINE_STATUS || i >= KTPR_LINES) {
            strcpy(e->label.text, rows[i % KTPR_LINES][0]);
        }

        ktpr_assign_weigh(e);
    }

    ktpr_assign(&table);

    assert_int_equal(table.lines, KTPR_LINES);
    assert_int_equal(table.labels, KTPR_LINES);

    for (i = 0; i < table.n; i++) {
        assert_int_equal(table.entries[i].line,
                         i < KTPR_LINES ? KTPR_LINE_NONE : i - KTPR_LINES);
    }
}


/* the head and the number are above a name whose label is worn */
static void
head_is_no_name(void **state)
{
    int                 i;
    ktpr_entry_t       *e;
    static ktpr_table_t table;

    static const struct {
        const char *label, *value;
        int         line;
    } rows[] = {
        {"", "PROVINSI JAWA BARAF", KTPR_LINE_NONE},
        {"", "KOTA BANDUNG", KTPR_LINE_NONE},
        {"NIK", "3273995708810002", KTPR_LINE_NONE},
        {"", "SITI CONTOH", KTPR_LINE_NAME},
        {"Tempat/Tgl Lahir", "BANDUNG, 17-08-1981", KTPR_LINE_BIRTH},
        {"Jenis Kelamin", "PEREMPUAN", KTPR_LINE_GENDER},
    };

    (void) state;

    table.spacing = 30;
    table.n = (int) (sizeof(rows) / sizeof(rows[0]));

    for (i = 0; i < table.n; i++) {
        e = &table.entries[i];
        e->row.y = 30 * i;
        e->row.has_label = rows[i].label[0] != '\0';
        e->row.has_value = 1;
        strcpy(e->label.text, rows[i].label);
        strcpy(e->value.text, rows[i].value);
        ktpr_assign_weigh(e);
    }

    ktpr_assign(&table);

    for (i = 0; i < table.n; i++) {
        assert_int_equal(table.entries[i].line, rows[i].line);
    }
}


int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_distance),
        cmocka_unit_test(text_cleaning),
        cmocka_unit_test(dates),
        cmocka_unit_test(lines_of_one_card),
        cmocka_unit_test(head_is_no_name),
        cmocka_unit_test(addresses),
        cmocka_unit_test(lexicon),
        cmocka_unit_test(regions),
        cmocka_unit_test(cut_regions),
        cmocka_unit_test(regions_of_one_name),
        cmocka_unit_test(maps),
        cmocka_unit_test(digit_none),
        cmocka_unit_test(image_orientation),
        cmocka_unit_test(pool_ceiling),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
