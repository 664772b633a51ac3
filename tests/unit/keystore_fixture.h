/*
 * What the tests of keystore/ share: a clock that stands where it is put,
 * small RSA keys that are generated once per program.
 */
#ifndef TESTS_KEYSTORE_FIXTURE_H
#define TESTS_KEYSTORE_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/mem.h"
#include "keystore/keypair.h"

#define DAY_S	     INT64_C(86400)
#define NOW_S	     INT64_C(1800000000) /* 15 January 2027 */
#define FIXTURE_KEYS 4

static int64_t fixture_now_s = NOW_S;

static inline int64_t
fixture_wall_ns(void *ctx UNUSED)
{
	return fixture_now_s * (int64_t)NS_PER_S;
}

static inline uint64_t
fixture_mono_ns(void *ctx UNUSED)
{
	return (uint64_t)fixture_now_s * NS_PER_S;
}

static const struct clock fixture_clock = { .mono_ns = fixture_mono_ns,
	.wall_ns = fixture_wall_ns };

static inline struct keypair *
fixture_make(unsigned bits, int64_t now_s, int64_t ttl_s)
{
	const struct keypair_params params = {
		.bits = bits, .ttl_s = ttl_s, .now_s = now_s, .cn = ""
	};
	struct keypair *kp = NULL;
	struct err err = ERR_INIT;

	if (keypair_generate(&params, &kp, &err) < 0)
		fail_msg("%s", err.msg);
	return kp;
}

static struct keypair *fixture_cache[FIXTURE_KEYS];

/* The i-th key of this program, 2048 bits, good for a year. Borrowed. */
static inline struct keypair *
fixture_key(unsigned i)
{
	assert_true(i < FIXTURE_KEYS);
	if (fixture_cache[i] == NULL)
		fixture_cache[i] = fixture_make(2048, NOW_S, 365 * DAY_S);
	return fixture_cache[i];
}

static inline int
fixture_forget(void **state UNUSED)
{
	for (size_t i = 0; i < FIXTURE_KEYS; i++)
		keypair_free(fixture_cache[i]);
	return 0;
}

#endif
