/*
 * Tests of controller/sealedsecret/render.c.
 * layer: sealedsecret
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/jsonx.h"
#include "controller/sealedsecret/render.h"
#include "jsontext.h"
#include "sealedsecret/unseal.h"

struct render_case {
	const char *templates, *sealed, *data; /* data in base64 */
	const char *want;		       /* data, or the error */
};

static void
check(const struct render_case *c)
{
	AUTO_RELEASE(itemerrs) struct itemerrs errs = ITEMERRS_INIT;
	AUTO_JSON json_t *templates = jsontext_parse(c->templates);
	AUTO_JSON json_t *sealed = jsontext_parse(c->sealed);
	AUTO_JSON json_t *data = jsontext_parse(c->data);
	AUTO_RELEASE(buf) struct buf got = BUF_INIT(65536);
	struct err err = ERR_INIT;

	assert_int_equal(
	    render_templates(templates, sealed, data, &errs, &err), 0);
	if (itemerrs_result(&errs, &err) < 0)
		assert_string_equal(err.msg, c->want);
	else if (jsonx_dump_sorted(data, &got, &err) == 0)
		assert_string_equal(buf_str(&got), c->want);
}

static void
templates_see_items_and_their_sisters_texts(void **state UNUSED)
{
	static const struct render_case cases[] = {
		/* No template changes nothing. */
		{ "{}", "{\"a\":\"x\"}", "{\"a\":\"YQ==\"}",
		    "{\"a\":\"YQ==\"}" },
		/* "<{{.a}}>" with a = "a". */
		{ "{\"t\":\"<{{.a}}>\"}", "{\"a\":\"x\"}", "{\"a\":\"YQ==\"}",
		    "{\"a\":\"YQ==\",\"t\":\"PGE+\"}" },
		/* Raw text of a sister, not what it renders to. */
		{ "{\"t\":\"{{.u}}\",\"u\":\"{{1}}\"}", "{}", "{}",
		    "{\"t\":\"e3sxfX0=\",\"u\":\"MQ==\"}" },
		/* A decrypted item wins, in sight and in the Secret. */
		{ "{\"a\":\"b\",\"t\":\"{{.a}}\"}", "{\"a\":\"x\"}",
		    "{\"a\":\"YQ==\"}", "{\"a\":\"YQ==\",\"t\":\"YQ==\"}" },
		/* A null removes, but templates see it. */
		{ "{\"a\":null,\"t\":\"{{.a}}\"}", "{\"a\":\"x\"}",
		    "{\"a\":\"YQ==\"}", "{\"t\":\"YQ==\"}" },
		{ "{\"n\":null,\"t\":\"{{.n}}\"}", "{}", "{}",
		    "{\"t\":\"PG5vIHZhbHVlPg==\"}" },
		{ "{\"t\":\"\"}", "{}", "{}", "{\"t\":\"\"}" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		check(&cases[i]);
}

static void
each_failing_template_is_named(void **state UNUSED)
{
	static const struct render_case cases[] = {
		{ "{\"t\":\"{{nope}}\",\"u\":\"fine\"}", "{}", "{}",
		    "template: t:1: function \"nope\" not defined (t)" },
		/* Run although its result would be dropped. */
		{ "{\"a\":\"{{nope}}\"}", "{\"a\":\"x\"}", "{\"a\":\"YQ==\"}",
		    "template: a:1: function \"nope\" not defined (a)" },
		{ "{\"t\":7}", "{}", "{}",
		    "template: expected text or null, got number (t)" },
		{ "{\"a/b\":\"x\"}", "{}", "{}", "invalid key name (a/b)" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		check(&cases[i]);
}

static void
no_value_gets_into_an_error(void **state UNUSED)
{
	AUTO_RELEASE(itemerrs) struct itemerrs errs = ITEMERRS_INIT;
	/* canary-5eCr3t */
	AUTO_JSON json_t *data =
	    jsontext_parse("{\"k\":\"Y2FuYXJ5LTVlQ3IzdA==\"}");
	AUTO_JSON json_t *sealed = jsontext_parse("{\"k\":\"x\"}");
	AUTO_JSON json_t *templates = jsontext_parse(
	    "{\"a\":\"{{fail .k}}\",\"b\":\"{{atoi .k | until}}\","
	    "\"c\":\"{{index .k 99}}\",\"d\":\"{{.k.x}}\","
	    "\"e\":\"{{mustRegexMatch .k .k}}{{template .k}}\","
	    "\"f\":\"{{ mustToDate .k .k }}\"}");
	struct err err = ERR_INIT;

	assert_int_equal(
	    render_templates(templates, sealed, data, &errs, &err), 0);
	assert_int_equal(itemerrs_result(&errs, &err), -1);
	assert_null(strstr(err.msg, "canary"));
	assert_non_null(strstr(err.msg, "fail"));
}

static void
a_bomb_fails_alone(void **state UNUSED)
{
	static const struct render_case c = {
		"{\"t\":\"{{range until 1000000000}}x{{end}}\"}", "{}", "{}",
		NULL
	};
	AUTO_RELEASE(itemerrs) struct itemerrs errs = ITEMERRS_INIT;
	AUTO_JSON json_t *templates = jsontext_parse(c.templates);
	AUTO_JSON json_t *data = jsontext_parse(c.data);
	struct err err = ERR_INIT;

	assert_int_equal(
	    render_templates(templates, NULL, data, &errs, &err), 0);
	assert_int_equal(itemerrs_result(&errs, &err), -1);
	assert_int_equal(json_object_size(data), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(templates_see_items_and_their_sisters_texts),
		cmocka_unit_test(each_failing_template_is_named),
		cmocka_unit_test(no_value_gets_into_an_error),
		cmocka_unit_test(a_bomb_fails_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
