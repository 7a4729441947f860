#include "ktpd_options.h"
#include "ktpd_log.h"
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>


enum {
    OPT_SOCKET = 256,
    OPT_LISTEN,
    OPT_CREDENTIALS,
    OPT_TESSDATA,
    OPT_USER,
    OPT_MODE,
    OPT_WORKERS,
    OPT_QUEUE,
    OPT_TIMEOUT,
    OPT_CHECK,
    OPT_FOREGROUND,
    OPT_NO_SANDBOX,
    OPT_HELP
};


/* clang-format off */

static const struct option ktpd_options[] = {
    { "socket",      required_argument, NULL, OPT_SOCKET },
    { "listen",      required_argument, NULL, OPT_LISTEN },
    { "credentials", required_argument, NULL, OPT_CREDENTIALS },
    { "tessdata",    required_argument, NULL, OPT_TESSDATA },
    { "user",        required_argument, NULL, OPT_USER },
    { "socket-mode", required_argument, NULL, OPT_MODE },
    { "workers",     required_argument, NULL, OPT_WORKERS },
    { "queue",       required_argument, NULL, OPT_QUEUE },
    { "timeout",     required_argument, NULL, OPT_TIMEOUT },
    { "check",       no_argument,       NULL, OPT_CHECK },
    { "foreground",  no_argument,       NULL, OPT_FOREGROUND },
    { "no-sandbox",  no_argument,       NULL, OPT_NO_SANDBOX },
    { "help",        no_argument,       NULL, OPT_HELP },
    { NULL,          0,                 NULL, 0 },
};

/* clang-format on */


static int ktpd_option_set(ktpd_options_t *opt, int option, const char *value);
static int ktpd_option_number(const char *name, const char *value, int base,
                              unsigned min, unsigned max, unsigned *number);
static int ktpd_options_validate(ktpd_options_t *opt, int argc, char *argv[]);
static void ktpd_options_help(void);


int
ktpd_options_parse(ktpd_options_t *opt, int argc, char *argv[])
{
    int  c, rc;
    long cores;

    cores = sysconf(_SC_NPROCESSORS_ONLN);

    memset(opt, 0, sizeof(ktpd_options_t));
    opt->mode = 0660;
    opt->queue = 32;
    opt->timeout = 20;
    opt->sandbox = 1;
    opt->workers = cores < 1                  ? 1
                   : cores > KTPD_MAX_WORKERS ? KTPD_MAX_WORKERS
                                              : (unsigned) cores;

    while ((c = getopt_long(argc, argv, "", ktpd_options, NULL)) != -1) {
        rc = ktpd_option_set(opt, c, optarg);

        if (rc != 0) {
            return rc;
        }
    }

    return ktpd_options_validate(opt, argc, argv);
}


static int
ktpd_option_set(ktpd_options_t *opt, int option, const char *value)
{
    int      rc;
    unsigned mode;

    switch (option) {
    case OPT_SOCKET:
        opt->socket = value;
        return 0;

    case OPT_LISTEN:
        opt->listen = value;
        return 0;

    case OPT_CREDENTIALS:
        opt->credentials = value;
        return 0;

    case OPT_TESSDATA:
        opt->tessdata = value;
        return 0;

    case OPT_USER:
        opt->user = value;
        return 0;

    case OPT_MODE:
        rc = ktpd_option_number("socket-mode", value, 8, 0, 0777, &mode);
        opt->mode = rc == 0 ? (mode_t) mode : opt->mode;
        return rc;

    case OPT_WORKERS:
        return ktpd_option_number("workers", value, 10, 1, KTPD_MAX_WORKERS,
                                  &opt->workers);

    case OPT_QUEUE:
        return ktpd_option_number("queue", value, 10, 0, KTPD_MAX_QUEUE,
                                  &opt->queue);

    case OPT_TIMEOUT:
        return ktpd_option_number("timeout", value, 10, 1, KTPD_MAX_TIMEOUT,
                                  &opt->timeout);

    case OPT_CHECK:
        opt->check = 1;
        return 0;

    case OPT_FOREGROUND:
        return 0;

    case OPT_NO_SANDBOX:
        opt->sandbox = 0;
        return 0;

    case OPT_HELP:
        ktpd_options_help();
        return 1;

    default:
        return -1;
    }
}


static int
ktpd_option_number(const char *name, const char *value, int base, unsigned min,
                   unsigned max, unsigned *number)
{
    char         *end;
    unsigned long n;

    errno = 0;
    n = strtoul(value, &end, base);

    /* strtoul() itself takes white space and a sign */

    if (*value < '0' || *value > '9' || *end != '\0' || errno != 0 || n < min
        || n > max) {
        ktpd_log(base == 8 ? "invalid %s \"%s\", it is %o to %o"
                           : "invalid %s \"%s\", it is %u to %u",
                 name, value, min, max);
        return -1;
    }

    *number = (unsigned) n;

    return 0;
}


static int
ktpd_options_validate(ktpd_options_t *opt, int argc, char *argv[])
{
    if (optind < argc) {
        ktpd_log("unknown argument \"%s\"", argv[optind]);
        return -1;
    }

    if ((opt->socket != NULL) == (opt->listen != NULL)) {
        ktpd_log("one of --socket and --listen is needed");
        return -1;
    }

    if (opt->credentials == NULL) {
        ktpd_log("--credentials is needed");
        return -1;
    }

    if (opt->user != NULL && geteuid() != 0) {
        ktpd_log("--user is for root");
        return -1;
    }

    return 0;
}


static void
ktpd_options_help(void)
{
    fputs("usage: ktp-extractd --socket PATH | --listen ADDRESS:PORT\n"
          "                    --credentials FILE [options]\n"
          "  --socket PATH       Unix socket to listen on\n"
          "  --listen ADDR:PORT  loopback address to listen on; port 0: any\n"
          "  --credentials FILE  lines \"app_id:api_key\", mode 0600\n"
          "  --socket-mode MODE  permissions of the Unix socket (0660)\n"
          "  --workers N         cards read concurrently (one per processor)\n"
          "  --queue N           requests waiting for a worker (32)\n"
          "  --timeout SEC       limit of waiting and of reading, each (20)\n"
          "  --tessdata DIR      directory of Tesseract's eng.traineddata\n"
          "  --user NAME         user to run as, when started by root\n"
          "  --check             check options, credentials, data, and exit\n"
          "  --foreground        accepted; the daemon does not fork itself\n"
          "  --no-sandbox        no seccomp filters, for debugging\n"
          "  --help              print this text\n",
          stdout);
}
