#include "ktpd_http.h"
#include "ktpd_jobs.h"
#include "ktpd_log.h"
#include "ktpd_request.h"
#include "ktpd_sandbox.h"
#include "ktpd_stats.h"
#include <errno.h>
#include <microhttpd.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/*
 * Requests with valid credentials besides those that wait or are worked at:
 * their bodies are being received.  A request over these is refused by its
 * header.
 */
#define KTPD_UPLOADS 32

/* Connections that have no such request: idle, or being refused. */
#define KTPD_OTHER_CONNECTIONS 64

/*
 * Milliseconds without a byte after which a connection may be closed to make
 * room: of one that has no request with valid credentials, and of an upload.
 */
#define KTPD_QUIET   1000
#define KTPD_STALLED 5000

/* Seconds without a byte, of a client that uploads or reads. */
#define KTPD_IDLE 30

/* Headers and a piece of the body, of one connection. */
#define KTPD_CONNECTION_MEMORY (64 * 1024)

/*
 * Memory at most: for each place an image, for each connection twice what else
 * it may hold (its headers, a query as long, KTP_MAX_NAMES of keys and their
 * copies, the answer), and what the process has with no connection, some 1 MB.
 */
#define KTPD_HTTP_EACH (1024 * 1024)
#define KTPD_HTTP_BASE (32 * 1024 * 1024)


/* A connection, from accept() until it is closed. */
typedef struct ktpd_client_s ktpd_client_t;

struct ktpd_client_s {
    ktpd_client_t  *prev;
    ktpd_client_t  *next;
    ktpd_request_t *request; /* from its request line, or NULL */
    uint64_t        active;  /* when it sent a byte; ktpd_jobs_now() */
    int             fd;
    unsigned        closing : 1; /* was shut down to make room */
};

typedef struct {
    const ktpd_credentials_t *cred;
    struct MHD_Daemon        *daemon;
    ktpd_jobs_t              *jobs;
    struct pollfd            *fds; /* master, the server's epoll, slots */
    unsigned                  n;
    ktpd_client_t             clients;  /* the head of a ring */
    unsigned                  open;     /* connections not closing */
    unsigned                  requests; /* with a header, and not over */
    unsigned                  taken;    /* of them with a place */
    unsigned                  places;
    ktpd_stats_t              stats;
    unsigned                  stopping : 1;
} ktpd_http_t;


static int  ktpd_http_start(ktpd_http_t *http, const ktpd_options_t *opt,
                            int listener, unsigned connections);
static int  ktpd_http_loop(ktpd_http_t *http);
static int  ktpd_http_wait(const ktpd_http_t *http);
static int  ktpd_http_master(ktpd_http_t *http);
static void ktpd_http_stop(ktpd_http_t *http);

static void ktpd_http_connection(void *cls, struct MHD_Connection *connection,
                                 void                              **socket,
                                 enum MHD_ConnectionNotificationCode code);
static ktpd_client_t *ktpd_http_client(struct MHD_Connection *connection);
static int  ktpd_http_yields(const ktpd_client_t *client, uint64_t now);
static void ktpd_http_close(ktpd_http_t *http, ktpd_client_t *client);
static void ktpd_http_make_room(ktpd_http_t *http);
static int  ktpd_http_short(const ktpd_http_t *http);

static void *ktpd_http_uri(void *cls, const char *uri,
                           struct MHD_Connection *connection);
static enum MHD_Result
            ktpd_http_handler(void *cls, struct MHD_Connection *connection,
                              const char *url, const char *method, const char *version,
                              const char *upload, size_t *len, void **ctx);
static void ktpd_http_head(ktpd_http_t *http, ktpd_request_t *r,
                           const char *url, const char *method);
static int  ktpd_http_impatient(const ktpd_http_t    *http,
                                const ktpd_request_t *r);
static void ktpd_http_submit(ktpd_http_t *http, ktpd_request_t *r);
static int  ktpd_http_wanted(ktpd_job_t *job);
static void ktpd_http_done(ktpd_job_t *job, ktpd_outcome_t outcome,
                           const ktpd_answer_t *answer);
static enum MHD_Result ktpd_http_answer(ktpd_http_t *http, ktpd_request_t *r);
static void ktpd_http_headers(ktpd_http_t *http, struct MHD_Response *response,
                              const ktpd_request_t *r);
