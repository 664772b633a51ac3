/*
 * List decoder: the same bytes in one piece and in random pieces must give the
 * same items and the same verdict; and where the JSON parser takes the whole
 * for a list, the decoder must give its items. Byte 0 seeds the pieces, byte 1
 * chooses limits.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/jsonx.h"
#include "fuzz.h"
#include "kube/watch.h"

#define TRACE_MAX    (64u * 1024 * 1024)
#define ORACLE_BYTES 2000u /* nothing so short passes a limit of ours */

static bool
note(void *ctx, json_t *item)
{
	struct err err = ERR_INIT;

	if (!json_is_object(item) || jsonx_dump(item, ctx, &err) < 0)
		abort();
	buf_putc(ctx, '\n');
	return true;
}

static uint32_t
next_random(uint32_t *x)
{
	*x ^= *x << 13;
	*x ^= *x >> 17;
	*x ^= *x << 5;
	return *x;
}

struct limits {
	size_t max_item;
	bool skip;
};

/* seed 0: in one piece. The trace ends with verdict and metadata. */
static int
decode(const char *p, size_t len, struct limits limits, uint32_t seed,
    struct buf *trace)
{
	AUTO(list_decoder)
	struct list_decoder *d = list_decoder_new(limits.max_item, note, trace);
	struct err err = ERR_INIT;
	int rc = 0;

	if (limits.skip)
		list_decoder_skip_oversize(d);
	while (len > 0 && rc == 0) {
		size_t n = seed == 0 ? len : 1 + next_random(&seed) % 24;

		if (n > len)
			n = len;
		rc = list_decoder_feed(d, p, n, &err);
		p += n;
		len -= n;
	}
	if (rc == 0)
		rc = list_decoder_end(d, &err);
	if (rc == 0)
		buf_printf(trace, "ok %s %s %u",
		    list_decoder_resource_version(d), list_decoder_continue(d),
		    list_decoder_oversize(d));
	else
		buf_printf(trace, "%s", err_code_name(err.code));
	return rc;
}

static void
compare_with_parser(const char *p, size_t len)
{
	AUTO_RELEASE(buf) struct buf want = BUF_INIT(TRACE_MAX);
	AUTO_RELEASE(buf) struct buf got = BUF_INIT(TRACE_MAX);
	AUTO_JSON json_t *root = NULL;
	struct err err = ERR_INIT;
	const json_t *items;

	/* Names may be written with escapes, which we need not understand. */
	if (len > ORACLE_BYTES || memchr(p, '\\', len) != NULL)
		return;
	if (jsonx_parse(p, len, JSONX_REJECT_DUPLICATES, &root, &err) < 0)
		return;
	items = jsonx_array(root, "items", NULL);
	if (items == NULL)
		return;
	for (size_t i = 0; i < json_array_size(items); i++) {
		const json_t *item = json_array_get(items, i);

		if (!json_is_object(item))
			return;
		if (jsonx_dump(item, &want, &err) < 0)
			abort();
		buf_putc(&want, '\n');
	}
	if (decode(p, len, (struct limits) { .max_item = KUBE_ITEM_MAX }, 0,
		&got) != 0)
		abort();
	if (strncmp(buf_str(&want), buf_str(&got), want.len) != 0)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const size_t maxima[] = { 0, 2, 10, 40, 200, KUBE_ITEM_MAX };
	AUTO_RELEASE(buf) struct buf whole = BUF_INIT(TRACE_MAX);
	AUTO_RELEASE(buf) struct buf pieces = BUF_INIT(TRACE_MAX);
	const char *p = (const char *)data + 2;
	struct limits limits;

	if (size < 2)
		return 0;
	limits.max_item = maxima[(data[1] >> 1) % ARRAY_SIZE(maxima)];
	limits.skip = (data[1] & 1) != 0;
	(void)decode(p, size - 2, limits, 0, &whole);
	(void)decode(
	    p, size - 2, limits, (uint32_t)data[0] * 7919 + 1, &pieces);
	if (strcmp(buf_str(&whole), buf_str(&pieces)) != 0)
		abort();
	compare_with_parser(p, size - 2);
	return 0;
}
