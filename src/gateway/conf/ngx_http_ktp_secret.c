#include "ngx_http_ktp_secret.h"
#include "ngx_http_ktp_file.h"
#include "ngx_http_ktp_headers.h"
#include "ngx_http_ktp_map.h"
#include "ngx_http_ktp_process.h"
#include "ngx_http_ktp_value.h"
#include <sys/mman.h>
#include <sys/stat.h>


/* Maximum size of a file, of which the first line is the value. */
#define NGX_HTTP_KTP_SECRET_MAX 4096

#define NGX_HTTP_KTP_SECRET_INTERVAL 1000

#define NGX_HTTP_KTP_CREDENTIALS "CREDENTIALS_DIRECTORY"


/* Attributes by which a change of a file is detected. */
typedef struct {
    dev_t           dev;
    ino_t           ino;
    off_t           size;
    struct timespec mtime;
    struct timespec ctime;
} ngx_http_ktp_secret_stamp_t;

struct ngx_http_ktp_secret_s {
    ngx_http_complex_value_t *cv; /* NULL: no variables */
    ngx_str_t                 value;

    /* two halves: one holds the value, the other receives a new one */
    u_char *memory;

    ngx_queue_t queue; /* in kmcf->secrets, if it is a file */
    ngx_str_t   path;  /* null-terminated */

    ngx_http_ktp_secret_stamp_t loaded;
    ngx_http_ktp_secret_stamp_t seen;

    unsigned
        told : 1; /* an error of the current state of the file was logged */
};


static ngx_http_ktp_secret_t *ngx_http_ktp_secret_create(ngx_conf_t *cf);
static void                   ngx_http_ktp_secret_wipe(void *data);
static char *ngx_http_ktp_secret_text(ngx_conf_t *cf, ngx_http_ktp_secret_t *s,
                                      ngx_str_t *value);
static char *ngx_http_ktp_secret_file(ngx_conf_t *cf, ngx_http_ktp_secret_t *s,
                                      ngx_str_t *value);
static ngx_int_t   ngx_http_ktp_secret_path(ngx_conf_t *cf, ngx_str_t *path);
static const char *ngx_http_ktp_secret_read(ngx_http_ktp_secret_t *s,
                                            ngx_err_t *err, mode_t *mode);
static u_char     *ngx_http_ktp_secret_spare(ngx_http_ktp_secret_t *s);
static void ngx_http_ktp_secret_stamp(ngx_http_ktp_secret_stamp_t *stamp,
                                      const struct stat           *st);
static void ngx_http_ktp_secret_timer(ngx_event_t *ev);
static void ngx_http_ktp_secret_look(ngx_http_ktp_secret_t *s, ngx_log_t *log);
static void ngx_http_ktp_secret_stays(ngx_http_ktp_secret_t *s,
                                      const char *failed, ngx_err_t err,
                                      ngx_log_t *log);


static ngx_event_t      ngx_http_ktp_secret_event;
static ngx_connection_t ngx_http_ktp_secret_dummy;


char *
ngx_http_ktp_secret_slot(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    char *p = conf;

    ngx_str_t              *value;
    ngx_http_ktp_secret_t **secret;

    secret = (ngx_http_ktp_secret_t **) (p + cmd->offset);

    if (*secret != NGX_CONF_UNSET_PTR) {
        return "is duplicate";
    }

    *secret = ngx_http_ktp_secret_create(cf);
    if (*secret == NULL) {
        return NGX_CONF_ERROR;
    }

    value = cf->args->elts;

    if (ngx_strncmp(value[1].data, "file:", 5) == 0) {
        return ngx_http_ktp_secret_file(cf, *secret, &value[1]);
    }

    return ngx_http_ktp_secret_text(cf, *secret, &value[1]);
}


char *
ngx_http_ktp_secret_from_file(ngx_conf_t *cf, ngx_str_t *value,
                              ngx_http_ktp_secret_t **secret)
{
    *secret = ngx_http_ktp_secret_create(cf);
    if (*secret == NULL) {
        return NGX_CONF_ERROR;
    }

    return ngx_http_ktp_secret_file(cf, *secret, value);
}


void
ngx_http_ktp_secret_fix(ngx_http_ktp_secret_t *secret)
{
    ngx_queue_remove(&secret->queue);
}


