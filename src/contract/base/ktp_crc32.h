/* CRC-32 as PNG has it (W3C PNG, annex D): polynomial 0xedb88320. */

#ifndef KTP_CRC32_H
#define KTP_CRC32_H

#include <stddef.h>
#include <stdint.h>


/* Goes on from the CRC of what came before; 0 to begin with. */
uint32_t ktp_crc32(uint32_t crc, const unsigned char *p, size_t n);


#endif /* KTP_CRC32_H */
