/*
 * The log, on standard error: events of the daemon.  Of requests it has
 * counts, times and error codes only, never a value.
 */

#ifndef KTPD_LOG_H
#define KTPD_LOG_H


/* Logs a line "ktp-extractd: ..."; the format has no line feed. */
void ktpd_log(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* As ktpd_log(), followed by the text of errno. */
void ktpd_log_errno(const char *format, ...)
    __attribute__((format(printf, 1, 2)));


#endif /* KTPD_LOG_H */
