/*
 * Upload tickets: a text that is read is the only one of its ticket, and what
 * is read can be written and read again.
 */

#include "fuzz.h"
#include "ktp_ticket.h"


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char              text[KTP_TICKET_TEXT];
    size_t            len;
    unsigned char     again[KTP_TICKET_DATA];
    ktp_ticket_read_t read;

    if (!ktp_ticket_read((const char *) data, size, &read)) {
        return 0;
    }

    must(read.ticket.name_len >= 1);
    must(read.ticket.name_len <= KTP_MAX_CLIENT_NAME);
    must(read.ticket.uses >= 1 && read.ticket.uses <= KTP_TICKET_USES);
    must(read.len <= KTP_TICKET_DATA);

    len = ktp_ticket_data(&read.ticket, again);
    must(len == read.len);
    must(memcmp(again, read.data, len) == 0);

    len = ktp_ticket_text(again, len, read.mac, text);
    must(len == size);
    must(memcmp(text, data, len) == 0);

    return 0;
}
