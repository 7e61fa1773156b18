#ifndef PINSTAT_VECTOR_H
#define PINSTAT_VECTOR_H

/*
 * Byte classes of 16 or 32 bytes as bit masks: bit i is set where byte i belongs to the class.
 *
 * Swift has vectors but no way to a mask's bits (pmovmskb); everything else is written in Swift. Every function reads
 * all of its bytes: the caller owns at least so many.
 */

#include <stdint.h>

/* Gets what is at an address into the second cache; where nothing is, nothing happens. */
static inline void pinstat_prefetch_read(uintptr_t address) { __builtin_prefetch((const void *)address, 0, 2); }

/* Gets what is at `p` into the cache to be written; where nothing is, nothing happens. */
static inline void pinstat_prefetch_write(const void *p) { __builtin_prefetch(p, 1); }

#if defined(__SSE2__)
#include <emmintrin.h>

typedef __m128i pinstat_vector;

static inline pinstat_vector pinstat_load(const void *p) { return _mm_loadu_si128((const __m128i *)p); }
static inline uint32_t pinstat_bits(pinstat_vector v) { return (uint32_t)_mm_movemask_epi8(v); }
static inline pinstat_vector pinstat_equal(pinstat_vector v, uint8_t byte)
{
	return _mm_cmpeq_epi8(v, _mm_set1_epi8((char)byte));
}
static inline pinstat_vector pinstat_same(pinstat_vector a, pinstat_vector b) { return _mm_cmpeq_epi8(a, b); }
/* first <= byte <= last, unsigned */
static inline pinstat_vector pinstat_within(pinstat_vector v, uint8_t first, uint8_t last)
{
	pinstat_vector shifted = _mm_sub_epi8(v, _mm_set1_epi8((char)first));
	return _mm_cmpeq_epi8(_mm_subs_epu8(shifted, _mm_set1_epi8((char)(last - first))), _mm_setzero_si128());
}
static inline pinstat_vector pinstat_or(pinstat_vector a, pinstat_vector b) { return _mm_or_si128(a, b); }
static inline pinstat_vector pinstat_and(pinstat_vector a, pinstat_vector b) { return _mm_and_si128(a, b); }
/* v without `bits` where `where` is set */
static inline pinstat_vector pinstat_clear(pinstat_vector v, pinstat_vector where, uint8_t bits)
{
	return _mm_andnot_si128(_mm_and_si128(where, _mm_set1_epi8((char)bits)), v);
}
static inline pinstat_vector pinstat_lowercase(pinstat_vector v) { return _mm_or_si128(v, _mm_set1_epi8(0x20)); }

#elif defined(__aarch64__)
#include <arm_neon.h>

typedef uint8x16_t pinstat_vector;

static inline pinstat_vector pinstat_load(const void *p) { return vld1q_u8((const uint8_t *)p); }
static inline uint32_t pinstat_bits(pinstat_vector v)
{
	static const uint8_t places[16] = {1, 2, 4, 8, 16, 32, 64, 128, 1, 2, 4, 8, 16, 32, 64, 128};
	uint8x16_t bits = vandq_u8(v, vld1q_u8(places));
	return (uint32_t)vaddv_u8(vget_low_u8(bits)) | (uint32_t)vaddv_u8(vget_high_u8(bits)) << 8;
}
static inline pinstat_vector pinstat_equal(pinstat_vector v, uint8_t byte) { return vceqq_u8(v, vdupq_n_u8(byte)); }
static inline pinstat_vector pinstat_same(pinstat_vector a, pinstat_vector b) { return vceqq_u8(a, b); }
static inline pinstat_vector pinstat_within(pinstat_vector v, uint8_t first, uint8_t last)
{
	return vcleq_u8(vsubq_u8(v, vdupq_n_u8(first)), vdupq_n_u8((uint8_t)(last - first)));
}
static inline pinstat_vector pinstat_or(pinstat_vector a, pinstat_vector b) { return vorrq_u8(a, b); }
static inline pinstat_vector pinstat_and(pinstat_vector a, pinstat_vector b) { return vandq_u8(a, b); }
static inline pinstat_vector pinstat_clear(pinstat_vector v, pinstat_vector where, uint8_t bits)
{
	return vbicq_u8(v, vandq_u8(where, vdupq_n_u8(bits)));
}
static inline pinstat_vector pinstat_lowercase(pinstat_vector v) { return vorrq_u8(v, vdupq_n_u8(0x20)); }

#else

typedef struct { uint8_t bytes[16]; } pinstat_vector;

