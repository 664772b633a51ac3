/*
 * Watch answer -> events. Bytes come in pieces of any size; only what does not
 * end in this piece is kept, never more than one line and never more than its
 * limit.
 */
#include "kube/watch.h"

#include <string.h>

#include "base/buf.h"
#include "base/jsonx.h"
#include "base/mem.h"

/* A line buffer that grew past this is given back after its line. */
#define KEEP_MAX (64u * 1024)

typedef bool (*event_fn)(void *ctx, const struct watch_event *ev);

struct watch_decoder {
	struct buf line; /* beginning of a line that has not ended yet */
	bool skipping;	 /* the rest of an oversize line */
	event_fn event;
	void *ctx;
};

static const struct {
	const char *name;
	enum watch_type type;
} types[] = {
	{ "ADDED", WATCH_ADDED },
	{ "MODIFIED", WATCH_MODIFIED },
	{ "DELETED", WATCH_DELETED },
	{ "BOOKMARK", WATCH_BOOKMARK },
	{ "ERROR", WATCH_ERROR },
};

struct watch_decoder *
watch_decoder_new(size_t max_line, event_fn event, void *ctx)
{
	struct watch_decoder *d = xcalloc(1, sizeof(*d));

	buf_init(&d->line, max_line);
	d->event = event;
	d->ctx = ctx;
	return d;
}

void
watch_decoder_free(struct watch_decoder *d)
{
	if (d == NULL)
		return;
	buf_release(&d->line);
	mem_free_wiped(d);
}

static bool
report(
    struct watch_decoder *d, enum watch_type type, json_t *obj, const char *why)
{
	struct watch_event ev = {
		.type = type,
		.object = obj,
		.detail = why,
	};

	return d->event(d->ctx, &ev);
}

static bool
is_blank(const char *p, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (strchr(" \t\r", p[i]) == NULL || p[i] == '\0')
			return false;
	return true;
}

static bool
handle_line(struct watch_decoder *d, const char *p, size_t len)
{
	AUTO_JSON json_t *root = NULL;
	struct err err = ERR_INIT;
	const char *type;
	json_t *object;

	if (is_blank(p, len))
		return true;
	if (jsonx_parse(p, len, JSONX_CUT_DEEP, &root, &err) < 0)
		return report(d, WATCH_BAD, NULL, err.msg);
	type = jsonx_str(root, "type", NULL);
	object = jsonx_object(root, "object", NULL);
	if (type == NULL || object == NULL)
		return report(d, WATCH_BAD, NULL, "no type or no object");
	for (size_t i = 0; i < ARRAY_SIZE(types); i++)
		if (strcmp(type, types[i].name) == 0)
			return report(d, types[i].type, object, NULL);
	return report(d, WATCH_UNKNOWN, object, "unknown type of event");
}

static bool
start_skipping(struct watch_decoder *d)
{
	buf_release(&d->line);
	d->skipping = true;
	return report(d, WATCH_OVERSIZE, NULL, NULL);
}

/* A piece without a newline. */
static bool
keep_partial(struct watch_decoder *d, const char *p, size_t len)
{
	struct err err = ERR_INIT;

	if (d->skipping || len == 0)
		return true;
	if (buf_append(&d->line, p, len, &err) < 0)
		return start_skipping(d);
	return true;
}

/* The piece that ends a line, without its newline. */
static bool
end_line(struct watch_decoder *d, const char *p, size_t len)
{
	bool more;

	if (d->skipping) {
		d->skipping = false;
		return true;
	}
	/* The usual case, a whole line in one piece, is not copied. */
	if (d->line.len == 0 && len <= d->line.max)
		return handle_line(d, p, len);
	if (!keep_partial(d, p, len))
		return false;
	if (d->skipping) {
		d->skipping = false;
		return true;
	}
	more = handle_line(d, d->line.data, d->line.len);
	if (d->line.cap > KEEP_MAX)
		buf_release(&d->line);
	else
		buf_clear(&d->line);
	return more;
}

bool
watch_decoder_feed(struct watch_decoder *d, const char *p, size_t len)
{
	while (len > 0) {
		const char *nl = memchr(p, '\n', len);
		size_t n;

		if (nl == NULL)
			return keep_partial(d, p, len);
		n = (size_t)(nl - p);
		if (!end_line(d, p, n))
			return false;
		p += n + 1;
		len -= n + 1;
	}
	return true;
}

bool
watch_decoder_partial(const struct watch_decoder *d)
{
	return d->skipping || d->line.len > 0;
}
