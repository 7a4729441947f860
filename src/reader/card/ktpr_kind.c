#include <ctype.h>
#include <string.h>

#include "ktpr_kind.h"
#include "ktpr_number.h"


/*
 * Values that a card has at least, of the lines that are not also told by the
 * number.  Cards that are hardly readable have six.  Lower: a blank card of
 * which specks were read is one; higher: worn cards are not detected.
 */
#define KTPR_KIND_VALUES 3

/*
 * Labels that no KTP has: so many letters, so sure, and so unlike all of a
 * card; and how many of them make another document.  Of 230 specimens one has
 * two, by clutter beside it.  Lower: cards on top of other writing are not
 * detected; higher: cards of students and children are.
 */
#define KTPR_KIND_LABEL_LETTERS 4
#define KTPR_KIND_LABEL_SURE    .8f
#define KTPR_KIND_LABEL_LIKE    .5
#define KTPR_KIND_LABELS        3

/* Lines that only this part of the card's text tells of. */
static const ktpr_field_id_t ktpr_kind_values[] = {
    KTPR_FULL_NAME,      KTPR_PLACE_OF_BIRTH,
    KTPR_ADDRESS,        KTPR_ADMINISTRATIVE_VILLAGE,
    KTPR_DISTRICT,       KTPR_RELIGION,
    KTPR_MARITAL_STATUS, KTPR_OCCUPATION,
};


/* The number of rows with a clear label that is none of a card's. */
static int
ktpr_kind_labels(const ktpr_table_t *table)
{
    int                 i, k, n, letters;
    double              most;
    const char         *p;
    const ktpr_entry_t *e;

    n = 0;

    for (i = 0; i < table->n; i++) {
        e = &table->entries[i];
        most = 0;
        letters = 0;

        for (k = 0; k < KTPR_LINES; k++) {
            most = e->like[k] > most ? e->like[k] : most;
        }

        for (p = e->label.text; *p != '\0'; p++) {
            letters += isalpha((unsigned char) *p) != 0;
        }

        /* the rest of a label may be under a reflection */
        n += e->row.has_label && !e->part && letters >= KTPR_KIND_LABEL_LETTERS
             && e->label.confidence > KTPR_KIND_LABEL_SURE
             && most < KTPR_KIND_LABEL_LIKE;
    }

    return n;
}


int
ktpr_kind_card(const ktpr_scan_t *scan, ktpr_head_t head,
               const ktpr_field_t *fields)
{
    int    values;
    size_t i;

    if (head == KTPR_HEAD_OTHER) {
        return 0;
    }

    values = 0;
    for (i = 0; i < sizeof(ktpr_kind_values) / sizeof(ktpr_kind_values[0]);
         i++) {
        values += fields[ktpr_kind_values[i]].value[0] != '\0';
    }

    if (values < KTPR_KIND_VALUES
        || ktpr_kind_labels(scan->table) >= KTPR_KIND_LABELS) {
        return 0;
    }

    return (head == KTPR_HEAD_PROVINCE && !scan->doubtful)
           || ktpr_number_sure(&fields[KTPR_NIK])
           || (!scan->doubtful && ktpr_number_agrees(fields));
}
