#include "ngx_http_ktp_state.h"
#include "ngx_http_ktp_conf.h"
#include "ktp_quota_file.h"
#include "ngx_http_ktp_file.h"
#include "ngx_http_ktp_process.h"
#include <pthread.h>
#include <stdlib.h>


/* Write interval: the maximum loss in a crash of the host. */
#define NGX_HTTP_KTP_STATE_INTERVAL 1000

/* Maximum size of a state file; 100,000 clients take up to 9 MB. */
#define NGX_HTTP_KTP_STATE_MAX (256 * 1024 * 1024)

#define NGX_HTTP_KTP_STATE_HEAD 64


/* Parameters and result of a write, which runs in a thread. */
typedef struct {
    ngx_http_ktp_shared_t *shared;
    u_char                *path; /* one allocation with the next two */
    u_char                *temp;
    u_char                *folder;

    const char *failed; /* NULL: written */
    int         err;
    unsigned    later : 1; /* the file belongs to a newer instance */
} ngx_http_ktp_state_job_t;

typedef struct {
    ngx_event_t              timer;
    ngx_connection_t         dummy; /* required by debug messages of timers */
    ngx_http_ktp_state_job_t job;
    pthread_t                thread;
    int                      done; /* set by the thread, atomically */
    unsigned                 running : 1;
} ngx_http_ktp_state_t;


static ngx_int_t ngx_http_ktp_state_read(ngx_http_ktp_zone_t *zone,
                                         ngx_fd_t fd, off_t size,
                                         ngx_log_t *log);
static void      ngx_http_ktp_state_ahead(ngx_http_ktp_zone_t *zone,
                                          ngx_log_t           *log);
static int       ngx_http_ktp_state_entry(void                    *data,
                                          const ktp_quota_entry_t *entry);
static void      ngx_http_ktp_state_timer(ngx_event_t *ev);
static ngx_http_ktp_zone_t                  *
ngx_http_ktp_state_zone(volatile ngx_cycle_t *cycle);
static void      ngx_http_ktp_state_begin(ngx_http_ktp_state_t *st,
                                          ngx_http_ktp_zone_t  *zone);
static ngx_int_t ngx_http_ktp_state_claim(ngx_http_ktp_shared_t *sh);
static void      ngx_http_ktp_state_end(ngx_http_ktp_state_t *st);
static ngx_int_t ngx_http_ktp_state_job(ngx_http_ktp_zone_t      *zone,
                                        ngx_http_ktp_state_job_t *job,
                                        ngx_log_t                *log);
static void     *ngx_http_ktp_state_thread(void *data);
static void      ngx_http_ktp_state_write(ngx_http_ktp_state_job_t *job);
static char *ngx_http_ktp_state_text(ngx_http_ktp_shared_t *sh, size_t *len);
static ngx_int_t ngx_http_ktp_state_later(ngx_http_ktp_state_job_t *job);
static void      ngx_http_ktp_state_put(ngx_http_ktp_state_job_t *job,
                                        const char *text, size_t len);
static void      ngx_http_ktp_state_fail(ngx_http_ktp_state_job_t *job,
                                         const char               *failed);
static void      ngx_http_ktp_state_told(ngx_http_ktp_state_job_t *job,
                                         ngx_log_t                *log);


static ngx_http_ktp_state_t ngx_http_ktp_state;


ngx_int_t
ngx_http_ktp_state_load(ngx_http_ktp_zone_t *zone, ngx_log_t *log)
{
    ngx_fd_t    fd;
    ngx_err_t   err;
    ngx_int_t   rc;
    const char *failed;
    struct stat st;

    zone->shared->ledger->generation = 1;

    if (zone->state.len == 0) {
        return NGX_OK;
    }

    /* the first write marks the file as owned by this instance */
    zone->shared->ledger->changes = 1;

    fd = ngx_http_ktp_file_open(zone->state.data, &st, &failed);

    if (fd == NGX_INVALID_FILE) {
        err = ngx_errno;

        if (err == NGX_ENOENT) {
            ngx_log_error(NGX_LOG_WARN, log, 0,
                          "state file \"%V\" not found, quotas start "
                          "from zero",
                          &zone->state);
            return NGX_OK;
        }

        ngx_log_error(NGX_LOG_EMERG, log, err, failed, zone->state.data);
        return NGX_ERROR;
    }

    rc = ngx_http_ktp_state_read(zone, fd, st.st_size, log);

    if (ngx_close_file(fd) == NGX_FILE_ERROR) {
        ngx_log_error(NGX_LOG_ALERT, log, ngx_errno,
                      ngx_close_file_n " \"%V\" failed", &zone->state);
    }

    return rc;
}


