/*
 * Templates, functions and errors against what the Go libraries made of them:
 * tests/tmpl/corpus, one test for each file. See tests/tmpl/README.md.
 */
/* layer: tmpl */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above first. */
#include <cmocka.h>

#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/buf.h"
#include "base/codec.h"
#include "base/mem.h"
#include "tmpl/tmpl.h"
#include "tmplcheck.h"

#define CORPUS	     "tests/tmpl/corpus/*.jsonl"
#define SHOWN_MAX    20
#define VALUE_MAX    (1U << 20)
#define CANARY_MIN   6 /* shorter values may appear by chance */
#define TEMPLATE_MAX 64

static const char *const marks[] = { "(value withheld)", "(message withheld)" };

/* A case and its input for the engine. */
struct test_case {
	json_t *json;
	struct tmpl_source sources[TEMPLATE_MAX];
	struct tmpl_datum data[2 * TEMPLATE_MAX];
	struct buf decoded[TEMPLATE_MAX];
	struct tmpl_input in;
};

static const char *
member(json_t *json, const char *object, const char *key)
{
	return json_string_value(
	    json_object_get(json_object_get(json, object), key));
}

static const char *
case_name(const struct test_case *tc)
{
	return json_string_value(json_object_get(tc->json, "name"));
}

static void
add_datum(struct test_case *tc, const char *name, const void *p, size_t len)
{
	assert_in_range(tc->in.ndata, 0, 2 * TEMPLATE_MAX - 1);
	tc->data[tc->in.ndata++] =
	    (struct tmpl_datum) { .name = name, .data = p, .len = len };
}

static void
add_data(struct test_case *tc)
{
	struct err err = ERR_INIT;
	size_t n = 0;
	const char *k;
	json_t *v;

	json_object_foreach(json_object_get(tc->json, "data"), k, v)
	    add_datum(tc, k, json_string_value(v), json_string_length(v));
	json_object_foreach(json_object_get(tc->json, "data64"), k, v)
	{
		struct buf *b = &tc->decoded[n++];

		assert_in_range(n, 1, TEMPLATE_MAX);
		buf_init(b, VALUE_MAX);
		assert_int_equal(base64_decode(json_string_value(v),
				     json_string_length(v), b, &err),
		    0);
		add_datum(tc, k, buf_str(b), b->len);
	}
}

/* Dot is the decrypted values and the raw text of the other templates. */
static void
add_sources(struct test_case *tc)
{
	json_t *data = json_object_get(tc->json, "data"), *v;
	json_t *data64 = json_object_get(tc->json, "data64");
	const char *k;

	json_object_foreach(json_object_get(tc->json, "templates"), k, v)
	{
		assert_in_range(tc->in.nsources, 0, TEMPLATE_MAX - 1);
		tc->sources[tc->in.nsources++] =
		    (struct tmpl_source) { .name = k,
			    .text = json_string_value(v),
			    .len = json_string_length(v) };
		if (json_is_string(v) && json_object_get(data, k) == NULL &&
		    json_object_get(data64, k) == NULL)
			add_datum(
			    tc, k, json_string_value(v), json_string_length(v));
	}
}

static void
case_init(struct test_case *tc, const char *line)
{
	memset(tc, 0, sizeof(*tc));
	tc->json = json_loads(line, JSON_ALLOW_NUL, NULL);
	assert_non_null(tc->json);
	tc->in.sources = tc->sources;
	tc->in.data = tc->data;
	add_data(tc);
	add_sources(tc);
}

static void
case_release(struct test_case *tc)
{
	for (size_t i = 0; i < TEMPLATE_MAX; i++)
		buf_release(&tc->decoded[i]);
	json_decref(tc->json);
}

/* The first mark in s; its end. */
static const char *
find_mark(const char *s, const char **end)
{
	const char *first = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(marks); i++) {
		const char *p = strstr(s, marks[i]);

		if (p != NULL && (first == NULL || p < first)) {
			first = p;
			*end = p + strlen(marks[i]);
		}
	}
	return first;
}