static inline pinstat_vector pinstat_load(const void *p)
{
	pinstat_vector v;
	__builtin_memcpy(v.bytes, p, 16);
	return v;
}
static inline uint32_t pinstat_bits(pinstat_vector v)
{
	uint32_t bits = 0;
	for (int i = 0; i < 16; i++)
		bits |= (uint32_t)(v.bytes[i] >> 7) << i;
	return bits;
}
static inline pinstat_vector pinstat_equal(pinstat_vector v, uint8_t byte)
{
	for (int i = 0; i < 16; i++)
		v.bytes[i] = v.bytes[i] == byte ? 0xff : 0;
	return v;
}
static inline pinstat_vector pinstat_same(pinstat_vector a, pinstat_vector b)
{
	for (int i = 0; i < 16; i++)
		a.bytes[i] = a.bytes[i] == b.bytes[i] ? 0xff : 0;
	return a;
}
static inline pinstat_vector pinstat_within(pinstat_vector v, uint8_t first, uint8_t last)
{
	for (int i = 0; i < 16; i++)
		v.bytes[i] = v.bytes[i] >= first && v.bytes[i] <= last ? 0xff : 0;
	return v;
}
static inline pinstat_vector pinstat_or(pinstat_vector a, pinstat_vector b)
{
	for (int i = 0; i < 16; i++)
		a.bytes[i] |= b.bytes[i];
	return a;
}
static inline pinstat_vector pinstat_and(pinstat_vector a, pinstat_vector b)
{
	for (int i = 0; i < 16; i++)
		a.bytes[i] &= b.bytes[i];
	return a;
}
static inline pinstat_vector pinstat_clear(pinstat_vector v, pinstat_vector where, uint8_t bits)
{
	for (int i = 0; i < 16; i++)
		v.bytes[i] &= ~(where.bytes[i] & bits);
	return v;
}
static inline pinstat_vector pinstat_lowercase(pinstat_vector v)
{
	for (int i = 0; i < 16; i++)
		v.bytes[i] |= 0x20;
	return v;
}
#endif

/* 16 bytes with every decimal digit made a 0. */
static inline pinstat_vector pinstat_zeroed(const void *p)
{
	pinstat_vector v = pinstat_load(p);
	/* 0x30 to 0x39: what differs stands in the low four bits. */
	return pinstat_clear(v, pinstat_within(v, '0', '9'), 0x0f);
}

/* 16 bytes as two numbers, the first bytes in `front`. */
typedef struct { uint64_t front, back; } pinstat_pair;

/* The same as that. */
static inline pinstat_pair pinstat_shape16(const void *p)
{
	pinstat_vector v = pinstat_zeroed(p);
	pinstat_pair pair;
	__builtin_memcpy(&pair, &v, 16);
	return pair;
}

/* Which of 16 bytes are `byte`. */
static inline uint32_t pinstat_equal16(const void *p, uint8_t byte)
{
	return pinstat_bits(pinstat_equal(pinstat_load(p), byte));
}

/* Which of 32 bytes are `byte`. */
static inline uint32_t pinstat_equal32(const void *p, uint8_t byte)
{
	return pinstat_equal16(p, byte) | pinstat_equal16((const char *)p + 16, byte) << 16;
}

/* Which of 16 bytes are decimal digits. */
static inline uint32_t pinstat_digits16(const void *p)
{
	return pinstat_bits(pinstat_within(pinstat_load(p), '0', '9'));
}

/* Which of 16 bytes are ASCII letters, digits, `_` or `.`: what nearly all symbols of a kernel are made of. */
static inline uint32_t pinstat_name16(const void *p)
{
	pinstat_vector v = pinstat_load(p);
	pinstat_vector letters = pinstat_within(pinstat_lowercase(v), 'a', 'z');
	pinstat_vector digits = pinstat_within(v, '0', '9');
	pinstat_vector marks = pinstat_or(pinstat_equal(v, '_'), pinstat_equal(v, '.'));
	return pinstat_bits(pinstat_or(pinstat_or(letters, digits), marks));
}

static inline uint32_t pinstat_name32(const void *p)
{
	return pinstat_name16(p) | pinstat_name16((const char *)p + 16) << 16;
}

/* Which of 32 bytes stand in plain arguments and return values: those of names, and blank, comma, minus, equals sign. */
static inline uint32_t pinstat_value32(const void *p)
{
	return pinstat_name32(p) | pinstat_equal32(p, ' ') | pinstat_equal32(p, ',') | pinstat_equal32(p, '-') | pinstat_equal32(p, '=');
}

#endif
