/* Included by calls.h, once for each kind of processor: no guard. */

/* What of a tail's entry is compared: where lines are read, the value's other bits are the caller's. */
#define PINSTAT_CARE(difference, is_read) ((is_read) ? (difference) & 0x00ffffff00000001u : (difference) << 8)

/* A tail that is not in the first of its two places, or is longer than 64 bytes: its entry, 0 where it is not known. */
PINSTAT_TARGET static inline __attribute__((noinline)) uint64_t PINSTAT_NAME(pinstat_find_tail)(const pinstat_tails *tails,
	const uint8_t *tail, uint64_t count, uint64_t expected, int is_read)
{
	uint32_t place = pinstat_tail_place(tail + count, count);
	uint64_t within = PINSTAT_NAME(pinstat_low_bits)(~(uint64_t)0, count);
	for (uint32_t side = 0; side < 2; side++) {
		uint32_t here = place ^ side;
		uint64_t known = tails->known[here];
		if (PINSTAT_CARE(known ^ expected, is_read) ||
			(PINSTAT_NAME(pinstat_differ)(tail, tails->bytes + PINSTAT_TAIL_SIZE * (uint64_t)here) & within))
			continue;
		if (count <= PINSTAT_TAIL_SIZE ||
			memcmp(tails->rest + tails->places[here], tail + PINSTAT_TAIL_SIZE, count - PINSTAT_TAIL_SIZE) == 0)
			return known;
	}
	return 0;
}

/*
 * Lines of one layout; `width` and `is_read` are constants to the compiler. With `is_read` lines are put into `lines`, else they are
 * left out by `thresholds`.
 */
PINSTAT_TARGET static inline __attribute__((always_inline)) const uint8_t *PINSTAT_NAME(pinstat_walk)(pinstat_layout *layout,
	const uint8_t *text, const uint8_t *stop, uint32_t width, int is_read, const int32_t *thresholds, int32_t *openings,
	pinstat_line *lines, size_t most, size_t *read, pinstat_run *run)
{
	const pinstat_tails tails = layout->tails;
	const uint8_t *const shapes = layout->shapes;
	const uint64_t *const cpus = layout->cpus;
	const pinstat_front *const fronts = layout->fronts;
	const int is_report = width == 0;
	if (is_read)
		*read = 0;
	const uint64_t head_mask = ((uint64_t)1 << 8 * (width + 3)) - 1;
	/* From a line's start. */
	uint32_t mark_at = width + 3, front = 0, event_at = 0;
	uint64_t seconds = 0;
	pinstat_vector time_shape = pinstat_load(shapes);
	if (is_report) {
		const pinstat_columns *columns = &layout->columns[layout->foreseen];
		if (!columns->front)
			return text;
		front = columns->front;
		event_at = columns->event;
		mark_at = event_at + 22;
		seconds = columns->seconds;
		time_shape = pinstat_load(columns->time);
	}
	const uint32_t column_width = is_report ? PINSTAT_REPORT_COLUMN : PINSTAT_KERNEL_COLUMN;
	size_t count = 0;
	uint64_t exits = 0;
	/* The time's bytes as numbers of 64 bits, big-endian, which are in the order of time. */
	uint64_t high = 0, low = 0;
	int32_t deepest = run->deepest;

	while (text < stop) {
		uint64_t other;
		uint32_t lane;
		uint64_t time_high = 0, time_low = 0;
		const uint8_t *mark = text + mark_at, *tail = mark + column_width;
		uint64_t feeds = PINSTAT_NAME(pinstat_equal64)(tail, '\n');
		if (is_report) {
			const uint8_t *end = text + front, *event = text + event_at;
			const pinstat_front *known = &fronts[pinstat_front_place(end)];
			/* Behind the front a blank, whatever of the time does not fit into 16 bytes. */
			other = (known->count ^ front) | (uint64_t)(*end ^ ' ');
			lane = (uint32_t)known->lane;
			pinstat_vector same = pinstat_and(pinstat_same(pinstat_load(text), pinstat_load(known->bytes)),
				pinstat_same(pinstat_load(end - 16), pinstat_load(known->bytes + 16)));
			same = pinstat_and(same, pinstat_same(pinstat_zeroed(event - 18), time_shape));
			other |= pinstat_bits(same) ^ 0xffff;
			/* `: funcgraph_entry:` or `: funcgraph_exit: `, without a branch on which, and six blanks. */
			uint64_t middle = pinstat_word(event + 6), last = pinstat_word(event + 14);
			uint32_t is_entry = ((middle ^ 0x72746e655f687061u) | (last ^ 0x2020202020203a79u)) == 0;
			uint32_t is_exit = ((middle ^ 0x746978655f687061u) | (last ^ 0x202020202020203au)) == 0;
			other |= (pinstat_word(event - 2) ^ 0x7267636e7566203au) | !(is_entry | is_exit);
			time_high = __builtin_bswap64(pinstat_word(event - 18) & seconds);
			time_low = __builtin_bswap64(pinstat_word(event - 10));
			other |= (time_high < high) | ((time_high == high) & (time_low < low));
		} else {
			uint64_t head = pinstat_word(text) & head_mask;
			lane = head >> 8 & 15;
			for (uint32_t place = 1; place < width; place++)
				lane = lane * 10 + (uint32_t)(head >> 8 * (place + 1) & 15);
			other = head ^ cpus[lane];
		}

		/* The column, mark to bar: with a duration it is an exit's. */
		uint32_t point = (uint32_t)__builtin_ctz(pinstat_equal16(mark, '.') | 1u << 16);
		uint32_t exit = ~point >> 4 & 1;
		/* The mark is looked at by itself. */
		other |= (pinstat_bits(pinstat_same(pinstat_zeroed(mark), pinstat_load(shapes + 16 * point))) | 1) ^ 0xffff;
		other |= ~(uint32_t)pinstat_marks[*mark] >> exit & 1;

		uint64_t length = PINSTAT_NAME(pinstat_lowest)(feeds) + 1;
		uint64_t expected = exit | (is_read ? 0 : PINSTAT_KNOWN), known = 0;
		if (__builtin_expect(feeds != 0, 1)) {
			expected |= length << 32;
			uint32_t place = pinstat_tail_place(tail + length, length);
			known = tails.known[place];
			uint64_t differ = PINSTAT_NAME(pinstat_differ)(tail, tails.bytes + PINSTAT_TAIL_SIZE * (uint64_t)place);
			differ = PINSTAT_NAME(pinstat_low_bits)(differ, length) | PINSTAT_CARE(known ^ expected, is_read);
			if (__builtin_expect(differ != 0, 0))
				known = other ? 0 : PINSTAT_NAME(pinstat_find_tail)(&tails, tail, length, expected, is_read);
		} else if (!other) {
			feeds = PINSTAT_NAME(pinstat_equal64)(tail + PINSTAT_TAIL_SIZE, '\n');
			length = PINSTAT_TAIL_SIZE + PINSTAT_NAME(pinstat_lowest)(feeds) + 1;
			if (feeds)
				known = PINSTAT_NAME(pinstat_find_tail)(&tails, tail, length, expected | length << 32, is_read);
		}

		if (__builtin_expect(other | !known, 0)) {
			/* A front of another length moves all that follows. */
			uint32_t bracket = is_report ? pinstat_equal16(text + PINSTAT_FRONT_LEAST - 1, ']') : 0;
			if (!bracket)
				break;
			uint32_t seen = (uint32_t)__builtin_ctz(bracket);
			const pinstat_columns *columns = &layout->columns[seen];
			if (seen == layout->foreseen || seen > PINSTAT_FRONT_MOST - PINSTAT_FRONT_LEAST || !columns->front)
				break;
			layout->foreseen = seen;
			front = columns->front;
			event_at = columns->event;
			mark_at = event_at + 22;
			seconds = columns->seconds;
			time_shape = pinstat_load(columns->time);
			continue;
		}
		int32_t depth = (int32_t)(known >> 56);
		if (!is_read && __builtin_expect(depth <= thresholds[lane], 0))
			break;
		if (is_report) {
			if (__builtin_expect(!(high | low), 0)) {
				uint64_t time = pinstat_time(time_high, time_low);
				if (!time | (time < run->last_time))
					break;
				if (!run->last_time)
					run->first_time = time;
			}
			high = time_high;
			low = time_low;
		}
		if (is_read) {
			lines[count] = (pinstat_line){(uint32_t)known, (uint16_t)lane, (uint8_t)depth, (uint8_t)point, mark};
		} else if (!is_report) {
			openings[lane] = depth - (int32_t)exit;
		}
		exits += exit;
		deepest = depth > deepest ? depth : deepest;
		count++;
		text = tail + length;
		if (is_read && count == most)
			break;
	}
	run->lines += count;
	run->exits += exits;
	run->deepest = deepest;
	if (high | low)
		run->last_time = pinstat_time(high, low);
	if (is_read)
		*read = count;
	return text;
}

