/*
 * Compiles PINSTAT_BODY for the processor that every build is for, and a second time for AVX2: no guard. Names in it are made by
 * PINSTAT_NAME, functions begin with PINSTAT_TARGET, and PINSTAT_AVX2 is defined the second time.
 */

#define PINSTAT_NAME(name) name##_base
#define PINSTAT_TARGET
#include PINSTAT_BODY
#undef PINSTAT_NAME
#undef PINSTAT_TARGET

#if defined(__x86_64__)
#define PINSTAT_AVX2 1
#define PINSTAT_NAME(name) name##_avx2
#define PINSTAT_TARGET __attribute__((target("avx2,bmi,bmi2,popcnt,lzcnt,sse4.2")))
#include PINSTAT_BODY
#undef PINSTAT_NAME
#undef PINSTAT_TARGET
#undef PINSTAT_AVX2
#endif

#undef PINSTAT_BODY
