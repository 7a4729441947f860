#include "ktp_ticket.h"
#include "ktp_base64.h"
#include <string.h>


/* The first byte of a ticket. */
#define KTP_TICKET_VERSION 1

/* Bytes in front of the name. */
#define KTP_TICKET_HEAD (KTP_TICKET_DATA - KTP_MAX_CLIENT_NAME)


static size_t   ktp_ticket_decode(const char *text, size_t len,
                                  unsigned char *out);
static int      ktp_ticket_is_char(char ch);
static void     ktp_ticket_put(unsigned char **p, uint64_t value, size_t n);
static uint64_t ktp_ticket_get(const unsigned char **p, size_t n);


/* ticket = base64url( data mac ), data = version expires uses nonce name */

size_t
ktp_ticket_data(const ktp_ticket_t *ticket,
                unsigned char       data[KTP_TICKET_DATA])
{
    unsigned char *p;

    p = data;

    ktp_ticket_put(&p, KTP_TICKET_VERSION, 1);
    ktp_ticket_put(&p, ticket->expires, 8);
    ktp_ticket_put(&p, ticket->uses, 2);

    memcpy(p, ticket->nonce, KTP_TICKET_NONCE);
    p += KTP_TICKET_NONCE;

    memcpy(p, ticket->name, ticket->name_len);
    p += ticket->name_len;

    return p - data;
}


size_t
ktp_ticket_text(const unsigned char *data, size_t len,
                const unsigned char mac[KTP_TICKET_MAC],
                char                text[KTP_TICKET_TEXT])
{
    size_t        i, n, whole;
    unsigned char bytes[KTP_TICKET_DATA + KTP_TICKET_MAC];
    unsigned char out[ktp_base64_length(sizeof(bytes))];

    memcpy(bytes, data, len);
    memcpy(bytes + len, mac, KTP_TICKET_MAC);
    len += KTP_TICKET_MAC;

    whole = len / 3 * 3;
    ktp_base64_encode(bytes, whole, out);
    n = whole / 3 * 4;

    if (whole < len) {
        ktp_base64_encode_last(bytes + whole, len - whole, out + n);
        n += len - whole + 1;
    }

    /* the alphabet of section 5, without padding */

    for (i = 0; i < n; i++) {
        text[i] = out[i] == '+' ? '-' : out[i] == '/' ? '_' : (char) out[i];
    }

    return n;
}


int
ktp_ticket_read(const char *text, size_t len, ktp_ticket_read_t *read)
{
    size_t               n;
    unsigned char        bytes[KTP_TICKET_DATA + KTP_TICKET_MAC];
    ktp_ticket_t        *ticket;
    const unsigned char *p;

    n = ktp_ticket_decode(text, len, bytes);

    if (n <= KTP_TICKET_HEAD + KTP_TICKET_MAC) {
        return 0;
    }

    read->len = n - KTP_TICKET_MAC;
    memcpy(read->data, bytes, read->len);
    memcpy(read->mac, bytes + read->len, KTP_TICKET_MAC);

    p = bytes;
    ticket = &read->ticket;

    if (ktp_ticket_get(&p, 1) != KTP_TICKET_VERSION) {
        return 0;
    }

    ticket->expires = ktp_ticket_get(&p, 8);
    ticket->uses = (unsigned) ktp_ticket_get(&p, 2);

    memcpy(ticket->nonce, p, KTP_TICKET_NONCE);
    p += KTP_TICKET_NONCE;

    ticket->name_len = read->len - KTP_TICKET_HEAD;
    memcpy(ticket->name, p, ticket->name_len);

    return ticket->uses >= 1 && ticket->uses <= KTP_TICKET_USES;
}


/* Returns the number of bytes; 0: none, too many, or not as we write them. */

static size_t
ktp_ticket_decode(const char *text, size_t len, unsigned char *out)
{
    size_t        i, n, got;
    ktp_base64_t  b;
    unsigned char quantum[3];

    if (len > KTP_TICKET_TEXT) {
        return 0;
    }

    n = 0;
    ktp_base64_init(&b);

    for (i = 0; i < len; i++) {

        /* the decoder knows another alphabet, padding, and white space */

        if (!ktp_ticket_is_char(text[i])
            || ktp_base64_char(&b, (unsigned char) text[i], quantum, &got)
                   != KTP_OK) {
            return 0;
        }

        memcpy(out + n, quantum, got);
        n += got;
    }

    if (ktp_base64_finish(&b, quantum, &got) != KTP_OK) {
        return 0;
    }

    memcpy(out + n, quantum, got);

    return n + got;
}


static int
ktp_ticket_is_char(char ch)
{
    return (ch >= 'A' && ch <= 'Z') || (ch >= 'a' && ch <= 'z')
           || (ch >= '0' && ch <= '9') || ch == '-' || ch == '_';
}


static void
ktp_ticket_put(unsigned char **p, uint64_t value, size_t n)
{
    while (n--) {
        *(*p)++ = (unsigned char) (value >> (8 * n));
    }
}


static uint64_t
ktp_ticket_get(const unsigned char **p, size_t n)
{
    uint64_t value;

    for (value = 0; n; n--) {
        value = value << 8 | *(*p)++;
    }

    return value;
}
