/*
 * Tests of controller/tmpl/decimal.c.
 * layer: tmpl
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
/* cmocka needs the four above first. */
#include <cmocka.h>

#include <math.h>

#include "controller/tmpl/decimal.h"
#include "tmplrig.h"

typedef int op(struct env *e, const struct decimal *a, const struct decimal *b,
    struct decimal *ret);

static double
compute(op *fn, double x, double y)
{
	struct decimal a, b, r;
	struct env e;
	double f;

	tmplrig_env(&e);
	assert_int_equal(decimal_from_float(&e, x, &a), 0);
	assert_int_equal(decimal_from_float(&e, y, &b), 0);
	assert_int_equal(fn(&e, &a, &b, &r), 0);
	assert_int_equal(decimal_to_float(&e, &r, &f), 0);
	env_release(&e);
	return f;
}

static void
computes_on_the_shortest_decimals(void **state UNUSED)
{
	static const struct {
		op *fn;
		double a, b, want;
	} cases[] = {
		{ decimal_add, 0.1, 0.2, 0.3 },
		{ decimal_add, -0.1, 0.1, 0 },
		{ decimal_add, 1e300, 1e-300, 1e300 },
		{ decimal_add, 999999999, 1, 1e9 },
		{ decimal_sub, 1e18, 1, 999999999999999999.0 },
		{ decimal_sub, 0, 2.5, -2.5 },
		{ decimal_sub, -3, -5, 2 },
		{ decimal_mul, 2.4, 1.2, 2.88 },
		{ decimal_mul, -1e200, 1e-200, -1 },
		{ decimal_mul, 123456789012.0, 987654321098.0,
		    1.2193263113658588e+23 },
		{ decimal_mul, 0, -5, 0 },
		{ decimal_div, 1, 3, 0.3333333333333333 },
		{ decimal_div, 2, 3, 0.6666666666666667 },
		{ decimal_div, -2, 3, -0.6666666666666667 },
		{ decimal_div, 1e-10, 3, 3.33333e-11 },
		{ decimal_div, 1, 1e-300, 1e300 },
		{ decimal_div, 1e300, 1e300, 1 },
		{ decimal_div, 5e-17, 1, 1e-16 },
		{ decimal_div, 4.9e-17, 1, 0 },
		{ decimal_div, 0, 7, 0 },
		{ decimal_div, 1.7976931348623157e308, 4.9e-324,
		    (double)INFINITY },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		double got = compute(cases[i].fn, cases[i].a, cases[i].b);

		if (memcmp(&got, &cases[i].want, sizeof(got)) != 0)
			print_error("case %zu: %.17g\n", i, got);
		assert_memory_equal(&got, &cases[i].want, sizeof(got));
	}
}

/* Quotients whose guessed digits need each correction of the algorithm. */
static void
long_division_undoes_multiplication(void **state UNUSED)
{
	struct decimal a, b, product, r;
	uint32_t x = 12345;
	struct env e;
	double f;

	for (int i = 0; i < 2000; i++) {
		double u, v;

		x = x * 1664525 + 1013904223;
		u = i % 3 == 0 ? 999999999999999.0 : (double)(x >> 3);
		x = x * 1664525 + 1013904223;
		v = i % 5 == 0 ? 1000000000000001.0 : (double)(x >> 2) + 1;
		tmplrig_env(&e);
		assert_int_equal(decimal_from_float(&e, u, &a), 0);
		assert_int_equal(decimal_from_float(&e, v, &b), 0);
		assert_int_equal(decimal_mul(&e, &a, &b, &product), 0);
		assert_int_equal(decimal_div(&e, &product, &b, &r), 0);
		assert_int_equal(decimal_to_float(&e, &r, &f), 0);
		assert_memory_equal(&f, &u, sizeof(f));
		env_release(&e);
	}
}

/* 3 * 5e26 by 5e26 + 1: the first guess is 3, which is one too many. */
static void
a_guessed_digit_that_is_too_large_is_taken_back(void **state UNUSED)
{
	uint32_t high[] = { 0, 0, 500000000, 1 }, low[] = { 1, 0, 500000000 };
	const struct decimal a = { high, 4, -16, false };
	const struct decimal b = { low, 3, 0, false };
	const double want = 3e-16;
	struct decimal r;
	struct env e;
	double f;

	tmplrig_env(&e);
	assert_int_equal(decimal_div(&e, &a, &b, &r), 0);
	assert_int_equal(decimal_to_float(&e, &r, &f), 0);
	assert_memory_equal(&f, &want, sizeof(f));
	env_release(&e);
}

static void
long_numbers_end_with_the_budget(void **state UNUSED)
{
	struct decimal a, r;
	struct env e;

	tmplrig_env(&e);
	assert_int_equal(decimal_from_float(&e, 1.2345678901234567, &a), 0);
	for (int i = 0; i < 100 && !e.exhausted; i++) {
		if (decimal_mul(&e, &a, &a, &r) == 0)
			a = r;
	}
	assert_true(e.exhausted);
	env_release(&e);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(computes_on_the_shortest_decimals),
		cmocka_unit_test(long_division_undoes_multiplication),
		cmocka_unit_test(
		    a_guessed_digit_that_is_too_large_is_taken_back),
		cmocka_unit_test(long_numbers_end_with_the_budget),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
