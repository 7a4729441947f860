/* A reference to text in memory of another owner. */

#ifndef KTP_VALUE_H
#define KTP_VALUE_H

#include <stddef.h>


/* Not null-terminated.  p may be NULL when len is 0. */
typedef struct {
    const char *p;
    size_t      len;
} ktp_value_t;


#endif /* KTP_VALUE_H */
