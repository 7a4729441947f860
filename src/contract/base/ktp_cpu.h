/*
 * Instruction sets that not every CPU of the platform has.  Code that uses
 * one asks here before each use, and has another way without it.
 */

#ifndef KTP_CPU_H
#define KTP_CPU_H


/* Bits.  On CPUs other than x86-64 none is ever set. */
#define KTP_CPU_SSSE3      0x01
#define KTP_CPU_PCLMUL     0x02
#define KTP_CPU_AVX2       0x04
#define KTP_CPU_FMA        0x08
#define KTP_CPU_AVX512F    0x10
#define KTP_CPU_AVX512VBMI 0x20 /* with BW, which every such CPU has */
#define KTP_CPU_ALL        0x3f


/* Whether the CPU and the system have all of these; costs one load. */
int ktp_cpu_has(unsigned features);

/*
 * For tests and benchmarks: ktp_cpu_has() tells of these features only, until
 * the next call.  KTP_CPU_ALL is the state at start.  Not thread-safe.
 */
void ktp_cpu_allow(unsigned features);


#endif /* KTP_CPU_H */
