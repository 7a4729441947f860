/*
 * Bytes per CPU second of the contract layer alone: each way in, and
 * memcpy() beside them, in one run.  Bytes are those of the body; a ratio is
 * to memcpy() of as many bytes.  -q: quickly, to see that it works.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "ktp_base64.h"
#include "ktp_crc32.h"
#include "ktp_intake.h"
#include "ktp_outgoing.h"


/* what a read of nginx brings at most, as this module asks for it */
#define PIECE 16384

/* CPU seconds of one measurement, of which the best of some is shown */
static double seconds = 0.15;
static int    rounds = 3;

typedef struct {
    unsigned char *data;
    size_t         len;
} body_t;

typedef struct {
    const char *type;
    body_t      body;
    body_t      out;
} job_t;

typedef void (*work_pt)(job_t *job);

static const ktp_policy_t policy = {.max_size = 5 * 1024 * 1024,
                                    .min_long = 720,
                                    .min_short = 480,
                                    .max_pixels = 50000000,
                                    .types = KTP_IMAGE_JPEG | KTP_IMAGE_PNG};


static void
put(body_t *body, const void *p, size_t n)
{
    memcpy(body->data + body->len, p, n);
    body->len += n;
}


static void
put_text(body_t *body, const char *s)
{
    put(body, s, strlen(s));
}


static body_t
new_body(size_t size)
{
    body_t body = {malloc(size), 0};

    if (body.data == NULL) {
        abort();
    }

    return body;
}


/* A JPEG whose scan is as random as entropy coding makes it. */

static body_t
new_jpeg(size_t size)
{
    body_t        body;
    unsigned char c;

    static const unsigned char head[] = {
        0xff, 0xd8, 0xff, 0xc0, 0, 11, 8, 4, 0, 6, 0,  1, 1,
        0x11, 0,    0xff, 0xda, 0, 8,  1, 1, 0, 0, 63, 0};

    body = new_body(size + 2);
    put(&body, head, sizeof(head));

    while (body.len < size - 3) {
        c = rand() >> 8;
        put(&body, &c, 1);

        if (c == 0xff) {
            put(&body, "", 1);
        }
    }

    put(&body, "\xff\xd9", 2);

    return body;
}


static void
put_chunk(body_t *body, const char *type, const void *p, size_t n)
{
    uint32_t      crc;
    unsigned char b[4];

    b[0] = n >> 24;
    b[1] = n >> 16;
    b[2] = n >> 8;
    b[3] = n;
    put(body, b, 4);
    put(body, type, 4);
    put(body, p, n);

    crc = ktp_crc32(ktp_crc32(0, (const unsigned char *) type, 4), p, n);
    b[0] = crc >> 24;
    b[1] = crc >> 16;
    b[2] = crc >> 8;
    b[3] = crc;
    put(body, b, 4);
}


static body_t
new_png(size_t size)
{
    size_t         i;
    body_t         body;
    unsigned char *data;

    static const unsigned char header[13] = {0, 0, 4, 0, 0, 0, 4, 0, 8, 2};

    body = new_body(size + 64);
    data = malloc(8192);
    if (data == NULL) {
        abort();
    }

    put(&body, "\x89PNG\r\n\x1a\n", 8);
    put_chunk(&body, "IHDR", header, sizeof(header));

    while (body.len < size - 8192) {
        for (i = 0; i < 8192; i++) {
            data[i] = rand() >> 8;
        }

        put_chunk(&body, "IDAT", data, 8192);
    }

    put_chunk(&body, "IEND", "", 0);
    free(data);

    return body;
}


/*
 * Base64 of an image with something in front and behind; slash is what "/"
 * becomes, line what stands after each 76 characters.
 */

static body_t
new_text(const body_t *image, const char *before, const char *slash,
         const char *line, const char *behind)
{
    size_t         i, whole, len;
    body_t         body;
    unsigned char *text;

    len = ktp_base64_length(image->len);
    text = malloc(len + 4);
    body = new_body(3 * len + 1024);

    if (text == NULL) {
        abort();
    }

    whole = image->len / 3 * 3;
    ktp_base64_encode(image->data, whole, text);
    if (whole < image->len) {
        ktp_base64_encode_last(image->data + whole, image->len - whole,
                               text + whole / 3 * 4);
    }

    put_text(&body, before);

    for (i = 0; i < len; i++) {
        if (i && i % 76 == 0) {
            put_text(&body, line);
        }

        if (text[i] == '/') {
            put_text(&body, slash);

        } else {
            put(&body, text + i, 1);
        }
    }

    put_text(&body, behind);
    free(text);

    return body;
}


