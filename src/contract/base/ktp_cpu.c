#include "ktp_cpu.h"


#if defined(__x86_64__)
#define ktp_cpu_bit(name, bit) (__builtin_cpu_supports(name) ? (bit) : 0u)
#endif


static unsigned ktp_cpu_features;


void
ktp_cpu_allow(unsigned features)
{
    unsigned found;

    found = 0;

#if defined(__x86_64__)

    __builtin_cpu_init();

    found |= ktp_cpu_bit("ssse3", KTP_CPU_SSSE3);
    found |= ktp_cpu_bit("pclmul", KTP_CPU_PCLMUL);
    found |= ktp_cpu_bit("avx2", KTP_CPU_AVX2);
    found |= ktp_cpu_bit("fma", KTP_CPU_FMA);
    found |= ktp_cpu_bit("avx512f", KTP_CPU_AVX512F);

    if (__builtin_cpu_supports("avx512bw")) {
        found |= ktp_cpu_bit("avx512vbmi", KTP_CPU_AVX512VBMI);
    }

#endif

    ktp_cpu_features = found & features;
}


/* Before main(), or as the module is loaded: there are no threads yet. */

static void ktp_cpu_init(void) __attribute__((constructor));


static void
ktp_cpu_init(void)
{
    ktp_cpu_allow(KTP_CPU_ALL);
}


int
ktp_cpu_has(unsigned features)
{
    return (ktp_cpu_features & features) == features;
}
