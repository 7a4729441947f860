/* What makes a card: its number or head, values, and no other's labels. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "ktpr_kind.h"
#include "ktpr_text.h"


static ktpr_field_t fields[KTPR_ALL_FIELDS];
static ktpr_table_t table;
static ktpr_scan_t  scan;


static void
set(ktpr_field_id_t field, const char *value, float confidence)
{
    ktpr_text_copy(fields[field].value, KTPR_MAX_VALUE, value);
    fields[field].confidence = confidence;
    fields[field].repaired = 0;
}


static void
label(const char *text)
{
    ktpr_entry_t *e;

    e = &table.entries[table.n++];
    e->row.has_label = 1;
    ktpr_text_copy(e->label.text, KTPR_MAX_VALUE, text);
    e->label.confidence = .99f;
    ktpr_assign_weigh(e);
}


/* A card with values, but no number. */
static void
card(void)
{
    size_t i;

    static const char *const labels[] = {
        "NAMA",     "TEMPAT/TGL LAHIR", "JENIS KELAMIN", "ALAMAT",    "RT/RW",
        "KEL/DESA", "KECAMATAN",        "AGAMA",         "PEKERJAAN",
    };

    memset(fields, 0, sizeof(fields));
    memset(&table, 0, sizeof(table));
    memset(&scan, 0, sizeof(scan));
    scan.table = &table;

    for (i = 0; i < sizeof(labels) / sizeof(labels[0]); i++) {
        label(labels[i]);
    }

    set(KTPR_FULL_NAME, "SITI CONTOH", .9f);
    set(KTPR_DATE_OF_BIRTH, "17-08-1981", .9f);
    set(KTPR_RELIGION, "ISLAM", .9f);
    set(KTPR_DISTRICT, "COBLONG", .9f);
}


static void
head_or_number(void **state)
{
    (void) state;

    card();
    assert_true(ktpr_kind_card(&scan, KTPR_HEAD_PROVINCE, fields));
    assert_false(ktpr_kind_card(&scan, KTPR_HEAD_NONE, fields));

    /* a number that was read clearly, or that another line confirms */
    set(KTPR_NIK, "3273991708820002", .95f);
    assert_true(ktpr_kind_card(&scan, KTPR_HEAD_NONE, fields));
    set(KTPR_NIK, "3273991708820002", .8f);
    assert_false(ktpr_kind_card(&scan, KTPR_HEAD_NONE, fields));
    set(KTPR_NIK, "3273995708810002", .8f);
    assert_true(ktpr_kind_card(&scan, KTPR_HEAD_NONE, fields));
    fields[KTPR_DATE_OF_BIRTH].repaired = 1;
    assert_false(ktpr_kind_card(&scan, KTPR_HEAD_NONE, fields));

    /* no province has 87 */
    set(KTPR_NIK, "8701991708810002", .99f);
    fields[KTPR_DATE_OF_BIRTH].repaired = 0;
    assert_false(ktpr_kind_card(&scan, KTPR_HEAD_NONE, fields));

    /* labels that are hardly a card's */
    scan.doubtful = 1;
    assert_false(ktpr_kind_card(&scan, KTPR_HEAD_PROVINCE, fields));
    set(KTPR_NIK, "3273991708820002", .95f);
    assert_true(ktpr_kind_card(&scan, KTPR_HEAD_NONE, fields));
}


static void
blank_card(void **state)
{
    (void) state;

    card();
    set(KTPR_FULL_NAME, "", 0);
    set(KTPR_DISTRICT, "", 0);
    assert_false(ktpr_kind_card(&scan, KTPR_HEAD_PROVINCE, fields));
    set(KTPR_ADDRESS, "JL. MELATI", .9f);
    set(KTPR_OCCUPATION, "GURU", .9f);
    assert_true(ktpr_kind_card(&scan, KTPR_HEAD_PROVINCE, fields));
}


static void
other_document(void **state)
{
    (void) state;

    card();
    assert_false(ktpr_kind_card(&scan, KTPR_HEAD_OTHER, fields));
    set(KTPR_NIK, "3273991708820002", .95f);
    assert_false(ktpr_kind_card(&scan, KTPR_HEAD_OTHER, fields));

    /* a child's card has these, too */
    label("NO. AKTA KELAHIRAN");
    label("NAMA KEPALA KELUARGA");
    assert_true(ktpr_kind_card(&scan, KTPR_HEAD_PROVINCE, fields));
    label("BERLAKU S/D");
    label("FAKULTAS");
    assert_false(ktpr_kind_card(&scan, KTPR_HEAD_PROVINCE, fields));
}


static void
labels_under_a_reflection(void **state)
{
    (void) state;

    card();
    label("JAAN");
    label("S PERKAWINAN");
    label("RGANEGARAAN");
    label("KU HINGGA");
    assert_true(ktpr_kind_card(&scan, KTPR_HEAD_PROVINCE, fields));
    label("PROGRAM STUDI");
    label("FAKULTAS");
    assert_true(ktpr_kind_card(&scan, KTPR_HEAD_PROVINCE, fields));
    label("SEMESTER");
    assert_false(ktpr_kind_card(&scan, KTPR_HEAD_PROVINCE, fields));
}


int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(head_or_number),
        cmocka_unit_test(blank_card),
        cmocka_unit_test(other_document),
        cmocka_unit_test(labels_under_a_reflection),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
