/* Included by calls.h through twice.h. */

/* What of a tail's entry is compared: where lines are read, the value's other bits are the caller's. */
#define PINSTAT_CARE(difference, is_read) ((is_read) ? (difference) & 0x00ffffff00000001u : (difference) << 8)

/* By a tail's last 24 bytes, in which calls differ, and its length, in which depths do. */
PINSTAT_TARGET static inline __attribute__((always_inline)) uint32_t PINSTAT_NAME(pinstat_hash_tail)(const pinstat_scanner *scanner,
	const uint8_t *end, uint64_t count)
{
	const uint8_t *own = scanner->window + count;
	uint64_t a = pinstat_word(end - 24) & pinstat_word(own), b = pinstat_word(end - 16) & pinstat_word(own + 8);
	uint64_t c = pinstat_word(end - 8) & pinstat_word(own + 16);
#if defined(PINSTAT_AVX2)
	return (uint32_t)_mm_crc32_u64(_mm_crc32_u64(_mm_crc32_u64(count, c), b), a) & ((1 << PINSTAT_TAIL_BITS) - 1);
#else
	uint64_t mixed = a * 0x94d049bb133111ebu + b * 0xbf58476d1ce4e5b9u + c * 0x9e3779b97f4a7c15u;
	return (uint32_t)(mixed >> (64 - PINSTAT_TAIL_BITS)) ^ (uint32_t)count;
#endif
}

PINSTAT_TARGET static inline __attribute__((noinline)) uint32_t PINSTAT_NAME(pinstat_tail_place)(const pinstat_scanner *scanner,
	const uint8_t *end, uint64_t count)
{
	return PINSTAT_NAME(pinstat_hash_tail)(scanner, end, count);
}

/* A tail that is not in the first of its two places, or is long: its entry, 0 where it is not known. */
PINSTAT_TARGET static inline __attribute__((noinline)) uint64_t PINSTAT_NAME(pinstat_find_tail)(const pinstat_scanner *scanner,
	const uint8_t *tail, uint64_t count, uint64_t expected, int is_read)
{
	uint32_t place = PINSTAT_NAME(pinstat_hash_tail)(scanner, tail + count, count);
	uint64_t within = PINSTAT_NAME(pinstat_low_bits)(PINSTAT_TAIL_OWN, count);
	for (uint32_t side = 0; side < 2; side++) {
		uint32_t here = place ^ side;
		uint64_t known = scanner->tails[here].known;
		if (PINSTAT_CARE(known ^ expected, is_read) || (PINSTAT_NAME(pinstat_differ)(tail, scanner->tails[here].bytes) & within))
			continue;
		if (count <= PINSTAT_TAIL_SIZE ||
			memcmp(scanner->rest + scanner->places[here], tail + PINSTAT_TAIL_SIZE, count - PINSTAT_TAIL_SIZE) == 0)
			return known;
	}
	return 0;
}

/*
 * `: funcgraph_entry:` or `: funcgraph_exit: `, without a branch on which, and six blanks, behind a time that ends at `p`: 0 where that
 * stands there.
 */
PINSTAT_TARGET static inline __attribute__((always_inline)) uint64_t PINSTAT_NAME(pinstat_other_event)(const uint8_t *p)
{
	static const uint8_t entry[] = "aph_entry:      ", exit[] = "aph_exit:       ";
	pinstat_vector event = pinstat_load(p + 8);
	uint32_t is_entry = pinstat_bits(pinstat_same(event, pinstat_load(entry)));
	uint32_t is_exit = pinstat_bits(pinstat_same(event, pinstat_load(exit)));
	/* All 16 bits are set in one of them. */
	return (pinstat_word(p) ^ 0x7267636e7566203au) | ((((is_entry + 1) | (is_exit + 1)) & 0x10000) ^ 0x10000);
}

/*
 * Lines of one layout; `width` and `is_read` are constants to the compiler. With `is_read` lines are put into `lines`, else they are
 * left out by the thresholds.
 */
