#ifndef PINSTAT_CALLS_H
#define PINSTAT_CALLS_H

/*
 * Lines of function graphs, read one behind the other as long as they look exactly as the tools print them and end in a function
 * part that was seen before. Those of other events among them are passed over.
 *
 * Nothing is searched for but the line feed: what stands where is foreseen, by the layout or by the line before, and all of it
 * compared with what was foreseen, so that a line that passes is read as if from left to right. From the duration column on lines
 * repeat but for the digits: the column with its digits made zeros, and indentation and function part, the tail, are compared with a
 * table of those that were seen.
 */

#include "wide.h"

/* A line begins so many bytes in front of the end of what can be loaded. */
#define PINSTAT_REACH 256

/* In a tail's value: it ends a call, so that a duration stands in front of it. */
#define PINSTAT_EXIT 1u
/* In all of them, so that none is 0. */
#define PINSTAT_KNOWN 2u

/*
 * Tails are what follows the bar up to and with the line feed, each together with what the duration column in front of it looks like: by
 * hash, in one of four neighbours.
 */
#define PINSTAT_TAIL_BITS 13
#define PINSTAT_TAIL_SIDES 4
#define PINSTAT_TAIL_SIZE 56
#define PINSTAT_TAIL_MOST 120
/* Of 64 bytes those of one. */
#define PINSTAT_TAIL_OWN (~(uint64_t)0 >> 8)

/*
 * From a duration column's mark to where tails begin, behind the bar: the kernel's, and that of a report in most lines. A report's
 * bar moves to the right of numbers with more than three digits in front of the point (trace-cmd, lib/trace-cmd/trace-ftrace.c,
 * `print_graph_duration`), which stands at `PINSTAT_REPORT_POINT` then, or behind that.
 */
#define PINSTAT_KERNEL_COLUMN 15
#define PINSTAT_REPORT_COLUMN 14
#define PINSTAT_REPORT_POINT 6

/*
 * The front of a report's line, `comm-pid [cpu]`, of 25 to 32 bytes: the first 16 and the last 16. Of the kernel's text with more
 * columns: all of it, zeros behind.
 */
typedef struct {
	uint8_t bytes[32];
	/* With `PINSTAT_FRONT_OTHERS` where only other events of the task were seen, which has no lane then. */
	uint32_t count;
	int32_t lane;
	/* Of a report: the task's name is one word, so that the line of another event is nothing but that. */
	uint32_t is_word;
} pinstat_front;

#define PINSTAT_FRONT_BITS 10
#define PINSTAT_FRONT_LEAST 25
#define PINSTAT_FRONT_OTHERS 0x80000000u
#define PINSTAT_FRONT_MOST 32

/*
 * A tail with values, arguments or what is returned, hardly comes again; its stem does, up to and with the first equals sign or the
 * parenthesis in front of arguments. Stems are among the tails, which end in line feeds and are told apart by that.
 */
typedef struct {
	/* The entry, of the stem where there are values, 0 of none; bytes of the whole tail. */
	uint64_t known, length;
} pinstat_found;

/* Where a report's time and event stand behind a front of so many bytes. */
typedef struct {
	/* The 16 bytes that end in the time's last digit, digits made zeros. */
	uint8_t time[16];
	/* Of the first eight of these, which belong to the seconds: ones in all their bits. */
	uint64_t seconds;
	/* Bytes of the front, 0 where none was seen; where the time ends. */
	uint32_t front, time_end;
} pinstat_columns;

/* One line of the cache, so that a look-up touches no more. */
typedef struct {
	/* The first bytes, zeros behind. */
	uint8_t bytes[PINSTAT_TAIL_SIZE];
	/*
	 * The depth above 56 bits, with the highest bit where a line is not to be passed over, how many bytes there are above 32, and
	 * below the tail's value; 0: nothing is here.
	 */
	uint64_t known;
} pinstat_tail;

/* CPUs of the kernel's text, 2,048 at most; where lines name tasks, a task on a CPU. */
#define PINSTAT_CPUS 2048
#define PINSTAT_LANES 8192

