/* Included by lines.h, once for each kind of processor: no guard. */

#if defined(PINSTAT_AVX2)

/* The lowest bit that is set; 64 where none is. */
PINSTAT_TARGET static inline uint32_t PINSTAT_NAME(pinstat_lowest)(uint64_t mask) { return (uint32_t)_tzcnt_u64(mask); }

PINSTAT_TARGET static inline uint32_t PINSTAT_NAME(pinstat_equal)(const uint8_t *p, uint8_t byte)
{
	__m256i v = _mm256_loadu_si256((const __m256i *)p);
	return (uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(v, _mm256_set1_epi8((char)byte)));
}

/* Which of 64 bytes differ. */
PINSTAT_TARGET static inline uint64_t PINSTAT_NAME(pinstat_differ)(const uint8_t *a, const uint8_t *b)
{
	__m256i low = _mm256_cmpeq_epi8(_mm256_loadu_si256((const __m256i *)a), _mm256_loadu_si256((const __m256i *)b));
	__m256i high = _mm256_cmpeq_epi8(_mm256_loadu_si256((const __m256i *)(a + 32)), _mm256_loadu_si256((const __m256i *)(b + 32)));
	return ~((uint64_t)(uint32_t)_mm256_movemask_epi8(high) << 32 | (uint32_t)_mm256_movemask_epi8(low));
}

#else

PINSTAT_TARGET static inline uint32_t PINSTAT_NAME(pinstat_lowest)(uint64_t mask)
{
	return mask ? (uint32_t)__builtin_ctzll(mask) : 64;
}

PINSTAT_TARGET static inline uint32_t PINSTAT_NAME(pinstat_equal)(const uint8_t *p, uint8_t byte)
{
	return pinstat_equal32(p, byte);
}

PINSTAT_TARGET static inline uint64_t PINSTAT_NAME(pinstat_differ)(const uint8_t *a, const uint8_t *b)
{
	uint64_t same = 0;
	for (int i = 0; i < 64; i += 16)
		same |= (uint64_t)pinstat_bits(pinstat_same(pinstat_load(a + i), pinstat_load(b + i))) << i;
	return ~same;
}

#endif

/* 0 of one that is not there. */
PINSTAT_TARGET static inline __attribute__((always_inline)) uint32_t PINSTAT_NAME(pinstat_find_tail)(
	const pinstat_tails *tails, const uint8_t *start, uint64_t count)
{
	uint32_t place = pinstat_tail_place(start, count);
	uint64_t within = pinstat_low_bits(~(uint64_t)0, count);
	for (uint32_t side = 0; side < 2; side++) {
		uint32_t here = place ^ side;
		uint64_t known = tails->known[here];
		uint64_t other = (PINSTAT_NAME(pinstat_differ)(start, tails->keys + PINSTAT_KEY_SIZE * here) & within) | (known >> 32 ^ count);
		if (__builtin_expect(!other, 1)) {
			if (__builtin_expect(count <= PINSTAT_KEY_SIZE, 1) ||
				memcmp(tails->rest + tails->places[here], start + PINSTAT_KEY_SIZE, count - PINSTAT_KEY_SIZE) == 0)
				return (uint32_t)known;
		}
	}
	return 0;
}

PINSTAT_TARGET static inline size_t PINSTAT_NAME(pinstat_line_ends)(const uint8_t *base, size_t length, uint32_t *ends)
{
	size_t found = 0;
	for (size_t offset = 0; offset < length; offset += 64) {
		uint64_t mask = PINSTAT_NAME(pinstat_equal)(base + offset, '\n') |
			(uint64_t)PINSTAT_NAME(pinstat_equal)(base + offset + 32, '\n') << 32;
		if (length - offset < 64)
			mask &= ((uint64_t)1 << (length - offset)) - 1;
		size_t here = (size_t)__builtin_popcountll(mask);
		/* Lines are some 50 bytes long: without a branch on how many there are. */
		for (size_t i = 0; i < 3; i++) {
			ends[found + i] = (uint32_t)offset + PINSTAT_NAME(pinstat_lowest)(mask);
			mask &= mask - 1;
		}
		for (size_t i = found + 3; __builtin_expect(mask != 0, 0); i++, mask &= mask - 1)
			ends[i] = (uint32_t)offset + PINSTAT_NAME(pinstat_lowest)(mask);
		found += here;
	}
	return found;
}

