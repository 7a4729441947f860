/* Upload tickets: what is written is read, and nothing else. */

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "ktp_ticket.h"


/* Reads a text that has no byte behind it. */

static int
read_text(const char *text, size_t len, ktp_ticket_read_t *ticket)
{
    int   rc;
    char *p;

    p = malloc(len ? len : 1);
    assert_non_null(p);
    memcpy(p, text, len);
    rc = ktp_ticket_read(p, len, ticket);
    free(p);

    return rc;
}


/* A ticket with a name of that length; returns the length of its text. */

static size_t
write_text(ktp_ticket_t *ticket, size_t name_len, char *text)
{
    size_t        i, len;
    unsigned char data[KTP_TICKET_DATA], mac[KTP_TICKET_MAC];

    ticket->expires = UINT64_C(0x0102030405060708);
    ticket->uses = 1000;
    ticket->name_len = name_len;
    memset(ticket->nonce, 0xfb, sizeof(ticket->nonce));

    for (i = 0; i < name_len; i++) {
        ticket->name[i] = (char) ('!' + i);
    }

    memset(mac, 0xff, sizeof(mac));
    len = ktp_ticket_data(ticket, data);
    assert_int_equal(len, 27 + name_len);

    return ktp_ticket_text(data, len, mac, text);
}


static void
test_names(void **state)
{
    char              text[KTP_TICKET_TEXT + 4], again[KTP_TICKET_TEXT];
    size_t            i, n, len;
    ktp_ticket_t      ticket;
    ktp_ticket_read_t got;

    (void) state;

    for (n = 1; n <= KTP_MAX_CLIENT_NAME; n++) {
        len = write_text(&ticket, n, text);

        assert_true(len <= KTP_TICKET_TEXT);

        for (i = 0; i < len; i++) {
            assert_null(strchr("+/=", text[i]));
        }

        assert_true(read_text(text, len, &got));
        assert_true(got.ticket.expires == ticket.expires);
        assert_int_equal(got.ticket.uses, 1000);
        assert_int_equal(got.ticket.name_len, n);
        assert_memory_equal(got.ticket.name, ticket.name, n);
        assert_memory_equal(got.ticket.nonce, ticket.nonce, KTP_TICKET_NONCE);
        assert_int_equal(got.mac[KTP_TICKET_MAC - 1], 0xff);
        assert_int_equal(ktp_ticket_text(got.data, got.len, got.mac, again),
                         len);
        assert_memory_equal(again, text, len);

        memcpy(text + len, "====", 4);

        for (i = 1; i <= 4; i++) {
            assert_false(read_text(text, len + i, &got));
        }
    }

    assert_int_equal(len, KTP_TICKET_TEXT);
    assert_false(read_text(text, 0, &got));
}


static void
test_damage(void **state)
{
    char              text[KTP_TICKET_TEXT], bad[KTP_TICKET_TEXT];
    size_t            i, j, len;
    ktp_ticket_t      ticket;
    ktp_ticket_read_t got;

    static const char other[] = "+/= \t\r\n\v\f.%\x80\xff";

    (void) state;

    len = write_text(&ticket, 10, text);

    for (i = 0; i < len; i++) {

        for (j = 0; j < sizeof(other); j++) { /* with the null */
            memcpy(bad, text, len);
            bad[i] = other[j];
            assert_false(read_text(bad, len, &got));
        }
    }

    /* without a name, and less */

    len = write_text(&ticket, 0, text);
    assert_false(read_text(text, len, &got));

    for (i = 0; i < len; i++) {
        assert_false(read_text(text, i, &got));
    }
}


static void
test_values(void **state)
{
    char              text[KTP_TICKET_TEXT];
    size_t            len;
    unsigned char     data[KTP_TICKET_DATA];
    ktp_ticket_t      ticket;
    ktp_ticket_read_t got;

    (void) state;

    (void) write_text(&ticket, 3, text);

    ticket.uses = 0;
    len = ktp_ticket_data(&ticket, data);
    assert_false(
        read_text(text, ktp_ticket_text(data, len, data, text), &got));

    ticket.uses = KTP_TICKET_USES + 1;
    len = ktp_ticket_data(&ticket, data);
    assert_false(
        read_text(text, ktp_ticket_text(data, len, data, text), &got));

    ticket.uses = 1;
    len = ktp_ticket_data(&ticket, data);
    assert_true(read_text(text, ktp_ticket_text(data, len, data, text), &got));

    data[0]++; /* the version */
    assert_false(
        read_text(text, ktp_ticket_text(data, len, data, text), &got));
}


int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_damage),
        cmocka_unit_test(test_values),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
