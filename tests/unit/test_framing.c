/*
 * The second look at a request's head.
 * layer: http
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/compiler.h"
#include "controller/http/framing.h"

#define BODY_MAX 100

struct field {
	const char *name, *value;
};

static void
judges_heads(void **state UNUSED)
{
	static const struct {
		const char *version;
		struct field fields[4];
		unsigned want;
	} cases[] = {
		{ "HTTP/1.1", { { "Host", "x" } }, 0 },
		{ "HTTP/1.1", { { "HOST", "" } }, 0 },
		{ "HTTP/1.0", { { NULL, NULL } }, 0 },
		{ "HTTP/1.1", { { NULL, NULL } }, 400 },
		{ "HTTP/1.1", { { "Host", "x" }, { "host", "x" } }, 400 },
		{ "HTTP/1.1", { { "Host", "x" }, { "Content-Length", "100" } },
		    0 },
		{ "HTTP/1.1", { { "Host", "x" }, { "content-length", "101" } },
		    413 },
		{ "HTTP/1.1",
		    { { "Host", "x" },
			{ "Content-Length", "1000000000000000000" } },
		    400 },
		{ "HTTP/1.1", { { "Host", "x" }, { "Content-Length", "" } },
		    400 },
		{ "HTTP/1.1", { { "Host", "x" }, { "Content-Length", "+1" } },
		    400 },
		{ "HTTP/1.1", { { "Host", "x" }, { "Content-Length", "1 " } },
		    400 },
		{ "HTTP/1.1", { { "Host", "x" }, { "Content-Length", "1, 1" } },
		    400 },
		{ "HTTP/1.1",
		    { { "Host", "x" }, { "Content-Length", "1" },
			{ "CONTENT-LENGTH", "1" } },
		    400 },
		{ "HTTP/1.1",
		    { { "Host", "x" }, { "Transfer-Encoding", "chunked" } },
		    0 },
		{ "HTTP/1.1",
		    { { "Host", "x" }, { "transfer-encoding", "Chunked" } },
		    0 },
		{ "HTTP/1.0", { { "Transfer-Encoding", "chunked" } }, 400 },
		{ "HTTP/1.1",
		    { { "Host", "x" }, { "Transfer-Encoding", "gzip" } }, 400 },
		{ "HTTP/1.1",
		    { { "Host", "x" },
			{ "Transfer-Encoding", "gzip, chunked" } },
		    400 },
		{ "HTTP/1.1",
		    { { "Host", "x" }, { "Transfer-Encoding", "chunked" },
			{ "Transfer-Encoding", "chunked" } },
		    400 },
		{ "HTTP/1.1",
		    { { "Host", "x" }, { "Transfer-Encoding", "chunked" },
			{ "Content-Length", "1" } },
		    400 },
		{ "HTTP/1.1",
		    { { "Host", "x" }, { "Content-Length", "1" },
			{ "Transfer-Encoding", "chunked" } },
		    400 },
		{ "HTTP/1.1", { { "Host", "x" }, { "", "y" } }, 400 },
		{ "HTTP/1.1", { { "Host", "x" }, { "X ", "y" } }, 400 },
		{ "HTTP/1.1", { { "Host", "x" }, { "X\x80", "y" } }, 400 },
		{ "HTTP/1.1", { { "Host", "x" }, { "X", "a\rb" } }, 400 },
		{ "HTTP/1.1", { { "Host", "x" }, { "X", "a\tb\xc3\xa9" } }, 0 },
		{ "HTTP/1.1", { { "Host", "x" }, { "Expect", "100-Continue" } },
		    0 },
		{ "HTTP/1.1", { { "Host", "x" }, { "Expect", "x" } }, 417 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct framing f = { 0 };
		unsigned got;

		for (size_t j = 0; j < 4 && cases[i].fields[j].name != NULL;
		     j++)
			framing_field(&f, cases[i].fields[j].name,
			    strlen(cases[i].fields[j].name),
			    cases[i].fields[j].value,
			    strlen(cases[i].fields[j].value));
		got = framing_verdict(&f, cases[i].version, BODY_MAX);
		if (got != cases[i].want)
			fail_msg("case %zu: %u instead of %u", i, got,
			    cases[i].want);
	}
}

static void
sees_a_nul_inside_a_field(void **state UNUSED)
{
	struct framing f = { .hosts = 1 };

	framing_field(&f, "X", 1, "a\0b", 3);
	assert_int_equal(framing_verdict(&f, "HTTP/1.1", BODY_MAX), 400);
	f = (struct framing) { .hosts = 1 };
	framing_field(&f, "X\0Y", 3, "a", 1);
	assert_int_equal(framing_verdict(&f, "HTTP/1.1", BODY_MAX), 400);
}

static void
counts_fields_up_to_the_limit(void **state UNUSED)
{
	struct framing f = { 0 };

	framing_field(&f, "Host", 4, "x", 1);
	for (unsigned i = 1; i < FRAMING_FIELDS_MAX; i++)
		framing_field(&f, "X", 1, "y", 1);
	assert_int_equal(framing_verdict(&f, "HTTP/1.1", BODY_MAX), 0);
	framing_field(&f, "X", 1, "y", 1);
	assert_int_equal(framing_verdict(&f, "HTTP/1.1", BODY_MAX), 431);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(judges_heads),
		cmocka_unit_test(sees_a_nul_inside_a_field),
		cmocka_unit_test(counts_fields_up_to_the_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
