/* Included by lines.h through twice.h. */

PINSTAT_TARGET static inline size_t PINSTAT_NAME(pinstat_line_ends)(const uint8_t *base, size_t length, uint32_t *ends)
{
	size_t found = 0;
	for (size_t offset = 0; offset < length; offset += 64) {
		uint64_t mask = PINSTAT_NAME(pinstat_equal64)(base + offset, '\n');
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

/*
 * A line of kallsyms as the kernel prints it: its address, and whether its symbol is taken. False where the line looks otherwise, or its
 * name begins with one of the first `count` heads.
 */
PINSTAT_TARGET static inline __attribute__((always_inline)) int PINSTAT_NAME(pinstat_read_symbol)(const uint8_t *line,
	const pinstat_heads *heads, uint32_t count, uint64_t *address, size_t *is_taken)
{
	uint32_t good, match = 0;
	uint64_t name = pinstat_word(line + 19);
	*address = PINSTAT_NAME(pinstat_hex)(line, &good);
	for (uint32_t i = 0; i < count; i++)
		match |= (name & heads->masks[i]) == heads->bytes[i];
	*is_taken = ((line[17] | 0x20) != 'a') & (line[19] != '$');
	good &= (line[16] == ' ') & (line[18] == ' ') & !match;
	return (int)good;
}

PINSTAT_TARGET static inline __attribute__((noinline)) size_t PINSTAT_NAME(pinstat_symbol_lines)(const uint8_t *base, size_t start,
	size_t scanned, const uint32_t *ends, size_t count, const pinstat_heads *given, uint64_t *addresses, size_t *taken)
{
	const pinstat_heads heads = *given;
	size_t found = 0, i = 0;
	for (; i < count; i++) {
		size_t end = scanned + ends[i], is_taken;
		uint64_t address;
		if (__builtin_expect(!PINSTAT_NAME(pinstat_read_symbol)(base + start, &heads, 4, &address, &is_taken), 0) || end - start <= 19)
			break;
		addresses[found] = address;
		found += is_taken;
		start = end + 1;
	}
	*taken = found;
	return i;
}

PINSTAT_TARGET static inline __attribute__((always_inline)) size_t PINSTAT_NAME(pinstat_walk_symbols)(const uint8_t *base, size_t start,
	size_t stop, size_t length, const pinstat_heads *given, uint32_t count, uint64_t *addresses, size_t *taken)
{
	const pinstat_heads heads = *given;
	size_t found = 0;
	while (start < stop) {
		size_t name = start + 19, is_taken;
		uint64_t address, feeds = PINSTAT_NAME(pinstat_equal64)(base + name, '\n');
		if (__builtin_expect(!PINSTAT_NAME(pinstat_read_symbol)(base + start, &heads, count, &address, &is_taken), 0))
			break;
		while (__builtin_expect(!feeds, 0) && name + 64 < length)
			feeds = PINSTAT_NAME(pinstat_equal64)(base + (name += 64), '\n');
		size_t end = name + PINSTAT_NAME(pinstat_lowest)(feeds);
		if (__builtin_expect(end >= length, 0) || end == start + 19)
			break;
		addresses[found] = address;
		found += is_taken;
		start = end + 1;
	}
	*taken = found;
	return start;
}

PINSTAT_TARGET static inline __attribute__((noinline)) size_t PINSTAT_NAME(pinstat_find_symbols)(const uint8_t *base, size_t start,
	size_t stop, size_t length, const pinstat_heads *heads, int is_one, uint64_t *addresses, size_t *taken)
{
	if (is_one)
		return PINSTAT_NAME(pinstat_walk_symbols)(base, start, stop, length, heads, 1, addresses, taken);
	return PINSTAT_NAME(pinstat_walk_symbols)(base, start, stop, length, heads, 4, addresses, taken);
}

PINSTAT_TARGET static inline __attribute__((noinline)) int PINSTAT_NAME(pinstat_falls)(const uint64_t *values, size_t count)
{
	uint64_t falls = 0;
	for (size_t i = 1; i < count; i++)
		falls |= values[i] < values[i - 1];
	return falls != 0;
}