static ngx_http_ktp_secret_t *
ngx_http_ktp_secret_create(ngx_conf_t *cf)
{
    ngx_pool_cleanup_t    *cln;
    ngx_http_ktp_secret_t *s;

    s = ngx_pcalloc(cf->pool, sizeof(ngx_http_ktp_secret_t));
    if (s == NULL) {
        return NULL;
    }

    cln = ngx_pool_cleanup_add(cf->pool, 0);
    if (cln == NULL) {
        return NULL;
    }

    s->memory = ngx_http_ktp_map(2 * NGX_HTTP_KTP_SECRET_MAX, cf->log);
    if (s->memory == NULL) {
        return NULL;
    }

    cln->handler = ngx_http_ktp_secret_wipe;
    cln->data = s;

    return s;
}


static void
ngx_http_ktp_secret_wipe(void *data)
{
    ngx_http_ktp_secret_t *s = data;

    ngx_explicit_memzero(s->memory, 2 * NGX_HTTP_KTP_SECRET_MAX);
    (void) munmap(s->memory,
                  ngx_align(2 * NGX_HTTP_KTP_SECRET_MAX, ngx_pagesize));
}


static char *
ngx_http_ktp_secret_text(ngx_conf_t *cf, ngx_http_ktp_secret_t *s,
                         ngx_str_t *value)
{
    ngx_uint_t                       i;
    ngx_http_compile_complex_value_t ccv;

    /* sources of secrets in other programs, and "file:" written otherwise */

    static const char *prefixes[] = {
        "file:", "file=", "env:", "env=", "data:", "store:", "engine:"};

    for (i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++) {
        if (ngx_strncasecmp(value->data, (u_char *) prefixes[i],
                            ngx_strlen(prefixes[i]))
            == 0) {

            /* the value is not logged: it may be a secret */

            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "prefix \"%s\" in \"%V\" directive is not "
                               "supported, it must be \"file:PATH\", a "
                               "variable, or the value itself",
                               prefixes[i], cf->args->elts);
            return NGX_CONF_ERROR;
        }
    }

    if (ngx_http_ktp_headers_valid(value) != NGX_OK) {
        return "value is empty or contains control characters";
    }

    if (ngx_http_script_variables_count(value) == 0) {

        if (value->len > NGX_HTTP_KTP_SECRET_MAX) {
            return "value is too long";
        }

        s->value.data = s->memory;
        s->value.len = value->len;
        ngx_memcpy(s->memory, value->data, value->len);

        /* the copy in configuration memory would appear in a core dump */

        ngx_explicit_memzero(value->data, value->len);

        return NGX_CONF_OK;
    }

    s->cv = ngx_pcalloc(cf->pool, sizeof(ngx_http_complex_value_t));
    if (s->cv == NULL) {
        return NGX_CONF_ERROR;
    }

    ngx_memzero(&ccv, sizeof(ngx_http_compile_complex_value_t));

    ccv.cf = cf;
    ccv.value = value;
    ccv.complex_value = s->cv;

    if (ngx_http_compile_complex_value(&ccv) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


static char *
ngx_http_ktp_secret_file(ngx_conf_t *cf, ngx_http_ktp_secret_t *s,
                         ngx_str_t *value)
{
    mode_t                    mode;
    ngx_err_t                 err;
    ngx_str_t                *directive;
    const char               *failed;
    ngx_http_ktp_main_conf_t *kmcf;

    s->path.data = value->data + 5;
    s->path.len = value->len - 5;

    if (ngx_http_ktp_secret_path(cf, &s->path) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    failed = ngx_http_ktp_secret_read(s, &err, &mode);

    if (failed) {
        directive = cf->args->elts;
        return ngx_http_ktp_value_file(cf, err, (char *) directive->data,
                                       failed, &s->path);
    }

    if (mode & (S_IROTH | S_IWOTH)) {
        ngx_conf_log_error(NGX_LOG_WARN, cf, 0,
                           "secret file \"%s\" is accessible to all "
                           "users, its mode is 0%ud%ud%ud",
                           s->path.data, (mode >> 6) & 7, (mode >> 3) & 7,
                           mode & 7);
    }

    kmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_ktp_module);
    ngx_queue_insert_tail(&kmcf->secrets, &s->queue);

    return NGX_CONF_OK;
}


/* Expands the directory of systemd credentials, set in the environment. */

static ngx_int_t
ngx_http_ktp_secret_path(ngx_conf_t *cf, ngx_str_t *path)
{
    char     *folder;
    u_char   *p;
    size_t    len;
    ngx_str_t name = ngx_string("$" NGX_HTTP_KTP_CREDENTIALS);

    if (path->len == 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "no path in \"file:\" in \"%V\" directive",
                           cf->args->elts);
        return NGX_ERROR;
    }

    if (path->data[0] != '$') {
        return ngx_conf_full_name(cf->cycle, path, 1);
    }

    if (path->len <= name.len + 1
        || ngx_strncmp(path->data, name.data, name.len) != 0
        || path->data[name.len] != '/') {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid path \"%V\" in \"%V\" directive, the "
                           "only variable allowed is \"%V/\" at the "
                           "beginning",
                           path, cf->args->elts, &name);
        return NGX_ERROR;
    }

    folder = getenv(NGX_HTTP_KTP_CREDENTIALS);

    if (folder == NULL || *folder != '/') {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"%V\" in \"%V\" directive requires an absolute "
                           "path in the "
                           "environment variable \"" NGX_HTTP_KTP_CREDENTIALS
                           "\", which systemd sets; "
                           "to run nginx by hand, use "
                           "\"" NGX_HTTP_KTP_CREDENTIALS
                           "=/run/credentials/nginx.service nginx -t\"",
                           path, cf->args->elts);
        return NGX_ERROR;
    }

    len = ngx_strlen(folder) + path->len - name.len;

    p = ngx_pnalloc(cf->pool, len + 1);
    if (p == NULL) {
        return NGX_ERROR;
    }

    (void) ngx_sprintf(p, "%s%s%Z", folder, path->data + name.len);

    path->data = p;
    path->len = len;

    return NGX_OK;
}


