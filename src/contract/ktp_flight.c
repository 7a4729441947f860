#include "ktp_flight.h"


static void ktp_flight_value(ktp_value_t value, ktp_flight_put_pt put,
                             void *ctx);


void
ktp_flight_text(const ktp_flight_t *flight, ktp_flight_put_pt put, void *ctx)
{
    unsigned char options[2];

    options[0] = flight->validate_quality != 0;
    options[1] = flight->is_quality != 0;

    put(ctx, flight->digest, KTP_FLIGHT_DIGEST);
    put(ctx, options, sizeof(options));

    ktp_flight_value(flight->upstream, put, ctx);
    ktp_flight_value(flight->app_id, put, ctx);
    ktp_flight_value(flight->client, put, ctx);
    ktp_flight_value(flight->reference_id, put, ctx);
    ktp_flight_value(flight->key, put, ctx);
}


/* The length first, so that no byte can move to the next member. */

static void
ktp_flight_value(ktp_value_t value, ktp_flight_put_pt put, void *ctx)
{
    size_t        i;
    unsigned char len[8];

    for (i = 0; i < sizeof(len); i++) {
        len[i] = (unsigned char) ((unsigned long long) value.len >> (8 * i));
    }

    put(ctx, len, sizeof(len));

    if (value.len) {
        put(ctx, value.p, value.len);
    }
}
