/*
 * List answer -> items, one at a time. A scanner finds the borders of the
 * members of the outer object and of the items, whatever the pieces; only the
 * item (or the metadata) being read is held. What is inside them is judged by
 * the JSON parser, members that are not wanted are only balanced.
 */
#include <string.h>

#include "base/buf.h"
#include "base/jsonx.h"
#include "base/mem.h"
#include "kube/watch.h"

#define METADATA_MAX (64u * 1024)
#define NAME_KEPT    16u /* longer than the names of interest */
#define KEEP_MAX     (64u * 1024)

enum state {
	AT_START,	 /* before { */
	AT_NAME_OR_END,	 /* after { */
	AT_NAME,	 /* after a comma */
	IN_NAME,	 /* inside a member's name */
	AT_COLON,	 /* after it */
	AT_VALUE,	 /* after the colon */
	IN_VALUE,	 /* inside a value: see struct value */
	AT_COMMA_OR_END, /* after a value */
	AT_ITEM_OR_END,	 /* after [ */
	AT_ITEM,	 /* after a comma between items */
	AT_ITEM_COMMA,	 /* after an item */
	AT_EOF,		 /* after } */
};

enum keep { KEEP_NOTHING, KEEP_METADATA, KEEP_ITEM, KEEP_NULL };

struct list_decoder {
	enum state state;
	bool (*item)(void *ctx, json_t *item);
	void *ctx;
	bool skip_oversize;
	unsigned oversize;
	bool saw_items;
	/* The name being read. */
	char name[NAME_KEPT];
	size_t name_len;
	bool name_escaped;
	/* The value being read. */
	enum keep keep;
	struct buf value;
	bool dropping; /* an oversize item */
	bool container;
	bool in_string;
	bool escaped;
	size_t depth;
	size_t max_item;
	char rv[LIST_TOKEN_MAX + 1];
	char cont[LIST_TOKEN_MAX + 1];
};

struct list_decoder *
list_decoder_new(
    size_t max_item, bool (*item)(void *ctx, json_t *item), void *ctx)
{
	struct list_decoder *d = xcalloc(1, sizeof(*d));

	d->item = item;
	d->ctx = ctx;
	d->max_item = max_item;
	buf_init(&d->value, max_item);
	return d;
}

void
list_decoder_free(struct list_decoder *d)
{
	if (d == NULL)
		return;
	buf_release(&d->value);
	mem_free_wiped(d);
}

void
list_decoder_skip_oversize(struct list_decoder *d)
{
	d->skip_oversize = true;
}

unsigned
list_decoder_oversize(const struct list_decoder *d)
{
	return d->oversize;
}

const char *
list_decoder_resource_version(const struct list_decoder *d)
{
	return d->rv;
}

const char *
list_decoder_continue(const struct list_decoder *d)
{
	return d->cont;
}

static int
not_a_list(struct err *err)
{
	return err_set(err, ERR_INVALID, "answer is not a list");
}

static int
take_token(const json_t *metadata, const char *name,
    char out[static LIST_TOKEN_MAX + 1], struct err *err)
{
	const char *s = jsonx_str(metadata, name, NULL);
	size_t len = s != NULL ? strlen(s) : 0;

	if (len > LIST_TOKEN_MAX)
		return err_set(
		    err, ERR_INVALID, "%s of the list is too long", name);
	memset(out, 0, LIST_TOKEN_MAX + 1);
	if (len > 0)
		memcpy(out, s, len);
	return 0;
}

static int
take_metadata(struct list_decoder *d, const json_t *metadata, struct err *err)
{
	if (take_token(metadata, "resourceVersion", d->rv, err) < 0)
		return -1;
	return take_token(metadata, "continue", d->cont, err);
}

static void
begin_value(struct list_decoder *d, enum keep keep, char first)
{
	d->state = IN_VALUE;
	d->keep = keep;
	d->container = first == '{' || first == '[';
	d->in_string = false;
	d->escaped = false;
	d->dropping = false;
	d->depth = 0;
	d->value.max = keep == KEEP_METADATA ? METADATA_MAX : d->max_item;
}

