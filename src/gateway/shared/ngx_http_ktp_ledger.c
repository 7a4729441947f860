#include "ngx_http_ktp_ledger.h"
#include <dirent.h>
#include <sys/mman.h>


/* To be incremented when the layout or meaning of a ledger changes. */
#define NGX_HTTP_KTP_LEDGER_VERSION 1

/* Maximum length of a memfd name; the kernel allows 249. */
#define NGX_HTTP_KTP_LEDGER_NAME 128

#define NGX_HTTP_KTP_LEDGER_SEALS (F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL)


static ngx_fd_t  ngx_http_ktp_ledger_find(const char *name, off_t size);
static ngx_fd_t  ngx_http_ktp_ledger_create(const char *name, off_t size,
                                            ngx_log_t *log);
static ngx_int_t ngx_http_ktp_ledger_fcntl(ngx_fd_t fd, short type,
                                           ngx_log_t *log);


ngx_http_ktp_ledger_t *
ngx_http_ktp_ledger(ngx_str_t *name, ngx_uint_t n, ngx_fd_t *fd,
                    ngx_uint_t *inherited, ngx_log_t *log)
{
    off_t                  size;
    u_char                 memfd[NGX_HTTP_KTP_LEDGER_NAME];
    ngx_http_ktp_ledger_t *ledger;

    size = sizeof(ngx_http_ktp_ledger_t) + n * sizeof(ngx_http_ktp_account_t);

    *ngx_snprintf(memfd, sizeof(memfd) - 1, "ktp_zone %ui %V",
                  (ngx_uint_t) NGX_HTTP_KTP_LEDGER_VERSION, name) = '\0';

    *fd = ngx_http_ktp_ledger_find((char *) memfd, size);
    *inherited = *fd != NGX_INVALID_FILE;

    if (!*inherited) {
        *fd = ngx_http_ktp_ledger_create((char *) memfd, size, log);
        if (*fd == NGX_INVALID_FILE) {
            return NULL;
        }
    }

    ledger = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, *fd, 0);
    if (ledger == MAP_FAILED) {
        ngx_log_error(NGX_LOG_EMERG, log, ngx_errno, "mmap(%O) failed", size);
        return NULL;
    }

    /* the memory is writable by workers of the previous binary */

    if (*inherited && ledger->naccounts > n) {
        ngx_log_error(NGX_LOG_EMERG, log, 0,
                      "ktp_zone \"%V\" of the previous binary is "
                      "corrupted",
                      name);
        return NULL;
    }

    return ledger;
}


/*
 * Finds the ledger of the previous binary during an upgrade, among the open
 * descriptors, which are inherited as the listening sockets are.
 */

static ngx_fd_t
ngx_http_ktp_ledger_find(const char *name, off_t size)
{
    int            seals;
    DIR           *dir;
    char           want[NGX_HTTP_KTP_LEDGER_NAME + 32], link[sizeof(want)];
    ssize_t        n;
    ngx_fd_t       fd;
    struct stat    st;
    struct dirent *de;

    dir = ngx_inherited ? opendir("/proc/self/fd") : NULL;
    if (dir == NULL) {
        return NGX_INVALID_FILE;
    }

    fd = NGX_INVALID_FILE;

    (void) ngx_sprintf((u_char *) want, "/memfd:%s (deleted)%Z", name);

    while (fd == NGX_INVALID_FILE && (de = readdir(dir)) != NULL) {
        n = readlinkat(dirfd(dir), de->d_name, link, sizeof(link) - 1);

        if (n == -1) {
            continue;
        }

        link[n] = '\0';

        if (ngx_strcmp(link, want) != 0) {
            continue;
        }

        fd = ngx_atoi((u_char *) de->d_name, ngx_strlen(de->d_name));
        seals = fcntl(fd, F_GET_SEALS);

        if (fstat(fd, &st) == -1 || st.st_size != size || seals == -1
            || (seals & NGX_HTTP_KTP_LEDGER_SEALS)
                   != NGX_HTTP_KTP_LEDGER_SEALS) {
            fd = NGX_INVALID_FILE;
        }
    }

    (void) closedir(dir);

    return fd;
}


/* Sealed, since otherwise a worker could truncate the memory of the others. */

static ngx_fd_t
ngx_http_ktp_ledger_create(const char *name, off_t size, ngx_log_t *log)
{
    ngx_fd_t fd;

    fd = memfd_create(name, MFD_ALLOW_SEALING);
    if (fd == NGX_INVALID_FILE) {
        ngx_log_error(NGX_LOG_EMERG, log, ngx_errno,
                      "memfd_create(\"%s\") failed", name);
        return NGX_INVALID_FILE;
    }

    if (ftruncate(fd, size) == -1
        || fcntl(fd, F_ADD_SEALS, NGX_HTTP_KTP_LEDGER_SEALS) == -1) {
        ngx_log_error(NGX_LOG_EMERG, log, ngx_errno,
                      "cannot set size of memfd \"%s\"", name);
        (void) close(fd);
        return NGX_INVALID_FILE;
    }

    return fd;
}


ngx_int_t
ngx_http_ktp_ledger_lock(ngx_fd_t fd, ngx_log_t *log)
{
    return ngx_http_ktp_ledger_fcntl(fd, F_WRLCK, log);
}


void
ngx_http_ktp_ledger_unlock(ngx_fd_t fd, ngx_log_t *log)
{
    (void) ngx_http_ktp_ledger_fcntl(fd, F_UNLCK, log);
}


static ngx_int_t
ngx_http_ktp_ledger_fcntl(ngx_fd_t fd, short type, ngx_log_t *log)
{
    struct flock fl;

    ngx_memzero(&fl, sizeof(struct flock));

    fl.l_type = type;
    fl.l_whence = SEEK_SET;

    while (fcntl(fd, F_SETLKW, &fl) == -1) {
        if (ngx_errno != NGX_EINTR) {
            ngx_log_error(NGX_LOG_EMERG, log, ngx_errno,
                          "fcntl(F_SETLKW) on ktp_zone failed");
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}
