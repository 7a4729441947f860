/* The answer for a file, in one of the formats of --format. */

#ifndef KTPX_RECORD_H
#define KTPX_RECORD_H

#include <stddef.h>

#include "ktpr_json.h"
#include "ktpr_reader.h"


typedef enum {
    KTPX_RECORD_JSON = 0, /* over several lines; an array if named */
    KTPX_RECORD_JSONL,    /* an object a line */
    KTPX_RECORD_CSV       /* RFC 4180, with a line of names */
} ktpx_record_format_t;

typedef struct {
    ktpr_reader_t       *reader;
    ktpr_json_options_t  json;
    ktpx_record_format_t format;
    const char          *picture;      /* --annotate; NULL: none */
    unsigned             contract : 1; /* by the limits of the contract */
    unsigned             named : 1;    /* each answer has its file's name */
} ktpx_record_options_t;

typedef struct {
    char    *text; /* freed by free(); NULL without memory */
    size_t   len;
    unsigned failed : 1;  /* no card, or no picture of it */
    unsigned no_file : 1; /* it cannot be read: text is "" unless named */
} ktpx_record_t;


/* Reads a file, "-" for standard input, and sets its record. */
void ktpx_record_read(const ktpx_record_options_t *options, const char *name,
                      ktpx_record_t *record);

/* The record of a file whose reading ended without an answer. */
void ktpx_record_lost(const ktpx_record_options_t *options, const char *name,
                      ktpx_record_t *record);

/*
 * Prints a record to standard output, with what stands around it: the brackets
 * and commas of an array, or the line of names.  The records of n files are
 * printed in the order of index, from 0.
 */
void ktpx_record_print(const ktpx_record_options_t *options, int index, int n,
                       const ktpx_record_t *record);


#endif /* KTPX_RECORD_H */
