/*
 * Numbers of the metrics text against vectors from Go.
 */
/* layer: metrics */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above first. */
#include <cmocka.h>

#include <math.h>
#include <stdlib.h>

#include "base/compiler.h"
#include "controller/metrics/number.h"
#include "number_vectors.h"

static void
prints_numbers_exactly_as_go_does(void **state UNUSED)
{
	for (size_t i = 0; i < ARRAY_SIZE(number_vectors); i++) {
		char out[NUMBER_TEXT_MAX];

		number_format(number_vectors[i].v, out);
		assert_string_equal(out, number_vectors[i].text);
		assert_true(strtod(out, NULL) == number_vectors[i].v);
	}
}

static void
names_what_is_not_a_finite_number(void **state UNUSED)
{
	char out[NUMBER_TEXT_MAX];

	number_format(NAN, out);
	assert_string_equal(out, "NaN");
	number_format(INFINITY, out);
	assert_string_equal(out, "+Inf");
	number_format(-INFINITY, out);
	assert_string_equal(out, "-Inf");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(prints_numbers_exactly_as_go_does),
		cmocka_unit_test(names_what_is_not_a_finite_number),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