/*
 * From the duration's mark to the function part. `value` becomes 1 with a duration and 0 without one, or 2 where the line has
 * to be read in another way. What is behind the line feed does not look like a column.
 */
PINSTAT_TARGET static inline __attribute__((always_inline)) void PINSTAT_NAME(pinstat_read_column)(const uint8_t *base,
	const uint8_t *mark, size_t width, const pinstat_shapes *shapes, pinstat_line *line)
{
	pinstat_vector column = pinstat_load(mark);
	uint32_t point = (uint32_t)__builtin_ctz(pinstat_bits(pinstat_equal(column, '.')) | 1u << 16);
	uint32_t exit = ~point >> 4 & 1;
	pinstat_vector zeros = pinstat_clear(column, pinstat_within(column, '0', '9'), 0x0f);
	/* The mark is looked at by itself. */
	uint32_t other = (pinstat_bits(pinstat_same(zeros, pinstat_load(shapes->bytes + 16 * point))) | 1) ^ 0xffff;
	other |= ~(uint32_t)pinstat_marks[*mark] >> exit & 1;
	if (!width)
		width = shapes->width[point];
	const uint8_t *bar = mark + width;
	uint64_t text = ~(PINSTAT_NAME(pinstat_equal)(bar, ' ') | (uint64_t)PINSTAT_NAME(pinstat_equal)(bar + 32, ' ') << 32);
	uint32_t indent = PINSTAT_NAME(pinstat_lowest)(text);
	/* Even, and 2 to 62. */
	other |= ((indent - 2) & ~62u) | (uint32_t)(indent == 64);
	line->value = other ? 2 : exit;
	line->depth = (uint8_t)((indent - 2) / 2);
	line->point = (uint8_t)point;
	line->mark = (uint32_t)(mark - base);
	line->part = (uint32_t)(bar + indent - base);
}

/* The parts' values, instead of what `pinstat_read_column` has left there; 0: the line has to be read in another way. */
PINSTAT_TARGET static inline __attribute__((always_inline)) void PINSTAT_NAME(pinstat_find_tails)(const uint8_t *base,
	size_t scanned, const uint32_t *ends, size_t count, const pinstat_tails *given, pinstat_line *lines)
{
	const pinstat_tails tails = *given;
	for (size_t i = 0; i < count; i++) {
		uint32_t exit = lines[i].value, end = (uint32_t)scanned + ends[i], part = lines[i].part, value = 0;
		if (exit < 2 && part < end) {
			value = PINSTAT_NAME(pinstat_find_tail)(&tails, base + part, end - part);
			if ((value & PINSTAT_EXIT) != exit)
				value = 0;
		}
		lines[i].value = value;
	}
}

PINSTAT_TARGET static inline __attribute__((always_inline)) void PINSTAT_NAME(pinstat_read_graph)(const uint8_t *base,
	size_t start, size_t scanned, const uint32_t *ends, size_t count, size_t width, const uint64_t *fronts,
	const pinstat_shapes *given, pinstat_line *lines)
{
	const pinstat_shapes shapes = *given;
	const uint64_t mask = ((uint64_t)1 << 8 * (width + 3)) - 1;
	for (size_t i = 0; i < count; i++) {
		const uint8_t *text = i ? base + scanned + ends[i - 1] + 1 : base + start;
		uint64_t head = pinstat_word(text) & mask;
		uint32_t cpu = head >> 8 & 15;
		for (size_t place = 1; place < width; place++)
			cpu = cpu * 10 + (uint32_t)(head >> 8 * (place + 1) & 15);
		PINSTAT_NAME(pinstat_read_column)(base, text + width + 3, PINSTAT_KERNEL_COLUMN, &shapes, &lines[i]);
		lines[i].lane = (uint16_t)cpu;
		if (fronts[cpu] != head)
			lines[i].value = 2;
	}
}

PINSTAT_TARGET static inline __attribute__((noinline)) void PINSTAT_NAME(pinstat_graph_lines)(const uint8_t *base, size_t start,
	size_t scanned, const uint32_t *ends, size_t count, size_t width, const uint64_t *fronts, const pinstat_shapes *shapes,
	const pinstat_tails *tails, pinstat_line *lines)
{
	switch (width) {
	case 1: PINSTAT_NAME(pinstat_read_graph)(base, start, scanned, ends, count, 1, fronts, shapes, lines); break;
	case 2: PINSTAT_NAME(pinstat_read_graph)(base, start, scanned, ends, count, 2, fronts, shapes, lines); break;
	default: PINSTAT_NAME(pinstat_read_graph)(base, start, scanned, ends, count, 3, fronts, shapes, lines); break;
	}
	PINSTAT_NAME(pinstat_find_tails)(base, scanned, ends, count, tails, lines);
}