PINSTAT_TARGET static inline __attribute__((always_inline)) const uint8_t *PINSTAT_NAME(pinstat_walk)(pinstat_scanner *scanner,
	const uint8_t *text, const uint8_t *stop, uint32_t width, int is_read, pinstat_line *lines, size_t most, size_t *read,
	pinstat_run *run)
{
	const int is_report = width == 0;
	const uint64_t head_mask = ((uint64_t)1 << 8 * (width + 3)) - 1;
	const uint32_t column_width = is_report ? PINSTAT_REPORT_COLUMN : PINSTAT_KERNEL_COLUMN;
	/* Of a report, from a line's start: the end of the front, that of the time. */
	uint32_t front = 0, time_end = 0;
	uint64_t seconds = 0;
	pinstat_vector time_shape = pinstat_load(scanner->shapes);
	/* Lines above 32 bits, exits below. */
	uint64_t counts = 0;
	pinstat_stamp last = 0;
	int32_t deepest = run->deepest;

	if (is_report)
		goto foresee;
	while (text < stop) {
		uint64_t other;
		uint32_t lane;
		pinstat_stamp stamp = 0;
		const uint8_t *mark = text + (is_report ? time_end + 24 : width + 3), *tail = mark + column_width;
		uint64_t feeds = PINSTAT_NAME(pinstat_equal64)(tail, '\n') & PINSTAT_TAIL_OWN;
		if (is_report) {
			const uint8_t *end = text + front, *time = text + time_end;
			const pinstat_front *known = &scanner->fronts[pinstat_front_place(end)];
			lane = (uint32_t)known->lane;
			pinstat_vector same = pinstat_and(pinstat_same(pinstat_load(text), pinstat_load(known->bytes)),
				pinstat_same(pinstat_load(end - 16), pinstat_load(known->bytes + 16)));
			/* Between front and time nothing is left over. */
			same = pinstat_and(same, pinstat_same(pinstat_zeroed(time - 16), time_shape));
			stamp = pinstat_read_stamp(time - 16, seconds);
			other = (known->count ^ front) | (pinstat_bits(same) ^ 0xffff) | PINSTAT_NAME(pinstat_other_event)(time) |
				(uint64_t)(stamp < last);
		} else {
			uint64_t head = pinstat_word(text) & head_mask;
			lane = head >> 8 & 15;
			for (uint32_t place = 1; place < width; place++)
				lane = lane * 10 + (uint32_t)(head >> 8 * (place + 1) & 15);
			other = head ^ scanner->cpus[lane];
		}

		/* The column, mark to bar: with a duration it is an exit's. */
		uint32_t point = (uint32_t)__builtin_ctz(pinstat_equal16(mark, '.') | 1u << 16);
		uint32_t exit = ~point >> 4 & 1;
		/* The mark is looked at by itself. */
		other |= (pinstat_bits(pinstat_same(pinstat_zeroed(mark), pinstat_load(scanner->shapes[point]))) | 1) ^ 0xffff;
		other |= ~(uint32_t)scanner->marks[*mark] >> exit & 1;

		uint64_t length = PINSTAT_NAME(pinstat_lowest)(feeds) + 1, expected = exit | (is_read ? 0 : PINSTAT_KNOWN), known;
		if (__builtin_expect(feeds != 0, 1)) {
			expected |= length << 32;
			const pinstat_tail *here = &scanner->tails[PINSTAT_NAME(pinstat_hash_tail)(scanner, tail + length, length)];
			known = here->known;
			uint64_t differ = PINSTAT_NAME(pinstat_differ)(tail, here->bytes);
			differ = PINSTAT_NAME(pinstat_low_bits)(differ, length) | PINSTAT_CARE(known ^ expected, is_read);
			if (__builtin_expect(differ != 0, 0)) {
				if (other || !(known = PINSTAT_NAME(pinstat_find_tail)(scanner, tail, length, expected, is_read)))
					goto unforeseen;
			}
		} else {
			feeds = PINSTAT_NAME(pinstat_equal64)(tail + PINSTAT_TAIL_SIZE, '\n');
			length = PINSTAT_TAIL_SIZE + PINSTAT_NAME(pinstat_lowest)(feeds) + 1;
			expected |= length << 32;
			if (other || !feeds || !(known = PINSTAT_NAME(pinstat_find_tail)(scanner, tail, length, expected, is_read)))
				goto unforeseen;
		}
		if (__builtin_expect(other != 0, 0))
			goto unforeseen;

		int32_t depth = (int32_t)(known >> 56);
		if (!is_read && __builtin_expect(depth <= scanner->thresholds[lane], 0))
			break;
		if (is_report) {
			if (__builtin_expect(!last, 0)) {
				uint64_t time = pinstat_stamp_time(stamp);
				if (!time | (time < run->last_time))
					break;
				if (!run->last_time)
					run->first_time = time;
			}
			last = stamp;
		}
		if (is_read)
			lines[counts >> 32] = (pinstat_line){(uint32_t)known, (uint16_t)lane, (uint8_t)depth, (uint8_t)point, mark};
		else if (!is_report)
			scanner->openings[lane] = depth - (int32_t)exit;
		counts += ((uint64_t)1 << 32) + exit;
		deepest = depth > deepest ? depth : deepest;
		text = tail + length;
		if (is_read && counts >> 32 == most)
			break;
		continue;

	unforeseen:;
		/* A front of another length moves all that follows. */
		uint32_t bracket = is_report ? pinstat_equal16(text + PINSTAT_FRONT_LEAST - 1, ']') : 0;
		if (!bracket)
			break;
		uint32_t seen = (uint32_t)__builtin_ctz(bracket);
		if (seen == scanner->foreseen || seen > PINSTAT_FRONT_MOST - PINSTAT_FRONT_LEAST)
			break;
		scanner->foreseen = seen;

	foresee:;
		const pinstat_columns *columns = &scanner->columns[scanner->foreseen];
		if (!columns->front)
			break;
		front = columns->front;
		time_end = columns->time_end;
		seconds = columns->seconds;
		time_shape = pinstat_load(columns->time);
	}
	run->lines += counts >> 32;
	run->exits += (uint32_t)counts;
	run->deepest = deepest;
	if (last)
		run->last_time = pinstat_stamp_time(last);
	if (is_read)
		*read = counts >> 32;
	return text;
}

