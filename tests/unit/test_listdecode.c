/*
 * Tests of controller/kube/listdecode.c.
 * layer: kube
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/jsonx.h"
#include "base/mem.h"
#include "kube/watch.h"

#define MAX_ITEM 200

struct seen {
	char text[4096]; /* "a;b;" */
	unsigned n, stop_after;
};

static bool
note(void *ctx, json_t *item)
{
	struct seen *s = ctx;
	size_t len = strlen(s->text);
	const char *name = jsonx_str(item, "name", NULL);

	assert_true(json_is_object(item));
	(void)snprintf(s->text + len, sizeof(s->text) - len, "%s;",
	    name != NULL ? name : "-");
	s->n++;
	return s->stop_after == 0 || s->n < s->stop_after;
}

struct outcome {
	int rc;
	struct err err;
	struct seen seen;
	char rv[64], next[64];
	unsigned oversize;
};

static void
decode(const char *text, size_t piece, bool skip, struct outcome *o)
{
	AUTO(list_decoder)
	struct list_decoder *d = list_decoder_new(MAX_ITEM, note, &o->seen);
	size_t len = strlen(text);

	memset(o, 0, sizeof(*o));
	if (skip)
		list_decoder_skip_oversize(d);
	for (size_t at = 0; at < len && o->rc == 0; at += piece)
		o->rc = list_decoder_feed(
		    d, text + at, len - at < piece ? len - at : piece, &o->err);
	if (o->rc == 0)
		o->rc = list_decoder_end(d, &o->err);
	(void)snprintf(
	    o->rv, sizeof(o->rv), "%s", list_decoder_resource_version(d));
	(void)snprintf(
	    o->next, sizeof(o->next), "%s", list_decoder_continue(d));
	o->oversize = list_decoder_oversize(d);
}

/* Whole, byte by byte, and in pieces between: always the same. */
static void
decode_all_ways(const char *text, struct outcome *o)
{
	static const size_t pieces[] = { 1, 2, 3, 5, 7, 64 };

	decode(text, strlen(text) + 1, false, o);
	for (size_t i = 0; i < ARRAY_SIZE(pieces); i++) {
		struct outcome other;

		decode(text, pieces[i], false, &other);
		assert_int_equal(other.rc, o->rc);
		assert_int_equal(other.err.code, o->err.code);
		assert_string_equal(other.seen.text, o->seen.text);
		assert_string_equal(other.rv, o->rv);
		assert_string_equal(other.next, o->next);
	}
}