/*
 * The kernel's text with more columns than CPU and duration, of which what stands in front of the duration column is looked up as a
 * whole: up to 32 bytes with CPU, task and flags, behind the 16 bytes in which a time of its own stands where there is one.
 */
#define PINSTAT_COLUMNS 4
#define PINSTAT_TIMED_COLUMNS 5
#define PINSTAT_COLUMNS_LEAST 4
#define PINSTAT_COLUMNS_MOST 32
#define PINSTAT_TIME_WIDTH 16

/* Events of which no line is passed over, at most. */
#define PINSTAT_WATCHED 32

/* What the 16 bytes in front of a tail's end are covered with: zeros where they are not the tail's own. */
#define PINSTAT_WINDOW (16 + PINSTAT_TAIL_MOST + 16)

/*
 * All that lines are compared with, in one piece of memory, so that one register leads to everything. It begins at a multiple of 64
 * and is zeros but for what `pinstat_prepare` puts there.
 */
typedef struct {
	pinstat_tail tails[1 << PINSTAT_TAIL_BITS];
	/* Of longer ones: where what follows stands in `rest`, which is `PINSTAT_REST` bytes. */
	uint32_t places[1 << PINSTAT_TAIL_BITS];
	/* The columns in front of them: 16 bytes from the mark on, digits made zeros. */
	uint8_t shapes[1 << PINSTAT_TAIL_BITS][16];
	uint8_t *rest;
	/* What a line of each CPU begins with, up to the blank behind the parenthesis. */
	uint64_t cpus[PINSTAT_CPUS];
	/* By hash. */
	pinstat_front fronts[1 << PINSTAT_FRONT_BITS];
	/* By lane: lines as deep or less deep are not left out; */
	int32_t thresholds[PINSTAT_LANES];
	/* and the innermost call that is open behind those that were. */
	int32_t openings[PINSTAT_LANES];
	uint8_t window[PINSTAT_WINDOW];
	/* Digits of the kernel's CPU column, 1 to 3; `PINSTAT_COLUMNS` or `PINSTAT_TIMED_COLUMNS`; 0 is a report. */
	uint32_t width;
	/* With more columns: bytes of the front that is foreseen, and of those that were seen, bit i standing for 1 + i. */
	uint32_t length, lengths;
	/* The time of their own, digits made zeros. */
	uint8_t time[PINSTAT_TIME_WIDTH];
	/* Whether stems are known. */
	uint32_t has_stems;
	/* Whether the line in front was a call's, so that one of another event is no part of something else. */
	uint32_t settled;
	/* Lines of other events that were passed over. */
	uint64_t others;
	/* First eight bytes of the names of those that are not, 0 behind the last one. */
	uint64_t watched[PINSTAT_WATCHED + 1];
	/* By the front's bytes from 25 on, and which is foreseen. */
	uint32_t foreseen;
	pinstat_columns columns[PINSTAT_FRONT_MOST - PINSTAT_FRONT_LEAST + 1];
} pinstat_scanner;

typedef struct {
	/* Of the tail. */
	uint32_t value;
	/* CPU or task. */
	uint16_t lane;
	uint8_t depth;
	/* Place of the duration's point behind the mark, 16 for none. */
	uint8_t point;
	const uint8_t *mark;
	/* A `pinstat_stamp`'s halves, which few ask for as a time; not set where lines have none. */
	uint64_t stamp_high, stamp_low;
} pinstat_line;

/* What lines come to. */
typedef struct {
	uint64_t lines, exits;
	/* Lines of other events among them, not counted as such. */
	uint64_t others;
	/* Nanoseconds, where lines have times: of the first and the last of them, 0 of none. */
	uint64_t first_time, last_time;
	int32_t deepest;
} pinstat_run;

/* Sets the first eight bytes of the names of watched events, `PINSTAT_WATCHED` at most. */
static inline void pinstat_watch(void *scanner, const uint64_t *words, uint32_t count)
{
	for (uint32_t i = 0; i < count && i < PINSTAT_WATCHED; i++)
		((pinstat_scanner *)scanner)->watched[i] = words[i];
}

/*
 * Whether the event whose name and colon begin at `name` is, or may be, a watched one. 64 bytes can be loaded.
 */
