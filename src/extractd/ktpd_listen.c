#include "ktpd_listen.h"
#include "ktpd_log.h"
#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define KTPD_BACKLOG 511


static int              ktpd_listen_path(const char *path);
static int              ktpd_listen_clear(const struct sockaddr_un *un);
static int              ktpd_listen_answered(const struct sockaddr_un *un);
static struct addrinfo *ktpd_listen_resolve(const char *address);
static int              ktpd_listen_loopback(const struct sockaddr *sa);
static int  ktpd_listen_bind(ktpd_listen_t *ls, const struct addrinfo *ai);
static void ktpd_listen_name(ktpd_listen_t *ls);


int
ktpd_listen_unix(ktpd_listen_t *ls, const char *path, mode_t mode)
{
    int                rc;
    mode_t             mask;
    struct stat        st;
    struct sockaddr_un un;

    memset(ls, 0, sizeof(ktpd_listen_t));
    memset(&un, 0, sizeof(un));
    ls->fd = -1;

    if (ktpd_listen_path(path) != 0) {
        return -1;
    }

    un.sun_family = AF_UNIX;
    strcpy(un.sun_path, path);

    if (ktpd_listen_clear(&un) != 0) {
        return -1;
    }

    ls->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    if (ls->fd == -1) {
        ktpd_log_errno("socket() failed");
        return -1;
    }

    /* the file has its mode from its first moment */

    mask = umask(0777 & ~mode);
    rc = bind(ls->fd, (struct sockaddr *) &un, sizeof(un));
    umask(mask);

    if (rc == -1 || listen(ls->fd, KTPD_BACKLOG) == -1
        || stat(path, &st) == -1) {
        ktpd_log_errno("cannot listen on \"%s\"", path);
        close(ls->fd);
        return -1;
    }

    strcpy(ls->path, path);
    snprintf(ls->name, sizeof(ls->name), "unix:%s", path);
    ls->device = st.st_dev;
    ls->inode = st.st_ino;

    return 0;
}


static int
ktpd_listen_path(const char *path)
{
    size_t most;

    most = sizeof(((struct sockaddr_un *) 0)->sun_path) - 1;

    if (*path == '\0' || strlen(path) > most) {
        ktpd_log("invalid socket \"%s\", it has 1 to %zu bytes", path, most);
        return -1;
    }

    return 0;
}


/* removes a socket that nobody answers on */

static int
ktpd_listen_clear(const struct sockaddr_un *un)
{
    struct stat st;

    if (lstat(un->sun_path, &st) == -1) {
        if (errno == ENOENT) {
            return 0;
        }

        ktpd_log_errno("socket \"%s\"", un->sun_path);
        return -1;
    }

    if (!S_ISSOCK(st.st_mode)) {
        ktpd_log("\"%s\" is there and is no socket", un->sun_path);
        return -1;
    }

    if (ktpd_listen_answered(un)) {
        ktpd_log("\"%s\" is in use by another server", un->sun_path);
        return -1;
    }

    if (unlink(un->sun_path) == -1) {
        ktpd_log_errno("the stale socket \"%s\" cannot be removed",
                       un->sun_path);
        return -1;
    }

    return 0;
}


static int
ktpd_listen_answered(const struct sockaddr_un *un)
{
    int fd, refused;

    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    if (fd == -1) {
        return 1;
    }

    /* anything but a clear refusal may be a busy server */

    refused = connect(fd, (const struct sockaddr *) un, sizeof(*un)) == -1
              && errno == ECONNREFUSED;
    close(fd);

    return !refused;
}


/* the address, which the caller frees; NULL when it is none, or not ours */

