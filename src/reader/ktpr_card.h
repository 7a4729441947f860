/*
 * A card as the reader reports it: the text of its fields and the quality of
 * the photo.
 */

#ifndef KTPR_CARD_H
#define KTPR_CARD_H

#include "ktpr_field.h"
#include "ktpr_quality.h"


typedef struct {
    ktpr_field_t   fields[KTPR_ALL_FIELDS];
    ktpr_quality_t quality;
    double         confidence; /* see ktpr_reader_check() */
} ktpr_card_t;


#endif /* KTPR_CARD_H */
