/* Reads many files, in this process or in several, and prints their records.
 */

#ifndef KTPX_JOBS_H
#define KTPX_JOBS_H

#include "ktpx_record.h"


/* Processes, at most. */
#define KTPX_JOBS_MAX 256

/*
 * Reads n files in a number of processes, 1 for this one alone, and prints
 * their records in the order of names.  A file on which a process ends
 * abnormally has the record of an internal error, and another process takes
 * its place.  With progress set, a line on standard error says how many files
 * are done.  0, or 1 if a file has no card or processes cannot be started.
 */
int ktpx_jobs_run(const ktpx_record_options_t *options, char **names, int n,
                  int processes, int progress);


#endif /* KTPX_JOBS_H */
