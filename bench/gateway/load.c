/*
 * The client side of the benchmarks: one request over and over on each of a
 * number of keep-alive connections, all from one thread.
 *
 *   load --port N --path PATH --type TYPE --body FILE [--clients N]
 *        [--warm MS] [--time MS] [--pid PID]
 *        [--hold [--percent N]]
 *
 * Sends for --warm and waits for the answers, so again for --time, and prints
 * what happened in the latter, the wait included:
 *
 *   requests=N errors=N seconds=S cpu=MICROSECONDS p50=MS p99=MS
 *
 * cpu is what the process --pid (or several, with commas) ran in that time.
 * An answer that is not 200 is an error, as is a connection that breaks.
 *
 * --hold: each connection sends its request once, or N percent of its body
 * but never the last byte, and then waits.  When nothing has moved for --quiet
 * milliseconds (3000), "sent=BYTES whole=N answered=N" is printed; ends when
 * stdin is closed.
 */

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>


#define LOAD_ANSWER  16384
#define LOAD_EVENTS  256
#define LOAD_SAMPLES (1 << 20)

/* An answer that takes longer will not come. */
#define LOAD_PATIENCE 30000000


typedef struct {
    int      fd;
    size_t   sent; /* of head and body */
    size_t   got;  /* of the answer */
    int      idle; /* answered, and nothing more to send */
    uint64_t start;
    char     answer[LOAD_ANSWER];
} load_t;


static struct sockaddr_in load_addr;
static char               load_head[1024];
static size_t             load_head_len;
static const char        *load_body;
static size_t             load_body_len;
static size_t             load_total; /* bytes that a request sends */
static int                load_epoll;
static int                load_hold;
static load_t            *load_clients;
static unsigned           load_nclients = 16;
static unsigned           load_busy;  /* clients whose answer is to come */
static uint64_t           load_until; /* no request begins afterwards */
static uint64_t           load_requests;
static uint64_t           load_errors;
static uint64_t           load_moved; /* bytes sent, in hold mode */
static uint64_t           load_whole; /* requests sent, in hold mode */
static uint64_t           load_quiet = 3000000;       /* microseconds */
static uint32_t           load_samples[LOAD_SAMPLES]; /* microseconds */


static void
load_die(const char *what)
{
    fprintf(stderr, "load: %s: %s\n", what, strerror(errno));
    exit(1);
}


static uint64_t
load_now(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);

    return (uint64_t) ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}


/* Nanoseconds that the processes of a list with commas have run. */

static uint64_t
load_cpu(const char *pids)
{
    char               path[64], *end;
    FILE              *f;
    uint64_t           sum;
    unsigned long      pid;
    unsigned long long ns;

    sum = 0;

    while (pids && *pids) {
        pid = strtoul(pids, &end, 10);
        pids = *end == ',' ? end + 1 : end;

        snprintf(path, sizeof(path), "/proc/%lu/schedstat", pid);

        f = fopen(path, "r");
        if (f == NULL || fscanf(f, "%llu", &ns) != 1) {
            load_die(path);
        }
        fclose(f);

        sum += ns;

        if (end == pids) {
            break;
        }
    }

    return sum;
}


static void
load_files(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        (void) setrlimit(RLIMIT_NOFILE, &limit);
    }
}


static void
load_map(const char *file)
{
    int         fd;
    struct stat st;

    fd = open(file, O_RDONLY);
    if (fd == -1 || fstat(fd, &st) == -1) {
        load_die(file);
    }

    load_body_len = st.st_size;
    load_body = mmap(NULL, load_body_len, PROT_READ,
                     MAP_PRIVATE | MAP_POPULATE, fd, 0);
    if (load_body == MAP_FAILED) {
        load_die("mmap");
    }

    close(fd);
}


static void
load_connect(load_t *l)
{
    int                one = 1;
    struct epoll_event ev;

    l->fd = socket(AF_INET, SOCK_STREAM, 0);

    if (l->fd == -1
        || connect(l->fd, (struct sockaddr *) &load_addr, sizeof(load_addr))
               == -1) {
        load_die("connect");
    }

    (void) setsockopt(l->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));

    if (fcntl(l->fd, F_SETFL, O_NONBLOCK) == -1) {
        load_die("fcntl");
    }

    ev.events = EPOLLIN | EPOLLOUT | EPOLLET;
    ev.data.ptr = l;

    if (epoll_ctl(load_epoll, EPOLL_CTL_ADD, l->fd, &ev) == -1) {
        load_die("epoll_ctl");
    }

    l->sent = 0;
    l->got = 0;
}


