#ifndef PINSTAT_WIDE_H
#define PINSTAT_WIDE_H

/*
 * What is written once and compiled twice: for the processor that every build is for, and for AVX2, which is chosen where the
 * machine has it. A header `X.h` includes its `X_body.h` once for each, with PINSTAT_NAME and PINSTAT_TARGET set.
 */

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "vector.h"

static inline uint64_t pinstat_word(const uint8_t *p)
{
	uint64_t word;
	memcpy(&word, p, 8);
	return word;
}

#define PINSTAT_NAME(name) name##_base
#define PINSTAT_TARGET
#include "wide_body.h"
#undef PINSTAT_NAME
#undef PINSTAT_TARGET

#if defined(__x86_64__)
#include <immintrin.h>
#define PINSTAT_AVX2_TARGET __attribute__((target("avx2,bmi,bmi2,popcnt,lzcnt,sse4.2")))
#define PINSTAT_AVX2 1
#define PINSTAT_NAME(name) name##_avx2
#define PINSTAT_TARGET PINSTAT_AVX2_TARGET
#include "wide_body.h"
#undef PINSTAT_NAME
#undef PINSTAT_TARGET
#undef PINSTAT_AVX2

static inline int pinstat_has_avx2(void)
{
	return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi2") && __builtin_cpu_supports("popcnt");
}
#define PINSTAT_CHOOSE(wide, name, ...) ((wide) ? name##_avx2(__VA_ARGS__) : name##_base(__VA_ARGS__))
#else
static inline int pinstat_has_avx2(void) { return 0; }
#define PINSTAT_CHOOSE(wide, name, ...) name##_base(__VA_ARGS__)
#endif

#endif
