/* The ways that code with vector instructions goes, one CPU after another. */

#ifndef KTP_CPU_LEVEL_H
#define KTP_CPU_LEVEL_H

#include "ktp_cpu.h"


static const struct {
    const char *name;
    unsigned    features;
} cpu_levels[] = {
    {"baseline", 0},
    {"SSSE3", KTP_CPU_SSSE3 | KTP_CPU_PCLMUL},
    {"AVX2", KTP_CPU_SSSE3 | KTP_CPU_PCLMUL | KTP_CPU_AVX2},
    {"AVX-512", KTP_CPU_ALL},
};

#define CPU_LEVELS (sizeof(cpu_levels) / sizeof(cpu_levels[0]))


/* Goes on as on such a CPU; 0: this one has less. */

static inline int
cpu_level(size_t level)
{
    ktp_cpu_allow(cpu_levels[level].features);

    return ktp_cpu_has(cpu_levels[level].features);
}


#endif /* KTP_CPU_LEVEL_H */
