#ifndef PINSTAT_LINES_H
#define PINSTAT_LINES_H

/* Where lines end, and lines of kallsyms, many in one call. */

#include "wide.h"

/* What the names of symbols may begin with: up to 8 bytes of each, the first in the lowest byte. */
typedef struct {
	uint64_t bytes[4], masks[4];
} pinstat_heads;

#define PINSTAT_BODY "lines_body.h"
#include "twice.h"

/*
 * Offsets of the line feeds in `length` bytes; the number of them. As many as there are bytes may be written and three more,
 * and 63 bytes behind the last one are loaded.
 */
static inline size_t pinstat_line_ends(int wide, const void *base, size_t length, uint32_t *ends)
{
	return PINSTAT_CHOOSE(wide, pinstat_line_ends, (const uint8_t *)base, length, ends);
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

/* Whether a value is less than the one in front of it. */
static inline int pinstat_falls(int wide, const uint64_t *values, size_t count)
{
	return PINSTAT_CHOOSE(wide, pinstat_falls, values, count);
}

/* The shortest line of kallsyms. */
#define PINSTAT_SYMBOL_LINE 21

/*
 * The same without knowing where lines end, from `start` to the first that does not begin in front of `stop`, of `length` bytes that end
 * in a line feed where they are to be read all. Of the heads one counts, or all. Returns where the line begins that was not read. There is room for an address in every
 * `PINSTAT_SYMBOL_LINE` bytes and two more; 128 bytes behind the last one can be loaded.
 */
static inline size_t pinstat_find_symbols(int wide, const void *base, size_t start, size_t stop, size_t length,
	const pinstat_heads *heads, int is_one, uint64_t *addresses, size_t *taken)
{
	return PINSTAT_CHOOSE(wide, pinstat_find_symbols, (const uint8_t *)base, start, stop, length, heads, is_one, addresses, taken);
}

#endif
