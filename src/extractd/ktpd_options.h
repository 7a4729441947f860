/* The command line of ktp-extractd. */

#ifndef KTPD_OPTIONS_H
#define KTPD_OPTIONS_H

#include <sys/types.h>

#define KTPD_MAX_WORKERS 64
#define KTPD_MAX_QUEUE   1024
#define KTPD_MAX_TIMEOUT 600


typedef struct {
    const char *socket;      /* path, or NULL */
    const char *listen;      /* ADDRESS:PORT of loopback, or NULL */
    const char *credentials; /* path */
    const char *tessdata;    /* folder, or NULL for Tesseract's own */
    const char *user;        /* user to run as, or NULL */
    mode_t      mode;        /* of the socket */
    unsigned    workers;     /* 1 to KTPD_MAX_WORKERS */
    unsigned    queue;       /* waiting requests, 0 to KTPD_MAX_QUEUE */
    unsigned    timeout;     /* seconds, 1 to KTPD_MAX_TIMEOUT */
    unsigned    check : 1;
    unsigned    sandbox : 1;
} ktpd_options_t;


/*
 * Parses the arguments; strings in opt point to them.  0, -1 with a message on
 * standard error, or 1 after printing the help.
 */
int ktpd_options_parse(ktpd_options_t *opt, int argc, char *argv[]);


#endif /* KTPD_OPTIONS_H */
