/* The scan data of a JPEG file, up to its next marker. */

#ifndef KTP_JPEG_SCAN_H
#define KTP_JPEG_SCAN_H

#include <stddef.h>


/*
 * Bytes at the front of scan data up to the first FF that no 0 follows among
 * the n bytes; n if there is none.
 */
size_t ktp_jpeg_scan_stuffed(const unsigned char *p, size_t n);


#endif /* KTP_JPEG_SCAN_H */