static void
lists_of_any_layout_give_their_items(void **state UNUSED)
{
	static const struct {
		const char *text, *items, *rv, *next;
	} cases[] = {
		{ "{\"kind\":\"SecretList\",\"apiVersion\":\"v1\","
		  "\"metadata\":{\"resourceVersion\":\"12\",\"continue\":\"t\","
		  "\"remainingItemCount\":3},\"items\":[{\"name\":\"a\"},"
		  "{\"name\":\"b\"}]}\n",
		    "a;b;", "12", "t" },
		{ "{\"items\":[{\"name\":\"a\"}],\"metadata\":"
		  "{\"resourceVersion\":\"7\"}}",
		    "a;", "7", "" },
		{ " { \"items\" : [ { \"name\" : \"a\" } , {} ] } \r\n", "a;-;",
		    "", "" },
		{ "{\"items\":[]}", "", "", "" },
		{ "{\"items\":null,\"metadata\":{\"resourceVersion\":\"1\"}}",
		    "", "1", "" },
		{ "{\"metadata\":null,\"items\":[]}", "", "", "" },
		{ "{\"x\":[[{\"items\":[1]}],\"]}\"],\"y\":-1.5e3,\"z\":true,"
		  "\"w\":\"a\\\"]}\",\"items\":[{\"name\":\"}]\\\"{\"}]}",
		    "}]\"{;", "", "" },
		{ "{\"metadata\":{\"continue\":\"\",\"resourceVersion\":5},"
		  "\"items\":[]}",
		    "", "", "" },
		{ "{\"a_name_longer_than_any_of_ours\":{},\"items\":[]}", "",
		    "", "" },
		{ "{\"\\u0069tems\":[1],\"items\":[]}", "", "", "" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct outcome o;

		decode_all_ways(cases[i].text, &o);
		assert_int_equal(o.rc, 0);
		assert_string_equal(o.seen.text, cases[i].items);
		assert_string_equal(o.rv, cases[i].rv);
		assert_string_equal(o.next, cases[i].next);
	}
}

static void
what_is_no_list_is_invalid(void **state UNUSED)
{
	static const char *const cases[] = {
		"",
		" ",
		"null",
		"[]",
		"[{\"name\":\"a\"}]",
		"<html>",
		"{}",
		"{\"kind\":\"Status\"}",
		"{\"items\":{}}",
		"{\"items\":\"x\"}",
		"{\"items\":nil}",
		"{\"items\":[1]}",
		"{\"items\":[null]}",
		"{\"items\":[[]]}",
		"{\"items\":[{}}",
		"{\"items\":[{},]}",
		"{\"items\":[,{}]}",
		"{\"items\":[{}{}]}",
		"{\"items\":[{\"a\":}]}",
		"{\"items\":[{\"a\":[}]}]}",
		"{\"items\":[]},",
		"{\"items\":[]}{}",
		"{\"items\" []}",
		"{items:[]}",
		"{\"items\":[],}",
		"{\"a\":,\"items\":[]}",
		"{\"metadata\":{\"a\"},\"items\":[]}",
		"{\"metadata\":nonsense,\"items\":[]}",
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct outcome o;

		decode_all_ways(cases[i], &o);
		assert_int_equal(o.rc, -1);
		assert_int_equal(o.err.code, ERR_INVALID);
	}
}

static void
a_list_cut_anywhere_is_never_complete(void **state UNUSED)
{
	static const char whole[] =
	    "{\"metadata\":{\"resourceVersion\":\"1\"},\"items\":"
	    "[{\"name\":\"a\"},{\"name\":\"b\"}]}";
	char text[sizeof(whole)];

	for (size_t n = 0; n < sizeof(whole) - 1; n++) {
		struct outcome o;

		memcpy(text, whole, n);
		text[n] = '\0';
		decode(text, 16, false, &o);
		assert_int_equal(o.rc, -1);
		assert_int_equal(o.err.code, ERR_INVALID);
	}
}

/* A list with a small item, one of len bytes, and a small one. */
static char *
list_with_item_of(size_t len)
{
	char item[1024];

	memset(item, ' ', sizeof(item));
	(void)snprintf(item, sizeof(item), "{\"name\":\"big\"");
	item[strlen(item)] = ' ';
	item[len - 1] = '}';
	item[len] = '\0';
	return xasprintf("{\"items\":[{\"name\":\"a\"},%s,"
			 "{\"name\":\"b\"}],\"metadata\":"
			 "{\"resourceVersion\":\"9\"}}",
	    item);
}

static void
an_item_over_the_limit_fails_the_list(void **state UNUSED)
{
	AUTO_STR char *fits = list_with_item_of(MAX_ITEM);
	AUTO_STR char *over = list_with_item_of(MAX_ITEM + 1);
	struct outcome o;

	decode_all_ways(fits, &o);
	assert_int_equal(o.rc, 0);
	assert_string_equal(o.seen.text, "a;big;b;");
	decode_all_ways(over, &o);
	assert_int_equal(o.rc, -1);
	assert_int_equal(o.err.code, ERR_TOOBIG);
	assert_string_equal(o.seen.text, "a;");
}

static void
an_item_over_the_limit_can_be_skipped(void **state UNUSED)
{
	AUTO_STR char *over = list_with_item_of(MAX_ITEM + 1);
	static const size_t pieces[] = { 1, 3, 100, 10000 };

	for (size_t i = 0; i < ARRAY_SIZE(pieces); i++) {
		struct outcome o;

		decode(over, pieces[i], true, &o);
		assert_int_equal(o.rc, 0);
		assert_string_equal(o.seen.text, "a;b;");
		assert_string_equal(o.rv, "9");
		assert_int_equal(o.oversize, 1);
	}
}

static void
tokens_are_bounded(void **state UNUSED)
{
	char token[LIST_TOKEN_MAX + 2];
	struct outcome o;

	memset(token, 'x', sizeof(token));
	token[LIST_TOKEN_MAX] = '\0';
	{
		AUTO_STR char *text = xasprintf(
		    "{\"metadata\":{\"continue\":\"%s\"},\"items\":[]}", token);

		decode(text, 100, false, &o);
		assert_int_equal(o.rc, 0);
	}
	token[LIST_TOKEN_MAX] = 'x';
	token[LIST_TOKEN_MAX + 1] = '\0';
	{
		AUTO_STR char *text = xasprintf(
		    "{\"metadata\":{\"continue\":\"%s\"},\"items\":[]}", token);

		decode(text, 100, false, &o);
		assert_int_equal(o.rc, -1);
		assert_int_equal(o.err.code, ERR_INVALID);
	}
}

static void
metadata_is_bounded_whatever_the_item_limit(void **state UNUSED)
{
	size_t len = 80000;
	AUTO_STR char *pad = xmalloc(len + 1);
	AUTO_STR char *text = NULL;
	struct outcome o;

	memset(pad, 'x', len);
	pad[len] = '\0';
	text = xasprintf("{\"metadata\":{\"a\":\"%s\"},\"items\":[]}", pad);
	decode(text, 1000, true, &o);
	assert_int_equal(o.rc, -1);
	assert_int_equal(o.err.code, ERR_TOOBIG);
	mem_free_wiped(text);
	/* A member nobody wants may be as long as it likes. */
	text = xasprintf("{\"other\":{\"a\":\"%s\"},\"items\":[]}", pad);
	decode(text, 1000, false, &o);
	assert_int_equal(o.rc, 0);
}

static void
the_reader_can_end_it(void **state UNUSED)
{
	struct seen s = { .stop_after = 1 };
	AUTO(list_decoder)
	struct list_decoder *d = list_decoder_new(MAX_ITEM, note, &s);
	struct err err = ERR_INIT;
	static const char text[] = "{\"items\":[{},{}]}";

	assert_int_equal(
	    list_decoder_feed(d, text, sizeof(text) - 1, &err), -1);
	assert_int_equal(err.code, ERR_CANCELLED);
	assert_int_equal(s.n, 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lists_of_any_layout_give_their_items),
		cmocka_unit_test(what_is_no_list_is_invalid),
		cmocka_unit_test(a_list_cut_anywhere_is_never_complete),
		cmocka_unit_test(an_item_over_the_limit_fails_the_list),
		cmocka_unit_test(an_item_over_the_limit_can_be_skipped),
		cmocka_unit_test(tokens_are_bounded),
		cmocka_unit_test(metadata_is_bounded_whatever_the_item_limit),
		cmocka_unit_test(the_reader_can_end_it),
	};

	return cmocka_run_group_tests_name("listdecode", tests, NULL, NULL);
}