static void
load_broken(load_t *l)
{
    load_errors++;
    close(l->fd);
    load_connect(l);
}


/* 0, or -1 when the connection broke. */

static int
load_send(load_t *l)
{
    size_t        off;
    ssize_t       n;
    struct iovec  iov[2];
    struct msghdr msg;

    while (l->sent < load_total) {
        memset(&msg, 0, sizeof(msg));
        msg.msg_iov = iov;

        if (l->sent < load_head_len) {
            iov[0].iov_base = load_head + l->sent;
            iov[0].iov_len = load_head_len - l->sent;
            msg.msg_iovlen = 1;
            off = 0;

        } else {
            off = l->sent - load_head_len;
        }

        iov[msg.msg_iovlen].iov_base = (char *) load_body + off;
        iov[msg.msg_iovlen].iov_len = load_total - load_head_len - off;
        msg.msg_iovlen++;

        n = sendmsg(l->fd, &msg, MSG_NOSIGNAL);

        if (n == -1) {
            return errno == EAGAIN || errno == EINTR ? 0 : -1;
        }

        l->sent += n;

        if (load_hold) {
            load_moved += n;
            load_whole += l->sent == load_total;
        }
    }

    return 0;
}


/* Whether the answer is whole; -1 when it is not a good one. */

static int
load_answered(load_t *l)
{
    char  *end, *p;
    size_t len;

    l->answer[l->got] = '\0';

    end = strstr(l->answer, "\r\n\r\n");
    if (end == NULL) {
        return l->got == LOAD_ANSWER - 1 ? -1 : 0;
    }

    for (p = l->answer; p < end; p = strstr(p, "\r\n") + 2) {
        if (strncasecmp(p, "content-length:", 15) == 0) {
            len = strtoul(p + 15, NULL, 10);
            return l->got >= (size_t) (end + 4 - l->answer) + len;
        }
    }

    /* the chunked coding: of what is asked here it is the end in one piece */

    return l->got >= 5 && memcmp(l->answer + l->got - 5, "0\r\n\r\n", 5) == 0;
}


static void
load_done(load_t *l)
{
    uint64_t now;

    now = load_now();

    load_samples[load_requests % LOAD_SAMPLES] = now - l->start;
    load_requests++;

    l->got = 0;

    if (load_hold || now >= load_until) {
        l->idle = 1;
        load_busy--;
        return;
    }

    l->start = now;
    l->sent = 0;
}


static void
load_event(load_t *l)
{
    int     rc;
    ssize_t n;

    for (;;) {
        if (!l->idle && load_send(l) == -1) {
            load_broken(l);
            return;
        }

        n = recv(l->fd, l->answer + l->got, LOAD_ANSWER - 1 - l->got, 0);

        if (n == -1 && (errno == EAGAIN || errno == EINTR)) {
            return;
        }

        if (n <= 0) {
            load_broken(l);
            return;
        }

        l->got += n;
        rc = load_answered(l);

        if (rc == 0) {
            continue;
        }

        if (rc == -1 || strncmp(l->answer, "HTTP/1.1 200 ", 13) != 0) {
            fprintf(stderr, "load: %.*s\n", (int) strcspn(l->answer, "\r\n"),
                    l->answer);
            load_errors++;
        }

        load_done(l);
    }
}


static void
load_wait(int ms)
{
    int                i, n;
    struct epoll_event events[LOAD_EVENTS];

    n = epoll_wait(load_epoll, events, LOAD_EVENTS, ms);

    for (i = 0; i < n; i++) {
        load_event(events[i].data.ptr);
    }
}


/* Lets all clients begin. */

static void
load_begin(void)
{
    unsigned i;
    load_t  *l;

    load_busy = load_nclients;

    for (i = 0; i < load_nclients; i++) {
        l = &load_clients[i];
        l->idle = 0;
        l->sent = 0;
        l->start = load_now();
        load_event(l);
    }
}


/* Sends for so long, and waits for all answers. */

static void
load_run(uint64_t length)
{
    load_until = load_now() + length;
    load_requests = 0;
    load_errors = 0;

    load_begin();

    while (load_busy) {
        load_wait(1000);

        if (load_now() > load_until + LOAD_PATIENCE) {
            fprintf(stderr, "load: no answer\n");
            exit(1);
        }
    }
}


/* Sends one request each, and waits until nothing moves. */

