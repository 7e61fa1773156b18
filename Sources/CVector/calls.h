#ifndef PINSTAT_CALLS_H
#define PINSTAT_CALLS_H

/*
 * Lines of function graphs, read one behind the other as long as they look exactly as the tools print them and end in a function
 * part that was seen before.
 *
 * Nothing is searched for but the line feed: what stands where is foreseen, by the layout or by the line before, and all of it
 * compared with what was foreseen, so that a line that passes is read as if from left to right. From the bar on lines repeat:
 * indentation and function part, the tail, are compared as one with a table of those that were seen.
 */

#include "wide.h"

/* A line begins so many bytes in front of the end of what can be loaded. */
#define PINSTAT_REACH 256

/* In a tail's value: it ends a call, so that a duration must stand in front of it. */
#define PINSTAT_EXIT 1u
/* A call whose line is left out where nothing else speaks against it. */
#define PINSTAT_KNOWN 2u

/* Tails are what follows the bar up to and with the line feed; by hash, each in one of two neighbours. */
#define PINSTAT_TAIL_BITS 13
#define PINSTAT_TAIL_SIZE 64
#define PINSTAT_TAIL_MOST 128

typedef struct {
	/* The first 64 bytes of each, aligned to that, zeros behind. */
	const uint8_t *bytes;
	/* The depth above 56 bits, how many bytes there are above 32, and below the tail's value; 0: nothing is here. */
	const uint64_t *known;
	/* Of longer ones: where what follows stands in `rest`. */
	const uint32_t *places;
	const uint8_t *rest;
} pinstat_tails;

/* From a duration column's mark to where tails begin, behind the bar: the kernel's, and that of a report in most lines. */
#define PINSTAT_KERNEL_COLUMN 15
#define PINSTAT_REPORT_COLUMN 14

/* The front of a report's line, `comm-pid [cpu]`, of 25 to 32 bytes: the first 16 and the last 16. */
typedef struct {
	uint8_t bytes[32];
	uint32_t count;
	int32_t lane;
} pinstat_front;

#define PINSTAT_FRONT_BITS 10
#define PINSTAT_FRONT_LEAST 25
#define PINSTAT_FRONT_MOST 32

/* Where a report's time and event stand behind a front of so many bytes. */
typedef struct {
	/* The 16 bytes that end in the time's last digit, digits made zeros. */
	uint8_t time[16];
	/* Of the first eight of these, which belong to the seconds: ones in all their bits. */
	uint64_t seconds;
	/* Bytes of the front, 0 where none was seen; offset of the event's name. */
	uint32_t front, event;
} pinstat_columns;

typedef struct {
	pinstat_tails tails;
	/*
	 * What the 16 bytes from a duration column's mark on look like, digits made zeros: by the place of the point, 16 where there
	 * is none.
	 */
	const uint8_t *shapes;
	/* Digits of the kernel's CPU column, 1 to 3; 0 is a report. */
	uint32_t width;
	/*
	 * What a line of each CPU begins with, up to the blank behind the parenthesis; places for all that the low four bits of the
	 * digits may come to.
	 */
	const uint64_t *cpus;
	/* Of a report: by hash. */
	const pinstat_front *fronts;
	/* By the front's bytes from 25 on, and which is foreseen. */
	const pinstat_columns *columns;
	uint32_t foreseen;
} pinstat_layout;

typedef struct {
	/* Of the tail. */
	uint32_t value;
	/* CPU or task. */
	uint16_t lane;
	uint8_t depth;
	/* Place of the duration's point behind the mark, 16 for none. */
	uint8_t point;
	const uint8_t *mark;
} pinstat_line;

/* What lines come to. */
typedef struct {
	uint64_t lines, exits;
	/* Nanoseconds, of a report: of the first and the last of them, 0 of none. */
	uint64_t first_time, last_time;
	int32_t deepest;
} pinstat_run;

/* 24 zeros and then ones: from `count` on, which of the last 24 bytes in front of a tail's end are its own. */
static const uint8_t pinstat_window[24 + PINSTAT_TAIL_MOST + 24] = {[24 ... 24 + PINSTAT_TAIL_MOST + 23] = 0xff};

/*
 * Where a tail of `count` bytes, `PINSTAT_TAIL_MOST` at most, that ends at `end` is looked for: by its last 24 bytes, in which calls
 * differ, and its length, in which depths do. The 24 bytes in front of `end` can be loaded.
 */