static inline int pinstat_may_be_watched(const pinstat_scanner *scanner, const uint8_t *name)
{
	if (!scanner->watched[0])
		return 0;
	uint64_t word = pinstat_word(name);
	for (const uint64_t *watched = scanner->watched; *watched; watched++)
		if (*watched == word)
			return 1;
	/* Whatever else it is, its name is one word. */
	if ((uint8_t)(name[0] - '0') <= 9)
		return 1;
	const uint8_t *end = name;
	while (end < name + 63 && ((uint8_t)((*end | 0x20) - 'a') < 26 || (uint8_t)(*end - '0') <= 9 || *end == '_'))
		end++;
	return end == name || end[0] != ':' || end[1] != ' ';
}

static inline uint32_t pinstat_front_place(const uint8_t *end)
{
	/* Tasks differ in what stands at the end: the number, the CPU. */
	uint64_t mixed = pinstat_word(end - 16) * 0xbf58476d1ce4e5b9u + pinstat_word(end - 8) * 0x9e3779b97f4a7c15u;
	return (uint32_t)(mixed >> (64 - PINSTAT_FRONT_BITS));
}

/* For a front of n bytes: ones in n bytes and zeros behind, from `PINSTAT_COLUMNS_MOST` - n on. */
static const uint8_t pinstat_ones[2 * PINSTAT_COLUMNS_MOST] = {
	255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255,
	255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255,
};

/* The first `count` of 32 bytes, zeros behind. */
typedef struct {
	pinstat_vector low, high;
} pinstat_columns_front;

static inline pinstat_columns_front pinstat_columns_at(const uint8_t *p, uint32_t count)
{
	const uint8_t *ones = pinstat_ones + PINSTAT_COLUMNS_MOST - count;
	return (pinstat_columns_front){pinstat_and(pinstat_load(p), pinstat_load(ones)), pinstat_and(pinstat_load(p + 16), pinstat_load(ones + 16))};
}

