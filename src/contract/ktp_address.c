#include <string.h>
#include "ktp_address.h"


/* clang-format off */

#define KTP_V4(a, b, c, d, bits)                                              \
    { {a, b, c, d}, 4, bits }
#define KTP_V6(a, b, c, d, e, f, bits)                                        \
    { {(a) >> 8, (a) & 255, (b) >> 8, (b) & 255, (c) >> 8, (c) & 255,         \
       (d) >> 8, (d) & 255, (e) >> 8, (e) & 255, (f) >> 8, (f) & 255},        \
      16, bits }

/* clang-format on */


static int ktp_address_match(const unsigned char *address, size_t len,
                             const ktp_cidr_t *range);
static int ktp_address_embedded(const unsigned char  *address,
                                const unsigned char **v4);


/* https://www.iana.org/assignments/iana-ipv4-special-registry */

static const ktp_cidr_t ktp_special_v4[] = {
    KTP_V4(0, 0, 0, 0, 8),       /* this network, RFC 791 */
    KTP_V4(10, 0, 0, 0, 8),      /* private, RFC 1918 */
    KTP_V4(100, 64, 0, 0, 10),   /* shared, RFC 6598 */
    KTP_V4(127, 0, 0, 0, 8),     /* loopback, RFC 1122 */
    KTP_V4(169, 254, 0, 0, 16),  /* link-local, RFC 3927 */
    KTP_V4(172, 16, 0, 0, 12),   /* private, RFC 1918 */
    KTP_V4(192, 0, 0, 0, 24),    /* protocol assignments, RFC 6890 */
    KTP_V4(192, 0, 2, 0, 24),    /* documentation, RFC 5737 */
    KTP_V4(192, 31, 196, 0, 24), /* AS112, RFC 7535 */
    KTP_V4(192, 52, 193, 0, 24), /* AMT, RFC 7450 */
    KTP_V4(192, 88, 99, 0, 24),  /* 6to4 relays, RFC 7526 */
    KTP_V4(192, 168, 0, 0, 16),  /* private, RFC 1918 */
    KTP_V4(192, 175, 48, 0, 24), /* AS112, RFC 7534 */
    KTP_V4(198, 18, 0, 0, 15),   /* benchmarking, RFC 2544 */
    KTP_V4(198, 51, 100, 0, 24), /* documentation, RFC 5737 */
    KTP_V4(203, 0, 113, 0, 24),  /* documentation, RFC 5737 */
    KTP_V4(224, 0, 0, 0, 4),     /* multicast, RFC 5771 */
    KTP_V4(240, 0, 0, 0, 4),     /* reserved, RFC 1112; broadcast, RFC 919 */
};

/*
 * https://www.iana.org/assignments/iana-ipv6-special-registry, as far as it
 * is in global unicast, 2000::/3; what is outside is special as a whole
 */

static const ktp_cidr_t ktp_special_v6[] = {
    KTP_V6(0x2001, 0, 0, 0, 0, 0, 23), /* protocol assignments, RFC 2928, with
                                          Teredo, RFC 4380, and ORCHIDv2 */
    KTP_V6(0x2001, 0xdb8, 0, 0, 0, 0, 32),     /* documentation, RFC 3849 */
    KTP_V6(0x2002, 0, 0, 0, 0, 0, 16),         /* 6to4, RFC 3056 */
    KTP_V6(0x2620, 0x4f, 0x8000, 0, 0, 0, 48), /* AS112, RFC 7534 */
    KTP_V6(0x3fff, 0, 0, 0, 0, 0, 20),         /* documentation, RFC 9637 */
};

static const ktp_cidr_t ktp_global_unicast = KTP_V6(0x2000, 0, 0, 0, 0, 0, 3);
static const ktp_cidr_t ktp_nat64 = KTP_V6(0x64, 0xff9b, 0, 0, 0, 0, 96);
static const ktp_cidr_t ktp_mapped = KTP_V6(0, 0, 0, 0, 0, 0xffff, 96);


int
ktp_address_is_public(const unsigned char *address, size_t len)
{
    const unsigned char *v4;

    if (len == 4) {
        return !ktp_address_in(address, len, ktp_special_v4,
                               sizeof(ktp_special_v4) / sizeof(ktp_cidr_t));
    }

    if (len != 16) {
        return 0;
    }

    if (ktp_address_embedded(address, &v4) && !ktp_address_is_public(v4, 4)) {
        return 0;
    }

    if (ktp_address_match(address, len, &ktp_mapped)
        || ktp_address_match(address, len, &ktp_nat64)) {
        return 1;
    }

    return ktp_address_match(address, len, &ktp_global_unicast)
           && !ktp_address_in(address, len, ktp_special_v6,
                              sizeof(ktp_special_v6) / sizeof(ktp_cidr_t));
}


/*
 * Mapped (RFC 4291, 2.5.5.2) and NAT64 with the well-known prefix (RFC 6052)
 * have the IPv4 address at the end; ISATAP (RFC 5214, 6.1) does too, in an
 * interface identifier that tells so.
 */

static int
ktp_address_embedded(const unsigned char *address, const unsigned char **v4)
{
    *v4 = address + 12;

    return ktp_address_match(address, 16, &ktp_mapped)
           || ktp_address_match(address, 16, &ktp_nat64)
           || ((address[8] & 0xfc) == 0 && address[9] == 0
               && address[10] == 0x5e && address[11] == 0xfe);
}


int
ktp_address_in(const unsigned char *address, size_t len,
               const ktp_cidr_t *ranges, size_t n)
{
    size_t i;

    for (i = 0; i < n; i++) {
        if (ktp_address_match(address, len, &ranges[i])) {
            return 1;
        }
    }

    if (len == 16 && ktp_address_match(address, len, &ktp_mapped)) {
        return ktp_address_in(address + 12, 4, ranges, n);
    }

    return 0;
}


static int
ktp_address_match(const unsigned char *address, size_t len,
                  const ktp_cidr_t *range)
{
    size_t        bytes;
    unsigned      rest;
    unsigned char mask;

    if (len != range->len) {
        return 0;
    }

    bytes = range->bits / 8;
    rest = range->bits % 8;

    if (memcmp(address, range->address, bytes) != 0) {
        return 0;
    }

    if (rest == 0) {
        return 1;
    }

    mask = (unsigned char) (0xff << (8 - rest));

    return (address[bytes] & mask) == (range->address[bytes] & mask);
}
