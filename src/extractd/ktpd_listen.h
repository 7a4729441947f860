/* The listening socket: a Unix socket, or TCP on loopback. */

#ifndef KTPD_LISTEN_H
#define KTPD_LISTEN_H

#include <sys/types.h>
#include <sys/un.h>


typedef struct {
    int   fd;     /* -1 after it was passed on */
    dev_t device; /* of the Unix socket, so that no other file is unlinked */
    ino_t inode;
    char  path[sizeof(((struct sockaddr_un *) 0)->sun_path)]; /* "": TCP */
    char  name[sizeof(((struct sockaddr_un *) 0)->sun_path) + 16];
} ktpd_listen_t;


/*
 * Listens on a Unix socket with the given mode.  A stale socket is replaced; a
 * socket in use, or a file that is not a socket, is an error.  0, or -1 with a
 * message on standard error.
 */
int ktpd_listen_unix(ktpd_listen_t *ls, const char *path, mode_t mode);

/*
 * Listens on ADDRESS:PORT, a numeric loopback address (127.0.0.0/8 or [::1]).
 * For port 0 the kernel chooses one; ls->name has the address in use.
 */
int ktpd_listen_tcp(ktpd_listen_t *ls, const char *address);

/*
 * Checks the path or the address (the other is NULL) without opening or
 * removing anything.  0, or -1 with a message.
 */
int ktpd_listen_check(const char *path, const char *address);

/* Changes the owner of the Unix socket; 0, or -1 with a message. */
int ktpd_listen_give(const ktpd_listen_t *ls, uid_t uid, gid_t gid);

/* Closes the socket; unlinks the Unix socket if it is still the same file. */
void ktpd_listen_close(ktpd_listen_t *ls);


#endif /* KTPD_LISTEN_H */
