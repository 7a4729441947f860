/*
 * Memory for images: chunks of large mappings that are excluded from core
 * dumps.  Each worker has its own and reuses them, which saves page faults.
 */

#ifndef NGX_HTTP_KTP_CHUNKS_H
#define NGX_HTTP_KTP_CHUNKS_H

#include <ngx_config.h>
#include <ngx_core.h>
#include "ktp_store.h"


/*
 * Chunks of this worker, for ktp_store_init().  Large chunks are for buffered
 * images: a photo takes few reads, and the unused part of a chunk is never
 * touched.  Small chunks are for images that are streamed.
 */
extern const ktp_chunks_t ngx_http_ktp_chunks_large;
extern const ktp_chunks_t ngx_http_ktp_chunks_small;


#endif /* NGX_HTTP_KTP_CHUNKS_H */
