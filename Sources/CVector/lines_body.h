/* Included by lines.h, once for each kind of processor: no guard. */

#if defined(PINSTAT_AVX2)

/* The lowest bit that is set; anything where none is. */
PINSTAT_TARGET static inline uint32_t PINSTAT_NAME(pinstat_lowest)(uint64_t mask) { return (uint32_t)_tzcnt_u64(mask); }

PINSTAT_TARGET static inline uint32_t PINSTAT_NAME(pinstat_equal)(const uint8_t *p, uint8_t byte)
{
	__m256i v = _mm256_loadu_si256((const __m256i *)p);
	return (uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(v, _mm256_set1_epi8((char)byte)));
}

/* The first and the last bytes of a tail, masked. */
PINSTAT_TARGET static inline uint32_t PINSTAT_NAME(pinstat_find_tail)(
	const pinstat_tails *tails, const uint8_t *start, size_t count)
{
	size_t kept = count < 16 ? count : 16;
	__m256i words = _mm256_inserti128_si256(
		_mm256_castsi128_si256(_mm_loadu_si128((const __m128i *)start)),
		_mm_loadu_si128((const __m128i *)(start + count - 16)), 1);
	words = _mm256_and_si256(words, _mm256_loadu_si256((const __m256i *)(tails->masks + 32 * kept)));
	__m128i low = _mm256_castsi256_si128(words), high = _mm256_extracti128_si256(words, 1);
	uint32_t place = pinstat_tail_hash((uint64_t)_mm_cvtsi128_si64(low), (uint64_t)_mm_extract_epi64(low, 1),
		(uint64_t)_mm_cvtsi128_si64(high), (uint64_t)_mm_extract_epi64(high, 1));
	for (uint32_t side = 0; side < 2; side++) {
		const pinstat_tail *tail = &tails->tails[place ^ side];
		__m256i same = _mm256_cmpeq_epi8(words, _mm256_loadu_si256((const __m256i *)tail->words));
		if (_mm256_movemask_epi8(same) == -1 && tail->count == count) {
			if (__builtin_expect(count <= 32, 1) || memcmp(tails->middles + tail->middle, start + 16, count - 32) == 0)
				return tail->value;
		}
	}
	return 0;
}

#else

PINSTAT_TARGET static inline uint32_t PINSTAT_NAME(pinstat_lowest)(uint64_t mask)
{
	return mask ? (uint32_t)__builtin_ctzll(mask) : 0;
}

PINSTAT_TARGET static inline uint32_t PINSTAT_NAME(pinstat_equal)(const uint8_t *p, uint8_t byte)
{
	return pinstat_equal32(p, byte);
}

PINSTAT_TARGET static inline uint32_t PINSTAT_NAME(pinstat_find_tail)(
	const pinstat_tails *tails, const uint8_t *start, size_t count)
{
	const uint8_t *mask = tails->masks + 32 * (count < 16 ? count : 16);
	uint64_t words[4] = {
		pinstat_word(start) & pinstat_word(mask), pinstat_word(start + 8) & pinstat_word(mask + 8),
		pinstat_word(start + count - 16) & pinstat_word(mask + 16),
		pinstat_word(start + count - 8) & pinstat_word(mask + 24),
	};
	uint32_t place = pinstat_tail_hash(words[0], words[1], words[2], words[3]);
	for (uint32_t side = 0; side < 2; side++) {
		const pinstat_tail *tail = &tails->tails[place ^ side];
		if (memcmp(words, tail->words, 32) == 0 && tail->count == count) {
			if (count <= 32 || memcmp(tails->middles + tail->middle, start + 16, count - 32) == 0)
				return tail->value;
		}
	}
	return 0;
}

