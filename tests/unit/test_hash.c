/*
 * SipHash against its authors' vectors. White box: the key is random in the
 * program.
 */
/* layer: base */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above first. */
#include <cmocka.h>

#include "base/compiler.h"
#include "controller/base/hash.c"

/* Key 00 01 ... 0f, input 00 01 02 ... of the length given. */
static void
agrees_with_the_vectors_of_its_authors(void **state UNUSED)
{
	static const struct {
		size_t len;
		uint64_t want;
	} cases[] = {
		{ 0, UINT64_C(0x726fdb47dd0e0e31) },
		{ 1, UINT64_C(0x74f839c593dc67fd) },
		{ 7, UINT64_C(0xab0200f58b01d137) },
		{ 8, UINT64_C(0x93f5f5799a932462) },
		{ 15, UINT64_C(0xa129ca6149be45e5) },
		{ 63, UINT64_C(0x958a324ceb064572) },
	};
	const uint64_t key[2] = { UINT64_C(0x0706050403020100),
		UINT64_C(0x0f0e0d0c0b0a0908) };
	unsigned char in[64];

	for (size_t i = 0; i < sizeof(in); i++)
		in[i] = (unsigned char)i;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_true(siphash(key, in, cases[i].len) == cases[i].want);
}

static void
changes_with_the_key_it_draws(void **state UNUSED)
{
	uint64_t first, second;

	hash_seed();
	first = hash_str("kube-system/name");
	assert_true(first == hash_bytes("kube-system/name", 16));
	hash_seed();
	second = hash_str("kube-system/name");
	assert_true(first != second);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(agrees_with_the_vectors_of_its_authors),
		cmocka_unit_test(changes_with_the_key_it_draws),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
