/*
 * What each of the daemon's processes gives up before it reads a byte from
 * outside.
 *
 *                      master        HTTP process    worker
 *   sockets            none          accepts only    none
 *   files              unlinks one   none            none
 *   new processes      workers       none            none
 *   programs           none          none            none
 *
 * All three: no new privileges, no core dump, not dumpable, no memory that is
 * writable and then run.  A system call that is not on a process's list ends
 * it; opening and looking up files, which libraries try in passing, fails
 * with EACCES in place of that.
 */

#ifndef KTPD_SANDBOX_H
#define KTPD_SANDBOX_H

#include <pwd.h>
#include <stdint.h>
#include <sys/types.h>


/* Becomes that user with its groups, for good; 0, or -1 with a message. */
int ktpd_sandbox_user(const struct passwd *pw);

/* No core dumps, not dumpable, no new privileges; 0, or -1 with a message. */
int ktpd_sandbox_early(void);

/*
 * In a child: it dies with its parent, of which the pid is given, and leaves
 * SIGINT and SIGTERM to it.  0, or -1 with a message.
 */
int ktpd_sandbox_child(pid_t parent);

/*
 * The three lists, with their limits.  With sandbox 0 there are neither, for
 * debuggers that need more than the program does.  0, or -1 with a message.
 */
int ktpd_sandbox_master(unsigned sandbox);

/*
 * connections: open at a time, at most, for the limit of descriptors.
 * memory: bytes of data at most, over which allocations fail.
 */
int ktpd_sandbox_http(unsigned connections, uint64_t memory, unsigned sandbox);

/*
 * Closes every descriptor but channel, and null, which becomes standard
 * input, output and error.  cpu: seconds of CPU after which it is ended.
 */
int ktpd_sandbox_worker(int channel, int null, unsigned cpu, unsigned sandbox);


#endif /* KTPD_SANDBOX_H */