#endif

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
	pinstat_vector zeros = pinstat_clear(column, pinstat_within(column, '0', '9'), 0x0f);
	uint32_t same = pinstat_bits(pinstat_same(zeros, pinstat_load(shapes->bytes + 16 * point)));
	uint32_t exit = point != 16;
	if (!width)
		width = shapes->width[point];
	const uint8_t *bar = mark + width;
	uint32_t text = ~PINSTAT_NAME(pinstat_equal)(bar, ' ');
	uint32_t indent = PINSTAT_NAME(pinstat_lowest)(text | (uint64_t)1 << 32);
	if (__builtin_expect(indent == 32, 0))
		indent += PINSTAT_NAME(pinstat_lowest)(~PINSTAT_NAME(pinstat_equal)(bar + 32, ' ') | (uint64_t)1 << 32);
	/* The mark is looked at by itself. */
	uint32_t good = ((same | 1) == 0xffff) & ((pinstat_marks[*mark] & (1u + exit)) != 0) & (indent - 2 < 62) & ~indent;
	line->value = good & 1 ? exit : 2;
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
 * `%16s-%-5d [%03d]`, with a bracket at byte 27 or behind it where the process ID has more than five digits; blanks,
 * seconds, a point, six digits, a colon, a blank; the event.
 */
PINSTAT_TARGET static inline __attribute__((noinline)) void PINSTAT_NAME(pinstat_report_lines)(const uint8_t *base, size_t start,
	size_t scanned, const uint32_t *ends, size_t count, const pinstat_front *fronts, const pinstat_shapes *given,
	const pinstat_tails *tails, pinstat_line *lines)
{
	const pinstat_shapes shapes = *given;
	for (size_t i = 0; i < count; i++) {
		const uint8_t *line = i ? base + scanned + ends[i - 1] + 1 : base + start;
		lines[i].value = 2;
		uint32_t bracket = pinstat_equal16(line + 24, ']');
		if (*line != ' ' || !bracket)
			continue;
		uint32_t front = (uint32_t)__builtin_ctz(bracket) + 25;
		const uint8_t *text = line + front;
		pinstat_vector time = pinstat_load(text);
		uint32_t colons = pinstat_bits(pinstat_equal(time, ':')), blank = ~pinstat_bits(pinstat_equal(time, ' '));
		if (!colons)
			continue;
		uint32_t colon = (uint32_t)__builtin_ctz(colons), blanks = (uint32_t)__builtin_ctz(blank), point = colon - 7;
		if (blanks < 1 || colon < 9 || point <= blanks)
			continue;
		uint32_t digits = ((1u << colon) - (1u << blanks)) & ~(1u << point);
		const uint8_t *event = text + colon + 2;
		uint64_t name = pinstat_word(event + 8);
		if ((pinstat_bits(pinstat_within(time, '0', '9')) & digits) != digits || text[point] != '.' || event[-1] != ' ' ||
			memcmp(event, "funcgrap", 8) || (memcmp(&name, "h_entry:", 8) && memcmp(&name, "h_exit: ", 8)) ||
			memcmp(event + 16, "      ", 6))
			continue;
		uint64_t last[2] = {pinstat_word(line + front - 16), pinstat_word(line + front - 8)};
		const pinstat_front *known = &fronts[pinstat_front_hash(last[0], last[1])];
		uint64_t first[3], expected[5];
		memcpy(first, line, 24);
		memcpy(expected, known->words, 40);
		if (((first[0] ^ expected[0]) | (first[1] ^ expected[1]) | (first[2] ^ expected[2]) | (last[0] ^ expected[3]) |
			(last[1] ^ expected[4])) || known->count != front)
			continue;
		PINSTAT_NAME(pinstat_read_column)(base, event + 22, 0, &shapes, &lines[i]);
		lines[i].lane = (uint16_t)known->lane;
		/* Eight bytes that end in the last digit of the seconds; those in front of the first are made zeros. */
		uint32_t seconds = point - blanks;
		if (seconds > 8) {
			lines[i].value = 2;
			continue;
		}
		lines[i].time = pinstat_eight_digits(pinstat_word(text + point - 8) >> (64 - 8 * seconds) << (64 - 8 * seconds)) * 1000000000u +
			pinstat_eight_digits(pinstat_word(text + point + 1) << 16) * 1000u;
	}
	PINSTAT_NAME(pinstat_find_tails)(base, scanned, ends, count, tails, lines);
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