/*
 * Up to the duration's mark, whose place is returned; null where the line has to be read in another way.
 *
 * `%16s-%-5d [%03d]`, with a bracket at byte 27 or behind it where the process ID has more than five digits; blanks,
 * seconds, a point, six digits, a colon, a blank; the event.
 */
PINSTAT_TARGET static inline __attribute__((always_inline)) const uint8_t *PINSTAT_NAME(pinstat_read_front)(
	const uint8_t *line, const pinstat_front *fronts, uint32_t *lane, uint64_t *nanoseconds)
{
	uint32_t bracket = pinstat_equal16(line + 24, ']');
	if (*line != ' ' || !bracket)
		return NULL;
	uint32_t front = (uint32_t)__builtin_ctz(bracket) + 25;
	const uint8_t *text = line + front;
	pinstat_vector time = pinstat_load(text);
	uint32_t colons = pinstat_bits(pinstat_equal(time, ':')), blank = ~pinstat_bits(pinstat_equal(time, ' '));
	if (!colons)
		return NULL;
	uint32_t colon = (uint32_t)__builtin_ctz(colons), blanks = (uint32_t)__builtin_ctz(blank), point = colon - 7;
	if (blanks < 1 || colon < 9 || point <= blanks)
		return NULL;
	uint32_t digits = ((1u << colon) - (1u << blanks)) & ~(1u << point);
	const uint8_t *event = text + colon + 2;
	/* `funcgrap`, `h_entry:` or `h_exit: `, without a branch on which, and six blanks. */
	uint64_t name = pinstat_word(event + 8);
	uint32_t known_name = (name == 0x3a7972746e655f68u) | (name == 0x203a746978655f68u);
	uint64_t other = (pinstat_word(event) ^ 0x70617267636e7566u) | ((pinstat_word(event + 16) ^ 0x202020202020u) & 0xffffffffffffu);
	if ((pinstat_bits(pinstat_within(time, '0', '9')) & digits) != digits || text[point] != '.' || event[-1] != ' ' || other || !known_name)
		return NULL;
	uint64_t last[2] = {pinstat_word(line + front - 16), pinstat_word(line + front - 8)};
	const pinstat_front *known = &fronts[pinstat_front_hash(last[0], last[1])];
	uint64_t first[3], expected[5];
	memcpy(first, line, 24);
	memcpy(expected, known->words, 40);
	if (((first[0] ^ expected[0]) | (first[1] ^ expected[1]) | (first[2] ^ expected[2]) | (last[0] ^ expected[3]) |
		(last[1] ^ expected[4])) || known->count != front)
		return NULL;
	/* Eight bytes that end in the last digit of the seconds; those in front of the first are made zeros. */
	uint32_t seconds = point - blanks;
	if (seconds > 8)
		return NULL;
	*lane = (uint32_t)known->lane;
	*nanoseconds = pinstat_eight_digits(pinstat_word(text + point - 8) >> (64 - 8 * seconds) << (64 - 8 * seconds)) * 1000000000u +
		pinstat_eight_digits(pinstat_word(text + point + 1) << 16) * 1000u;
	return event + 22;
}

PINSTAT_TARGET static inline __attribute__((noinline)) void PINSTAT_NAME(pinstat_report_lines)(const uint8_t *base, size_t start,
	size_t scanned, const uint32_t *ends, size_t count, const pinstat_front *fronts, const pinstat_shapes *given,
	const pinstat_tails *tails, pinstat_line *lines)
{
	const pinstat_shapes shapes = *given;
	for (size_t i = 0; i < count; i++) {
		const uint8_t *line = i ? base + scanned + ends[i - 1] + 1 : base + start;
		uint32_t lane;
		const uint8_t *mark = PINSTAT_NAME(pinstat_read_front)(line, fronts, &lane, &lines[i].time);
		lines[i].value = 2;
		if (!mark)
			continue;
		PINSTAT_NAME(pinstat_read_column)(base, mark, 0, &shapes, &lines[i]);
		lines[i].lane = (uint16_t)lane;
	}
	PINSTAT_NAME(pinstat_find_tails)(base, scanned, ends, count, tails, lines);
}