/*
 * Whether ours is Go's text with values left out: what stands between the
 * marks appears in Go's text in this order, the first piece at its start, the
 * last at its end.
 */
static bool
same_but_withheld(const char *ours, const char *go)
{
	const char *end = NULL, *mark = find_mark(ours, &end);
	size_t len, tail;

	if (mark == NULL)
		return strcmp(ours, go) == 0;
	len = (size_t)(mark - ours);
	if (strncmp(ours, go, len) != 0)
		return false;
	for (go += len; (mark = find_mark(end, &ours)) != NULL; end = ours) {
		AUTO_STR char *piece = xstrndup(end, (size_t)(mark - end));

		go = strstr(go, piece);
		if (go == NULL)
			return false;
		go += strlen(piece);
	}
	len = strlen(go);
	tail = strlen(end);
	return len >= tail && strcmp(go + len - tail, end) == 0;
}

/* Only values hold a NUL, and those are withheld. */
static char *
text_without_nul(json_t *text)
{
	size_t len = json_string_length(text);
	char *copy = xmalloc(len + 1);

	memcpy(copy, json_string_value(text), len + 1);
	for (size_t i = 0; i < len; i++)
		if (copy[i] == '\0')
			copy[i] = '?';
	return copy;
}

/* A value of the case in an error text, unless it is the template's own. */
static const struct tmpl_datum *
leaked(const struct test_case *tc, const char *text)
{
	for (size_t i = 0; i < tc->in.ndata; i++) {
		const struct tmpl_datum *d = &tc->data[i];
		bool own = false;

		if (d->len < CANARY_MIN || strstr(text, d->data) == NULL)
			continue;
		for (size_t j = 0; j < tc->in.nsources && !own; j++)
			own = tc->sources[j].text != NULL &&
			    strstr(tc->sources[j].text, d->data) != NULL;
		if (!own)
			return d;
	}
	return NULL;
}

/* NULL where the error is as expected, otherwise what is wrong with it. */
static const char *
judge_error(const struct test_case *tc, json_t *want, const char *got)
{
	AUTO_STR char *go = text_without_nul(json_object_get(want, "text"));
	const char *end;

	if (got == NULL)
		return "no error";
	if (leaked(tc, got) != NULL)
		return "the error tells a value";
	if (!same_but_withheld(got, go))
		return "another error";
	if (strcmp(json_string_value(json_object_get(want, "detail")),
		"exact") == 0)
		return find_mark(got, &end) == NULL ? NULL
						    : "withholds too much";
	return NULL;
}

static const char *
judge_check(
    const struct test_case *tc, json_t *check, const struct tmpl_output *out)
{
	const char *why = NULL;
	struct tmpl_result *again;

	if (!tmplcheck(check, out->data, out->len, &why) ||
	    strcmp(json_string_value(json_object_get(check, "kind")),
		"differs") != 0)
		return why;
	again = tmpl_render(&tc->in);
	for (size_t i = 0; i < again->noutputs && why == NULL; i++)
		if (again->outputs[i].data != NULL &&
		    again->outputs[i].len == out->len &&
		    memcmp(again->outputs[i].data, out->data, out->len) == 0)
			why = "the same twice";
	tmpl_result_free(again);
	return why;
}

/* What a member of want or want64 says a template gives. */
static bool
is_wanted(json_t *text, json_t *base64, const struct tmpl_output *out)
{
	AUTO_RELEASE(buf) struct buf b = BUF_INIT(VALUE_MAX);
	struct err err = ERR_INIT;
	const char *p = json_string_value(text);
	size_t len = json_string_length(text);

	if (text == NULL) {
		assert_int_equal(base64_decode(json_string_value(base64),
				     json_string_length(base64), &b, &err),
		    0);
		p = buf_str(&b);
		len = b.len;
	}
	return out->len == len && memcmp(p, out->data, len) == 0;
}

