#include "ktpd_request.h"
#include "ktpd_channel.h"
#include "ktp_limits.h"
#include "ktpr_json.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define KTPD_PATH "/v2/ktp/extract"


static ktp_chunk_t *ktpd_request_chunk(void *ctx);
static void         ktpd_request_chunk_free(void *ctx, ktp_chunk_t *chunk);
static ktp_code_t   ktpd_request_judge(ktpd_request_t *r, const ktpd_head_t *h,
                                       const ktpd_credentials_t *cred);
static ktp_code_t   ktpd_request_open(ktpd_request_t *r, const char *type);
static int  ktpd_request_argument(const char *args, const char *argument);
static int  ktpd_request_check(ktpd_request_t *r, const ktpd_answer_t *answer);
static void ktpd_request_drop(ktpd_request_t *r, ktp_code_t code);
static void ktpd_request_read(ktpd_request_t *r, const ktpd_answer_t *answer);
static int  ktpd_request_bad_quality(const ktpd_request_t *r,
                                     const ktpr_card_t    *card);


/* images leave no trace in memory that is free again */

static const ktp_chunks_t ktpd_chunks = {
    .size = KTP_CHUNK_SIZE,
    .alloc = ktpd_request_chunk,
    .free = ktpd_request_chunk_free,
};


ktpd_request_t *
ktpd_request_create(const char *uri)
{
    const char     *args;
    ktpd_request_t *r;

    r = calloc(1, sizeof(ktpd_request_t));

    if (r == NULL) {
        return NULL;
    }

    ktp_store_init(&r->store, &ktpd_chunks,
                   ktp_probe_limits_contract.max_size);
    r->job.image = &r->store;
    r->started = ktpd_jobs_now();
    args = strchr(uri, '?');

    if (args != NULL) {
        r->args = strdup(args + 1);

        if (r->args == NULL) {
            free(r);
            return NULL;
        }
    }

    return r;
}


static ktp_chunk_t *
ktpd_request_chunk(void *ctx)
{
    (void) ctx;

    return malloc(sizeof(ktp_chunk_t) + KTP_CHUNK_SIZE);
}


static void
ktpd_request_chunk_free(void *ctx, ktp_chunk_t *chunk)
{
    (void) ctx;

    explicit_bzero(chunk, sizeof(ktp_chunk_t) + KTP_CHUNK_SIZE);
    free(chunk);
}


void
ktpd_request_head(ktpd_request_t *r, const ktpd_head_t *head,
                  const ktpd_credentials_t *cred, int place)
{
    ktp_code_t code;

    r->page = ktpd_stats_page(head->path);

    if (r->page != KTPD_STATS_NONE) {
        ktpd_request_drop(r, strcmp(head->method, "GET") == 0
                                     || strcmp(head->method, "HEAD") == 0
                                 ? KTP_OK
                                 : KTP_METHOD_NOT_ALLOWED);
        return;
    }

    code = ktpd_request_judge(r, head, cred);

    if (code == KTP_OK && !place) {
        code = KTP_SERVICE_UNAVAILABLE;
    }

    if (code != KTP_OK) {
        ktpd_request_drop(r, code);
        return;
    }

    r->state = KTPD_REQUEST_BODY;
}


static ktp_code_t
ktpd_request_judge(ktpd_request_t *r, const ktpd_head_t *head,
                   const ktpd_credentials_t *cred)
{
    ktp_code_t code;

    if (strcmp(head->path, KTPD_PATH) != 0) {
        return KTP_NOT_FOUND;
    }

    if (strcmp(head->method, "POST") != 0) {
        return KTP_METHOD_NOT_ALLOWED;
    }

    if (!ktpd_credentials_match(cred, head->app_id, head->api_key)) {
        return KTP_UNAUTHORIZED;
    }

    if (head->content_type == NULL) {
        return KTP_UNSUPPORTED_MEDIA_TYPE;
    }

    code = ktpd_request_open(r, head->content_type);

    if (code == KTP_OK && head->content_encoding != NULL) {
        code = ktp_intake_coding(head->content_encoding,
                                 strlen(head->content_encoding));
    }

    if (code != KTP_OK) {
        return code;
    }

    /* the server has refused a length that is no number; one too large for
       its type is ULLONG_MAX here */

    if (head->content_length != NULL) {
        r->length = strtoull(head->content_length, NULL, 10);
    }

    return ktp_intake_length(r->intake, r->length);
}


static ktp_code_t
ktpd_request_open(ktpd_request_t *r, const char *type)
{
    ktp_code_t code;

    code = ktp_intake_create(&r->intake, &ktp_probe_limits_contract, &r->store,
                             type, strlen(type));

    if (code != KTP_OK || r->args == NULL) {
        return code;
    }

    r->details = ktpd_request_argument(r->args, "details=1") ? 1 : 0;
    r->job.check = ktpd_request_argument(r->args, "check=1");

    return ktp_intake_args(r->intake, r->args, strlen(r->args));
}


/* whether an argument is there; ours, and unknown to the contract */

static int
ktpd_request_argument(const char *args, const char *argument)
{
    size_t len;

    for (;;) {
        len = strcspn(args, "&");

        if (len == strlen(argument) && strncmp(args, argument, len) == 0) {
            return 1;
        }

        if (args[len] == '\0') {
            return 0;
        }

        args += len + 1;
    }
}


