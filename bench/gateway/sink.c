/*
 * The upstream of the benchmarks: reads every byte of a request's body and
 * answers in the contract's shape.  HTTP/1.1 with Content-Length and
 * keep-alive over TCP, TLS and Unix sockets, all loopback.
 *
 *   sink --http [--https CERT KEY] [--unix PATH] [--delay MS]
 *        [--stall BYTES] [--answer JSON]
 *
 * --answer  is the body of its answers
 * --delay   answers that long after the last byte of the body
 * --stall   stops reading a connection after so many bytes, for good
 *
 * Prints a line with the port of each listener, then the word "ready".  Ends
 * at TERM, with a line of counts.
 */

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>


/* What one read takes: a sender must not wait for a small reader. */
#define SINK_BUFFER (256 * 1024)

/* Bytes of a request's head at most. */
#define SINK_HEAD 8192

#define SINK_EVENTS 256


typedef enum {
    SINK_LISTEN,
    SINK_CONNECTION
} sink_kind_t;

typedef struct sink_s sink_t;

struct sink_s {
    sink_kind_t kind;
    int         fd;
    int         tls;
    SSL        *ssl;
    size_t      head_len; /* bytes of the head so far */
    int         in_body;  /* the head is complete */
    int         gone;     /* the peer, while its answer was waiting */
    uint64_t    left;     /* bytes of the body to come */
    uint64_t    received; /* bytes of all requests */
    uint64_t    due;      /* answered at, in milliseconds */
    sink_t     *next;     /* of those that wait for their time */
    char        head[SINK_HEAD];
};


static const char sink_body[] =
    "{\"message\":\"OK\",\"status_code\":\"200\",\"data\":{"
    "\"nik\":\"3171234567890123\",\"full_name\":\"CONTOH PERCOBAAN\","
    "\"place_of_birth\":\"JAKARTA\",\"date_of_birth\":\"17-08-1985\","
    "\"gender\":\"LAKI-LAKI\",\"blood_type\":\"O\","
    "\"address\":\"JL. CONTOH NO. 1\",\"rt_rw\":\"001/002\","
    "\"administrative_village\":\"GAMBIR\",\"district\":\"GAMBIR\","
    "\"city\":\"KOTA JAKARTA PUSAT\",\"state\":\"DKI JAKARTA\","
    "\"religion\":\"ISLAM\",\"marital_status\":\"KAWIN\","
    "\"occupation\":\"KARYAWAN SWASTA\",\"nationality\":\"WNI\","
    "\"reference_id\":\"\",\"image_quality\":{\"blur\":false,"
    "\"dark\":false,\"flashlight\":false,\"grayscale\":false,"
    "\"blur_score\":0.1,\"dark_score\":0.2}}}";

static char                  sink_answer[8192];
static size_t                sink_answer_len;
static char                  sink_buffer[SINK_BUFFER];
static int                   sink_epoll;
static SSL_CTX              *sink_ssl_ctx;
static unsigned              sink_delay;
static uint64_t              sink_stall;
static sink_t               *sink_waiting;
static sink_t              **sink_waiting_tail = &sink_waiting;
static uint64_t              sink_requests;
static uint64_t              sink_bytes;
static volatile sig_atomic_t sink_ended;


static void
sink_die(const char *what)
{
    fprintf(stderr, "sink: %s: %s\n", what, strerror(errno));
    exit(1);
}


static uint64_t
sink_now(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);

    return (uint64_t) ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}


static void
sink_files(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        (void) setrlimit(RLIMIT_NOFILE, &limit);
    }
}


static void
sink_end(int signo)
{
    (void) signo;
    sink_ended = 1;
}


static void
sink_watch(sink_t *s, int op, uint32_t events)
{
    struct epoll_event ev;

    ev.events = events;
    ev.data.ptr = s;

    if (epoll_ctl(sink_epoll, op, s->fd, &ev) == -1) {
        sink_die("epoll_ctl");
    }
}


static void
sink_listen(struct sockaddr *sa, socklen_t len, const char *name, int tls)
{
    int                one = 1;
    sink_t            *s;
    struct sockaddr_in sin;

    s = calloc(1, sizeof(sink_t));
    if (s == NULL) {
        sink_die("calloc");
    }

    s->kind = SINK_LISTEN;
    s->tls = tls;
    s->fd = socket(sa->sa_family, SOCK_STREAM | SOCK_NONBLOCK, 0);

    if (s->fd == -1) {
        sink_die("socket");
    }

    (void) setsockopt(s->fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));

    if (sink_stall) {
        /*
         * Else the kernel would hold what this end does not read: in a buffer
         * of the receiver's, and, with segments of 64 KB as the loopback has
         * them and no network, in one of 4 MB of the sender's.
         */

        one = 16384;
        (void) setsockopt(s->fd, SOL_SOCKET, SO_RCVBUF, &one, sizeof(one));

        if (sa->sa_family == AF_INET) {
            one = 1460;
            (void) setsockopt(s->fd, IPPROTO_TCP, TCP_MAXSEG, &one,
                              sizeof(one));
        }
    }

    if (bind(s->fd, sa, len) == -1 || listen(s->fd, 4096) == -1) {
        sink_die("bind");
    }

    sink_watch(s, EPOLL_CTL_ADD, EPOLLIN);

    if (sa->sa_family == AF_INET) {
        len = sizeof(sin);
        if (getsockname(s->fd, (struct sockaddr *) &sin, &len) == -1) {
            sink_die("getsockname");
        }
        printf("%s %d\n", name, ntohs(sin.sin_port));

    } else {
        printf("%s %s\n", name, ((struct sockaddr_un *) sa)->sun_path);
    }
}


