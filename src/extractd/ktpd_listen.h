/* The listening socket: a Unix socket, or TCP on loopback. */

#ifndef KTPD_LISTEN_H
#define KTPD_LISTEN_H

#include <sys/types.h>
#include <sys/un.h>


typedef struct {
    int   fd;     /* -1 once it is handed on */
    dev_t device; /* of the Unix socket's file, to unlink no other's */
    ino_t inode;
    char  path[sizeof(((struct sockaddr_un *) 0)->sun_path)]; /* "": TCP */
    char  name[sizeof(((struct sockaddr_un *) 0)->sun_path) + 16];
} ktpd_listen_t;


/*
 * A Unix socket with that mode.  A file left behind by a server that is gone
 * is replaced; one that is answered is refused, as is a file that is no
 * socket.  0, or -1 with a message on standard error.
 */
int ktpd_listen_unix(ktpd_listen_t *ls, const char *path, mode_t mode);

/*
 * ADDRESS:PORT, the address in digits and of loopback (127.0.0.0/8 or
 * [::1]); port 0 lets the kernel choose, and ls->name says what it chose.
 */
int ktpd_listen_tcp(ktpd_listen_t *ls, const char *address);

/*
 * Whether one of the two (the other is NULL) may be listened on, as it is
 * written; nothing is opened or removed.  0, or -1 with a message.
 */
int ktpd_listen_check(const char *path, const char *address);

/* Gives the Unix socket to that user and group; 0, or -1 with a message. */
int ktpd_listen_give(const ktpd_listen_t *ls, uid_t uid, gid_t gid);

/* Closes it, and unlinks the Unix socket if it is still this one. */
void ktpd_listen_close(ktpd_listen_t *ls);


#endif /* KTPD_LISTEN_H */
