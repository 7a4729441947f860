/*
 * CRC-32, eight bytes at a time: table k is what a byte does to the CRC that
 * is k bytes older.
 */

#include "ktp_crc32.h"


#define KTP_CRC32_POLYNOMIAL 0xedb88320

static uint32_t ktp_crc32_tables[8][256];


/* Before main(), or as the module is loaded: there are no threads yet. */

static void __attribute__((constructor)) ktp_crc32_init(void)
{
    int      k;
    uint32_t crc;
    unsigned i;

    for (i = 0; i < 256; i++) {
        crc = i;

        for (k = 0; k < 8; k++) {
            crc = crc >> 1 ^ (crc & 1 ? KTP_CRC32_POLYNOMIAL : 0);
        }

        ktp_crc32_tables[0][i] = crc;
    }

    for (i = 0; i < 256; i++) {
        crc = ktp_crc32_tables[0][i];

        for (k = 1; k < 8; k++) {
            crc = crc >> 8 ^ ktp_crc32_tables[0][crc & 0xff];
            ktp_crc32_tables[k][i] = crc;
        }
    }
}


uint32_t
ktp_crc32(uint32_t crc, const unsigned char *p, size_t n)
{
    uint32_t low, high;

    crc = ~crc;

    for (; n >= 8; p += 8, n -= 8) {
        low = crc ^ (p[0] | p[1] << 8 | p[2] << 16 | (uint32_t) p[3] << 24);
        high = p[4] | p[5] << 8 | p[6] << 16 | (uint32_t) p[7] << 24;

        crc = ktp_crc32_tables[7][low & 0xff]
              ^ ktp_crc32_tables[6][low >> 8 & 0xff]
              ^ ktp_crc32_tables[5][low >> 16 & 0xff]
              ^ ktp_crc32_tables[4][low >> 24]
              ^ ktp_crc32_tables[3][high & 0xff]
              ^ ktp_crc32_tables[2][high >> 8 & 0xff]
              ^ ktp_crc32_tables[1][high >> 16 & 0xff]
              ^ ktp_crc32_tables[0][high >> 24];
    }

    while (n--) {
        crc = crc >> 8 ^ ktp_crc32_tables[0][(crc ^ *p++) & 0xff];
    }

    return ~crc;
}