static void ktpd_http_completed(void *cls, struct MHD_Connection *connection,
                                void                          **ctx,
                                enum MHD_RequestTerminationCode why);


int
ktpd_http_run(const ktpd_options_t *opt, int listener, int master,
              ktpd_slot_t *slots, const ktpd_credentials_t *cred)
{
    unsigned    connections;
    ktpd_http_t http;

    memset(&http, 0, sizeof(http));
    http.cred = cred;
    http.n = opt->workers;
    http.fds = calloc(opt->workers + 2, sizeof(struct pollfd));
    http.jobs = ktpd_jobs_create(slots, opt->workers, opt->queue, opt->timeout,
                                 master);

    if (http.fds == NULL || http.jobs == NULL) {
        ktpd_log("no memory");
        return EXIT_FAILURE;
    }

    http.fds[0].fd = master;
    http.fds[0].events = POLLIN;
    http.clients.prev = &http.clients;
    http.clients.next = &http.clients;
    http.places = opt->workers + opt->queue + KTPD_UPLOADS;
    connections = http.places + KTPD_OTHER_CONNECTIONS;

    if (ktpd_http_start(&http, opt, listener, connections) != 0
        || ktpd_sandbox_http(connections,
                             KTPD_HTTP_BASE
                                 + (uint64_t) http.places * KTP_MAX_IMAGE
                                 + (uint64_t) connections * KTPD_HTTP_EACH,
                             opt->sandbox)
               != 0) {
        return EXIT_FAILURE;
    }

    if (ktpd_http_loop(&http) != 0) {

        /* the server would not stop while requests wait */

        return EXIT_FAILURE;
    }

    MHD_stop_daemon(http.daemon);
    ktpd_jobs_free(http.jobs);
    free(http.fds);

    return EXIT_SUCCESS;
}


static int
ktpd_http_start(ktpd_http_t *http, const ktpd_options_t *opt, int listener,
                unsigned connections)
{
    const union MHD_DaemonInfo *info;

    (void) opt;

    /* no error log: it would quote requests */

    http->daemon = MHD_start_daemon(
        MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME, 0, NULL, NULL,
        ktpd_http_handler, http, MHD_OPTION_LISTEN_SOCKET, listener,
        MHD_OPTION_CONNECTION_LIMIT, connections,
        MHD_OPTION_CONNECTION_TIMEOUT, (unsigned) KTPD_IDLE,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t) KTPD_CONNECTION_MEMORY,
        MHD_OPTION_URI_LOG_CALLBACK, ktpd_http_uri, http,
        MHD_OPTION_NOTIFY_CONNECTION, ktpd_http_connection, http,
        MHD_OPTION_NOTIFY_COMPLETED, ktpd_http_completed, http,
        MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_END);

    if (http->daemon == NULL) {
        ktpd_log("libmicrohttpd does not start");
        return -1;
    }

    info = MHD_get_daemon_info(http->daemon, MHD_DAEMON_INFO_EPOLL_FD);

    if (info == NULL) {
        ktpd_log("libmicrohttpd has no epoll");
        return -1;
    }

    http->fds[1].fd = info->epoll_fd;
    http->fds[1].events = POLLIN;

    return 0;
}


static int
ktpd_http_loop(ktpd_http_t *http)
{
    while (!http->stopping || http->requests > 0) {
        ktpd_jobs_poll(http->jobs, http->fds + 2);

        if (poll(http->fds, http->n + 2, ktpd_http_wait(http)) == -1
            && errno != EINTR) {
            ktpd_log_errno("poll() failed");
            return -1;
        }

        if (http->fds[0].revents != 0 && ktpd_http_master(http) != 0) {
            return -1;
        }

        if (ktpd_jobs_events(http->jobs, http->fds + 2) != 0) {
            return -1;
        }

        /* twice: what the server takes in may go to a worker at once, and
           what that ends may be answered */

        MHD_run(http->daemon);
        ktpd_jobs_run(http->jobs);
        MHD_run(http->daemon);
        ktpd_http_make_room(http);
    }

    return 0;
}


