/* Included by calls.h through twice.h. */

/* By a tail's last 16 bytes, in which calls differ, its length, in which depths do, and where the point of a duration stands. */
PINSTAT_TARGET static inline __attribute__((always_inline)) uint32_t PINSTAT_NAME(pinstat_hash_tail)(const pinstat_scanner *scanner,
	const uint8_t *end, uint64_t count, uint64_t points)
{
	const uint8_t *own = scanner->window + count;
	uint64_t a = pinstat_word(end - 16) & pinstat_word(own), b = pinstat_word(end - 8) & pinstat_word(own + 8);
	uint64_t both = points << 8 | count;
#if defined(PINSTAT_AVX2)
	return (uint32_t)_mm_crc32_u64(_mm_crc32_u64(both, b), a) & ((1 << PINSTAT_TAIL_BITS) - 1);
#else
	uint64_t mixed = (a + both) * 0xbf58476d1ce4e5b9u + b * 0x9e3779b97f4a7c15u;
	return (uint32_t)(mixed >> (64 - PINSTAT_TAIL_BITS));
#endif
}

PINSTAT_TARGET static inline __attribute__((noinline)) uint32_t PINSTAT_NAME(pinstat_tail_place)(const pinstat_scanner *scanner,
	const uint8_t *mark, const uint8_t *end, uint64_t count)
{
	return PINSTAT_NAME(pinstat_hash_tail)(scanner, end, count, pinstat_equal16(mark, '.'));
}

/* Of a stem the last bytes are the same in most: by eight more in front of them, too, with which a tail's place is changed. */
PINSTAT_TARGET static inline __attribute__((always_inline)) uint32_t PINSTAT_NAME(pinstat_hash_stem)(const pinstat_scanner *scanner,
	const uint8_t *end, uint64_t count)
{
	uint64_t more = count >= 8 ? pinstat_word(end - 24) & pinstat_word(scanner->window + count - 8) : 0;
	return (uint32_t)(more * 0x9e3779b97f4a7c15u >> (64 - PINSTAT_TAIL_BITS));
}

PINSTAT_TARGET static inline __attribute__((noinline)) uint32_t PINSTAT_NAME(pinstat_stem_place)(const pinstat_scanner *scanner,
	const uint8_t *mark, const uint8_t *end, uint64_t count)
{
	return PINSTAT_NAME(pinstat_tail_place)(scanner, mark, end, count) ^ PINSTAT_NAME(pinstat_hash_stem)(scanner, end, count);
}

/* A tail's or a stem's entry in `place` or one of its neighbours, 0 where it is not known. */
PINSTAT_TARGET static inline __attribute__((always_inline)) uint64_t PINSTAT_NAME(pinstat_find_at)(const pinstat_scanner *scanner,
	const uint8_t *mark, const uint8_t *tail, uint64_t count, uint32_t place)
{
	uint64_t within = PINSTAT_NAME(pinstat_low_bits)(PINSTAT_TAIL_OWN, count);
	pinstat_vector shape = pinstat_zeroed(mark);
	for (uint32_t side = 0; side < PINSTAT_TAIL_SIDES; side++) {
		uint32_t here = place ^ side;
		uint64_t known = scanner->tails[here].known;
		if ((known >> 32 & 0xff) != count || (PINSTAT_NAME(pinstat_differ)(tail, scanner->tails[here].bytes) & within) ||
			pinstat_bits(pinstat_same(shape, pinstat_load(scanner->shapes[here]))) != 0xffff)
			continue;
		if (count <= PINSTAT_TAIL_SIZE ||
			memcmp(scanner->rest + scanner->places[here], tail + PINSTAT_TAIL_SIZE, count - PINSTAT_TAIL_SIZE) == 0)
			return known;
	}
	return 0;
}