PINSTAT_TARGET static inline __attribute__((noinline)) const uint8_t *PINSTAT_NAME(pinstat_skim)(pinstat_layout *layout,
	const uint8_t *text, const uint8_t *stop, const int32_t *thresholds, int32_t *openings, pinstat_run *run)
{
	switch (layout->width) {
	case 0: return PINSTAT_NAME(pinstat_walk)(layout, text, stop, 0, 0, thresholds, openings, NULL, 0, NULL, run);
	case 1: return PINSTAT_NAME(pinstat_walk)(layout, text, stop, 1, 0, thresholds, openings, NULL, 0, NULL, run);
	case 2: return PINSTAT_NAME(pinstat_walk)(layout, text, stop, 2, 0, thresholds, openings, NULL, 0, NULL, run);
	default: return PINSTAT_NAME(pinstat_walk)(layout, text, stop, 3, 0, thresholds, openings, NULL, 0, NULL, run);
	}
}

PINSTAT_TARGET static inline __attribute__((noinline)) const uint8_t *PINSTAT_NAME(pinstat_read)(pinstat_layout *layout,
	const uint8_t *text, const uint8_t *stop, pinstat_line *lines, size_t most, size_t *count, pinstat_run *run)
{
	switch (layout->width) {
	case 0: return PINSTAT_NAME(pinstat_walk)(layout, text, stop, 0, 1, NULL, NULL, lines, most, count, run);
	case 1: return PINSTAT_NAME(pinstat_walk)(layout, text, stop, 1, 1, NULL, NULL, lines, most, count, run);
	case 2: return PINSTAT_NAME(pinstat_walk)(layout, text, stop, 2, 1, NULL, NULL, lines, most, count, run);
	default: return PINSTAT_NAME(pinstat_walk)(layout, text, stop, 3, 1, NULL, NULL, lines, most, count, run);
	}
}

#undef PINSTAT_CARE
