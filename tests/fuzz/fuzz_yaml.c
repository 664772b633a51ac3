/*
 * YAML: what is accepted prints as JSON that reads back, as JSON and as YAML,
 * as the same tree; trees have the bounds promised; errors begin with "yaml:".
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/jsonx.h"
#include "base/yamlx.h"
#include "fuzz.h"

#define NODES_MAX 20000

static unsigned
count_nodes(const json_t *v)
{
	unsigned n = 1;
	const char *key;
	json_t *child;
	size_t i;

	if (json_is_object(v)) {
		json_object_foreach((json_t *)(uintptr_t)v, key, child) n +=
		    1 + count_nodes(child);
	} else if (json_is_array(v)) {
		json_array_foreach(v, i, child) n += count_nodes(child);
	}
	return n;
}

static void
check_round_trip(const json_t *v, size_t size)
{
	AUTO_RELEASE(buf) struct buf text = BUF_INIT(64 * size + 64);
	struct err err = ERR_INIT;
	AUTO_JSON json_t *json = NULL;
	AUTO_JSON json_t *yaml = NULL;
	bool more = true;

	check(jsonx_dump(v, &text, &err) == 0);
	check(jsonx_parse(text.data, text.len, JSONX_REJECT_DUPLICATES, &json,
		  &err) == 0);
	check(json_equal(v, json));
	/* Scalars alone go to the YAML reader, which refuses what JSON may
	 * hold unescaped. */
	if (!json_is_object(v) && !json_is_array(v))
		return;
	check(yamlx_parse(text.data, text.len, &yaml, &more, &err) == 0);
	check(json_equal(v, yaml) && !more);
}

static json_t *
write_and_read(const json_t *v, size_t size)
{
	AUTO_RELEASE(buf) struct buf text = BUF_INIT(256 * size + 4096);
	struct err err = ERR_INIT;
	json_t *again = NULL;
	bool more = true;

	if (yamlx_dump(v, &text, &err) < 0) {
		check(err.code == ERR_TOOBIG);
		return NULL;
	}
	check(yamlx_parse(text.data, text.len, &again, &more, &err) == 0);
	check(!more);
	return again;
}

static bool
has_real(const json_t *v)
{
	const char *key;
	json_t *child;
	size_t i;

	if (json_is_object(v)) {
		json_object_foreach((json_t *)(uintptr_t)v, key,
		    child) if (has_real(child)) return true;
	} else if (json_is_array(v)) {
		json_array_foreach(
		    v, i, child) if (has_real(child)) return true;
	}
	return json_is_real(v);
}

/* What is written reads back as the same tree; 2.0, which only JSON has, as
 * 2, and from then on the same. */
static void
check_writer(const json_t *v, size_t size)
{
	AUTO_JSON json_t *first = write_and_read(v, size);
	AUTO_JSON json_t *second = NULL;

	if (first == NULL)
		return;
	if (!has_real(v)) {
		check(json_equal(v, first));
		return;
	}
	second = write_and_read(first, size);
	check(json_equal(first, second));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct err err = ERR_INIT;
	AUTO_JSON json_t *v = NULL;
	bool more = false;

	if (yamlx_parse((const char *)data, size, &v, &more, &err) < 0) {
		check(v == NULL && err.code == ERR_INVALID);
		check(strncmp(err.msg, "yaml: ", 6) == 0);
		return 0;
	}
	check(count_nodes(v) <= NODES_MAX);
	check_round_trip(v, size);
	check_writer(v, size);
	return 0;
}
