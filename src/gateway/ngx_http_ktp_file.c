#include "ngx_http_ktp_file.h"


ngx_fd_t
ngx_http_ktp_file_open(const u_char *path, struct stat *st,
                       const char **failed)
{
    ngx_fd_t  fd;
    ngx_err_t err;

    *failed = ngx_open_file_n " \"%s\" failed";

    fd = open((const char *) path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);

    if (fd == NGX_INVALID_FILE) {

        /* a socket, or a device without a driver */

        if (ngx_errno == ENXIO) {
            *failed = "\"%s\" is not a regular file";
            ngx_set_errno(0);
        }

        return NGX_INVALID_FILE;
    }

    if (fstat(fd, st) == -1) {
        err = ngx_errno;
        *failed = ngx_fd_info_n " \"%s\" failed";

    } else if (!S_ISREG(st->st_mode)) {
        err = 0;
        *failed = "\"%s\" is not a regular file";

    } else {
        return fd;
    }

    (void) close(fd);
    ngx_set_errno(err);

    return NGX_INVALID_FILE;
}