static inline uint32_t pinstat_columns_place(const uint8_t *p, uint32_t count)
{
	const uint8_t *ones = pinstat_ones + PINSTAT_COLUMNS_MOST - count;
	uint64_t mixed = (pinstat_word(p) & pinstat_word(ones)) * 0x9e3779b97f4a7c15u + (pinstat_word(p + 8) & pinstat_word(ones + 8)) * 0xbf58476d1ce4e5b9u +
		(pinstat_word(p + 16) & pinstat_word(ones + 16)) * 0x94d049bb133111ebu + (pinstat_word(p + 24) & pinstat_word(ones + 24)) * 0xd6e8feb86659fd93u;
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
 * A time's last 16 bytes as a number of which the order is that of the times: those in front of the seconds are made zeros. The first
 * byte is none of theirs.
 */
typedef unsigned __int128 pinstat_stamp;

static inline pinstat_stamp pinstat_read_stamp(const uint8_t *p, uint64_t seconds)
{
	return (pinstat_stamp)__builtin_bswap64(pinstat_word(p) & seconds) << 64 | __builtin_bswap64(pinstat_word(p + 8));
}

/* Nanoseconds. */
static inline uint64_t pinstat_stamp_time(pinstat_stamp stamp)
{
	uint64_t first = __builtin_bswap64((uint64_t)(stamp >> 64)), last = __builtin_bswap64((uint64_t)stamp);
	return pinstat_eight_digits(first >> 8 | last << 56) * 1000000000u + pinstat_eight_digits(last >> 16 << 16) * 1000u;
}

/*
 * The same of a time that stands first on its line, seconds of five to eight digits, a point, six digits and a bar: all 16 bytes of it,
 * each as many bits further up as `pinstat_own_shift` says.
 */
static inline pinstat_stamp pinstat_read_own_stamp(const uint8_t *p)
{
	return (pinstat_stamp)__builtin_bswap64(pinstat_word(p)) << 64 | __builtin_bswap64(pinstat_word(p + 8));
}

/* Nanoseconds of a stamp of which these are the halves. */
static inline uint64_t pinstat_time_of_halves(uint64_t high, uint64_t low)
{
	return pinstat_stamp_time((pinstat_stamp)high << 64 | low);
}

/* By what such a time looks like. */
static inline uint32_t pinstat_own_shift(const uint8_t *shape)
{
	uint32_t points = pinstat_equal16(shape, '.');
	return points & 0x1e0 ? 8 * (9 - (uint32_t)__builtin_ctz(points & 0x1e0)) : 0;
}

/* 0 where the front of `count` bytes at `p` is that one. */
static inline uint32_t pinstat_columns_differ(const pinstat_front *known, const uint8_t *p, uint32_t count)
{
	pinstat_columns_front here = pinstat_columns_at(p, count);
	pinstat_vector same = pinstat_and(pinstat_same(here.low, pinstat_load(known->bytes)),
		pinstat_same(here.high, pinstat_load(known->bytes + 16)));
	return (known->count ^ count) | (pinstat_bits(same) ^ 0xffff);
}

/* How much wider a report's column is than `PINSTAT_REPORT_COLUMN`, by where its points are. */
static inline uint32_t pinstat_report_excess(uint32_t points)
{
	/* The first one counts, whatever stands behind it. */
	uint32_t point = points ? (uint32_t)__builtin_ctz(points) : 0;
	return point >= PINSTAT_REPORT_POINT ? point - (PINSTAT_REPORT_POINT - 1) : 0;
}

/* The walk for the scanner's width, which is a constant in each. */
#define PINSTAT_WALK(has_values, is_read, lines, most, count) \
	switch (scanner->width) { \
	case 0: return PINSTAT_NAME(pinstat_walk)(scanner, text, stop, 0, has_values, is_read, lines, most, count, run); \
	case 1: return PINSTAT_NAME(pinstat_walk)(scanner, text, stop, 1, has_values, is_read, lines, most, count, run); \
	case 2: return PINSTAT_NAME(pinstat_walk)(scanner, text, stop, 2, has_values, is_read, lines, most, count, run); \
	case 3: return PINSTAT_NAME(pinstat_walk)(scanner, text, stop, 3, has_values, is_read, lines, most, count, run); \
	case PINSTAT_COLUMNS: return PINSTAT_NAME(pinstat_walk)(scanner, text, stop, PINSTAT_COLUMNS, has_values, is_read, lines, most, count, run); \
	default: return PINSTAT_NAME(pinstat_walk)(scanner, text, stop, PINSTAT_TIMED_COLUMNS, has_values, is_read, lines, most, count, run); \
	}

#define PINSTAT_BODY "calls_body.h"
#include "twice.h"

/* What is behind the first bytes of long tails, all in all. */
#define PINSTAT_REST (1 << 18)

static inline size_t pinstat_scanner_size(void) { return sizeof(pinstat_scanner); }

/*
 * Makes a scanner of zeros. `cpus`, of the kernel's text, is what a line of each begins with, in `PINSTAT_CPUS` places, for all that the
 * low four bits of the digits may come to; null for a report.
 */
static inline void pinstat_prepare(void *memory, uint8_t *rest, uint32_t width, const uint64_t *cpus)
{
	pinstat_scanner *scanner = (pinstat_scanner *)memory;
	scanner->rest = rest;
	scanner->width = width;
	if (cpus)
		memcpy(scanner->cpus, cpus, sizeof scanner->cpus);
	memset(scanner->window + 16, 0xff, sizeof scanner->window - 16);
}

static inline int32_t *pinstat_thresholds(void *scanner) { return ((pinstat_scanner *)scanner)->thresholds; }
static inline void pinstat_set_settled(void *scanner, uint32_t settled) { ((pinstat_scanner *)scanner)->settled = settled; }
static inline int32_t *pinstat_openings(void *scanner) { return ((pinstat_scanner *)scanner)->openings; }

/* A report's front goes where its last 16 bytes say, and becomes the one that is foreseen. */
static inline void pinstat_remember_front(void *memory, const pinstat_front *front, const pinstat_columns *columns)
{
	pinstat_scanner *scanner = (pinstat_scanner *)memory;
	scanner->fronts[pinstat_front_place(front->bytes + sizeof front->bytes)] = *front;
	scanner->foreseen = columns->front - PINSTAT_FRONT_LEAST;
	scanner->columns[scanner->foreseen] = *columns;
}

/*
 * With more columns: the front of `count` bytes, up to the duration column's mark, is known to be that lane's and becomes the one that is
 * foreseen. `time` is the line's start where it begins with a time, else null. 16 bytes behind the mark can be loaded.
 */
static inline void pinstat_remember_columns(void *memory, const void *text, uint32_t count, int32_t lane, const void *time)
{
	pinstat_scanner *scanner = (pinstat_scanner *)memory;
	pinstat_front *front = &scanner->fronts[pinstat_columns_place((const uint8_t *)text, count)];
	pinstat_columns_front bytes = pinstat_columns_at((const uint8_t *)text, count);
	memcpy(front->bytes, &bytes.low, 16);
	memcpy(front->bytes + 16, &bytes.high, 16);
	front->count = count;
	front->lane = lane;
	scanner->length = count;
	scanner->lengths |= 1u << (count - 1);
	if (time) {
		pinstat_vector shape = pinstat_zeroed(time);
		memcpy(scanner->time, &shape, 16);
	}
}

static inline void pinstat_set_stems(void *scanner) { ((pinstat_scanner *)scanner)->has_stems = 1; }
static inline pinstat_tail *pinstat_tail_at(void *scanner, uint32_t place) { return &((pinstat_scanner *)scanner)->tails[place]; }
static inline uint32_t *pinstat_rest_at(void *scanner, uint32_t place) { return &((pinstat_scanner *)scanner)->places[place]; }
static inline uint8_t *pinstat_shape_at(void *scanner, uint32_t place) { return ((pinstat_scanner *)scanner)->shapes[place]; }

/*
 * Where a tail of `count` bytes, `PINSTAT_TAIL_MOST` at most, that ends at `end` is looked for, and where it is not there, in the places
 * that differ in the last bits. The column in front of it begins at `mark`.
 */
static inline uint32_t pinstat_tail_place(int wide, const void *scanner, const void *mark, const void *end, uint64_t count)
{
	return PINSTAT_CHOOSE(wide, pinstat_tail_place, (const pinstat_scanner *)scanner, (const uint8_t *)mark, (const uint8_t *)end, count);
}

/* The same of a stem. */
static inline uint32_t pinstat_stem_place(int wide, const void *scanner, const void *mark, const void *end, uint64_t count)
{
	return PINSTAT_CHOOSE(wide, pinstat_stem_place, (const pinstat_scanner *)scanner, (const uint8_t *)mark, (const uint8_t *)end, count);
}

/*
 * Passes over lines as long as they are left out, from `text` on, where one begins, to the first that does not begin in front of
 * `stop`: those whose tails are known to be nothing but that, and that are deeper than their lane's threshold. What they come to is
 * added to `run`. Lines of other events are passed over too, behind a call's. A lane's opening becomes the depth of the innermost call
 * that is open behind its last line. Times must not go back, and a report's must be there.
 *
 * Returns the first line that was not passed over: it has to be looked at, or begins at `stop` or behind it. `PINSTAT_REACH`
 * bytes behind `stop` can be loaded.
 */
static inline const void *pinstat_skim(int wide, void *scanner, const void *text, const void *stop, pinstat_run *run)
{
	pinstat_scanner *own = (pinstat_scanner *)scanner;
	const uint8_t *start = (const uint8_t *)text, *end = (const uint8_t *)stop;
	return own->has_stems ? PINSTAT_CHOOSE(wide, pinstat_skim_values, own, start, end, run) : PINSTAT_CHOOSE(wide, pinstat_skim, own, start, end, run);
}

/* The same with all lines whose tails are known, `most` at most: what each is, and how many there were. */
static inline const void *pinstat_read(int wide, void *scanner, const void *text, const void *stop, pinstat_line *lines,
	size_t most, size_t *count, pinstat_run *run)
{
	pinstat_scanner *own = (pinstat_scanner *)scanner;
	const uint8_t *start = (const uint8_t *)text, *end = (const uint8_t *)stop;
	return own->has_stems ? PINSTAT_CHOOSE(wide, pinstat_read_values, own, start, end, lines, most, count, run) :
		PINSTAT_CHOOSE(wide, pinstat_read, own, start, end, lines, most, count, run);
}

#endif