static int
ktpd_http_wait(const ktpd_http_t *http)
{
    int                    timeout;
    MHD_UNSIGNED_LONG_LONG server;

    timeout = ktpd_jobs_timeout(http->jobs);

    if (MHD_get_timeout(http->daemon, &server) == MHD_YES
        && (timeout == -1 || server < (unsigned) timeout)) {
        timeout = (int) (server < 60000 ? server : 60000);
    }

    if (ktpd_http_short(http) && (timeout == -1 || timeout > KTPD_QUIET)) {
        timeout = KTPD_QUIET;
    }

    return timeout;
}


static int
ktpd_http_master(ktpd_http_t *http)
{
    ptrdiff_t      n;
    ktpd_message_t message;

    n = ktpd_channel_receive(http->fds[0].fd, &message, sizeof(message), 0);

    if (n == -1 && errno == EAGAIN) {
        return 0;
    }

    if (n != sizeof(message)) {
        return -1;
    }

    if (message.type == KTPD_STOP && !http->stopping) {
        ktpd_http_stop(http);
    }

    return 0;
}


/*
 * A request with valid credentials gets an answer, unless its upload stands
 * still; nobody new is let in.
 */

static void
ktpd_http_stop(ktpd_http_t *http)
{
    uint64_t       now;
    MHD_socket     listener;
    ktpd_client_t *client;

    http->stopping = 1;
    now = ktpd_jobs_now();

    for (client = http->clients.next; client != &http->clients;
         client = client->next) {
        if (client->request != NULL && ktpd_http_yields(client, now)) {
            ktpd_http_close(http, client);
        }
    }

    listener = MHD_quiesce_daemon(http->daemon);

    if (listener != MHD_INVALID_SOCKET) {
        close(listener);
    }
}


/* a connection that begins or ends */

static void
ktpd_http_connection(void *cls, struct MHD_Connection *connection,
                     void **socket, enum MHD_ConnectionNotificationCode code)
{
    ktpd_http_t                    *http;
    ktpd_client_t                  *client;
    const union MHD_ConnectionInfo *info;

    http = cls;

    if (code == MHD_CONNECTION_NOTIFY_STARTED) {
        client = calloc(1, sizeof(ktpd_client_t));
        info = MHD_get_connection_info(connection,
                                       MHD_CONNECTION_INFO_CONNECTION_FD);

        /* requests of a connection without a client are not handled */

        if (client == NULL || info == NULL) {
            free(client);
            return;
        }

        client->fd = info->connect_fd;
        client->active = ktpd_jobs_now();
        client->next = &http->clients;
        client->prev = http->clients.prev;
        client->prev->next = client;
        http->clients.prev = client;
        http->open++;
        *socket = client;
        return;
    }

    client = *socket;

    if (client == NULL) {
        return;
    }

    /* the server ends a request that it refuses itself without a word */

    ktpd_request_free(client->request);
    http->open -= !client->closing;
    client->prev->next = client->next;
    client->next->prev = client->prev;
    *socket = NULL;
    free(client);
}


static ktpd_client_t *
ktpd_http_client(struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info;

    info = MHD_get_connection_info(connection,
                                   MHD_CONNECTION_INFO_SOCKET_CONTEXT);

    return info != NULL ? info->socket_context : NULL;
}


/* whether a connection may be closed to make room */

static int
ktpd_http_yields(const ktpd_client_t *client, uint64_t now)
{
    uint64_t              quiet;
    const ktpd_request_t *r;

    r = client->request;
    quiet = now - client->active;

    if (client->closing) {
        return 0;
    }

    if (r == NULL || r->state == KTPD_REQUEST_NEW
        || r->state == KTPD_REQUEST_DROP) {
        return quiet >= KTPD_QUIET;
    }

    return r->state == KTPD_REQUEST_BODY && quiet >= KTPD_STALLED;
}


/* the server sees the end of the connection, and does the rest */

static void
ktpd_http_close(ktpd_http_t *http, ktpd_client_t *client)
{
    client->closing = 1;
    http->open--;
    (void) shutdown(client->fd, SHUT_RDWR);
}


/* closes those that are quiet for longest until places are free again */

static void
ktpd_http_make_room(ktpd_http_t *http)
{
    uint64_t       now;
    ktpd_client_t *client, *victim;

    now = ktpd_jobs_now();

    while (ktpd_http_short(http)) {
        victim = NULL;

        for (client = http->clients.next; client != &http->clients;
             client = client->next) {
            if (ktpd_http_yields(client, now)
                && (victim == NULL || client->active < victim->active)) {
                victim = client;
            }
        }

        if (victim == NULL) {
            return;
        }

        ktpd_http_close(http, victim);
    }
}


