/* Metrics of who answered, of checks, and of comparisons. */

#ifndef NGX_HTTP_KTP_STATUS_ANSWERS_H
#define NGX_HTTP_KTP_STATUS_ANSWERS_H

#include "ngx_http_ktp_samples.h"


/* Writes all of them; of those with several labels, the ones above zero. */
void ngx_http_ktp_status_answers(ngx_http_ktp_samples_t *samples,
                                 ngx_http_ktp_metrics_t *metrics);


#endif /* NGX_HTTP_KTP_STATUS_ANSWERS_H */
