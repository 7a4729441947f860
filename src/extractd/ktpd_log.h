/*
 * What the daemon says on standard error: its own events.  Nothing of a
 * request is ever said but counts, times and codes of the error table.
 */

#ifndef KTPD_LOG_H
#define KTPD_LOG_H


/* One line "ktp-extractd: ..."; no line feed in the format. */
void ktpd_log(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* As ktpd_log(), with the error of errno behind it. */
void ktpd_log_errno(const char *format, ...)
    __attribute__((format(printf, 1, 2)));


#endif /* KTPD_LOG_H */