static ngx_int_t
ngx_http_ktp_state_read(ngx_http_ktp_zone_t *zone, ngx_fd_t fd, off_t size,
                        ngx_log_t *log)
{
    int         rc;
    u_char     *p;
    ssize_t     n;
    const char *why;

    why = "it is too large";
    rc = -1;

    if (size <= NGX_HTTP_KTP_STATE_MAX) {
        p = ngx_alloc(size + 1, log);
        if (p == NULL) {
            return NGX_ERROR;
        }

        n = ngx_read_fd(fd, p, size);

        if (n == -1) {
            ngx_log_error(NGX_LOG_EMERG, log, ngx_errno,
                          ngx_read_fd_n " \"%V\" failed", &zone->state);
            ngx_free(p);
            return NGX_ERROR;
        }

        rc = ktp_quota_file_read((char *) p, n, ngx_http_ktp_state_entry, zone,
                                 &why);

        zone->shared->ledger->generation =
            ktp_quota_file_generation((char *) p, n) + 1;

        ngx_free(p);
    }

    if (rc == -1) {
        ngx_log_error(NGX_LOG_EMERG, log, 0,
                      "state file \"%V\" is corrupted: %s; move it "
                      "away to start quotas from zero",
                      &zone->state, why);
        return NGX_ERROR;
    }

    if (rc != 0) {
        ngx_log_error(NGX_LOG_EMERG, log, 0,
                      "ktp_zone \"%V\" is too small for state file "
                      "\"%V\"",
                      &zone->shm_zone->shm.name, &zone->state);
        return NGX_ERROR;
    }

    ngx_http_ktp_state_ahead(zone, log);

    return NGX_OK;
}


/*
 * Warns of counters later than the system clock, in the time zone furthest
 * east.
 */

static void
ngx_http_ktp_state_ahead(ngx_http_ktp_zone_t *zone, ngx_log_t *log)
{
    uint32_t                now;
    ngx_uint_t              i, p;
    ngx_http_ktp_account_t *account;

    for (p = 0; p < KTP_QUOTA_PERIODS; p++) {
        now = ktp_quota_number(p, ngx_time(), 86399);

        for (i = 0; i < zone->shared->ledger->naccounts; i++) {
            account = &zone->shared->ledger->accounts[i];

            if (ktp_quota_word_number(account->quota[p]) > now) {
                ngx_log_error(NGX_LOG_WARN, log, 0,
                              "state file \"%V\" is ahead of the system "
                              "clock, quotas are not reset until the clock "
                              "has passed its periods",
                              &zone->state);
                return;
            }
        }
    }
}


static int
ngx_http_ktp_state_entry(void *data, const ktp_quota_entry_t *entry)
{
    ngx_http_ktp_zone_t *zone = data;

    ngx_str_t            name;
    ngx_http_ktp_slot_t *slot;

    name.data = (u_char *) entry->name;
    name.len = entry->len;

    slot = ngx_http_ktp_slot(zone, &name);
    if (slot == NULL) {
        return 1;
    }

    ngx_memcpy(slot->account->quota, entry->words,
               sizeof(slot->account->quota));

    return 0;
}


ngx_int_t
ngx_http_ktp_state_init(ngx_cycle_t *cycle)
{
    ngx_http_ktp_state_t *st;

    if (!ngx_http_ktp_process_is_worker()
        || ngx_http_ktp_state_zone(cycle) == NULL) {
        return NGX_OK;
    }

    st = &ngx_http_ktp_state;
    ngx_memzero(st, sizeof(ngx_http_ktp_state_t));

    st->dummy.fd = (ngx_socket_t) -1;
    st->timer.handler = ngx_http_ktp_state_timer;
    st->timer.data = &st->dummy;
    st->timer.log = cycle->log;
    st->timer.cancelable = 1;

    ngx_add_timer(&st->timer, NGX_HTTP_KTP_STATE_INTERVAL);

    return NGX_OK;
}


