/*
 * JSON: what is accepted is never nested deeper than the bound, prints to a
 * text that reads back as the same tree, and reads the same with every
 * lenient option.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/jsonx.h"
#include "fuzz.h"

static unsigned
depth_of(const json_t *v)
{
	unsigned deepest = 0, depth;
	const char *key;
	json_t *child;
	size_t i;

	if (!json_is_object(v) && !json_is_array(v))
		return 0;
	json_object_foreach((json_t *)(uintptr_t)v, key, child)
	{
		depth = depth_of(child);
		deepest = depth > deepest ? depth : deepest;
	}
	json_array_foreach(v, i, child)
	{
		depth = depth_of(child);
		deepest = depth > deepest ? depth : deepest;
	}
	return deepest + 1;
}

/* NULL where the text is refused. */
static json_t *
parse(const uint8_t *data, size_t size, unsigned flags)
{
	struct err err = ERR_INIT;
	json_t *v = NULL;

	if (jsonx_parse((const char *)data, size, flags, &v, &err) == 0)
		return v;
	check(err.code == ERR_INVALID && err.msg[0] != '\0' && v == NULL);
	return NULL;
}

static void
check_round_trip(const json_t *v, size_t size)
{
	AUTO_RELEASE(buf) struct buf text = BUF_INIT(32 * size + 64);
	struct err err = ERR_INIT;
	AUTO_JSON json_t *back = NULL;

	check(jsonx_dump_sorted(v, &text, &err) == 0);
	back = parse(
	    (const uint8_t *)text.data, text.len, JSONX_REJECT_DUPLICATES);
	check(back != NULL && json_equal(v, back));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO_JSON json_t *strict = parse(data, size, JSONX_REJECT_DUPLICATES);
	AUTO_JSON json_t *plain = parse(data, size, 0);
	AUTO_JSON json_t *lenient = parse(data, size, JSONX_CUT_DEEP);

	if (strict != NULL)
		check(plain != NULL && json_equal(strict, plain));
	if (plain != NULL)
		check(lenient != NULL && json_equal(plain, lenient));
	if (lenient != NULL) {
		check(depth_of(lenient) <= JSONX_DEPTH_MAX);
		check_round_trip(lenient, size);
	}
	return 0;
}
