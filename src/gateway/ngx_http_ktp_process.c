#include "ngx_http_ktp_process.h"


ngx_uint_t
ngx_http_ktp_process_is_worker(void)
{
    return ngx_process == NGX_PROCESS_WORKER
           || ngx_process == NGX_PROCESS_SINGLE;
}


ngx_uint_t
ngx_http_ktp_process_alive(ngx_pid_t pid)
{
    return kill(pid, 0) == 0 || ngx_errno != NGX_ESRCH;
}
