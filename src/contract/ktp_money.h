/*
 * Amounts of money in whole millionths: exact sums, and fine enough for the
 * price of one call.
 */

#ifndef KTP_MONEY_H
#define KTP_MONEY_H

#include <stddef.h>
#include <stdint.h>


#define KTP_MONEY_SCALE    1000000
#define KTP_MONEY_DECIMALS 6

/* Digits before the point: the amount fits 63 bits. */
#define KTP_MONEY_DIGITS 12

/* Bytes of the text of any amount: 14 digits, the point, 6 decimals. */
#define KTP_MONEY_TEXT 21


/*
 * Parses DIGITS or DIGITS.DECIMALS.  Returns 0 and the amount in millionths,
 * or -1 if it is of another form, or has too many digits or decimals.
 */
int ktp_money_parse(const char *p, size_t len, uint64_t *amount);

/*
 * Prints an amount of millionths with no more decimals than it needs to a
 * buffer of KTP_MONEY_TEXT bytes, without a null.  Returns the length.
 */
size_t ktp_money_print(char *p, uint64_t amount);


#endif /* KTP_MONEY_H */