/*
 * Reads the file.  Returns NULL, or a format string for the path that says why
 * it failed; the previous value is then kept.  The attributes are those of the
 * open file, which a rename does not affect.
 */

static const char *
ngx_http_ktp_secret_read(ngx_http_ktp_secret_t *s, ngx_err_t *err,
                         mode_t *mode)
{
    u_char     *buf, *p;
    ssize_t     n;
    ngx_fd_t    fd;
    ngx_str_t   value;
    const char *failed;
    struct stat st;

    buf = ngx_http_ktp_secret_spare(s);

    fd = ngx_http_ktp_file_open(s->path.data, &st, &failed);

    if (fd == NGX_INVALID_FILE) {
        *err = ngx_errno;
        return failed;
    }

    n = ngx_read_fd(fd, buf, NGX_HTTP_KTP_SECRET_MAX);
    *err = n == -1 ? ngx_errno : 0;

    (void) ngx_close_file(fd);

    if (n == -1) {
        return ngx_read_fd_n " \"%s\" failed";
    }

    *mode = st.st_mode;

    p = ngx_strlchr(buf, buf + n, LF);
    value.data = buf;
    value.len = (p ? p : buf + n) - buf;

    if (value.len && buf[value.len - 1] == CR) {
        value.len--;
    }

    if (n == NGX_HTTP_KTP_SECRET_MAX
        || ngx_http_ktp_headers_valid(&value) != NGX_OK) {
        ngx_explicit_memzero(buf, NGX_HTTP_KTP_SECRET_MAX);
        return "first line of \"%s\" is empty, too long, or "
               "contains control characters";
    }

    s->value = value;
    ngx_http_ktp_secret_stamp(&s->loaded, &st);
    ngx_explicit_memzero(ngx_http_ktp_secret_spare(s),
                         NGX_HTTP_KTP_SECRET_MAX);

    return NULL;
}


/* The half that does not hold the value. */

static u_char *
ngx_http_ktp_secret_spare(ngx_http_ktp_secret_t *s)
{
    return s->value.data == s->memory ? s->memory + NGX_HTTP_KTP_SECRET_MAX
                                      : s->memory;
}


static void
ngx_http_ktp_secret_stamp(ngx_http_ktp_secret_stamp_t *stamp,
                          const struct stat           *st)
{
    /* padding is compared as well */

    ngx_memzero(stamp, sizeof(ngx_http_ktp_secret_stamp_t));

    stamp->dev = st->st_dev;
    stamp->ino = st->st_ino;
    stamp->size = st->st_size;
    stamp->mtime = st->st_mtim;
    stamp->ctime = st->st_ctim;
}


