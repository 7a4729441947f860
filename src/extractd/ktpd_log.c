#include "ktpd_log.h"
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define KTPD_MAX_LINE 512


static void ktpd_log_line(int err, const char *format, va_list args);


void
ktpd_log(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    ktpd_log_line(0, format, args);
    va_end(args);
}


void
ktpd_log_errno(const char *format, ...)
{
    int     err;
    va_list args;

    err = errno;
    va_start(args, format);
    ktpd_log_line(err, format, args);
    va_end(args);
}


/* one write a line: several processes share the descriptor */

static void
ktpd_log_line(int err, const char *format, va_list args)
{
    int     n;
    char    text[KTPD_MAX_LINE], line[2 * KTPD_MAX_LINE];
    ssize_t rc;

    vsnprintf(text, sizeof(text), format, args);

    if (err != 0) {
        n = snprintf(line, sizeof(line), "ktp-extractd: %s: %s\n", text,
                     strerror(err));

    } else {
        n = snprintf(line, sizeof(line), "ktp-extractd: %s\n", text);
    }

    rc = write(STDERR_FILENO, line, (size_t) n);
    (void) rc; /* there is nowhere to complain to */
}
