/* CRC-32 as PNG has it (W3C PNG, annex D): polynomial 0xedb88320. */

#ifndef KTP_CRC32_H
#define KTP_CRC32_H

#include <stddef.h>
#include <stdint.h>


/*
 * Returns the CRC of the data so far and of n more bytes.  crc is the result
 * of the previous call, or 0 in the first one.
 */
uint32_t ktp_crc32(uint32_t crc, const unsigned char *p, size_t n);


#endif /* KTP_CRC32_H */