static void
sink_listen_tcp(const char *name, int tls)
{
    struct sockaddr_in sin;

    memset(&sin, 0, sizeof(sin));
    sin.sin_family = AF_INET;
    sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);

    sink_listen((struct sockaddr *) &sin, sizeof(sin), name, tls);
}


static void
sink_listen_unix(const char *path)
{
    struct sockaddr_un saun;

    memset(&saun, 0, sizeof(saun));
    saun.sun_family = AF_UNIX;

    if (strlen(path) >= sizeof(saun.sun_path)) {
        errno = ENAMETOOLONG;
        sink_die(path);
    }

    strcpy(saun.sun_path, path);
    (void) unlink(path);

    sink_listen((struct sockaddr *) &saun, sizeof(saun), "unix", 0);
}


static void
sink_tls(const char *cert, const char *key)
{
    sink_ssl_ctx = SSL_CTX_new(TLS_server_method());

    if (sink_ssl_ctx == NULL
        || SSL_CTX_use_certificate_chain_file(sink_ssl_ctx, cert) != 1
        || SSL_CTX_use_PrivateKey_file(sink_ssl_ctx, key, SSL_FILETYPE_PEM)
               != 1) {
        ERR_print_errors_fp(stderr);
        exit(1);
    }
}


static void
sink_close(sink_t *s)
{
    if (s->ssl) {
        SSL_free(s->ssl);
    }

    close(s->fd);
    free(s);
}


static void
sink_accept(sink_t *listener)
{
    int     fd, one = 1;
    sink_t *s;

    for (;;) {
        fd = accept4(listener->fd, NULL, NULL, SOCK_NONBLOCK);
        if (fd == -1) {
            return;
        }

        s = calloc(1, sizeof(sink_t));
        if (s == NULL) {
            sink_die("calloc");
        }

        s->kind = SINK_CONNECTION;
        s->fd = fd;

        (void) setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));

        if (listener->tls) {
            s->ssl = SSL_new(sink_ssl_ctx);
            if (s->ssl == NULL || SSL_set_fd(s->ssl, fd) != 1) {
                sink_die("SSL_new");
            }
            SSL_set_accept_state(s->ssl);
        }

        sink_watch(s, EPOLL_CTL_ADD, EPOLLIN);
    }
}


/* Bytes read, 0 for nothing at present, -1 for the end of the connection. */

static ssize_t
sink_recv(sink_t *s)
{
    int     n;
    ssize_t len;

    if (s->ssl == NULL) {
        len = recv(s->fd, sink_buffer, sizeof(sink_buffer), 0);
        if (len > 0) {
            return len;
        }
        return len == -1 && (errno == EAGAIN || errno == EINTR) ? 0 : -1;
    }

    n = SSL_read(s->ssl, sink_buffer, sizeof(sink_buffer));
    if (n > 0) {
        return n;
    }

    n = SSL_get_error(s->ssl, n);
    ERR_clear_error();

    return n == SSL_ERROR_WANT_READ || n == SSL_ERROR_WANT_WRITE ? 0 : -1;
}


/* An answer fits into the socket's buffer: the last one was read. */

static int
sink_send(sink_t *s)
{
    ssize_t n;

    if (s->ssl) {
        n = SSL_write(s->ssl, sink_answer, sink_answer_len);
        ERR_clear_error();

    } else {
        n = send(s->fd, sink_answer, sink_answer_len, MSG_NOSIGNAL);
    }

    return n == (ssize_t) sink_answer_len ? 0 : -1;
}


static int
sink_complete(sink_t *s)
{
    s->in_body = 0;
    s->head_len = 0;
    sink_requests++;

    if (sink_delay == 0) {
        return sink_send(s);
    }

    /* all wait equally long: the list is in order of time */

    s->due = sink_now() + sink_delay;
    s->next = NULL;
    *sink_waiting_tail = s;
    sink_waiting_tail = &s->next;

    /* a peer that goes away meanwhile is seen when it is answered */
    sink_watch(s, EPOLL_CTL_MOD, 0);

    return 0;
}


/* The head is in s->head, null-terminated. */

static int
sink_head(sink_t *s)
{
    char *p;

    for (p = s->head; p; p = strstr(p, "\r\n")) {
        p += p == s->head ? 0 : 2;

        if (strncasecmp(p, "content-length:", 15) == 0) {
            s->left = strtoull(p + 15, NULL, 10);
            s->in_body = 1;
            return 0;
        }
    }

    fprintf(stderr, "sink: no Content-Length\n");
    return -1;
}