static void
forget_value(struct list_decoder *d)
{
	if (d->value.cap > KEEP_MAX)
		buf_release(&d->value);
	else
		buf_clear(&d->value);
}

static int
deliver(struct list_decoder *d, struct err *err)
{
	AUTO_JSON json_t *v = NULL;

	if (d->dropping) {
		d->oversize++;
		return 0;
	}
	if (jsonx_parse(
		buf_str(&d->value), d->value.len, JSONX_CUT_DEEP, &v, err) < 0)
		return err_wrap(err, "list");
	if (d->keep == KEEP_NULL)
		return json_is_null(v) ? 0 : not_a_list(err);
	if (d->keep == KEEP_METADATA)
		return take_metadata(d, v, err);
	if (!d->item(d->ctx, v))
		return err_set(err, ERR_CANCELLED, "list ended by its reader");
	return 0;
}

static int
end_value(struct list_decoder *d, struct err *err)
{
	int ret = d->keep == KEEP_NOTHING ? 0 : deliver(d, err);

	forget_value(d);
	d->state = d->keep == KEEP_ITEM ? AT_ITEM_COMMA : AT_COMMA_OR_END;
	return ret;
}

static int
keep_bytes(struct list_decoder *d, const char *p, size_t len, struct err *err)
{
	if (d->keep == KEEP_NOTHING || d->dropping)
		return 0;
	if (buf_append(&d->value, p, len, err) == 0)
		return 0;
	if (d->keep != KEEP_ITEM || !d->skip_oversize)
		return err_set(err, ERR_TOOBIG, "%s of a list over %zu bytes",
		    d->keep == KEEP_ITEM ? "item" : "metadata", d->value.max);
	buf_release(&d->value);
	d->dropping = true;
	return 0;
}

static bool
is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* Whether this byte is the last one of the container being read. */
static bool
container_ends(struct list_decoder *d, char c)
{
	if (d->in_string) {
		if (d->escaped)
			d->escaped = false;
		else if (c == '\\')
			d->escaped = true;
		else if (c == '"')
			d->in_string = false;
		return false;
	}
	if (c == '"')
		d->in_string = true;
	else if (c == '{' || c == '[')
		d->depth++;
	else if (c == '}' || c == ']')
		return --d->depth == 0;
	return false;
}

/* Whether this byte is the first one behind the scalar being read. */
static bool
scalar_ended(struct list_decoder *d, char c)
{
	if (d->in_string) {
		if (d->escaped)
			d->escaped = false;
		else if (c == '\\')
			d->escaped = true;
		else if (c == '"')
			d->in_string = false;
		return false;
	}
	if (c == '"')
		d->in_string = true;
	return c == ',' || c == '}' || c == ']' || is_space(c);
}

/* Bytes of p that belong to the value; *ended where it ends with them. */
static size_t
value_extent(struct list_decoder *d, const char *p, size_t len, bool *ended)
{
	*ended = false;
	for (size_t i = 0; i < len; i++) {
		if (d->container && container_ends(d, p[i])) {
			*ended = true;
			return i + 1;
		}
		if (!d->container && scalar_ended(d, p[i])) {
			*ended = true;
			return i;
		}
	}
	return len;
}

/* Returns the number of bytes read, or -1. */
static ssize_t
read_value(struct list_decoder *d, const char *p, size_t len, struct err *err)
{
	bool ended;
	size_t n = value_extent(d, p, len, &ended);

	if (keep_bytes(d, p, n, err) < 0)
		return -1;
	if (ended && end_value(d, err) < 0)
		return -1;
	return (ssize_t)n;
}

static bool
name_is(const struct list_decoder *d, const char *s)
{
	return !d->name_escaped && d->name_len == strlen(s) &&
	    memcmp(d->name, s, d->name_len) == 0;
}

static void
read_name(struct list_decoder *d, char c)
{
	if (d->escaped) {
		d->escaped = false;
		return;
	}
	if (c == '\\') {
		d->escaped = true;
		d->name_escaped = true;
	} else if (c == '"') {
		d->state = AT_COLON;
	} else if (d->name_len < sizeof(d->name)) {
		d->name[d->name_len++] = c;
	}
}

