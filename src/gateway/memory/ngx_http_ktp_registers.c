#include "ngx_http_ktp_registers.h"
#include "ktp_cpu.h"


#if defined(__x86_64__)

#define ngx_http_ktp_registers_zero(n)                                        \
    __asm__ volatile("vpxorq %%zmm" #n ", %%zmm" #n ", %%zmm" #n              \
                     :                                                        \
                     :                                                        \
                     : "xmm" #n)


__attribute__((target("avx2"), noinline)) static void
ngx_http_ktp_registers_avx2(void)
{
    __asm__ volatile("vzeroall"
                     :
                     :
                     : "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6",
                       "xmm7", "xmm8", "xmm9", "xmm10", "xmm11", "xmm12",
                       "xmm13", "xmm14", "xmm15");
}


__attribute__((target("avx512f"), noinline)) static void
ngx_http_ktp_registers_avx512(void)
{
    ngx_http_ktp_registers_zero(16);
    ngx_http_ktp_registers_zero(17);
    ngx_http_ktp_registers_zero(18);
    ngx_http_ktp_registers_zero(19);
    ngx_http_ktp_registers_zero(20);
    ngx_http_ktp_registers_zero(21);
    ngx_http_ktp_registers_zero(22);
    ngx_http_ktp_registers_zero(23);
    ngx_http_ktp_registers_zero(24);
    ngx_http_ktp_registers_zero(25);
    ngx_http_ktp_registers_zero(26);
    ngx_http_ktp_registers_zero(27);
    ngx_http_ktp_registers_zero(28);
    ngx_http_ktp_registers_zero(29);
    ngx_http_ktp_registers_zero(30);
    ngx_http_ktp_registers_zero(31);
}

#endif


void
ngx_http_ktp_registers_wipe(void)
{
#if defined(__x86_64__)

    if (ktp_cpu_has(KTP_CPU_AVX512F)) {
        ngx_http_ktp_registers_avx512();
    }

    if (ktp_cpu_has(KTP_CPU_AVX2)) {
        ngx_http_ktp_registers_avx2();
    }

#endif
}
