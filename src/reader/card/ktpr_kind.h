/* Whether a document with the labels of a KTP is one. */

#ifndef KTPR_KIND_H
#define KTPR_KIND_H

#include "ktpr_field.h"
#include "ktpr_head.h"
#include "ktpr_scan.h"


/*
 * Whether the fields that were read are those of a KTP: it has the number or
 * the head of one, values, and no labels or title of other cards and forms,
 * and of blank ones.
 */
int ktpr_kind_card(const ktpr_scan_t *scan, ktpr_head_t head,
                   const ktpr_field_t *fields);


#endif /* KTPR_KIND_H */