/* The zone, if it has a state file; else NULL. */

static ngx_http_ktp_zone_t *
ngx_http_ktp_state_zone(volatile ngx_cycle_t *cycle)
{
    ngx_http_ktp_main_conf_t *kmcf;

    kmcf = ngx_http_cycle_get_module_main_conf(cycle, ngx_http_ktp_module);

    return kmcf && kmcf->zone && kmcf->zone->state.len ? kmcf->zone : NULL;
}


static void
ngx_http_ktp_state_timer(ngx_event_t *ev)
{
    ngx_http_ktp_zone_t   *zone;
    ngx_http_ktp_state_t  *st;
    ngx_http_ktp_shared_t *sh;

    st = &ngx_http_ktp_state;

    if (st->running) {
        if (__atomic_load_n(&st->done, __ATOMIC_ACQUIRE)) {
            ngx_http_ktp_state_end(st);
        }

    } else {

        /*
         * without a master process, the timer survives a reload, the zone may
         * not
         */

        zone = ngx_http_ktp_state_zone(ngx_cycle);
        sh = zone ? zone->shared : NULL;

        if (sh
            && __atomic_load_n(&sh->ledger->changes, __ATOMIC_RELAXED)
                   != __atomic_load_n(&sh->ledger->written,
                                      __ATOMIC_RELAXED)) {
            ngx_http_ktp_state_begin(st, zone);
        }
    }

    ngx_add_timer(&st->timer, NGX_HTTP_KTP_STATE_INTERVAL);
}


static void
ngx_http_ktp_state_begin(ngx_http_ktp_state_t *st, ngx_http_ktp_zone_t *zone)
{
    int      err;
    sigset_t all, old;

    if (ngx_http_ktp_state_job(zone, &st->job, st->timer.log) != NGX_OK) {
        return;
    }

    if (ngx_http_ktp_state_claim(zone->shared) != NGX_OK) {
        ngx_free(st->job.path);
        return;
    }

    st->done = 0;

    /* signals are handled by the main thread */

    sigfillset(&all);
    (void) pthread_sigmask(SIG_SETMASK, &all, &old);

    err = pthread_create(&st->thread, NULL, ngx_http_ktp_state_thread, st);

    (void) pthread_sigmask(SIG_SETMASK, &old, NULL);

    if (err) {
        ngx_log_error(NGX_LOG_ALERT, st->timer.log, err,
                      "pthread_create() failed");
        __atomic_store_n(&zone->shared->ledger->writer, 0, __ATOMIC_RELEASE);
        ngx_free(st->job.path);
        return;
    }

    st->running = 1;
}


/* One process writes at a time; a killed one loses its claim. */

static ngx_int_t
ngx_http_ktp_state_claim(ngx_http_ktp_shared_t *sh)
{
    ngx_atomic_uint_t writer;

    writer = sh->ledger->writer;

    if (writer && writer != (ngx_atomic_uint_t) ngx_pid
        && ngx_http_ktp_process_alive((ngx_pid_t) writer)) {
        return NGX_BUSY;
    }

    return ngx_atomic_cmp_set(&sh->ledger->writer, writer, ngx_pid) ? NGX_OK
                                                                    : NGX_BUSY;
}


static void
ngx_http_ktp_state_end(ngx_http_ktp_state_t *st)
{
    ngx_http_ktp_shared_t    *sh;
    ngx_http_ktp_state_job_t *job;

    (void) pthread_join(st->thread, NULL);
    st->running = 0;

    job = &st->job;
    sh = job->shared;

    __atomic_store_n(&sh->ledger->writer, 0, __ATOMIC_RELEASE);

    /* any worker retries each second; the error is logged once */

    if (job->failed == NULL) {
        if (__atomic_exchange_n(&sh->ledger->failing, 0, __ATOMIC_RELAXED)) {
            ngx_log_error(NGX_LOG_NOTICE, st->timer.log, 0,
                          "state file \"%s\" can be written again", job->path);
        }

    } else if (!__atomic_exchange_n(&sh->ledger->failing, 1,
                                    __ATOMIC_RELAXED)) {
        ngx_http_ktp_state_told(job, st->timer.log);
    }

    ngx_free(job->path);
}


