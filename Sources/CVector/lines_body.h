/* Included by lines.h, once for each kind of processor: no guard. */

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
