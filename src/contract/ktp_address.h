/*
 * Addresses from which an image may be fetched: none of a special purpose
 * except those allowed by the operator.  The ranges are those of the IANA IPv4
 * and IPv6 Special-Purpose Address Registries (RFC 6890 and its updates),
 * multicast, and all that is not yet global unicast (RFC 4291, 2.4).
 */

#ifndef KTP_ADDRESS_H
#define KTP_ADDRESS_H

#include <stddef.h>


/* A range of addresses of one family. */
typedef struct {
    unsigned char address[16]; /* in network order; 4 bytes for IPv4 */
    unsigned char len;         /* 4 or 16 */
    unsigned char bits;        /* of the prefix */
} ktp_cidr_t;


/*
 * Whether an address in network order is an ordinary one of the Internet:
 * len is 4 or 16; any other is not.  An IPv6 address that stands for an IPv4
 * one, or leads to it (mapped, compatible, NAT64, ISATAP), is as ordinary as
 * that; the tunnels 6to4 and Teredo never are.
 */
int ktp_address_is_public(const unsigned char *address, size_t len);

/*
 * Whether an address is in one of n ranges.  An IPv4-mapped IPv6 address is
 * in the ranges of the IPv4 one, which is what it connects to.
 */
int ktp_address_in(const unsigned char *address, size_t len,
                   const ktp_cidr_t *ranges, size_t n);


#endif /* KTP_ADDRESS_H */