PINSTAT_TARGET static inline __attribute__((noinline)) const uint8_t *PINSTAT_NAME(pinstat_skim)(pinstat_scanner *scanner,
	const uint8_t *text, const uint8_t *stop, pinstat_run *run)
{
	switch (scanner->width) {
	case 0: return PINSTAT_NAME(pinstat_walk)(scanner, text, stop, 0, 0, NULL, 0, NULL, run);
	case 1: return PINSTAT_NAME(pinstat_walk)(scanner, text, stop, 1, 0, NULL, 0, NULL, run);
	case 2: return PINSTAT_NAME(pinstat_walk)(scanner, text, stop, 2, 0, NULL, 0, NULL, run);
	default: return PINSTAT_NAME(pinstat_walk)(scanner, text, stop, 3, 0, NULL, 0, NULL, run);
	}
}

PINSTAT_TARGET static inline __attribute__((noinline)) const uint8_t *PINSTAT_NAME(pinstat_read)(pinstat_scanner *scanner,
	const uint8_t *text, const uint8_t *stop, pinstat_line *lines, size_t most, size_t *count, pinstat_run *run)
{
	switch (scanner->width) {
	case 0: return PINSTAT_NAME(pinstat_walk)(scanner, text, stop, 0, 1, lines, most, count, run);
	case 1: return PINSTAT_NAME(pinstat_walk)(scanner, text, stop, 1, 1, lines, most, count, run);
	case 2: return PINSTAT_NAME(pinstat_walk)(scanner, text, stop, 2, 1, lines, most, count, run);
	default: return PINSTAT_NAME(pinstat_walk)(scanner, text, stop, 3, 1, lines, most, count, run);
	}
}

#undef PINSTAT_CARE
