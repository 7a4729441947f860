/*
 * Writes the fuzzers' seeds from the cases of the unit tests, below the
 * folder that the argument names: DIR/fuzz_json/012 and so on.
 */

#include <sys/stat.h>
#include "../contract/case.h"
#include "../contract/cases_json.h"
#include "../contract/cases_multipart.h"
#include "../contract/cases_binary.h"


/* larger cases are about limits, which seeds need not reach */
#define MAX_SEED 2048

#define count(a) (sizeof(a) / sizeof((a)[0]))


static const char *dir;


static void
write_seed(const char *target, size_t n, const case_buf_t *seed)
{
    char  path[4096];
    FILE *f;

    if (seed->len > MAX_SEED) {
        return;
    }

    (void) snprintf(path, sizeof(path), "%s/%s", dir, target);
    (void) mkdir(path, 0777);
    (void) snprintf(path, sizeof(path), "%s/%s/%03zu", dir, target, n);

    f = fopen(path, "wb");

    if (f == NULL || fwrite(seed->data, 1, seed->len, f) != seed->len
        || fclose(f) != 0) {
        perror(path);
        exit(1);
    }
}


/* Bodies of a way in, for its own target if it has one. */

static void
write_bodies(const char *target, const case_t *cases, size_t n)
{
    size_t i;

    for (i = 0; i < n; i++) {
        case_buf_t body = {NULL, 0, 0};

        /* the targets have one policy and one type */

        if (cases[i].content_type == NULL && cases[i].max_size == 0
            && cases[i].types == 0 && cases[i].args == NULL) {
            case_body(&body, cases[i].body);
            write_seed(target, i, &body);
            free(body.data);
        }
    }
}


/* Every step-th case with its options in front, for the whole intake. */

static void
write_requests(size_t first, unsigned way, size_t step, const case_t *cases,
               size_t n)
{
    size_t i;

    for (i = 0; i < n; i += step) {
        case_buf_t seed = {NULL, 0, 0};

        case_byte(&seed, way << 3 | (cases[i].url_on ? 4 : 0)
                             | (cases[i].types ? 2 : 0));
        case_put(&seed, cases[i].args ? cases[i].args : "",
                 cases[i].args ? strlen(cases[i].args) : 0);
        case_byte(&seed, '\n');
        case_body(&seed, cases[i].body);
        write_seed("fuzz_intake", first + i, &seed);
        free(seed.data);
    }
}


static void
write_texts(void)
{
    size_t i;

    static const char *const texts[] = {
        "@J",  "@U",         "@N",
        "@P",  "@D",         "Zg==",
        "Zm8", "Z m\r\n9v=", "@[90|A-_/]@[3|=]"};

    for (i = 0; i < count(texts); i++) {
        case_buf_t body = {NULL, 0, 0};

        case_body(&body, texts[i]);
        write_seed("fuzz_base64", i, &body);
        free(body.data);
    }
}


/* One for the probe, and for the removal of metadata. */

static void
write_image(size_t n, const case_buf_t *file)
{
    write_seed("fuzz_probe", n, file);
    write_seed("fuzz_strip", n, file);
}


static void
write_images(void)
{
    unsigned   n;
    case_buf_t file = {NULL, 0, 0};

    case_jpeg(&file, 1600, 1200);
    write_image(100, &file);

    for (n = 0; n < 4; n++) {
        file.len = 0;
        case_short(&file, 0xffd8);
        case_put(&file,
                 "\xff\xe1\0\x22"
                 "Exif\0\0MM\0*\0\0\0\x08",
                 18);
        case_put(&file, "\0\1\x01\x12\0\3\0\0\0\1\0\6\0\0\0\0\0\0", 18);
        case_jpeg_frame(&file, 0xc0 + n, 480 + n, 720);
        case_jpeg_scan(&file);
        if (n == 2) {
            /* the first scan of a progressive one has no AC */
            file.data[file.len - 20] = 0;
        }

        case_put(&file, "\xff\xc4\0\x14\0\1\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\5",
                 22);
        case_jpeg_scan(&file);
        if (n == 2) {
            file.data[file.len - 20] = 0;
        }

        case_short(&file, 0xffd9);
        write_image(101 + n, &file);
    }

    file.len = 0;
    case_png_header(&file, 720, 480, 4, 3);
    case_png_chunk(&file, "PLTE", "abcdef", 6);
    case_png_chunk(&file, "tRNS", "ab", 2);
    case_png_chunk(&file, "IDAT", "ab", 2);
    case_png_chunk(&file, "IDAT", "cd", 2);
    case_png_chunk(&file, "IEND", "", 0);
    write_image(110, &file);

    free(file.data);
}


int
main(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "usage: %s DIR\n", argv[0]);
        return 2;
    }

    dir = argv[1];
    (void) mkdir(dir, 0777);

    write_bodies("fuzz_json", cases_json, count(cases_json));
    write_bodies("fuzz_multipart", cases_multipart, count(cases_multipart));
    write_bodies("fuzz_probe", cases_binary, count(cases_binary));
    write_bodies("fuzz_strip", cases_binary, count(cases_binary));
    write_texts();
    write_images();

    write_requests(0, 0, 8, cases_json, count(cases_json));
    write_requests(300, 1, 8, cases_multipart, count(cases_multipart));
    write_requests(600, 2, 4, cases_binary, count(cases_binary));

    return 0;
}