static body_t
new_form(const body_t *image)
{
    body_t body;

    body = new_body(image->len + 1024);
    put_text(&body, "--XX\r\nContent-Disposition: form-data; name=\"image\"; "
                    "filename=\"a.jpg\"\r\n\r\n");
    put(&body, image->data, image->len);
    put_text(&body, "\r\n--XX--\r\n");

    return body;
}


static void
work_intake(job_t *job)
{
    size_t        n, done;
    ktp_code_t    rc;
    ktp_store_t   store;
    ktp_intake_t *in;

    ktp_store_init(&store, NULL, policy.max_size);

    rc = ktp_intake_create(&in, &policy, &store, job->type, strlen(job->type));

    for (done = 0; rc == KTP_OK && done < job->body.len; done += n) {
        n = job->body.len - done;
        n = n < PIECE ? n : PIECE;
        rc = ktp_intake_feed(in, job->body.data + done, n);
    }

    if (rc != KTP_OK || ktp_intake_finish(in) != KTP_OK) {
        fprintf(stderr, "%s: refused\n", job->type);
        exit(1);
    }

    ktp_intake_destroy(in);
    ktp_store_free(&store);
}


static void
work_memcpy(job_t *job)
{
    memcpy(job->out.data, job->body.data, job->body.len);
    __asm__ volatile("" : : "r"(job->out.data) : "memory");
}


static double
cpu_time(void)
{
    struct timespec ts;

    (void) clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);

    return ts.tv_sec + ts.tv_nsec / 1e9;
}


/* Bytes per CPU second, the best of some rounds. */

static double
measure(work_pt work, job_t *job)
{
    int    round;
    double begin, time, best;
    size_t n;

    best = 0;
    work(job);

    for (round = 0; round < rounds; round++) {
        begin = cpu_time();
        n = 0;

        do {
            work(job);
            n++;
            time = cpu_time() - begin;

        } while (time < seconds);

        if (n * job->body.len / time > best) {
            best = n * job->body.len / time;
        }
    }

    return best;
}


static void
report(const char *name, work_pt work, job_t *job, double copy)
{
    double speed;

    speed = measure(work, job);

    printf("  %-28s %8zu KB %8.0f MB/s  %5.2f\n", name, job->body.len / 1000,
           speed / 1e6, speed / copy);
}


static void
bench(size_t size)
{
    size_t i;
    body_t jpeg, png, text;
    job_t  copy = {NULL, {NULL, 0}, {NULL, 0}};
    double speed;

    jpeg = new_jpeg(size);
    png = new_png(size);
    text = new_text(&jpeg, "", "/", "", "");

    job_t jobs[] = {
        {"image/jpeg", jpeg, {NULL, 0}},
        {"image/png", png, {NULL, 0}},
        {"multipart/form-data; boundary=XX", new_form(&jpeg), {NULL, 0}},
        {"application/json",
         new_text(&jpeg, "{\"image\":\"", "/", "", "\"}"),
         {NULL, 0}},
        {"application/json",
         new_text(&jpeg, "{\"image\":\"", "\\/", "", "\"}"),
         {NULL, 0}},
        {"application/json",
         new_text(&jpeg, "{\"image\":\"", "/", "\\r\\n", "\"}"),
         {NULL, 0}},
    };

    static const char *const names[] = {
        "bare file, JPEG",     "bare file, PNG",   "multipart, file", "JSON",
        "JSON, escaped \"/\"", "JSON, line breaks"};

    printf("%zu KB\n", size / 1000);

    copy.body = text;
    copy.out = new_body(text.len);
    speed = measure(work_memcpy, &copy);
    printf("  %-28s %8zu KB %8.0f MB/s   1\n", "memcpy", text.len / 1000,
           speed / 1e6);

    for (i = 0; i < sizeof(jobs) / sizeof(jobs[0]); i++) {
        report(names[i], work_intake, &jobs[i], speed);

        if (i > 1) {
            free(jobs[i].body.data);
        }
    }

    free(copy.out.data);
    free(text.data);
    free(png.data);
    free(jpeg.data);
}


int
main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "-q") == 0) {
        seconds = 0.005;
        rounds = 1;
    }

    srand(1);

    bench(100 * 1000);
    bench(400 * 1000);
    bench(2000 * 1000);

    return 0;
}