/* As `pinstat_value32`. */
PINSTAT_TARGET static inline __attribute__((always_inline)) uint32_t PINSTAT_NAME(pinstat_are_values)(const uint8_t *p)
{
#if defined(PINSTAT_AVX2)
	/* A bit for each kind of upper half that a byte can have, and by its lower half those kinds that are in the set with it. */
	const __m256i upper = _mm256_broadcastsi128_si256(_mm_setr_epi8(0, 0, 1, 2, 4, 8, 4, 16, 0, 0, 0, 0, 0, 0, 0, 0));
	const __m256i lower = _mm256_broadcastsi128_si256(_mm_setr_epi8(1 | 2 | 8 | 16, 30, 30, 30, 30, 30, 30, 30, 30, 30,
		4 | 8 | 16, 4, 1 | 4, 1 | 2 | 4, 1 | 4, 4 | 8));
	__m256i v = _mm256_loadu_si256((const __m256i *)p);
	__m256i kind = _mm256_shuffle_epi8(upper, _mm256_and_si256(_mm256_srli_epi16(v, 4), _mm256_set1_epi8(15)));
	/* 0 of bytes from 128 on. */
	__m256i allowed = _mm256_shuffle_epi8(lower, v);
	return ~(uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(_mm256_and_si256(kind, allowed), _mm256_setzero_si256()));
#else
	return pinstat_value32(p);
#endif
}

/* Where stems may end: bits of 64 bytes. The byte behind them can be loaded. */
PINSTAT_TARGET static inline __attribute__((always_inline)) uint64_t PINSTAT_NAME(pinstat_stem_ends)(const uint8_t *p)
{
#if defined(PINSTAT_AVX2)
	const __m256i sign = _mm256_set1_epi8('='), open = _mm256_set1_epi8('('), shut = _mm256_set1_epi8(')');
	uint64_t ends = 0;
	for (int half = 0; half < 64; half += 32) {
		__m256i v = _mm256_loadu_si256((const __m256i *)(p + half)), next = _mm256_loadu_si256((const __m256i *)(p + half + 1));
		__m256i is_end = _mm256_or_si256(_mm256_cmpeq_epi8(v, sign),
			_mm256_andnot_si256(_mm256_cmpeq_epi8(next, shut), _mm256_cmpeq_epi8(v, open)));
		ends |= (uint64_t)(uint32_t)_mm256_movemask_epi8(is_end) << half;
	}
	return ends;
#else
	return PINSTAT_NAME(pinstat_equal64)(p, '=') | (PINSTAT_NAME(pinstat_equal64)(p, '(') & ~PINSTAT_NAME(pinstat_equal64)(p + 1, ')'));
#endif
}

/* Bytes of a tail with the stem of this entry, of `stem` bytes, and plain values; 0 of any other. `limit` is the end of what can be loaded. */
PINSTAT_TARGET static inline __attribute__((always_inline)) uint64_t PINSTAT_NAME(pinstat_values_end)(const uint8_t *tail, uint64_t stem,
	uint64_t known, const uint8_t *limit)
{
	const uint8_t *p = tail + stem;
	uint32_t other = 0;
	for (; !other; p += other ? __builtin_ctz(other) : 32) {
		if (p + 40 > limit)
			return 0;
		other = ~PINSTAT_NAME(pinstat_are_values)(p);
	}
	/* `);`, `) {` or ` *` and a slash, and the line feed. */
	int is_comment = tail[stem - 1] == '=', is_entry = !is_comment && !(known & PINSTAT_EXIT);
	uint32_t end = (uint32_t)pinstat_word(p);
	if (is_entry ? end != 0x0a7b2029 : (end & 0xffffff) != (is_comment ? 0x0a2f2au : 0x0a3b29u))
		return 0;
	if (is_comment && p[-1] != ' ')
		return 0;
	return (uint64_t)(p - tail) + 3 + (uint64_t)is_entry;
}

/* A tail of a known stem and plain values. */
PINSTAT_TARGET static inline __attribute__((noinline)) pinstat_found PINSTAT_NAME(pinstat_find_values)(const pinstat_scanner *scanner,
	const uint8_t *mark, const uint8_t *tail, const uint8_t *limit)
{
	const pinstat_found none = {0, 0};
	uint64_t stem = PINSTAT_NAME(pinstat_lowest)(PINSTAT_NAME(pinstat_stem_ends)(tail) & PINSTAT_TAIL_OWN) + 1;
	if (stem > PINSTAT_TAIL_SIZE)
		return none;
	uint64_t known = PINSTAT_NAME(pinstat_find_at)(scanner, mark, tail, stem,
		PINSTAT_NAME(pinstat_stem_place)(scanner, mark, tail + stem, stem));
	uint64_t length = known ? PINSTAT_NAME(pinstat_values_end)(tail, stem, known, limit) : 0;
	return length ? (pinstat_found){known, length} : none;
}

/*
 * A tail that is not in the first of its places, is long or has values: its entry, 0 where it is not known, and its length, which is
 * `length` where that is `PINSTAT_TAIL_SIZE` at most.
 */
