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

/* The part ends a call, so that a duration must stand in front of it. */
#define PINSTAT_EXIT 1u

/* Tails are function parts, everything from their first bytes to the line feed; by hash, each in one of two neighbours. */
#define PINSTAT_TAIL_BITS 13
#define PINSTAT_KEY_SIZE 64

typedef struct {
	/* The first 64 bytes of each, zeros behind. */
	const uint8_t *keys;
	/* How many bytes there are, above 32 bits of what the caller wants to know; 0: nothing is here. */
	const uint64_t *known;
	/* Of longer ones: where what follows stands in `rest`. */
	const uint32_t *places;
	const uint8_t *rest;
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

/* What lines come to that are left out. */
typedef struct {
	uint64_t exits;
	/* Nanoseconds, of a report: of the first and the last of them, 0 of none. */
	uint64_t first_time, last_time;
	int32_t deepest;
} pinstat_run;

/* In a tail's value: a call whose line is left out where nothing else speaks against it. */
#define PINSTAT_KNOWN 2u

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

static inline uint64_t pinstat_word(const uint8_t *p)
{
	uint64_t word;
	memcpy(&word, p, 8);
	return word;
}

/* The lowest bits of a word, as many as that or all. */
static inline uint64_t pinstat_low_bits(uint64_t word, uint64_t count)
{
	return count < 64 ? word & ~(~(uint64_t)0 << count) : word;
}

/* Where a tail of 1 byte or more is looked for: by its first eight bytes, its last ones and those in the middle. */
static inline uint32_t pinstat_tail_place(const uint8_t *start, uint64_t count)
{
	uint64_t width = count < 8 ? count : 8, rest = count - width;
	uint64_t first = pinstat_low_bits(pinstat_word(start), 8 * width);
	uint64_t middle = pinstat_low_bits(pinstat_word(start + rest / 2), 8 * width);
	uint64_t last = pinstat_low_bits(pinstat_word(start + rest), 8 * width);
	uint64_t mixed = ((first * 0x9e3779b97f4a7c15u ^ middle) * 0xbf58476d1ce4e5b9u ^ last) * 0x9e3779b97f4a7c15u;
	return (uint32_t)(mixed >> (64 - PINSTAT_TAIL_BITS));
}

static inline uint32_t pinstat_front_hash(uint64_t a, uint64_t b)
{
	/* Tasks differ in what stands at the end: the number, the CPU. */
	return (uint32_t)((a ^ b * 0x9e3779b97f4a7c15u) * 0xbf58476d1ce4e5b9u >> (64 - PINSTAT_FRONT_BITS));
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
 * Passes over lines of the kernel's text as long as they are left out, and counts them: those whose tails are known to be
 * nothing but that, and that are deeper than their CPU's threshold. `openings` gets the depth of the innermost call that is open
 * on a CPU behind its last line. Returns how many there are; what follows them has to be looked at. Bytes as for
 * `pinstat_graph_lines`.
 */
static inline size_t pinstat_skim_graph(int wide, const void *base, size_t start, size_t scanned, const uint32_t *ends,
	size_t count, size_t width, const uint64_t *fronts, const pinstat_shapes *shapes, const pinstat_tails *tails,
	const int32_t *thresholds, int32_t *openings, pinstat_run *run)
{
	return PINSTAT_CHOOSE(wide, pinstat_skim_graph, (const uint8_t *)base, start, scanned, ends, count, width, fronts, shapes, tails, thresholds, openings, run);
}

/* The same with lines of a report, whose times must be there and not go back. */
static inline size_t pinstat_skim_report(int wide, const void *base, size_t start, size_t scanned, const uint32_t *ends,
	size_t count, const pinstat_front *fronts, const pinstat_shapes *shapes, const pinstat_tails *tails,
	const int32_t *thresholds, int32_t *openings, pinstat_run *run)
{
	return PINSTAT_CHOOSE(wide, pinstat_skim_report, (const uint8_t *)base, start, scanned, ends, count, fronts, shapes, tails, thresholds, openings, run);
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
