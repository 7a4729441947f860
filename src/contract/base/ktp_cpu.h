/*
 * Detection of optional instruction sets.  Code that uses one checks for it
 * before each use, and has a fallback.
 */

#ifndef KTP_CPU_H
#define KTP_CPU_H


/* Bits; none is set on CPUs other than x86-64. */
#define KTP_CPU_SSSE3      0x01
#define KTP_CPU_PCLMUL     0x02
#define KTP_CPU_AVX2       0x04
#define KTP_CPU_FMA        0x08
#define KTP_CPU_AVX512F    0x10
#define KTP_CPU_AVX512VBMI 0x20 /* with BW, which every such CPU has */
#define KTP_CPU_ALL        0x3f


/* Returns 1 if the CPU and the system support all of these features. */
int ktp_cpu_has(unsigned features);

/*
 * Restricts the result of ktp_cpu_has() to these features until the next
 * call, for tests and benchmarks.  The initial value is KTP_CPU_ALL.  Not
 * thread-safe.
 */
void ktp_cpu_allow(unsigned features);


#endif /* KTP_CPU_H */
