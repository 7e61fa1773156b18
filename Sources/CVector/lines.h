#ifndef PINSTAT_LINES_H
#define PINSTAT_LINES_H

/*
 * Lines of function graphs, read some hundred at a time: of each line the CPU or task, the depth and what its function part
 * is known to be, or nothing where it does not look exactly as the tools print it.
 *
 * Compiled for the processor that every build is for, and a second time for AVX2, which is chosen where the machine has it.
 */

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "vector.h"

/* What is known of a function part: everything from its first byte to the line feed. */
typedef struct {
	/* The first and the last 16 bytes; of fewer, those, and zeros behind and in front. */
	uint8_t words[32];
	/* 0: nothing is here. */
	uint32_t count;
	/* PINSTAT_EXIT and what the caller wants to know. */
	uint32_t value;
	/* Of more than 32 bytes: where those between stand in `middles`. */
	uint64_t middle;
	/* All in one line of the cache. */
	uint64_t unused[2];
} pinstat_tail;

/* The part ends a call, so that a duration must stand in front of it. */
#define PINSTAT_EXIT 1u

/* Tails, by hash; a tail is in one of two neighbours. */
#define PINSTAT_TAIL_BITS 13

typedef struct {
	const pinstat_tail *tails;
	const uint8_t *middles;
	/* 32 bytes for each count 0 to 16: the mask of as many first bytes, that of as many last ones. */
	const uint8_t *masks;
} pinstat_tails;

/* A duration column, from the mark to the bar, its digits made zeros; by the place of the point, 16 where there is none. */
typedef struct {
	const uint8_t *bytes;
	const uint8_t *width;
} pinstat_shapes;

typedef struct {
	/* Of the tail; 0: read this line in another way. */
	uint32_t value;
	/* CPU or task. */
	uint16_t lane;
	uint8_t depth;
	/* Place of the duration's point behind the mark, 16 for none. */
	uint8_t point;
	/* Offsets of the duration's mark and of the function part. */
	uint32_t mark, part;
	/* Nanoseconds; only of a report. */
	uint64_t time;
} pinstat_line;

/* From the mark to the bar, as the kernel prints it. */
#define PINSTAT_KERNEL_COLUMN 15

/* A front of a report's line, `comm-pid [cpu]`, of 25 to 40 bytes: the first 24 and the last 16. */
typedef struct {
	uint8_t words[40];
	uint32_t count;
	int32_t lane;
} pinstat_front;

#define PINSTAT_FRONT_BITS 10

/* What the names of symbols may begin with: up to 8 bytes of each, the first in the lowest byte. */
typedef struct {
	uint64_t bytes[4], masks[4];
} pinstat_heads;

static inline uint32_t pinstat_tail_hash(uint64_t a, uint64_t b, uint64_t c, uint64_t d)
{
	uint64_t mixed = (a ^ (c << 7 | c >> 57)) * 0x9e3779b97f4a7c15u ^ b ^ (d << 13 | d >> 51);
	return (uint32_t)(mixed * 0xbf58476d1ce4e5b9u >> (64 - PINSTAT_TAIL_BITS));
}

static inline uint32_t pinstat_front_hash(uint64_t a, uint64_t b)
{
	/* Tasks differ in what stands at the end: the number, the CPU. */
	return (uint32_t)((a ^ b * 0x9e3779b97f4a7c15u) * 0xbf58476d1ce4e5b9u >> (64 - PINSTAT_FRONT_BITS));
}

static inline uint64_t pinstat_word(const uint8_t *p)
{
	uint64_t word;
	memcpy(&word, p, 8);
	return word;
}

/* Eight decimal digits, the first in the lowest byte (Lemire, "Quickly parsing eight digits", 2018). */
static inline uint64_t pinstat_eight_digits(uint64_t text)
{
	text &= 0x0f0f0f0f0f0f0f0fu;
	text = text * 10 + (text >> 8);
	return ((text & 0x000000ff000000ffu) * (100 + (1000000ull << 32)) +
		(text >> 16 & 0x000000ff000000ffu) * (1 + (10000ull << 32))) >> 32;
}

/* Overhead marks and the blank: 1 where any column may have it, 2 where only one with a duration may. */
static const uint8_t pinstat_marks[256] = {
	[' '] = 3, ['+'] = 2, ['!'] = 2, ['#'] = 2, ['*'] = 2, ['@'] = 2, ['$'] = 2,
};

#define PINSTAT_NAME(name) name##_base
#define PINSTAT_TARGET
#include "lines_body.h"
#undef PINSTAT_NAME
#undef PINSTAT_TARGET

#if defined(__x86_64__)
#include <immintrin.h>
#define PINSTAT_AVX2 1
#define PINSTAT_NAME(name) name##_avx2
#define PINSTAT_TARGET __attribute__((target("avx2,bmi,bmi2,popcnt,lzcnt")))
#include "lines_body.h"
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

/*
 * Offsets of the line feeds in `length` bytes; the number of them. As many as there are bytes may be written and three more,
 * and 63 bytes behind the last one are loaded.
 */
static inline size_t pinstat_line_ends(int wide, const void *base, size_t length, uint32_t *ends)
{
	return PINSTAT_CHOOSE(wide, pinstat_line_ends, (const uint8_t *)base, length, ends);
}

/*
 * Reads `count` lines of the kernel's text: the first begins at `start`, each ends in front of its line feed at
 * `base + scanned + ends[i]`. 256 bytes behind the last one can be loaded, and 16 in front of the first.
 * The CPU column has `width` digits, 1 to 3; `fronts` says what a line of each CPU begins with, up to the blank behind the
 * parenthesis, and has places for all that the low four bits of its digits may come to.
 */
static inline void pinstat_graph_lines(int wide, const void *base, size_t start, size_t scanned, const uint32_t *ends,
	size_t count, size_t width, const uint64_t *fronts, const pinstat_shapes *shapes, const pinstat_tails *tails, pinstat_line *lines)
{
	PINSTAT_CHOOSE(wide, pinstat_graph_lines, (const uint8_t *)base, start, scanned, ends, count, width, fronts, shapes, tails, lines);
}

/* The same with lines of a report. */
static inline void pinstat_report_lines(int wide, const void *base, size_t start, size_t scanned, const uint32_t *ends,
	size_t count, const pinstat_front *fronts, const pinstat_shapes *shapes, const pinstat_tails *tails, pinstat_line *lines)
{
	PINSTAT_CHOOSE(wide, pinstat_report_lines, (const uint8_t *)base, start, scanned, ends, count, fronts, shapes, tails, lines);
}

/*
 * Reads lines of kallsyms, the first of which begins at `start`, and puts the addresses of those whose symbols are taken into
 * `addresses`: their number becomes `taken`. Returns how many lines were read: up to one that does not look as the kernel
 * prints it, or whose name begins with one of `heads`. 64 bytes behind the last line can be loaded.
 */
static inline size_t pinstat_symbol_lines(int wide, const void *base, size_t start, size_t scanned, const uint32_t *ends,
	size_t count, const pinstat_heads *heads, uint64_t *addresses, size_t *taken)
{
	return PINSTAT_CHOOSE(wide, pinstat_symbol_lines, (const uint8_t *)base, start, scanned, ends, count, heads, addresses, taken);
}

#endif
