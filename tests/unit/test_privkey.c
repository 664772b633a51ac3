/*
 * Tests of controller/tmpl/privkey.c: private keys of templates.
 * layer: tmpl
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
/* cmocka needs the four above first. */
#include <cmocka.h>

#include "base/compiler.h"
#include "controller/tmpl/privkey.h"
#include "tmplrig.h"

static void
assert_begins(const struct value *v, const char *prefix)
{
	assert_in_range(v->u.s.len, strlen(prefix), 1U << 16);
	assert_memory_equal(v->u.s.p, prefix, strlen(prefix));
}

static void
writes_each_kind_in_its_form_and_reads_it_back(void **state UNUSED)
{
	static const char *const headers[] = {
		"-----BEGIN RSA PRIVATE KEY-----\n",
		"-----BEGIN EC PRIVATE KEY-----\n",
		"-----BEGIN PRIVATE KEY-----\n",
	};
	struct env e;

	tmplrig_env(&e);
	for (size_t i = 0; i < ARRAY_SIZE(headers); i++) {
		EVP_PKEY *key = i == 0 ? privkey_rsa(&e, 1024)
		    : i == 1	       ? privkey_ecdsa(&e)
				       : privkey_ed25519(&e);
		struct value pem, again;
		EVP_PKEY *read;

		assert_non_null(key);
		assert_int_equal(privkey_pem(&e, key, &pem), 0);
		assert_begins(&pem, headers[i]);
		read = privkey_parse(&e, &pem, "key");
		assert_non_null(read);
		assert_int_equal(EVP_PKEY_eq(key, read), 1);
		assert_int_equal(privkey_pem(&e, read, &again), 0);
		assert_int_equal(again.u.s.len, pem.u.s.len);
		assert_memory_equal(again.u.s.p, pem.u.s.p, pem.u.s.len);
		EVP_PKEY_free(read);
		EVP_PKEY_free(key);
	}
	env_release(&e);
}

static void
says_what_is_wrong_without_the_text(void **state UNUSED)
{
	static const char *const cases[][2] = {
		{ "", "key: no PEM data in input" },
		{ "text", "key: no PEM data in input" },
		{ "-----BEGIN X-----\nAAAA\n-----END X-----\n",
		    "key: no private key data in PEM block of type " WITHHELD },
		{ "-----BEGIN X PRIVATE KEY-----\nAAAA\n"
		  "-----END X PRIVATE KEY-----\n",
		    "key: invalid private key type " WITHHELD },
		{ "-----BEGIN RSA PRIVATE KEY-----\nAAAA\n"
		  "-----END RSA PRIVATE KEY-----\n",
		    "key: parsing RSA private key from PEM: "
		    "" MESSAGE_WITHHELD },
		{ "-----BEGIN PRIVATE KEY-----\nAAAA\n"
		  "-----END PRIVATE KEY-----\n",
		    "key: decoding PEM as PKCS#8: " MESSAGE_WITHHELD },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct value pem = value_cstr(cases[i][0]);
		struct env e;

		tmplrig_env(&e);
		assert_null(privkey_parse(&e, &pem, "key"));
		assert_string_equal(e.fault, cases[i][1]);
		env_release(&e);
	}
}

static void
takes_credits_and_stops_without(void **state UNUSED)
{
	struct env e;
	EVP_PKEY *key;

	tmplrig_env(&e);
	e.left.costly = PRIVKEY_CREDITS_SMALL;
	key = privkey_ecdsa(&e);
	assert_non_null(key);
	EVP_PKEY_free(key);
	assert_null(privkey_ecdsa(&e));
	assert_true(e.exhausted);
	env_release(&e);
	tmplrig_env(&e);
	e.left.costly = PRIVKEY_CREDITS_RSA4096 - 1;
	assert_null(privkey_rsa(&e, 4096));
	assert_null(privkey_dsa(&e));
	env_release(&e);
}

static EVP_PKEY *
make_rsa2048(struct env *e)
{
	return privkey_rsa(e, 2048);
}

/* The search for primes asks some hundred times; each time costs 100 ms. */
static void
stops_a_search_that_takes_too_long(void **state UNUSED)
{
	static EVP_PKEY *(*const make[])(
	    struct env *) = { make_rsa2048, privkey_dsa };

	for (size_t i = 0; i < ARRAY_SIZE(make); i++) {
		struct tmplrig_cpu cpu = { .tick_ns = 100 * NS_PER_MS };
		struct clock clock = tmplrig_cpu_clock(&cpu);
		struct env e;

		env_init(&e, &tmpl_budget_default, &clock);
		assert_null(make[i](&e));
		assert_string_equal(e.fault, "out of budget: CPU time");
		/* Some looks more see it at each level on the way out. */
		assert_in_range(cpu.now_ns / NS_PER_MS, 5000, 8000);
		env_release(&e);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    writes_each_kind_in_its_form_and_reads_it_back),
		cmocka_unit_test(says_what_is_wrong_without_the_text),
		cmocka_unit_test(takes_credits_and_stops_without),
		cmocka_unit_test(stops_a_search_that_takes_too_long),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