static void
load_hold_all(void)
{
    uint64_t moved, since;

    load_begin();

    moved = load_moved;
    since = load_now();

    while (load_now() - since < load_quiet) {
        load_wait(100);

        if (moved != load_moved) {
            moved = load_moved;
            since = load_now();
        }
    }
}


static int
load_compare(const void *one, const void *two)
{
    const uint32_t *a = one, *b = two;

    return (*a > *b) - (*a < *b);
}


static double
load_percentile(unsigned percent)
{
    uint64_t n;

    n = load_requests < LOAD_SAMPLES ? load_requests : LOAD_SAMPLES;

    return n ? load_samples[(n - 1) * percent / 100] / 1000.0 : 0;
}


static void
load_measure(uint64_t warm, uint64_t length, const char *pids)
{
    uint64_t start, cpu;

    load_run(warm);

    cpu = load_cpu(pids);
    start = load_now();

    load_run(length);

    cpu = load_cpu(pids) - cpu;
    length = load_now() - start;

    qsort(load_samples,
          load_requests < LOAD_SAMPLES ? load_requests : LOAD_SAMPLES,
          sizeof(uint32_t), load_compare);

    printf("requests=%llu errors=%llu seconds=%.3f cpu=%.0f p50=%.2f "
           "p99=%.2f\n",
           (unsigned long long) load_requests,
           (unsigned long long) load_errors, length / 1e6, cpu / 1e3,
           load_percentile(50), load_percentile(99));
}


int
main(int argc, char **argv)
{
    int         i;
    char        c;
    int         percent;
    unsigned    n;
    uint64_t    warm, length;
    const char *path, *type, *pids;

    percent = -1;
    warm = 200;
    length = 1000;
    path = "/";
    type = "image/jpeg";
    pids = NULL;

    load_addr.sin_family = AF_INET;
    load_addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);

    for (i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--hold") == 0) {
            load_hold = 1;
            continue;
        }

        if (i + 1 == argc) {
            fprintf(stderr, "load: bad argument \"%s\"\n", argv[i]);
            return 2;
        }

        if (strcmp(argv[i], "--port") == 0) {
            load_addr.sin_port = htons(atoi(argv[++i]));
        } else if (strcmp(argv[i], "--path") == 0) {
            path = argv[++i];
        } else if (strcmp(argv[i], "--type") == 0) {
            type = argv[++i];
        } else if (strcmp(argv[i], "--body") == 0) {
            load_map(argv[++i]);
        } else if (strcmp(argv[i], "--clients") == 0) {
            load_nclients = atoi(argv[++i]);
        } else if (strcmp(argv[i], "--warm") == 0) {
            warm = strtoull(argv[++i], NULL, 10);
        } else if (strcmp(argv[i], "--time") == 0) {
            length = strtoull(argv[++i], NULL, 10);
        } else if (strcmp(argv[i], "--pid") == 0) {
            pids = argv[++i];
        } else if (strcmp(argv[i], "--percent") == 0) {
            percent = atoi(argv[++i]);
        } else if (strcmp(argv[i], "--quiet") == 0) {
            load_quiet = strtoull(argv[++i], NULL, 10) * 1000;
        } else {
            fprintf(stderr, "load: bad argument \"%s\"\n", argv[i]);
            return 2;
        }
    }

    load_head_len = snprintf(load_head, sizeof(load_head),
                             "POST %s HTTP/1.1\r\nHost: localhost\r\n"
                             "Content-Type: %s\r\nContent-Length: %zu\r\n"
                             "\r\n",
                             path, type, load_body_len);
    load_total = load_head_len + load_body_len;

    if (percent >= 0) {
        load_total = load_head_len + (load_body_len - 1) * percent / 100;
    }

    load_epoll = epoll_create1(0);
    signal(SIGPIPE, SIG_IGN);
    load_files();

    load_clients = calloc(load_nclients, sizeof(load_t));
    if (load_clients == NULL || load_epoll == -1) {
        load_die("start");
    }

    for (n = 0; n < load_nclients; n++) {
        load_connect(&load_clients[n]);
    }

    if (!load_hold) {
        load_measure(warm * 1000, length * 1000, pids);
        return 0;
    }

    load_hold_all();

    printf("sent=%llu whole=%llu answered=%llu errors=%llu\n",
           (unsigned long long) load_moved, (unsigned long long) load_whole,
           (unsigned long long) load_requests,
           (unsigned long long) load_errors);
    fflush(stdout);

    while (read(STDIN_FILENO, &c, 1) > 0) {
        /* until it is closed */
    }

    return 0;
}
