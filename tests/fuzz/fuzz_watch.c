/*
 * Watch decoder: the same bytes in one piece and in random pieces must give
 * the same events. Byte 0 seeds the pieces, byte 1 chooses the line limit.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/jsonx.h"
#include "fuzz.h"
#include "kube/watch.h"

#define TRACE_MAX (64u * 1024 * 1024)

static bool
note(void *ctx, const struct watch_event *ev)
{
	struct buf *trace = ctx;
	struct err err = ERR_INIT;

	buf_putc(trace, (char)('A' + ev->type));
	if (ev->detail != NULL)
		buf_puts(trace, ev->detail);
	if (ev->object != NULL && jsonx_dump(ev->object, trace, &err) < 0)
		abort();
	buf_putc(trace, '\n');
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

/* seed 0: in one piece. */
static bool
decode(const char *p, size_t len, size_t max_line, uint32_t seed,
    struct buf *trace)
{
	AUTO(watch_decoder)
	struct watch_decoder *d = watch_decoder_new(max_line, note, trace);

	while (len > 0) {
		size_t n = seed == 0 ? len : 1 + next_random(&seed) % 24;

		if (n > len)
			n = len;
		if (!watch_decoder_feed(d, p, n))
			abort();
		p += n;
		len -= n;
	}
	return watch_decoder_partial(d);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const size_t limits[] = { 0, 1, 16, 60, 200, KUBE_ITEM_MAX };
	AUTO_RELEASE(buf) struct buf whole = BUF_INIT(TRACE_MAX);
	AUTO_RELEASE(buf) struct buf pieces = BUF_INIT(TRACE_MAX);
	size_t limit;
	bool cut;

	if (size < 2)
		return 0;
	limit = limits[data[1] % ARRAY_SIZE(limits)];
	cut = decode((const char *)data + 2, size - 2, limit, 0, &whole);
	if (decode((const char *)data + 2, size - 2, limit,
		(uint32_t)data[0] * 7919 + 1, &pieces) != cut)
		abort();
	if (strcmp(buf_str(&whole), buf_str(&pieces)) != 0)
		abort();
	return 0;
}
