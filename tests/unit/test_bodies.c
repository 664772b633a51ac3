/*
 * Bodies that wait: what goes in comes out, the room, and that memory is given
 * back.
 * layer: cache
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/jsonx.h"
#include "base/mem.h"
#include "controller/cache/bodies.h"

static struct body
put(struct bodies *b, size_t len)
{
	AUTO_STR char *text = xmalloc(len + 1);
	AUTO_JSON json_t *v = NULL;

	memset(text, 'x', len);
	text[len] = '\0';
	v = json_pack("{s:s}", "s", text);
	return bodies_put(b, v);
}

/* Pages of the store that are in memory. */
static size_t
resident(const struct bodies *b)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE), n = 0;
	static unsigned char in[BODIES_MAX / 1024];

	assert_int_equal(mincore(b->map, BODIES_MAX, in), 0);
	for (size_t i = 0; i < BODIES_MAX / page; i++)
		n += in[i] & 1;
	return n;
}

static void
the_text_comes_out_once(void **state UNUSED)
{
	struct bodies b = { 0 };
	AUTO_JSON json_t *one =
	    json_pack("{s:i, s:[s, n]}", "a", 1, "b", "line\n\xc3\xa9");
	AUTO_JSON json_t *two = json_pack("{s:s}", "c", "d");
	struct body first = bodies_put(&b, one), second = bodies_put(&b, two);
	AUTO_STR char *text = bodies_take(&b, &first);
	AUTO_STR char *other = NULL;

	assert_string_equal(text, "{\"a\":1,\"b\":[\"line\\n\xc3\xa9\",null]}");
	assert_null(bodies_take(&b, &first));
	other = bodies_take(&b, &second);
	assert_string_equal(other, "{\"c\":\"d\"}");
	bodies_drop(&b, &second);
	bodies_release(&b);
}

static void
what_does_not_fit_is_none(void **state UNUSED)
{
	struct bodies b = { 0 };
	struct body whole, rest, small;

	whole = put(&b, BODIES_MAX);
	assert_int_equal(whole.len, 0);
	/* {"s":""} */
	whole = put(&b, BODIES_MAX - 8);
	assert_int_equal(whole.len, BODIES_MAX);
	rest = put(&b, 0);
	assert_int_equal(rest.len, 0);
	bodies_drop(&b, &whole);
	small = put(&b, 0);
	assert_int_equal(small.len, 8);
	bodies_release(&b);
}

static void
the_room_comes_back_when_the_last_has_gone(void **state UNUSED)
{
	struct bodies b = { 0 };
	struct body one = put(&b, BODIES_MAX / 2), two = put(&b, 100), three;

	bodies_drop(&b, &one);
	three = put(&b, BODIES_MAX / 2);
	assert_int_equal(three.len, 0);
	bodies_drop(&b, &two);
	three = put(&b, BODIES_MAX / 2);
	assert_int_not_equal(three.len, 0);
	bodies_release(&b);
}

static void
an_empty_store_has_hardly_any_memory(void **state UNUSED)
{
	static const size_t sizes[] = { 100, 1000000, BODIES_MAX };
	struct bodies b = { 0 };

	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		struct body small = put(&b, 100), body = put(&b, sizes[i]);

		assert_int_not_equal(resident(&b), 0);
		bodies_drop(&b, &body);
		bodies_drop(&b, &small);
		assert_in_range(resident(&b), 0, 4);
	}
	bodies_release(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_text_comes_out_once),
		cmocka_unit_test(what_does_not_fit_is_none),
		cmocka_unit_test(the_room_comes_back_when_the_last_has_gone),
		cmocka_unit_test(an_empty_store_has_hardly_any_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