static const char *
judge_value(const struct test_case *tc, const struct tmpl_output *out)
{
	json_t *text =
	    json_object_get(json_object_get(tc->json, "want"), out->name);
	json_t *base64 =
	    json_object_get(json_object_get(tc->json, "want64"), out->name);

	if (text == NULL && base64 == NULL)
		return "rendered what should be left out";
	return is_wanted(text, base64, out) ? NULL : "another value";
}

/* The engine says that it does not do this: a difference that is meant. */
static bool
refused(const struct test_case *tc, const char *error)
{
	return json_is_true(json_object_get(tc->json, "refused")) &&
	    error != NULL &&
	    (strstr(error, "not supported") != NULL ||
		strstr(error, "out of budget: ") != NULL);
}

static const char *
judge(const struct test_case *tc, const struct tmpl_output *out)
{
	json_t *check = json_object_get(tc->json, "check");
	json_t *error =
	    json_object_get(json_object_get(tc->json, "errors"), out->name);
	const char *null_name = member(tc->json, "templates", out->name);

	if (refused(tc, out->error))
		return NULL;
	if (error != NULL)
		return judge_error(tc, error, out->error);
	if (out->error != NULL)
		return "an error";
	if (null_name == NULL)
		return out->data == NULL ? NULL : "a value for null";
	if (check != NULL)
		return judge_check(tc, check, out);
	return judge_value(tc, out);
}

/* What the case expects, for people. */
static const char *
wanted(const struct test_case *tc, const char *name)
{
	json_t *error =
	    json_object_get(json_object_get(tc->json, "errors"), name);

	if (error != NULL)
		return json_string_value(json_object_get(error, "text"));
	if (member(tc->json, "want", name) != NULL)
		return member(tc->json, "want", name);
	return member(tc->json, "want64", name);
}

static void
show(const struct test_case *tc, const struct tmpl_output *out, const char *why)
{
	const char *want = wanted(tc, out->name);

	print_error("%s: %s\n  template %s\n  want     %s\n  got      %s\n",
	    case_name(tc), why, member(tc->json, "templates", out->name),
	    want != NULL ? want : "(a check)",
	    out->error != NULL ? out->error : out->data);
}

/* Whether the case is as Go has it; up to *shown ones that are not appear. */
static bool
run_case(const char *line, unsigned *shown)
{
	struct test_case *tc = xmalloc(sizeof(*tc));
	struct tmpl_result *r;
	bool good = true;

	case_init(tc, line);
	r = tmpl_render(&tc->in);
	assert_int_equal(r->noutputs, tc->in.nsources);
	for (size_t i = 0; i < r->noutputs; i++) {
		const char *why = judge(tc, &r->outputs[i]);

		if (why == NULL)
			continue;
		good = false;
		if ((*shown)++ < SHOWN_MAX)
			show(tc, &r->outputs[i], why);
	}
	tmpl_result_free(r);
	case_release(tc);
	free(tc);
	return good;
}

static void
renders_as_go_does(void **state)
{
	const char *path = *state;
	FILE *f = fopen(path, "re");
	unsigned total = 0, wrong = 0, shown = 0;
	char *line = NULL;
	size_t size = 0;

	assert_non_null(f);
	while (getline(&line, &size, f) > 0) {
		total++;
		if (!run_case(line, &shown))
			wrong++;
	}
	free(line);
	(void)fclose(f);
	if (wrong > 0)
		fail_msg("%s: %u of %u cases differ", path, wrong, total);
	assert_in_range(total, 1, UINT32_MAX);
}

int
main(void)
{
	struct CMUnitTest tests[TEMPLATE_MAX];
	glob_t files;
	size_t n = 0;
	int rc;

	if (glob(CORPUS, 0, NULL, &files) != 0)
		return 1;
	for (; n < files.gl_pathc && n < ARRAY_SIZE(tests); n++)
		tests[n] = (struct CMUnitTest) {
			.name = strrchr(files.gl_pathv[n], '/') + 1,
			.test_func = renders_as_go_does,
			.initial_state = files.gl_pathv[n],
		};
	rc = _cmocka_run_group_tests("tmplcorpus", tests, n, NULL, NULL);
	globfree(&files);
	return rc;
}