/* Whether a line that is read up to its tail, `count` bytes of it, is one to leave out. */
PINSTAT_TARGET static inline __attribute__((always_inline)) int PINSTAT_NAME(pinstat_is_passed)(const uint8_t *base,
	const pinstat_line *line, uint64_t count, const pinstat_tails *tails)
{
	const uint8_t *tail = base + line->part;
	if (__builtin_expect(line->value == 2, 0))
		return 0;
	if (__builtin_expect(count - 1 >= PINSTAT_KEY_SIZE, 0))
		return (int64_t)count > 0 && PINSTAT_NAME(pinstat_find_tail)(tails, tail, count) == PINSTAT_KNOWN + line->value;
	uint32_t place = pinstat_tail_place(tail, count);
	uint64_t within = pinstat_low_bits(~(uint64_t)0, count), expected = count << 32 | (PINSTAT_KNOWN + line->value);
	uint64_t other = (PINSTAT_NAME(pinstat_differ)(tail, tails->keys + PINSTAT_KEY_SIZE * place) & within) | (tails->known[place] ^ expected);
	if (__builtin_expect(!other, 1))
		return 1;
	place ^= 1;
	return !((PINSTAT_NAME(pinstat_differ)(tail, tails->keys + PINSTAT_KEY_SIZE * place) & within) | (tails->known[place] ^ expected));
}

PINSTAT_TARGET static inline __attribute__((always_inline)) size_t PINSTAT_NAME(pinstat_skim_width)(const uint8_t *base,
	size_t start, size_t scanned, const uint32_t *ends, size_t count, size_t width, const uint64_t *fronts,
	const pinstat_shapes *given, const pinstat_tails *known, const int32_t *thresholds, int32_t *openings, pinstat_run *run)
{
	const pinstat_shapes shapes = *given;
	const pinstat_tails tails = *known;
	const uint64_t mask = ((uint64_t)1 << 8 * (width + 3)) - 1;
	const uint8_t *text = base + start;
	uint64_t exits = 0;
	int32_t deepest = run->deepest;
	size_t i = 0;
	for (; i < count; i++) {
		uint64_t head = pinstat_word(text) & mask;
		uint32_t cpu = head >> 8 & 15;
		for (size_t place = 1; place < width; place++)
			cpu = cpu * 10 + (uint32_t)(head >> 8 * (place + 1) & 15);
		pinstat_line line;
		PINSTAT_NAME(pinstat_read_column)(base, text + width + 3, PINSTAT_KERNEL_COLUMN, &shapes, &line);
		size_t end = scanned + ends[i];
		int32_t depth = line.depth;
		int is_passed = PINSTAT_NAME(pinstat_is_passed)(base, &line, (uint64_t)end - line.part, &tails);
		if (__builtin_expect(!is_passed, 0) || __builtin_expect(fronts[cpu] != head, 0) || __builtin_expect(depth <= thresholds[cpu], 0))
			break;
		exits += line.value;
		deepest = depth > deepest ? depth : deepest;
		openings[cpu] = depth - (int32_t)line.value;
		text = base + end + 1;
	}
	run->exits += exits;
	run->deepest = deepest;
	return i;
}

PINSTAT_TARGET static inline __attribute__((noinline)) size_t PINSTAT_NAME(pinstat_skim_graph)(const uint8_t *base, size_t start,
	size_t scanned, const uint32_t *ends, size_t count, size_t width, const uint64_t *fronts, const pinstat_shapes *shapes,
	const pinstat_tails *tails, const int32_t *thresholds, int32_t *openings, pinstat_run *run)
{
	switch (width) {
	case 1: return PINSTAT_NAME(pinstat_skim_width)(base, start, scanned, ends, count, 1, fronts, shapes, tails, thresholds, openings, run);
	case 2: return PINSTAT_NAME(pinstat_skim_width)(base, start, scanned, ends, count, 2, fronts, shapes, tails, thresholds, openings, run);
	default: return PINSTAT_NAME(pinstat_skim_width)(base, start, scanned, ends, count, 3, fronts, shapes, tails, thresholds, openings, run);
	}
}

