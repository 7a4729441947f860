/*
 * The memory that images are held in: chunks out of large mappings that are
 * left out of core dumps.  One set a worker; warm memory is used again, so
 * that an upload does not pay for fresh pages.
 */

#ifndef NGX_HTTP_KTP_CHUNKS_H
#define NGX_HTTP_KTP_CHUNKS_H

#include <ngx_config.h>
#include <ngx_core.h>
#include "ktp_store.h"


/*
 * The worker's chunks, for ktp_store_init().  The large ones are for images
 * that are held whole: a photo arrives in few reads, and what it does not
 * fill is not touched.  The small ones are for those that pass through.
 */
extern const ktp_chunks_t ngx_http_ktp_chunks_large;
extern const ktp_chunks_t ngx_http_ktp_chunks_small;


#endif /* NGX_HTTP_KTP_CHUNKS_H */