static int
ktpd_http_short(const ktpd_http_t *http)
{
    return http->open >= http->places;
}


/* the first thing of a request: its URI, as it stands on the line */

static void *
ktpd_http_uri(void *cls, const char *uri, struct MHD_Connection *connection)
{
    ktpd_client_t  *client;
    ktpd_request_t *r;

    client = ktpd_http_client(connection);

    if (client == NULL) {
        return NULL;
    }

    /* the one before, if the server has refused it */

    ktpd_request_free(client->request);

    r = ktpd_request_create(uri);
    client->request = r;
    client->active = ktpd_jobs_now();

    if (r != NULL) {
        r->fd = client->fd;
        r->owner = cls;
        r->connection = connection;
        r->job.done = ktpd_http_done;
        r->job.wanted = ktpd_http_wanted;
    }

    return r;
}


static enum MHD_Result
ktpd_http_handler(void *cls, struct MHD_Connection *connection,
                  const char *url, const char *method, const char *version,
                  const char *upload, size_t *len, void **ctx)
{
    ktpd_http_t    *http;
    ktpd_client_t  *client;
    ktpd_request_t *r;

    (void) version;

    http = cls;
    r = *ctx;
    client = ktpd_http_client(connection);

    if (r == NULL || client == NULL || client->request != r) {
        return MHD_NO;
    }

    client->active = ktpd_jobs_now();

    if (r->state == KTPD_REQUEST_NEW) {
        http->requests++;
        ktpd_http_head(http, r, url, method);

        return ktpd_http_impatient(http, r) ? ktpd_http_answer(http, r)
                                            : MHD_YES;
    }

    if (*len > 0) {
        if (ktpd_request_body(r, upload, *len) != 0) {
            return MHD_NO;
        }

        *len = 0;
        return MHD_YES;
    }

    if (r->state == KTPD_REQUEST_BODY || r->state == KTPD_REQUEST_DROP) {
        ktpd_request_end(r);

        if (r->state == KTPD_REQUEST_WAITING) {
            ktpd_http_submit(http, r);
        }
    }

    return r->state == KTPD_REQUEST_ANSWER ? ktpd_http_answer(http, r)
                                           : MHD_YES;
}


static void
ktpd_http_head(ktpd_http_t *http, ktpd_request_t *r, const char *url,
               const char *method)
{
    ktpd_head_t head;

    head.method = method;
    head.path = url;
    head.app_id =
        MHD_lookup_connection_value(r->connection, MHD_HEADER_KIND, "App-ID");
    head.api_key =
        MHD_lookup_connection_value(r->connection, MHD_HEADER_KIND, "API-Key");
    head.content_type = MHD_lookup_connection_value(
        r->connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_CONTENT_TYPE);
    head.content_encoding = MHD_lookup_connection_value(
        r->connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_CONTENT_ENCODING);
    head.content_length = MHD_lookup_connection_value(
        r->connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_CONTENT_LENGTH);

    ktpd_request_head(r, &head, http->cred, http->taken < http->places);

    if (r->state == KTPD_REQUEST_BODY) {
        r->placed = 1;
        http->taken++;
    }
}


/*
 * Whether a refused request is answered before its body was read, which ends
 * the connection: the client asked first ("Expect"), places are short, or the
 * client says that it would send more than is worth dropping.
 */

static int
ktpd_http_impatient(const ktpd_http_t *http, const ktpd_request_t *r)
{
    const char *length;

    if (r->state != KTPD_REQUEST_DROP) {
        return 0;
    }

    length = MHD_lookup_connection_value(r->connection, MHD_HEADER_KIND,
                                         MHD_HTTP_HEADER_CONTENT_LENGTH);

    return ktpd_http_short(http)
           || (length != NULL && strtoull(length, NULL, 10) > KTPD_MAX_DROPPED)
           || MHD_lookup_connection_value(r->connection, MHD_HEADER_KIND,
                                          MHD_HTTP_HEADER_EXPECT)
                  != NULL;
}