int
ktpd_request_body(ktpd_request_t *r, const char *p, size_t len)
{
    ktp_code_t code;

    r->seen += len;

    if (r->state == KTPD_REQUEST_BODY) {
        code = ktp_intake_feed(r->intake, (const unsigned char *) p, len);

        if (code != KTP_OK) {
            ktpd_request_drop(r, code);
        }
    }

    return r->seen > KTPD_MAX_DROPPED ? -1 : 0;
}


/* what was taken goes at once; what still comes is not kept */

static void
ktpd_request_drop(ktpd_request_t *r, ktp_code_t code)
{
    r->code = code;
    r->state = KTPD_REQUEST_DROP;
    ktp_store_free(&r->store);
}


void
ktpd_request_end(ktpd_request_t *r)
{
    ktp_code_t code;

    if (r->state == KTPD_REQUEST_DROP) {
        r->state = KTPD_REQUEST_ANSWER;
        return;
    }

    code = ktp_intake_finish(r->intake);

    if (code != KTP_OK) {
        ktpd_request_refuse(r, code);
        return;
    }

    r->state = KTPD_REQUEST_WAITING;
}


void
ktpd_request_refuse(ktpd_request_t *r, ktp_code_t code)
{
    ktpd_request_drop(r, code);
    r->state = KTPD_REQUEST_ANSWER;
}


void
ktpd_request_done(ktpd_request_t *r, ktpd_outcome_t outcome,
                  const ktpd_answer_t *answer)
{
    r->state = KTPD_REQUEST_ANSWER;
    ktp_store_free(&r->store);

    switch (outcome) {
    case KTPD_JOB_ANSWERED:
        ktpd_request_read(r, answer);
        break;

    case KTPD_JOB_CRASHED:
        r->code = KTP_INTERNAL_SERVER_ERROR;
        break;

    case KTPD_JOB_LATE:
        r->code = KTP_GATEWAY_TIMEOUT;
        break;

    case KTPD_JOB_EXPIRED:
        r->code = KTP_SERVICE_UNAVAILABLE;
        break;
    }
}


static void
ktpd_request_read(ktpd_request_t *r, const ktpd_answer_t *answer)
{
    const ktp_request_t *facts;
    ktpr_json_options_t  options;

    facts = ktp_intake_request(r->intake);

    switch ((ktpr_result_t) answer->result) {
    case KTPR_UNDECODABLE:
        r->code = KTP_INVALID_PAYLOAD_IMAGE_FORMAT;
        return;

    case KTPR_TOO_COSTLY:
        r->code = KTP_TOO_COSTLY;
        return;

    case KTPR_FAILED:
        r->code = KTP_INTERNAL_SERVER_ERROR;
        return;

    case KTPR_NOT_DETECTED:

        if (ktpd_request_check(r, answer)) {
            return;
        }

        /* no card can be told from a photo that is too bad to show one */

        if (!ktpd_request_bad_quality(r, &answer->card)) {
            r->code = KTP_NOT_DETECTED;
            return;
        }

        break;

    case KTPR_OK:
        break;
    }

    if (ktpd_request_check(r, answer)) {
        return;
    }

    memset(&options, 0, sizeof(options));
    options.reference_id = facts->reference_id;
    options.validate_quality = facts->validate_quality == KTP_FLAG_TRUE;
    options.details = r->details;

    r->body = ktpr_json_card(&answer->card, &options, &r->body_len);

    if (r->body == NULL) {
        r->code = KTP_INTERNAL_SERVER_ERROR;
    }
}


/* 1 if the image was to be checked only: sets the response */

static int
ktpd_request_check(ktpd_request_t *r, const ktpd_answer_t *answer)
{
    if (!r->job.check) {
        return 0;
    }

    r->body = ktpr_json_check(&answer->card, answer->result == KTPR_OK,
                              &r->body_len);

    if (r->body == NULL) {
        r->code = KTP_INTERNAL_SERVER_ERROR;
    }

    return 1;
}


static int
ktpd_request_bad_quality(const ktpd_request_t *r, const ktpr_card_t *card)
{
    const ktpr_quality_t *q;

    q = &card->quality;

    return ktp_intake_request(r->intake)->validate_quality == KTP_FLAG_TRUE
           && (q->blur || q->dark || q->flashlight || q->grayscale);
}


size_t
ktpd_request_error(const ktpd_request_t *r, char buf[KTP_ERROR_BODY])
{
    ktp_error_facts_t facts;

    memset(&facts, 0, sizeof(ktp_error_facts_t));

    if (r->intake != NULL) {
        ktp_intake_facts(r->intake, r->code, r->length, &facts);
    }

    /* not billed, as an answer with fields is not */
    facts.status_code = "LOCAL-0";

    return ktp_error_write(r->code, &facts, buf);
}


void
ktpd_request_free(ktpd_request_t *r)
{
    if (r == NULL) {
        return;
    }

    if (r->body != NULL) {
        explicit_bzero(r->body, r->body_len);
        free(r->body);
    }

    if (r->args != NULL) {
        explicit_bzero(r->args, strlen(r->args));
        free(r->args);
    }

    ktp_intake_destroy(r->intake);
    ktp_store_free(&r->store);
    explicit_bzero(r, sizeof(ktpd_request_t));
    free(r);
}
