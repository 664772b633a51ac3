/*
 * Tests of keystore/nsrule.c: which texts are rules, and what they allow.
 * layer: keystore
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "keystore/nsrule.h"

static struct nsrule *
parse(const char *text)
{
	struct nsrule *rule = NULL;
	struct err err = ERR_INIT;

	if (nsrule_parse(text, &rule, &err) < 0)
		fail_msg("\"%s\": %s", text, err.msg);
	assert_string_equal(nsrule_text(rule), text);
	return rule;
}

static void
a_list_of_names_holds_those_names_and_no_others(void **state UNUSED)
{
	static const struct {
		const char *text, *ns;
		bool want;
	} cases[] = {
		{ "team-a", "team-a", true },
		{ "team-a", "team", false },
		{ "team-a", "team-a2", false },
		{ "team-a,team-b", "team-b", true },
		{ " team-a ,\n team-b,", "team-b", true },
		{ "in,notin", "notin", true },
		{ "team-a,team-b", "", false },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO(nsrule) struct nsrule *rule = parse(cases[i].text);

		assert_false(nsrule_by_labels(rule));
		assert_int_equal(
		    nsrule_has_name(rule, cases[i].ns), cases[i].want);
	}
}

/* ctx: "key=value,key=value". */
static const char *
label_of(const void *ctx, const char *key)
{
	static char value[64];
	const char *p = ctx;
	size_t len = strlen(key);

	while (p != NULL && *p != '\0') {
		if (strncmp(p, key, len) == 0 && p[len] == '=') {
			size_t n = strcspn(p + len + 1, ",");

			memcpy(value, p + len + 1, n);
			value[n] = '\0';
			return value;
		}
		p = strchr(p, ',');
		if (p != NULL)
			p++;
	}
	return NULL;
}

static void
a_selector_accepts_what_kubernetes_would(void **state UNUSED)
{
	static const struct {
		const char *text, *labels;
		bool want;
	} cases[] = {
		{ "env=prod", "env=prod", true },
		{ "env==prod", "env=prod", true },
		{ "env = prod", "env=prod", true },
		{ "env=prod", "env=test", false },
		{ "env=prod", "", false },
		{ "env=", "env=", true },
		{ "env=", "", false },
		{ "env!=prod", "env=test", true },
		{ "env!=prod", "", true },
		{ "env!=prod", "env=prod", false },
		{ "env in (a, b)", "env=b", true },
		{ "env in (a,b)", "env=c", false },
		{ "env in (a,b)", "", false },
		{ "env notin (a,b)", "env=a", false },
		{ "env notin (a,b)", "env=c", true },
		{ "env notin (a,b)", "", true },
		{ "!env", "", true },
		{ "!env", "env=", false },
		{ "a=1,b=2", "a=1,b=2", true },
		{ "a=1,b=2", "a=1", false },
		{ "a=1, !c", "a=1", true },
		{ "x.example/a_b=V.1", "x.example/a_b=V.1", true },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO(nsrule) struct nsrule *rule = parse(cases[i].text);

		assert_true(nsrule_by_labels(rule));
		if (nsrule_accepts(rule, label_of, cases[i].labels) !=
		    cases[i].want)
			fail_msg("%s on %s", cases[i].text, cases[i].labels);
		assert_false(nsrule_has_name(rule, "env"));
	}
}

static void
what_cannot_be_read_is_refused(void **state UNUSED)
{
	static const char *const bad[] = { "", " ", ",", "a,,b",
		"team-a team-b", "Team", "a_b", "-a", "a-", "a.b", "*", "a;b",
		"a/b", "team-a,env=prod", "env=prod,team-a", "env=prod team",
		"=", "env in", "env in a", "env in (a", "env in (a)x",
		"env in (a,b))", "env ni (a)", "!", "!a b", "a=b=c", "a=!",
		"/a=b", "a/=b", "A.b/c=d", "a=-b", "a=b c=d", "env=prod,",
		"env=\xc3\xa4", "(a)" };

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct nsrule *rule = NULL;
		struct err err = ERR_INIT;

		if (nsrule_parse(bad[i], &rule, &err) == 0)
			fail_msg("\"%s\" was taken", bad[i]);
		assert_null(rule);
		assert_true(err.msg[0] != '\0');
	}
}

static void
sizes_are_limited(void **state UNUSED)
{
	char *text = xcalloc(1, NSRULE_TEXT_MAX + 2);
	struct nsrule *rule = NULL;
	struct err err = ERR_INIT;

	for (size_t i = 0; i < 2 * NSRULE_TERMS_MAX; i++)
		text[i] = i % 2 == 0 ? 'a' : ',';
	assert_int_equal(nsrule_parse(text, &rule, &err), 0);
	nsrule_free(rule);
	text[2 * NSRULE_TERMS_MAX] = 'b';
	assert_int_equal(nsrule_parse(text, &rule, &err), -1);
	assert_int_equal(err.code, ERR_TOOBIG);
	memset(text, ' ', NSRULE_TEXT_MAX + 1);
	text[0] = 'a';
	assert_int_equal(nsrule_parse(text, &rule, &err), -1);
	assert_int_equal(err.code, ERR_TOOBIG);
	mem_free_wiped(text);
}

static void
none_allows_nothing(void **state UNUSED)
{
	AUTO(nsrule) struct nsrule *rule = nsrule_none("team-a,=");
	AUTO(nsrule) struct nsrule *same = nsrule_ref(rule);

	assert_false(nsrule_by_labels(same));
	assert_false(nsrule_has_name(same, "team-a"));
	assert_false(nsrule_accepts(same, label_of, "team-a="));
	assert_string_equal(nsrule_text(same), "team-a,=");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    a_list_of_names_holds_those_names_and_no_others),
		cmocka_unit_test(a_selector_accepts_what_kubernetes_would),
		cmocka_unit_test(what_cannot_be_read_is_refused),
		cmocka_unit_test(sizes_are_limited),
		cmocka_unit_test(none_allows_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