PINSTAT_TARGET static inline __attribute__((noinline)) size_t PINSTAT_NAME(pinstat_skim_report)(const uint8_t *base, size_t start,
	size_t scanned, const uint32_t *ends, size_t count, const pinstat_front *fronts, const pinstat_shapes *given,
	const pinstat_tails *known, const int32_t *thresholds, int32_t *openings, pinstat_run *run)
{
	const pinstat_shapes shapes = *given;
	const pinstat_tails tails = *known;
	const uint8_t *text = base + start;
	uint64_t exits = 0, first_time = run->first_time, last_time = run->last_time;
	int32_t deepest = run->deepest;
	size_t i = 0;
	for (; i < count; i++) {
		pinstat_line line;
		uint32_t lane;
		uint64_t time;
		const uint8_t *mark = PINSTAT_NAME(pinstat_read_front)(text, fronts, &lane, &time);
		if (__builtin_expect(!mark, 0))
			break;
		PINSTAT_NAME(pinstat_read_column)(base, mark, 0, &shapes, &line);
		size_t end = scanned + ends[i];
		int32_t depth = line.depth;
		int is_passed = PINSTAT_NAME(pinstat_is_passed)(base, &line, (uint64_t)end - line.part, &tails);
		if (__builtin_expect(!is_passed, 0) || __builtin_expect(depth <= thresholds[lane], 0) || __builtin_expect(!time | (time < last_time), 0))
			break;
		exits += line.value;
		deepest = depth > deepest ? depth : deepest;
		openings[lane] = depth - (int32_t)line.value;
		first_time = last_time ? first_time : time;
		last_time = time;
		text = base + end + 1;
	}
	run->exits += exits;
	run->deepest = deepest;
	run->first_time = first_time;
	run->last_time = last_time;
	return i;
}

#if defined(PINSTAT_AVX2)

/* Sixteen lower-case hexadecimal digits, the first one on top; `good` where they are that. */
PINSTAT_TARGET static inline uint64_t PINSTAT_NAME(pinstat_hex)(const uint8_t *p, uint32_t *good)
{
	__m128i text = pinstat_load(p);
	__m128i digits = pinstat_within(text, '0', '9'), letters = pinstat_within(text, 'a', 'f');
	*good = pinstat_bits(pinstat_or(digits, letters)) == 0xffff;
	/* A letter's low four bits are 9 less than its value. */
	__m128i values = _mm_add_epi8(_mm_and_si128(text, _mm_set1_epi8(15)), _mm_and_si128(letters, _mm_set1_epi8(9)));
	__m128i pairs = _mm_maddubs_epi16(values, _mm_set1_epi16(0x0110));
	return __builtin_bswap64((uint64_t)_mm_cvtsi128_si64(_mm_packus_epi16(pairs, pairs)));
}

#else

PINSTAT_TARGET static inline uint64_t PINSTAT_NAME(pinstat_hex)(const uint8_t *p, uint32_t *good)
{
	uint64_t value = 0;
	uint32_t valid = 1;
	for (int i = 0; i < 16; i++) {
		uint32_t digit = p[i] - '0', letter = p[i] - 'a';
		valid &= (digit < 10) | (letter < 6);
		value = value << 4 | ((p[i] & 15) + (letter < 6 ? 9 : 0));
	}
	*good = valid;
	return value;
}

#endif

PINSTAT_TARGET static inline __attribute__((noinline)) size_t PINSTAT_NAME(pinstat_symbol_lines)(const uint8_t *base, size_t start,
	size_t scanned, const uint32_t *ends, size_t count, const pinstat_heads *given, uint64_t *addresses, size_t *taken)
{
	const pinstat_heads heads = *given;
	size_t found = 0, i = 0;
	for (; i < count; i++) {
		const uint8_t *line = base + start;
		size_t end = scanned + ends[i];
		uint32_t good;
		uint64_t address = PINSTAT_NAME(pinstat_hex)(line, &good), name = pinstat_word(line + 19);
		uint32_t match = ((name & heads.masks[0]) == heads.bytes[0]) | ((name & heads.masks[1]) == heads.bytes[1]) |
			((name & heads.masks[2]) == heads.bytes[2]) | ((name & heads.masks[3]) == heads.bytes[3]);
		good &= (line[16] == ' ') & (line[18] == ' ') & (end - start > 19);
		if (__builtin_expect(!good | match, 0))
			break;
		addresses[found] = address;
		found += ((line[17] | 0x20) != 'a') & (line[19] != '$');
		start = end + 1;
	}
	*taken = found;
	return i;
}
