/*
 * Bytes that arrive at the worst moment: preloaded into nginx.  Whoever asks
 * for the state of a TCP connection gets it only after some time, in which the
 * other end sends more.
 */

#define _GNU_SOURCE
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>


int
getsockopt(int fd, int level, int name, void *restrict value,
           socklen_t *restrict len)
{
    int rc;

    rc = (int) syscall(SYS_getsockopt, fd, level, name, value, len);

    if (level == IPPROTO_TCP && name == TCP_INFO) {
        usleep(20000);
    }

    return rc;
}
