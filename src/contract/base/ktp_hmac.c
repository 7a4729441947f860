#include "ktp_hmac.h"


void
ktp_hmac_hex(char *out, const unsigned char digest[KTP_HMAC_SIZE])
{
    size_t            i;
    static const char hex[] = "0123456789abcdef";

    for (i = 0; i < KTP_HMAC_SIZE; i++) {
        *out++ = hex[digest[i] >> 4];
        *out++ = hex[digest[i] & 0xf];
    }
}