ngx_int_t
ngx_http_ktp_secret(ngx_http_request_t *r, ngx_http_ktp_secret_t *secret,
                    ngx_str_t *value)
{
    ngx_int_t  rc;
    ngx_log_t *log;
    ngx_uint_t level;

    if (secret->cv == NULL) {
        *value = secret->value;
        return NGX_OK;
    }

    /* nginx logs values of variables at the debug level */

    log = r->connection->log;
    level = log->log_level;

    log->log_level = ngx_min(level, NGX_LOG_INFO);
    rc = ngx_http_complex_value(r, secret->cv, value);
    log->log_level = level;

    return rc;
}


ngx_str_t *
ngx_http_ktp_secret_value(ngx_http_ktp_secret_t *secret)
{
    return &secret->value;
}


ngx_int_t
ngx_http_ktp_secret_init(ngx_cycle_t *cycle)
{
    ngx_event_t              *ev;
    ngx_http_ktp_main_conf_t *kmcf;

    kmcf = ngx_http_cycle_get_module_main_conf(cycle, ngx_http_ktp_module);

    if (!ngx_http_ktp_process_is_worker() || kmcf == NULL
        || ngx_queue_empty(&kmcf->secrets)) {
        return NGX_OK;
    }

    ngx_http_ktp_secret_dummy.fd = (ngx_socket_t) -1;

    ev = &ngx_http_ktp_secret_event;
    ngx_memzero(ev, sizeof(ngx_event_t));

    ev->handler = ngx_http_ktp_secret_timer;
    ev->data = &ngx_http_ktp_secret_dummy;
    ev->log = cycle->log;
    ev->cancelable = 1;

    ngx_add_timer(ev, NGX_HTTP_KTP_SECRET_INTERVAL);

    return NGX_OK;
}


static void
ngx_http_ktp_secret_timer(ngx_event_t *ev)
{
    ngx_queue_t              *q;
    ngx_http_ktp_main_conf_t *kmcf;

    kmcf = ngx_http_cycle_get_module_main_conf(ngx_cycle, ngx_http_ktp_module);

    for (q = ngx_queue_head(&kmcf->secrets);
         q != ngx_queue_sentinel(&kmcf->secrets); q = ngx_queue_next(q)) {
        ngx_http_ktp_secret_look(
            ngx_queue_data(q, ngx_http_ktp_secret_t, queue), ev->log);
    }

    ngx_add_timer(ev, NGX_HTTP_KTP_SECRET_INTERVAL);
}


/*
 * A change is loaded once the file has not changed for one interval, since a
 * file written in place may be incomplete.
 */

static void
ngx_http_ktp_secret_look(ngx_http_ktp_secret_t *s, ngx_log_t *log)
{
    mode_t                      mode;
    ngx_err_t                   err;
    const char                 *failed;
    struct stat                 st;
    ngx_http_ktp_secret_stamp_t stamp;

    if (stat((char *) s->path.data, &st) == -1) {
        ngx_http_ktp_secret_stays(s, "stat() \"%s\" failed", ngx_errno, log);
        return;
    }

    ngx_http_ktp_secret_stamp(&stamp, &st);

    if (ngx_memcmp(&stamp, &s->loaded, sizeof(stamp)) == 0) {
        s->told = 0;
        return;
    }

    if (ngx_memcmp(&stamp, &s->seen, sizeof(stamp)) != 0) {
        s->seen = stamp;
        s->told = 0;
        return;
    }

    if (s->told) {
        return;
    }

    failed = ngx_http_ktp_secret_read(s, &err, &mode);

    if (failed == NULL) {
        ngx_log_error(NGX_LOG_NOTICE, log, 0, "secret reloaded from \"%s\"",
                      s->path.data);
        return;
    }

    ngx_http_ktp_secret_stays(s, failed, err, log);
}


/* An error is logged once for each state of a file. */

static void
ngx_http_ktp_secret_stays(ngx_http_ktp_secret_t *s, const char *failed,
                          ngx_err_t err, ngx_log_t *log)
{
    u_char    *last, text[NGX_MAX_CONF_ERRSTR];
    ngx_uint_t level;

    if (s->told) {
        return;
    }

    s->told = 1;
    last = ngx_snprintf(text, sizeof(text), failed, s->path.data);

    /* a directory accessible to the master only is not an error */

    level = err == NGX_EACCES ? NGX_LOG_NOTICE : NGX_LOG_ERR;

    ngx_log_error(level, log, err, "%*s, keeping the previous secret%s",
                  (size_t) (last - text), text,
                  err == NGX_EACCES ? " until reload" : "");
}