static inline uint32_t pinstat_tail_place(const uint8_t *end, uint64_t count)
{
	const uint8_t *own = pinstat_window + count;
	uint64_t a = pinstat_word(end - 24) & pinstat_word(own), b = pinstat_word(end - 16) & pinstat_word(own + 8);
	uint64_t c = pinstat_word(end - 8) & pinstat_word(own + 16);
	uint64_t mixed = a * 0x94d049bb133111ebu + b * 0xbf58476d1ce4e5b9u + c * 0x9e3779b97f4a7c15u;
	return (uint32_t)(mixed >> (64 - PINSTAT_TAIL_BITS)) ^ (uint32_t)count;
}

static inline uint32_t pinstat_front_place(const uint8_t *end)
{
	/* Tasks differ in what stands at the end: the number, the CPU. */
	uint64_t mixed = pinstat_word(end - 16) * 0xbf58476d1ce4e5b9u + pinstat_word(end - 8) * 0x9e3779b97f4a7c15u;
	return (uint32_t)(mixed >> (64 - PINSTAT_FRONT_BITS));
}

/* Eight decimal digits, the first in the lowest byte (Lemire, "Quickly parsing eight digits", 2018). */
static inline uint64_t pinstat_eight_digits(uint64_t text)
{
	text &= 0x0f0f0f0f0f0f0f0fu;
	text = text * 10 + (text >> 8);
	return ((text & 0x000000ff000000ffu) * (100 + (1000000ull << 32)) +
		(text >> 16 & 0x000000ff000000ffu) * (1 + (10000ull << 32))) >> 32;
}

/*
 * Nanoseconds of the 16 bytes that end in a time's last digit, as two big-endian numbers; those in front of the seconds are zeros.
 * The first byte is none of them.
 */
static inline uint64_t pinstat_time(uint64_t high, uint64_t low)
{
	uint64_t first = __builtin_bswap64(high), last = __builtin_bswap64(low);
	return pinstat_eight_digits(first >> 8 | last << 56) * 1000000000u + pinstat_eight_digits(last >> 16 << 16) * 1000u;
}

/* Overhead marks and the blank: 1 where any column may have it, 2 where only one with a duration may. */
static const uint8_t pinstat_marks[256] = {
	[' '] = 3, ['+'] = 2, ['!'] = 2, ['#'] = 2, ['*'] = 2, ['@'] = 2, ['$'] = 2,
};

#define PINSTAT_NAME(name) name##_base
#define PINSTAT_TARGET
#include "calls_body.h"
#undef PINSTAT_NAME
#undef PINSTAT_TARGET

#if defined(__x86_64__)
#define PINSTAT_AVX2 1
#define PINSTAT_NAME(name) name##_avx2
#define PINSTAT_TARGET PINSTAT_AVX2_TARGET
#include "calls_body.h"
#undef PINSTAT_NAME
#undef PINSTAT_TARGET
#undef PINSTAT_AVX2
#endif

/*
 * Passes over lines as long as they are left out, from `text` on, where one begins, to the first that does not begin in front of
 * `stop`: those whose tails are known to be nothing but that, and that are deeper than their lane's threshold. What they come to is
 * added to `run`; of the kernel's text, `openings` gets the depth of the innermost call that is open on a CPU behind its last line.
 * A report's times must be there and not go back.
 *
 * Returns the first line that was not passed over: it has to be looked at, or begins at `stop` or behind it. 24 bytes in front of
 * `text` and `PINSTAT_REACH` behind `stop` can be loaded.
 */
static inline const void *pinstat_skim(int wide, pinstat_layout *layout, const void *text, const void *stop,
	const int32_t *thresholds, int32_t *openings, pinstat_run *run)
{
	return PINSTAT_CHOOSE(wide, pinstat_skim, layout, (const uint8_t *)text, (const uint8_t *)stop, thresholds, openings, run);
}

/* The same with all lines whose tails are known, `most` at most: what each is, and how many there were. */
static inline const void *pinstat_read(int wide, pinstat_layout *layout, const void *text, const void *stop, pinstat_line *lines,
	size_t most, size_t *count, pinstat_run *run)
{
	return PINSTAT_CHOOSE(wide, pinstat_read, layout, (const uint8_t *)text, (const uint8_t *)stop, lines, most, count, run);
}

#endif
