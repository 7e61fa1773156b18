/* Included by wide.h through twice.h. */

#if defined(PINSTAT_AVX2)

/* The lowest bit that is set; 64 where none is. */
PINSTAT_TARGET static inline uint32_t PINSTAT_NAME(pinstat_lowest)(uint64_t mask) { return (uint32_t)_tzcnt_u64(mask); }

/* The lowest bits of a word, as many as that or all; `count` is below 256. */
PINSTAT_TARGET static inline uint64_t PINSTAT_NAME(pinstat_low_bits)(uint64_t word, uint64_t count) { return _bzhi_u64(word, count); }

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

PINSTAT_TARGET static inline uint64_t PINSTAT_NAME(pinstat_low_bits)(uint64_t word, uint64_t count)
{
	return count < 64 ? word & ~(~(uint64_t)0 << count) : word;
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

/* Which of 64 bytes are `byte`. */
PINSTAT_TARGET static inline uint64_t PINSTAT_NAME(pinstat_equal64)(const uint8_t *p, uint8_t byte)
{
	return PINSTAT_NAME(pinstat_equal)(p, byte) | (uint64_t)PINSTAT_NAME(pinstat_equal)(p + 32, byte) << 32;
}
