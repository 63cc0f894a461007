/* SPDX-License-Identifier: GPL-2.0 */
/*
 * content.h - file content that can be computed again from (seed, file, word
 * index), and a 64-bit hash. Neither is cryptographic: they find lost,
 * exchanged and damaged pages.
 */
#ifndef TEST_VM_CONTENT_H
#define TEST_VM_CONTENT_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

static inline uint64_t mix64(uint64_t x)
{
	x += 0x9e3779b97f4a7c15ull;
	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ull;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebull;
	return x ^ (x >> 31);
}

/* The bytes of @file at byte offset @pos (a multiple of 8). */
static inline void content_fill(void *buf, size_t len, uint64_t seed, uint64_t file, uint64_t pos)
{
	uint64_t key = mix64(seed ^ mix64(file));
	unsigned char *out = buf;

	for (; len >= 8; len -= 8, out += 8, pos += 8) {
		uint64_t word = mix64(key + pos);

		memcpy(out, &word, 8);
	}
	if (len) {
		uint64_t word = mix64(key + pos);

		memcpy(out, &word, len);
	}
}

static inline uint64_t hash64(const void *buf, size_t len, uint64_t seed)
{
	const unsigned char *in = buf;
	uint64_t h = mix64(seed ^ len), word;

	for (; len >= 8; len -= 8, in += 8) {
		memcpy(&word, in, 8);
		h = (h ^ word) * 0x9fb21c651e98df25ull;
		h ^= h >> 29;
	}
	word = 0;
	memcpy(&word, in, len);
	return mix64(h ^ word);
}

struct rng {
	uint64_t state;
};

static inline uint64_t rng_next(struct rng *r)
{
	return mix64(r->state += 0x9e3779b97f4a7c15ull);
}

/* 0 <= result < n */
static inline uint64_t rng_below(struct rng *r, uint64_t n)
{
	return rng_next(r) % n;
}

#endif