static void
ktpd_http_submit(ktpd_http_t *http, ktpd_request_t *r)
{
    if (ktpd_jobs_submit(http->jobs, &r->job) != 0) {
        ktpd_request_refuse(r, KTP_SERVICE_UNAVAILABLE);
        return;
    }

    MHD_suspend_connection(r->connection);
}


/* a client that is gone, both ways, is not worth a second of a processor */

static int
ktpd_http_wanted(ktpd_job_t *job)
{
    struct pollfd   pfd;
    ktpd_request_t *r;

    r = (ktpd_request_t *) job;
    pfd.fd = r->fd;
    pfd.events = 0;
    pfd.revents = 0;

    return poll(&pfd, 1, 0) != 1 || !(pfd.revents & (POLLHUP | POLLERR));
}


static void
ktpd_http_done(ktpd_job_t *job, ktpd_outcome_t outcome,
               const ktpd_answer_t *answer)
{
    ktpd_http_t    *http;
    ktpd_request_t *r;

    r = (ktpd_request_t *) job;
    http = r->owner;

    ktpd_stats_reading(&http->stats, ktpd_jobs_now() - r->started);
    ktpd_request_done(r, outcome, answer);
    MHD_resume_connection(r->connection);
}


static enum MHD_Result
ktpd_http_answer(ktpd_http_t *http, ktpd_request_t *r)
{
    unsigned             status;
    enum MHD_Result      rc;
    char                 body[KTP_ERROR_BODY];
    size_t               len;
    char                *page;
    struct MHD_Response *response;

    if (r->page != KTPD_STATS_NONE && r->code == KTP_OK) {
        page = ktpd_stats_write(&http->stats, r->page, http->jobs,
                                http->stopping, &len, &status);

        if (page == NULL) {
            return MHD_NO;
        }

        response =
            MHD_create_response_from_buffer(len, page, MHD_RESPMEM_MUST_FREE);

    } else if (r->code == KTP_OK) {
        status = MHD_HTTP_OK;

        /* the body is the request's, which outlives the response */

        response = MHD_create_response_from_buffer(r->body_len, r->body,
                                                   MHD_RESPMEM_PERSISTENT);

    } else {
        len = ktpd_request_error(r, body);
        status = ktp_error(r->code)->status;
        response =
            MHD_create_response_from_buffer(len, body, MHD_RESPMEM_MUST_COPY);
    }

    if (response == NULL) {
        return MHD_NO;
    }

    if (r->page == KTPD_STATS_NONE) {
        ktpd_stats_response(&http->stats, r->code);
    }

    ktpd_http_headers(http, response, r);
    rc = MHD_queue_response(r->connection, status, response);
    MHD_destroy_response(response);

    return rc;
}


static void
ktpd_http_headers(ktpd_http_t *http, struct MHD_Response *response,
                  const ktpd_request_t *r)
{
    MHD_add_response_header(
        response, MHD_HTTP_HEADER_CONTENT_TYPE,
        ktpd_stats_type(r->code == KTP_OK ? r->page : KTPD_STATS_NONE));
    MHD_add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL,
                            "no-store");

    if (r->code == KTP_METHOD_NOT_ALLOWED) {
        MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW,
                                r->page == KTPD_STATS_NONE ? "POST"
                                                           : "GET, HEAD");
    }

    if (r->code == KTP_SERVICE_UNAVAILABLE) {
        MHD_add_response_header(response, MHD_HTTP_HEADER_RETRY_AFTER, "1");
    }

    /* well before places are short: a client must not use a connection again
       that is being closed */

    if (http->stopping || http->open > http->places / 2) {
        MHD_add_response_header(response, MHD_HTTP_HEADER_CONNECTION, "close");
    }
}


static void
ktpd_http_completed(void *cls, struct MHD_Connection *connection, void **ctx,
                    enum MHD_RequestTerminationCode why)
{
    ktpd_http_t    *http;
    ktpd_client_t  *client;
    ktpd_request_t *r;

    (void) why;

    http = cls;
    r = *ctx;
    client = ktpd_http_client(connection);

    if (r == NULL || client == NULL || client->request != r) {
        return;
    }

    http->requests -= r->state != KTPD_REQUEST_NEW;
    http->taken -= r->placed;
    ktpd_request_free(r);
    client->request = NULL;
    client->active = ktpd_jobs_now();
    *ctx = NULL;
}
