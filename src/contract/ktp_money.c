#include "ktp_money.h"


int
ktp_money_parse(const char *p, size_t len, uint64_t *amount)
{
    size_t   i, digits, decimals;
    uint64_t n;

    n = 0;
    digits = 0;

    for (i = 0; i < len && p[i] >= '0' && p[i] <= '9'; i++) {
        if (++digits > KTP_MONEY_DIGITS) {
            return -1;
        }

        n = n * 10 + (uint64_t) (p[i] - '0');
    }

    decimals = 0;

    if (digits && i < len && p[i] == '.') {
        for (i++; i < len && p[i] >= '0' && p[i] <= '9'; i++) {
            if (++decimals > KTP_MONEY_DECIMALS) {
                return -1;
            }

            n = n * 10 + (uint64_t) (p[i] - '0');
        }

        if (decimals == 0) {
            return -1;
        }
    }

    if (digits == 0 || i < len) {
        return -1;
    }

    while (decimals++ < KTP_MONEY_DECIMALS) {
        n *= 10;
    }

    *amount = n;

    return 0;
}


size_t
ktp_money_print(char *p, uint64_t amount)
{
    char     text[KTP_MONEY_TEXT];
    size_t   i, len, decimals;
    uint64_t whole, part;

    whole = amount / KTP_MONEY_SCALE;
    part = amount % KTP_MONEY_SCALE;

    /* backwards from the last decimal */

    i = sizeof(text);

    if (part) {
        for (decimals = KTP_MONEY_DECIMALS; part % 10 == 0; decimals--) {
            part /= 10;
        }

        for (; decimals; decimals--) {
            text[--i] = (char) ('0' + part % 10);
            part /= 10;
        }

        text[--i] = '.';
    }

    do {
        text[--i] = (char) ('0' + whole % 10);
        whole /= 10;
    } while (whole);

    len = sizeof(text) - i;

    for (i = 0; i < len; i++) {
        p[i] = text[sizeof(text) - len + i];
    }

    return len;
}
