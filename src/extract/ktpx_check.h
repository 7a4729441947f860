/* Checks a file as the gateway does, without reading the card. */

#ifndef KTPX_CHECK_H
#define KTPX_CHECK_H

#include <stddef.h>

#include "ktp_error.h"


/* Bytes of the JSON text of an error, with its terminating null. */
#define KTPX_CHECK_BODY (KTP_ERROR_BODY + 1)


/*
 * Checks an image file of len bytes: by the limits of the contract or, if
 * contract is 0, only whether it is a complete JPEG or PNG file.  A file
 * without an error has the code otherwise.  body, with a terminating null, is
 * the JSON text of the code that is returned, unless it is KTP_OK.
 */
ktp_code_t ktpx_check(const unsigned char *bytes, size_t len, int contract,
                      ktp_code_t otherwise, char body[KTPX_CHECK_BODY]);

/* Sets body to the JSON text of a code, and returns it. */
const char *ktpx_check_error(ktp_code_t code, char body[KTPX_CHECK_BODY]);


#endif /* KTPX_CHECK_H */