static int
sink_feed(sink_t *s, const char *p, size_t n)
{
    char  *end;
    size_t take;

    while (n) {
        if (s->in_body) {
            take = n < s->left ? n : s->left;
            s->left -= take;
            p += take;
            n -= take;

        } else {
            take = sizeof(s->head) - 1 - s->head_len;
            take = n < take ? n : take;
            memcpy(s->head + s->head_len, p, take);
            s->head[s->head_len + take] = '\0';

            end = strstr(s->head, "\r\n\r\n");

            if (end == NULL) {
                s->head_len += take;
                return s->head_len == sizeof(s->head) - 1 ? -1 : 0;
            }

            take = end + 4 - s->head - s->head_len;
            end[2] = '\0';
            p += take;
            n -= take;

            if (sink_head(s) == -1) {
                return -1;
            }
        }

        if (s->in_body && s->left == 0 && sink_complete(s) == -1) {
            return -1;
        }
    }

    return 0;
}


static void
sink_read(sink_t *s)
{
    ssize_t n;

    for (;;) {
        n = sink_recv(s);

        if (n == 0) {
            return;
        }

        if (n == -1) {
            sink_close(s);
            return;
        }

        s->received += n;
        sink_bytes += n;

        if (sink_stall && s->received >= sink_stall) {
            sink_watch(s, EPOLL_CTL_MOD, 0);
            return;
        }

        if (sink_feed(s, sink_buffer, n) == -1) {
            sink_close(s);
            return;
        }

        /* a TLS record that was taken from the socket fires no event */

        if (s->ssl == NULL && n < SINK_BUFFER) {
            return;
        }
    }
}


/* Answers what is due; milliseconds until the next, or -1. */

static int
sink_answer_due(void)
{
    sink_t  *s;
    uint64_t now;

    now = sink_waiting ? sink_now() : 0;

    while (sink_waiting && sink_waiting->due <= now) {
        s = sink_waiting;
        sink_waiting = s->next;
        if (sink_waiting == NULL) {
            sink_waiting_tail = &sink_waiting;
        }

        s->due = 0;

        if (s->gone || sink_send(s) == -1) {
            sink_close(s);
        } else {
            sink_watch(s, EPOLL_CTL_MOD, EPOLLIN);
        }
    }

    return sink_waiting ? (int) (sink_waiting->due - now) : -1;
}


static void
sink_loop(void)
{
    int                i, n;
    sink_t            *s;
    struct epoll_event events[SINK_EVENTS];

    while (!sink_ended) {
        n = epoll_wait(sink_epoll, events, SINK_EVENTS, sink_answer_due());

        for (i = 0; i < n; i++) {
            s = events[i].data.ptr;

            if (s->kind == SINK_LISTEN) {
                sink_accept(s);

            } else if (s->due) {
                s->gone = 1;
                sink_watch(s, EPOLL_CTL_DEL, 0);

            } else {
                sink_read(s);
            }
        }
    }
}


int
main(int argc, char **argv)
{
    int         i;
    const char *body;

    body = sink_body;
    sink_epoll = epoll_create1(0);
    sink_files();
    signal(SIGPIPE, SIG_IGN);
    signal(SIGTERM, sink_end);

    for (i = 1; i + 1 < argc; i++) {
        if (strcmp(argv[i], "--delay") == 0) {
            sink_delay = strtoul(argv[i + 1], NULL, 10);
        } else if (strcmp(argv[i], "--stall") == 0) {
            sink_stall = strtoull(argv[i + 1], NULL, 10);
        } else if (strcmp(argv[i], "--answer") == 0) {
            body = argv[i + 1];
        }
    }

    sink_answer_len =
        snprintf(sink_answer, sizeof(sink_answer),
                 "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
                 "Content-Length: %zu\r\n\r\n%s",
                 strlen(body), body);

    if (sink_answer_len >= sizeof(sink_answer)) {
        fprintf(stderr, "sink: the answer is too long\n");
        return 2;
    }

    for (i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--http") == 0) {
            sink_listen_tcp("http", 0);

        } else if (strcmp(argv[i], "--https") == 0 && i + 2 < argc) {
            sink_tls(argv[i + 1], argv[i + 2]);
            sink_listen_tcp("https", 1);
            i += 2;

        } else if (strcmp(argv[i], "--unix") == 0 && i + 1 < argc) {
            sink_listen_unix(argv[++i]);

        } else if (strcmp(argv[i], "--delay") == 0
                   || strcmp(argv[i], "--stall") == 0
                   || strcmp(argv[i], "--answer") == 0) {
            i++;

        } else {
            fprintf(stderr, "sink: bad argument \"%s\"\n", argv[i]);
            return 2;
        }
    }

    printf("ready\n");
    fflush(stdout);

    sink_loop();

    printf("requests %llu bytes %llu\n", (unsigned long long) sink_requests,
           (unsigned long long) sink_bytes);

    return 0;
}
