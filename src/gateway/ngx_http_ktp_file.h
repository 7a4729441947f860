/* Opening of files that the configuration names. */

#ifndef NGX_HTTP_KTP_FILE_H
#define NGX_HTTP_KTP_FILE_H

#include <ngx_config.h>
#include <ngx_core.h>


/*
 * Opens a regular file for reading, and fills *st with its attributes.  Never
 * blocks, as opening a FIFO would, and can be called in a thread.  The
 * descriptor belongs to the caller.  On failure returns NGX_INVALID_FILE, and
 * in *failed a format string for the path; ngx_errno is the cause, or 0 if
 * the file is not a regular one.
 */
ngx_fd_t ngx_http_ktp_file_open(const u_char *path, struct stat *st,
                                const char **failed);


#endif /* NGX_HTTP_KTP_FILE_H */