void
ngx_http_ktp_state_exit(ngx_cycle_t *cycle)
{
    if (ngx_http_ktp_state.running) {
        ngx_http_ktp_state_end(&ngx_http_ktp_state);
    }
}


void
ngx_http_ktp_state_exit_master(ngx_cycle_t *cycle)
{
    ngx_http_ktp_zone_t     *zone;
    ngx_http_ktp_state_job_t job;

    zone = ngx_http_ktp_state_zone(cycle);

    if (zone == NULL
        || zone->shared->ledger->changes == zone->shared->ledger->written
        || ngx_http_ktp_state_job(zone, &job, cycle->log) != NGX_OK) {
        return;
    }

    /* a worker of the next binary is writing the complete state */

    if (ngx_http_ktp_state_claim(zone->shared) != NGX_OK) {
        ngx_free(job.path);
        return;
    }

    ngx_http_ktp_state_write(&job);

    if (job.failed) {
        ngx_http_ktp_state_told(&job, cycle->log);
    }

    __atomic_store_n(&zone->shared->ledger->writer, 0, __ATOMIC_RELEASE);
    ngx_free(job.path);
}


/*
 * After a binary upgrade with a different zone, two masters count separately
 * for a while, the newer one with the next generation: they use different
 * temporary files.
 */

static ngx_int_t
ngx_http_ktp_state_job(ngx_http_ktp_zone_t      *zone,
                       ngx_http_ktp_state_job_t *job, ngx_log_t *log)
{
    u_char *p;
    size_t  len;

    ngx_memzero(job, sizeof(ngx_http_ktp_state_job_t));

    len = zone->state.len;

    p = ngx_alloc(3 * (len + sizeof(".new0")), log);
    if (p == NULL) {
        return NGX_ERROR;
    }

    job->shared = zone->shared;

    job->path = p;
    p = ngx_sprintf(p, "%V%Z", &zone->state);

    job->temp = p;
    p = ngx_sprintf(p, "%V.new%uL%Z", &zone->state,
                    zone->shared->ledger->generation % 2);

    while (job->path[len - 1] != '/') {
        len--;
    }

    job->folder = p;
    *ngx_cpymem(p, job->path, len) = '\0';

    return NGX_OK;
}


static void *
ngx_http_ktp_state_thread(void *data)
{
    ngx_http_ktp_state_t *st = data;

    ngx_http_ktp_state_write(&st->job);

    __atomic_store_n(&st->done, 1, __ATOMIC_RELEASE);

    return NULL;
}


/*
 * Runs in a thread: functions of nginx that are not thread-safe must not be
 * called.
 */

static void
ngx_http_ktp_state_write(ngx_http_ktp_state_job_t *job)
{
    char    *text;
    size_t   len;
    uint64_t changes;

    job->failed = NULL;
    job->err = 0;

    changes = __atomic_load_n(&job->shared->ledger->changes, __ATOMIC_ACQUIRE);

    if (ngx_http_ktp_state_later(job) != NGX_OK) {
        return;
    }

    text = ngx_http_ktp_state_text(job->shared, &len);

    if (text == NULL) {
        errno = ENOMEM;
        ngx_http_ktp_state_fail(job, "out of memory");
        return;
    }

    ngx_http_ktp_state_put(job, text, len);
    free(text);

    if (job->failed == NULL) {
        __atomic_store_n(&job->shared->ledger->written, changes,
                         __ATOMIC_RELEASE);
    }
}


/* A file written by a newer instance is not overwritten. */