PINSTAT_TARGET static inline __attribute__((noinline)) pinstat_found PINSTAT_NAME(pinstat_find)(const pinstat_scanner *scanner,
	const uint8_t *mark, const uint8_t *tail, uint64_t length, const uint8_t *limit)
{
	if (scanner->has_stems) {
		pinstat_found values = PINSTAT_NAME(pinstat_find_values)(scanner, mark, tail, limit);
		if (values.known)
			return values;
	}
	if (length > PINSTAT_TAIL_SIZE) {
		uint64_t feeds = PINSTAT_NAME(pinstat_equal64)(tail + PINSTAT_TAIL_SIZE, '\n');
		if (!feeds)
			return (pinstat_found){0, 0};
		length = PINSTAT_TAIL_SIZE + PINSTAT_NAME(pinstat_lowest)(feeds) + 1;
	}
	uint32_t place = PINSTAT_NAME(pinstat_tail_place)(scanner, mark, tail + length, length);
	return (pinstat_found){PINSTAT_NAME(pinstat_find_at)(scanner, mark, tail, length, place), length};
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
 * The line feed of a line of which `p` is somewhere behind the start, where nothing in between could make the line something else: the
 * name of a call's event, a loss, a character entity, a second trace beside the first, or, in front of `bars_from`, a column's bar. Null
 * otherwise. `limit` is the end of what can be loaded.
 */
PINSTAT_TARGET static inline __attribute__((always_inline)) const uint8_t *PINSTAT_NAME(pinstat_plain_rest)(const uint8_t *p,
	const uint8_t *bars_from, const uint8_t *limit)
{
	for (; p + 40 <= limit; p += 32) {
		uint32_t feeds = PINSTAT_NAME(pinstat_equal)(p, '\n');
		uint32_t bars = PINSTAT_NAME(pinstat_equal)(p, '|');
		uint32_t other = PINSTAT_NAME(pinstat_equal)(p, '&') | PINSTAT_NAME(pinstat_equal)(p, 0xc2);
		/* "graph_", "EVENTS" */
		other |= PINSTAT_NAME(pinstat_equal)(p, 'a') & PINSTAT_NAME(pinstat_equal)(p + 1, 'p') & PINSTAT_NAME(pinstat_equal)(p + 2, 'h') &
			PINSTAT_NAME(pinstat_equal)(p + 3, '_');
		other |= PINSTAT_NAME(pinstat_equal)(p, 'E') & PINSTAT_NAME(pinstat_equal)(p + 1, 'V');
		other |= p < bars_from ? bars : bars & PINSTAT_NAME(pinstat_equal)(p + 1, '|');
		if (other & (feeds ^ (feeds - 1)))
			return NULL;
		if (feeds)
			return p + __builtin_ctz(feeds);
	}
	return NULL;
}

/* Whether a report's line that ends at `end` ends in what could be the front of a record, or goes on in the next line. */
static inline int PINSTAT_NAME(pinstat_may_go_on)(const uint8_t *end)
{
	const uint8_t *p = end - 1;
	if (*p == ':' || *p == '=' || *p <= ' ')
		return 1;
	if (*p != ']' || (uint8_t)(p[-1] - '0') > 9)
		return 0;
	/* `comm:pid [priority]`, as trace-cmd prints tasks. */
	for (p--; (uint8_t)(*p - '0') <= 9; p--)
		;
	if (*p != '[')
		return 0;
	for (p--; *p == ' '; p--)
		;
	const uint8_t *last = p;
	for (; (uint8_t)(*p - '0') <= 9; p--)
		;
	return p == last || *p != ':';
}

/* Behind the line of another event in a report, of which the front and the time look as expected; null where it may be something else. */
PINSTAT_TARGET static inline __attribute__((noinline)) const uint8_t *PINSTAT_NAME(pinstat_pass_report_event)(const pinstat_scanner *scanner,
	const uint8_t *text, const pinstat_columns *columns, const uint8_t *limit)
{
	const uint8_t *end = text + columns->front, *time = text + columns->time_end;
	const pinstat_front *known = &scanner->fronts[pinstat_front_place(end)];
	pinstat_vector same = pinstat_and(pinstat_same(pinstat_load(text), pinstat_load(known->bytes)),
		pinstat_same(pinstat_load(end - 16), pinstat_load(known->bytes + 16)));
	same = pinstat_and(same, pinstat_same(pinstat_zeroed(time - 16), pinstat_load(columns->time)));
	if ((known->count & ~PINSTAT_FRONT_OTHERS) != columns->front || !known->is_word || pinstat_bits(same) != 0xffff || time[0] != ':' || time[1] != ' ')
		return NULL;
	if (pinstat_may_be_watched(scanner, time + 2))
		return NULL;
	const uint8_t *feed = PINSTAT_NAME(pinstat_plain_rest)(time + 2, text + 64, limit);
	return feed && !PINSTAT_NAME(pinstat_may_go_on)(feed) ? feed + 1 : NULL;
}

/*
 * Behind the line of another event in the kernel's text, a comment with no duration, of which what stands in front of `mark` is as
 * expected; null where it may be something else.
 */
PINSTAT_TARGET static inline __attribute__((noinline)) const uint8_t *PINSTAT_NAME(pinstat_pass_comment)(const pinstat_scanner *scanner,
	const uint8_t *mark, const uint8_t *limit)
{
	static const uint8_t none[] = "              | ";
	if (pinstat_bits(pinstat_same(pinstat_load(mark), pinstat_load(none))) != 0xffff)
		return NULL;
	uint32_t blanks = ~PINSTAT_NAME(pinstat_equal)(mark + PINSTAT_KERNEL_COLUMN, ' ');
	if (!blanks)
		return NULL;
	const uint8_t *comment = mark + PINSTAT_KERNEL_COLUMN + __builtin_ctz(blanks);
	if (comment[0] != '/' || comment[1] != '*')
		return NULL;
	if (scanner->watched[0] && (comment[2] != ' ' || pinstat_may_be_watched(scanner, comment + 3)))
		return NULL;
	const uint8_t *feed = PINSTAT_NAME(pinstat_plain_rest)(comment + 2, comment + 64, limit);
	return feed && feed - comment >= 4 && feed[-1] == '/' && feed[-2] == '*' ? feed + 1 : NULL;
}

/*
 * Behind the line of another event at `text`, of a layout as in `pinstat_walk`, which is counted; null where it may be something else.
 * Lines were read from `begin` on.
 */
PINSTAT_TARGET static inline __attribute__((noinline)) const uint8_t *PINSTAT_NAME(pinstat_pass_other)(pinstat_scanner *scanner,
	const uint8_t *text, const uint8_t *begin, const uint8_t *limit, uint32_t width, uint32_t front)
{
	const uint8_t *next = NULL;
	if (text == begin && !scanner->settled)
		return NULL;
	if (width == 0) {
		const pinstat_columns *columns = &scanner->columns[scanner->foreseen];
		if (columns->front)
			next = PINSTAT_NAME(pinstat_pass_report_event)(scanner, text, columns, limit);
	} else if (width >= PINSTAT_COLUMNS) {
		int is_timed = width == PINSTAT_TIMED_COLUMNS;
		const uint8_t *start = text + (is_timed ? PINSTAT_TIME_WIDTH : 0);
		if (!pinstat_columns_differ(&scanner->fronts[pinstat_columns_place(start, front)], start, front) &&
			(!is_timed || pinstat_bits(pinstat_same(pinstat_zeroed(text), pinstat_load(scanner->time))) == 0xffff))
			next = PINSTAT_NAME(pinstat_pass_comment)(scanner, start + front, limit);
	} else {
		uint64_t head = pinstat_word(text) & (((uint64_t)1 << 8 * (width + 3)) - 1);
		uint32_t lane = 0;
		for (uint32_t place = 1; place <= width; place++)
			lane = lane * 10 + (uint32_t)(head >> 8 * place & 15);
		if (head == scanner->cpus[lane])
			next = PINSTAT_NAME(pinstat_pass_comment)(scanner, text + width + 3, limit);
	}
	scanner->others += next != NULL;
	return next;
}

/* A front of another length than `front`, as where a task's number has one more digit: that, 0 where none is known. */
PINSTAT_TARGET static inline __attribute__((noinline)) uint32_t PINSTAT_NAME(pinstat_other_length)(const pinstat_scanner *scanner,
	const uint8_t *p, uint32_t front)
{
	if (!pinstat_columns_differ(&scanner->fronts[pinstat_columns_place(p, front)], p, front))
		return 0;
	for (uint32_t lengths = scanner->lengths & ~(1u << (front - 1)); lengths; lengths &= lengths - 1) {
		uint32_t length = (uint32_t)__builtin_ctz(lengths) + 1;
		if (!pinstat_columns_differ(&scanner->fronts[pinstat_columns_place(p, length)], p, length))
			return length;
	}
	return 0;
}

/*
 * Lines of one layout; `width`, `has_values` and `is_read` are constants to the compiler. With `has_values` tails are looked up by their
 * stems first; with `is_read` lines are put into `lines`, else they are left out by the thresholds.
 */
PINSTAT_TARGET static inline __attribute__((always_inline)) const uint8_t *PINSTAT_NAME(pinstat_walk)(pinstat_scanner *scanner,
	const uint8_t *text, const uint8_t *stop, uint32_t width, int has_values, int is_read, pinstat_line *lines, size_t most, size_t *read,
	pinstat_run *run)
{
	const int is_report = width == 0, has_columns = width >= PINSTAT_COLUMNS, is_timed = width == PINSTAT_TIMED_COLUMNS;
	const uint32_t columns_start = is_timed ? PINSTAT_TIME_WIDTH : 0;
	const uint64_t head_mask = has_columns ? 0 : ((uint64_t)1 << 8 * (width + 3)) - 1;
	const uint32_t column_width = is_report ? PINSTAT_REPORT_COLUMN : PINSTAT_KERNEL_COLUMN;
	/* Of a report, from a line's start: the end of the front, that of the time. With more columns: bytes of the front. */
	uint32_t front = has_columns ? scanner->length : 0, time_end = 0;
	uint64_t seconds = 0;
	pinstat_vector time_shape = pinstat_load(is_timed ? scanner->time : scanner->columns[0].time);
	const uint32_t stamp_shift = is_timed ? pinstat_own_shift(scanner->time) : 0;
	uint64_t counted = 0, exits = 0;
	pinstat_stamp last = 0;
	int32_t deepest = run->deepest;
	const uint8_t *begin = text;

	if (is_report)
		goto foresee;
	if (has_columns && !front)
		goto done;
	while (text < stop) {
		uint64_t other;
		uint32_t lane;
		pinstat_stamp stamp = 0;
		const uint8_t *mark = text + (is_report ? time_end + 24 : has_columns ? columns_start + front : width + 3);
		const uint8_t *tail = mark + column_width;
		uint32_t points = pinstat_equal16(mark, '.');
		if (is_report && __builtin_expect(points >> PINSTAT_REPORT_POINT, 0)) {
			tail += pinstat_report_excess(points);
			/* It may be behind the 16 bytes that are compared. */
			if (tail[-1] != '|')
				goto unforeseen;
		}
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
		} else if (has_columns) {
			const pinstat_front *known = &scanner->fronts[pinstat_columns_place(text + columns_start, front)];
			lane = (uint32_t)known->lane;
			other = pinstat_columns_differ(known, text + columns_start, front);
			if (is_timed) {
				stamp = pinstat_read_own_stamp(text);
				other |= (pinstat_bits(pinstat_same(pinstat_zeroed(text), time_shape)) ^ 0xffff) | (uint64_t)(stamp < last);
			}
		} else {
			uint64_t head = pinstat_word(text) & head_mask;
			lane = head >> 8 & 15;
			for (uint32_t place = 1; place < width; place++)
				lane = lane * 10 + (uint32_t)(head >> 8 * (place + 1) & 15);
			other = head ^ scanner->cpus[lane];
		}

		/*
		 * The column, mark to bar, and the tail are those of one entry. Lengths are not compared: the line feed, which ends both, is
		 * at the same place in both then. A tail that goes on where a stem ends is the same function's, as deep.
		 */
		uint64_t ends = has_values ? PINSTAT_NAME(pinstat_stem_ends)(tail) & (feeds ^ (feeds - 1)) & PINSTAT_TAIL_OWN : 0;
		uint64_t length = PINSTAT_NAME(pinstat_lowest)(ends ? ends : feeds) + 1, known;
		if (__builtin_expect(!(feeds | ends), 0))
			goto seldom;
		uint32_t place = PINSTAT_NAME(pinstat_hash_tail)(scanner, tail + length, length, points);
		if (ends)
			place ^= PINSTAT_NAME(pinstat_hash_stem)(scanner, tail + length, length);
		const pinstat_tail *here = &scanner->tails[place];
		known = here->known;
		uint64_t differ = PINSTAT_NAME(pinstat_low_bits)(PINSTAT_NAME(pinstat_differ)(tail, here->bytes), length);
		differ |= pinstat_bits(pinstat_same(pinstat_zeroed(mark), pinstat_load(scanner->shapes[place]))) ^ 0xffff;
		if (__builtin_expect((differ | other) != 0, 0))
			goto seldom;
		if (ends) {
			length = PINSTAT_NAME(pinstat_values_end)(tail, length, known, stop + PINSTAT_REACH);
			if (__builtin_expect(!length, 0))
				goto seldom;
		}
	found:;
		uint32_t exit = known & PINSTAT_EXIT;
		/* Below every threshold where the line is not to be passed over. */
		int32_t depth = (int32_t)((int64_t)known >> 56);
		if (!is_read && __builtin_expect(depth <= scanner->thresholds[lane], 0))
			break;
		if (is_report || is_timed) {
			if (__builtin_expect(!last, 0)) {
				uint64_t time = pinstat_stamp_time(stamp >> stamp_shift);
				if ((is_report && !time) | (time < run->last_time))
					break;
				if (!run->last_time)
					run->first_time = time;
			}
			last = stamp;
			if (is_read) {
				lines[counted].stamp_high = (uint64_t)(stamp >> stamp_shift >> 64);
				lines[counted].stamp_low = (uint64_t)(stamp >> stamp_shift);
			}
		}
		if (is_read) {
			lines[counted].value = (uint32_t)known;
			lines[counted].lane = (uint16_t)lane;
			lines[counted].depth = (uint8_t)depth;
			lines[counted].point = (uint8_t)__builtin_ctz(points | 1u << 16);
			lines[counted].mark = mark;
		} else {
			scanner->openings[lane] = depth - (int32_t)exit;
		}
		counted++;
		exits += exit;
		if (__builtin_expect(depth > deepest, 0))
			deepest = depth;
		text = tail + length;
		if (is_read && counted == most)
			break;
		continue;

	seldom:
		if (!other) {
			if (has_values)
				length = PINSTAT_NAME(pinstat_lowest)(feeds) + 1;
			pinstat_found found = PINSTAT_NAME(pinstat_find)(scanner, mark, tail, length, stop + PINSTAT_REACH);
			known = found.known;
			length = found.length;
			if (known)
				goto found;
		}

	unforeseen:;
		const uint8_t *next = PINSTAT_NAME(pinstat_pass_other)(scanner, text, begin, stop + PINSTAT_REACH, width, front);
		if (next) {
			text = next;
			continue;
		}
		/* A front of another length moves all that follows. */
		if (has_columns) {
			uint32_t length = PINSTAT_NAME(pinstat_other_length)(scanner, text + columns_start, front);
			if (!length)
				break;
			front = length;
			continue;
		}
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
done:
	scanner->settled |= counted > 0;
	run->lines += counted;
	run->others += scanner->others;
	scanner->others = 0;
	run->exits += exits;
	run->deepest = deepest;
	if (last)
		run->last_time = pinstat_stamp_time(last >> stamp_shift);
	if (is_read)
		*read = counted;
	return text;
}

PINSTAT_TARGET static inline __attribute__((noinline)) const uint8_t *PINSTAT_NAME(pinstat_skim_values)(pinstat_scanner *scanner,
	const uint8_t *text, const uint8_t *stop, pinstat_run *run)
{
	PINSTAT_WALK(1, 0, NULL, 0, NULL);
}

PINSTAT_TARGET static inline __attribute__((noinline)) const uint8_t *PINSTAT_NAME(pinstat_skim)(pinstat_scanner *scanner,
	const uint8_t *text, const uint8_t *stop, pinstat_run *run)
{
	PINSTAT_WALK(0, 0, NULL, 0, NULL);
}

PINSTAT_TARGET static inline __attribute__((noinline)) const uint8_t *PINSTAT_NAME(pinstat_read_values)(pinstat_scanner *scanner,
	const uint8_t *text, const uint8_t *stop, pinstat_line *lines, size_t most, size_t *count, pinstat_run *run)
{
	PINSTAT_WALK(1, 1, lines, most, count);
}

PINSTAT_TARGET static inline __attribute__((noinline)) const uint8_t *PINSTAT_NAME(pinstat_read)(pinstat_scanner *scanner,
	const uint8_t *text, const uint8_t *stop, pinstat_line *lines, size_t most, size_t *count, pinstat_run *run)
{
	PINSTAT_WALK(0, 1, lines, most, count);
}
