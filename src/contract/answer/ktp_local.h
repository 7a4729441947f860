/*
 * Answers of a local reader, which beside those of the contract say how sure
 * it is: whether they may stand in place of the upstream's, and how well they
 * agree with it.
 */

#ifndef KTP_LOCAL_H
#define KTP_LOCAL_H

#include <stddef.h>
#include "ktp_field.h"
#include "ktp_value.h"


/* Bytes of a refusal, at most: with the "reference_id" of a client. */
#define KTP_LOCAL_REFUSAL 2048

/*
 * The answer to "?check=1".  The confidence is that there is a card, in
 * thousandths.
 */
typedef struct {
    unsigned confidence;
    unsigned detected : 1;
    unsigned quality : 4; /* flags that are set, see ktp_local_refuse() */
} ktp_local_check_t;

/*
 * Confidence at most which there is surely no card, in thousandths: two labels
 * of a card were found at most, as on a passport.  Between it and detection
 * the reader is not sure.
 */
#define KTP_LOCAL_NO_CARD 400

/* Bins of a confidence, by their lower bounds. */
#define KTP_LOCAL_BINS 9

/* Of the fields of a card; without "reference_id". */
#define KTP_LOCAL_FIELDS KTP_FIELD_REFERENCE_ID

typedef enum {
    KTP_LOCAL_NOT_COMPARED = 0, /* neither has it */
    KTP_LOCAL_AGREES,
    KTP_LOCAL_DIFFERS
} ktp_local_match_t;

/* How a local answer compares with the upstream's; no value is in here. */
typedef struct {
    ktp_local_match_t match[KTP_LOCAL_FIELDS];
    unsigned          bin[KTP_LOCAL_FIELDS];

    /*
     * The whole card: all fields agree, and the bin is that of the least sure
     * one, the lowest if a field is empty or the NIK contradicts.
     */
    ktp_local_match_t card;
    unsigned          card_bin;
} ktp_local_compare_t;


/* 0, or -1 if the body is no answer to a check. */
int ktp_local_check(ktp_local_check_t *check, const char *body, size_t len);

/*
 * Whether a check refuses the image: 0, 400 for no card, or, if quality is
 * asked for, 200 for a flag that is set.
 */
unsigned ktp_local_refuse(const ktp_local_check_t *check, int quality);

/*
 * Writes the contract's answer for that to buf, which has KTP_LOCAL_REFUSAL
 * bytes: KTP_NOT_DETECTED for status 400, FAIL_ON_1 for 200.  Returns its
 * length, or 0 without memory.
 */
size_t ktp_local_refusal(const ktp_local_check_t *check, unsigned status,
                         const char *reference_id, char *buf);

/*
 * Whether an answer with details may stand in place of the upstream's: each
 * of the fields (bits of ktp_field_t) is there with a confidence of at least
 * that many thousandths, and the NIK agrees with date, gender and region.
 * Returns NULL if so, or what is in the way: constant text, without data.
 */
const char *ktp_local_doubt(const char *body, size_t len, unsigned fields,
                            unsigned confidence);

/*
 * Compares the upstream's answer (of any status) with a local one that has
 * details.  Letters and digits count; their case, and spaces and signs between
 * them, do not.  Returns 0, or -1 if one of the two cannot be read.
 */
int ktp_local_compare(ktp_local_compare_t *compare, const char *body,
                      size_t len, const char *local, size_t local_len);

/* The lower bound of a bin as text, such as "0.95". */
const char *ktp_local_bin(unsigned bin);


#endif /* KTP_LOCAL_H */