static struct addrinfo *
ktpd_listen_resolve(const char *address)
{
    char            host[64];
    const char     *port;
    size_t          len;
    struct addrinfo hints, *ai;

    port = strrchr(address, ':');
    len = port != NULL ? (size_t) (port - address) : sizeof(host);

    if (len >= sizeof(host)) {
        ktpd_log("invalid address \"%s\", it is ADDRESS:PORT", address);
        return NULL;
    }

    if (len > 2 && address[0] == '[' && address[len - 1] == ']') {
        snprintf(host, sizeof(host), "%.*s", (int) len - 2, address + 1);

    } else {
        snprintf(host, sizeof(host), "%.*s", (int) len, address);
    }

    memset(&hints, 0, sizeof(hints));
    hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV;
    hints.ai_socktype = SOCK_STREAM;
    ai = NULL;

    if (strlen(port + 1) > 5 || port[1 + strspn(port + 1, "0123456789")]
        || atoi(port + 1) > 65535
        || getaddrinfo(host, port + 1, &hints, &ai) != 0) {
        ktpd_log("invalid address \"%s\", it is ADDRESS:PORT", address);
        return NULL;
    }

    if (!ktpd_listen_loopback(ai->ai_addr)) {
        ktpd_log("address \"%s\" is not of loopback", address);
        freeaddrinfo(ai);
        return NULL;
    }

    return ai;
}


int
ktpd_listen_tcp(ktpd_listen_t *ls, const char *address)
{
    int              rc;
    struct addrinfo *ai;

    memset(ls, 0, sizeof(ktpd_listen_t));
    ls->fd = -1;
    ai = ktpd_listen_resolve(address);

    if (ai == NULL) {
        return -1;
    }

    rc = ktpd_listen_bind(ls, ai);
    freeaddrinfo(ai);

    return rc;
}


int
ktpd_listen_check(const char *path, const char *address)
{
    struct addrinfo *ai;

    if (path != NULL) {
        return ktpd_listen_path(path);
    }

    ai = ktpd_listen_resolve(address);

    if (ai == NULL) {
        return -1;
    }

    freeaddrinfo(ai);

    return 0;
}


static int
ktpd_listen_loopback(const struct sockaddr *sa)
{
    const struct sockaddr_in  *in;
    const struct sockaddr_in6 *in6;

    if (sa->sa_family == AF_INET) {
        in = (const struct sockaddr_in *) sa;
        return ntohl(in->sin_addr.s_addr) >> 24 == 127;
    }

    in6 = (const struct sockaddr_in6 *) sa;

    return sa->sa_family == AF_INET6 && IN6_IS_ADDR_LOOPBACK(&in6->sin6_addr);
}


static int
ktpd_listen_bind(ktpd_listen_t *ls, const struct addrinfo *ai)
{
    int on;

    on = 1;
    ls->fd = socket(ai->ai_family,
                    ai->ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    if (ls->fd == -1
        || setsockopt(ls->fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) == -1
        || bind(ls->fd, ai->ai_addr, ai->ai_addrlen) == -1
        || listen(ls->fd, KTPD_BACKLOG) == -1) {
        ktpd_log_errno("cannot listen");

        if (ls->fd != -1) {
            close(ls->fd);
        }

        return -1;
    }

    ktpd_listen_name(ls);

    return 0;
}


static void
ktpd_listen_name(ktpd_listen_t *ls)
{
    char                    host[64], port[8];
    socklen_t               len;
    struct sockaddr_storage ss;

    len = sizeof(ss);

    if (getsockname(ls->fd, (struct sockaddr *) &ss, &len) == -1
        || getnameinfo((struct sockaddr *) &ss, len, host, sizeof(host), port,
                       sizeof(port), NI_NUMERICHOST | NI_NUMERICSERV)
               != 0) {
        snprintf(ls->name, sizeof(ls->name), "loopback");
        return;
    }

    snprintf(ls->name, sizeof(ls->name),
             ss.ss_family == AF_INET6 ? "[%s]:%s" : "%s:%s", host, port);
}


int
ktpd_listen_give(const ktpd_listen_t *ls, uid_t uid, gid_t gid)
{
    if (ls->path[0] != '\0' && lchown(ls->path, uid, gid) == -1) {
        ktpd_log_errno("socket \"%s\" cannot be given away", ls->path);
        return -1;
    }

    return 0;
}


void
ktpd_listen_close(ktpd_listen_t *ls)
{
    struct stat st;

    if (ls->fd != -1) {
        close(ls->fd);
    }

    if (ls->path[0] == '\0') {
        return;
    }

    if (lstat(ls->path, &st) == 0 && st.st_dev == ls->device
        && st.st_ino == ls->inode && unlink(ls->path) == -1) {
        ktpd_log_errno("socket \"%s\" cannot be removed", ls->path);
    }
}