static ngx_int_t
ngx_http_ktp_state_later(ngx_http_ktp_state_job_t *job)
{
    int         fd;
    char        head[NGX_HTTP_KTP_STATE_HEAD];
    ssize_t     n;
    const char *failed;
    struct stat st;

    fd = ngx_http_ktp_file_open(job->path, &st, &failed);

    if (fd == -1) {
        return NGX_OK;
    }

    n = read(fd, head, sizeof(head));
    (void) close(fd);

    if (n > 0
        && ktp_quota_file_generation(head, n)
               > job->shared->ledger->generation) {
        job->failed = "it was taken over by a newer instance";
        job->later = 1;
        return NGX_ERROR;
    }

    return NGX_OK;
}


/* The text of the file, to be freed by the caller; NULL if memory is short. */

static char *
ngx_http_ktp_state_text(ngx_http_ktp_shared_t *sh, size_t *len)
{
    char                   *text, *p;
    size_t                  n, i, used;
    ktp_quota_entry_t      *entries, *e;
    ngx_http_ktp_account_t *account, *last;

    /* accounts of clients of another binary have no slots here */

    n = __atomic_load_n(&sh->ledger->naccounts, __ATOMIC_ACQUIRE);
    n = ngx_min(n, sh->max);

    account = sh->ledger->accounts;
    last = account + n;

    entries = malloc((n + 1) * sizeof(ktp_quota_entry_t));
    text = malloc(ktp_quota_file_size(n));

    if (entries == NULL || text == NULL) {
        free(entries);
        free(text);
        return NULL;
    }

    e = entries;

    for (/* void */; account < last; account++) {
        used = 0;

        for (i = 0; i < KTP_QUOTA_PERIODS; i++) {
            e->words[i] =
                __atomic_load_n(&account->quota[i], __ATOMIC_RELAXED);
            used |= e->words[i] != 0;
        }

        e->name = (char *) account->name;
        e->len = account->len;

        /* the account of unauthenticated requests is not saved */

        if (used && e->len && e->len <= KTP_MAX_CLIENT_NAME) {
            e++;
        }
    }

    n = e - entries;
    p = ktp_quota_file_head(text, sh->ledger->generation, n);

    for (i = 0; i < n; i++) {
        p = ktp_quota_file_entry(p, &entries[i]);
    }

    *len = ktp_quota_file_foot(text, p) - text;
    free(entries);

    return text;
}


static void
ngx_http_ktp_state_put(ngx_http_ktp_state_job_t *job, const char *text,
                       size_t len)
{
    int     fd;
    ssize_t n;

    /*
     * The directory is writable by workers, and the master writes here too: an
     * existing file or link of that name must not be opened.
     */

    (void) unlink((char *) job->temp);

    fd = open((char *) job->temp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC,
              0600);

    if (fd == -1) {
        ngx_http_ktp_state_fail(job, "open() of temporary file failed");
        return;
    }

    while (len) {
        n = write(fd, text, len);

        if (n == -1 && errno == EINTR) {
            continue;
        }

        if (n == -1) {
            ngx_http_ktp_state_fail(job, "write() failed");
            (void) close(fd);
            return;
        }

        text += n;
        len -= n;
    }

    if (fsync(fd) == -1) {
        ngx_http_ktp_state_fail(job, "fsync() failed");
        (void) close(fd);
        return;
    }

    (void) close(fd);

    if (rename((char *) job->temp, (char *) job->path) == -1) {
        ngx_http_ktp_state_fail(job, "rename() failed");
        return;
    }

    /* the rename is durable once the directory is synced */

    fd = open((char *) job->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (fd != -1) {
        (void) fsync(fd);
        (void) close(fd);
    }
}


static void
ngx_http_ktp_state_fail(ngx_http_ktp_state_job_t *job, const char *failed)
{
    job->err = errno;
    job->failed = failed;

    (void) unlink((char *) job->temp);
}


/* The file being taken over in a binary upgrade is not an error. */

static void
ngx_http_ktp_state_told(ngx_http_ktp_state_job_t *job, ngx_log_t *log)
{
    ngx_uint_t level;

    level = job->later ? NGX_LOG_NOTICE : NGX_LOG_CRIT;

    ngx_log_error(level, log, job->err,
                  "state file \"%s\" was not written: %s", job->path,
                  job->failed);
}
