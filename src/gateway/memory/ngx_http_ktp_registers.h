/* Vector registers, which a core dump has, hold what was copied last. */

#ifndef NGX_HTTP_KTP_REGISTERS_H
#define NGX_HTTP_KTP_REGISTERS_H

#include <ngx_config.h>
#include <ngx_core.h>


/*
 * Wipes the vector registers.  To be called after secrets were copied: with
 * AVX-512, the C library copies short strings by registers that hardly any
 * other code uses.  Without AVX2, and on CPUs other than x86-64, it does
 * nothing.
 */
void ngx_http_ktp_registers_wipe(void);


#endif /* NGX_HTTP_KTP_REGISTERS_H */
