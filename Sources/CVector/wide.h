#ifndef PINSTAT_WIDE_H
#define PINSTAT_WIDE_H

/*
 * What is written once and compiled twice: for the processor that every build is for, and for AVX2, which is chosen where the
 * machine has it: see twice.h.
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

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#define PINSTAT_BODY "wide_body.h"
#include "twice.h"

#if defined(__x86_64__)
static inline int pinstat_has_avx2(void)
{
	return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi2") && __builtin_cpu_supports("popcnt");
}
#define PINSTAT_CHOOSE(wide, name, ...) ((wide) ? name##_avx2(__VA_ARGS__) : name##_base(__VA_ARGS__))
#else
static inline int pinstat_has_avx2(void) { return 0; }
#define PINSTAT_CHOOSE(wide, name, ...) ((void)(wide), name##_base(__VA_ARGS__))
#endif

#endif
