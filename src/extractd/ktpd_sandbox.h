/*
 * The sandboxes of the processes, entered before any external input is read.
 *
 *                      master        HTTP process    worker
 *   sockets            none          accepts only    none
 *   files              unlinks one   none            none
 *   new processes      workers       none            none
 *   programs           none          none            none
 *
 * All three: no new privileges, no core dumps, not dumpable, no memory that is
 * both writable and executable.  A system call that is not allowed kills the
 * process, except that opening and looking up files, which libraries attempt,
 * fails with EACCES.
 */

#ifndef KTPD_SANDBOX_H
#define KTPD_SANDBOX_H

#include <pwd.h>
#include <stdint.h>
#include <sys/types.h>


/* Changes to a user and its groups irrevocably; 0, or -1 with a message. */
int ktpd_sandbox_user(const struct passwd *pw);

/* No core dumps, not dumpable, no new privileges; 0, or -1 with a message. */
int ktpd_sandbox_early(void);

/*
 * Called in a child: it is killed when its parent, of the given pid, exits,
 * and ignores SIGINT and SIGTERM.  0, or -1 with a message.
 */
int ktpd_sandbox_child(pid_t parent);

/*
 * Install the seccomp filter and the resource limits of a process.  With
 * sandbox 0 neither is installed, for debugging.  0, or -1 with a message.
 */
int ktpd_sandbox_master(unsigned sandbox);

/*
 * connections: the maximum of open connections, for the descriptor limit.
 * memory: RLIMIT_DATA in bytes, over which allocations fail.
 */
int ktpd_sandbox_http(unsigned connections, uint64_t memory, unsigned sandbox);

/*
 * Closes every descriptor except channel, and null, which becomes standard
 * input, output and error.  cpu: RLIMIT_CPU in seconds.
 */
int ktpd_sandbox_worker(int channel, int null, unsigned cpu, unsigned sandbox);


#endif /* KTPD_SANDBOX_H */