static int
expect_name(struct list_decoder *d, char c, struct err *err)
{
	if (c != '"')
		return not_a_list(err);
	d->state = IN_NAME;
	d->name_len = 0;
	d->name_escaped = false;
	d->escaped = false;
	return 0;
}

/* The first byte of a member's value; *again where the value's own reader is
 * to see it. */
static int
expect_value(struct list_decoder *d, char c, bool *again, struct err *err)
{
	*again = true;
	if (c == ',' || c == ':' || c == '}' || c == ']')
		return not_a_list(err);
	if (name_is(d, "items")) {
		d->saw_items = true;
		if (c == '[') {
			*again = false;
			d->state = AT_ITEM_OR_END;
			return 0;
		}
		/* Go writes an empty list as null. */
		if (c != 'n')
			return not_a_list(err);
		begin_value(d, KEEP_NULL, c);
		return 0;
	}
	begin_value(
	    d, name_is(d, "metadata") ? KEEP_METADATA : KEEP_NOTHING, c);
	return 0;
}

static int
expect_item(struct list_decoder *d, char c, bool *again, struct err *err)
{
	if (c == ']' && d->state == AT_ITEM_OR_END) {
		d->state = AT_COMMA_OR_END;
		return 0;
	}
	if (c != '{')
		return err_set(
		    err, ERR_INVALID, "an item of the list is not an object");
	*again = true;
	begin_value(d, KEEP_ITEM, c);
	return 0;
}

/* c decides between going on in one of two ways; anything else is wrong. */
static int
choose(struct list_decoder *d, char c, char end, enum state more,
    enum state ended, struct err *err)
{
	if (c == ',')
		d->state = more;
	else if (c == end)
		d->state = ended;
	else
		return not_a_list(err);
	return 0;
}

static int
expect_char(
    struct list_decoder *d, char c, char want, enum state next, struct err *err)
{
	if (c != want)
		return not_a_list(err);
	d->state = next;
	return 0;
}

/* One byte between values; *again where it was not consumed. */
static int
step(struct list_decoder *d, char c, bool *again, struct err *err)
{
	*again = false;
	if (d->state != IN_NAME && is_space(c))
		return 0;
	switch (d->state) {
	case AT_START:
		return expect_char(d, c, '{', AT_NAME_OR_END, err);
	case AT_NAME_OR_END:
		if (c == '}')
			return expect_char(d, c, '}', AT_EOF, err);
		return expect_name(d, c, err);
	case AT_NAME:
		return expect_name(d, c, err);
	case IN_NAME:
		read_name(d, c);
		return 0;
	case AT_COLON:
		return expect_char(d, c, ':', AT_VALUE, err);
	case AT_VALUE:
		return expect_value(d, c, again, err);
	case AT_COMMA_OR_END:
		return choose(d, c, '}', AT_NAME, AT_EOF, err);
	case AT_ITEM_OR_END:
	case AT_ITEM:
		return expect_item(d, c, again, err);
	case AT_ITEM_COMMA:
		return choose(d, c, ']', AT_ITEM, AT_COMMA_OR_END, err);
	case IN_VALUE:
	case AT_EOF:
		break;
	}
	return not_a_list(err);
}

int
list_decoder_feed(
    struct list_decoder *d, const char *p, size_t len, struct err *err)
{
	while (len > 0) {
		size_t n = 1;
		bool again;

		if (d->state == IN_VALUE) {
			ssize_t got = read_value(d, p, len, err);

			if (got < 0)
				return -1;
			n = (size_t)got;
		} else {
			if (step(d, *p, &again, err) < 0)
				return -1;
			if (again)
				n = 0;
		}
		p += n;
		len -= n;
	}
	return 0;
}

int
list_decoder_end(struct list_decoder *d, struct err *err)
{
	if (d->state != AT_EOF)
		return err_set(err, ERR_INVALID, "list is cut off");
	if (!d->saw_items)
		return not_a_list(err);
	return 0;
}
