/*
 * Failures of single items, gathered into one text.
 */
#include "itemerrs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"

/* Escaped, one byte may take four. */
#define NAME_MAX_SHOWN 253
#define TEXT_MAX       (64 * 1024)

static void
itemerr_release(struct itemerr *e)
{
	mem_free_wiped(e->name);
	mem_free_wiped(e->reason);
	mem_free_wiped(e->detail);
}

void
itemerrs_release(struct itemerrs *e)
{
	for (size_t i = 0; i < e->n; i++)
		itemerr_release(&e->v[i]);
	mem_free_wiped(e->v);
	*e = (struct itemerrs)ITEMERRS_INIT;
}

/* Names come from users: nothing but plain ASCII gets into a text. */
static char *
escaped(const char *name, size_t len)
{
	AUTO_RELEASE(buf) struct buf b = BUF_INIT(4 * NAME_MAX_SHOWN + 8);

	if (len > NAME_MAX_SHOWN)
		len = NAME_MAX_SHOWN;
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)name[i];

		if (c <= ' ' || c >= 0x7f || c == '\\')
			buf_printf(&b, "\\x%02x", c);
		else
			buf_putc(&b, (char)c);
	}
	return xstrdup(buf_str(&b));
}

void
itemerrs_add(struct itemerrs *e, const char *name, size_t name_len,
    enum err_code code, const char *reason, const char *detail)
{
	if (e->n == e->cap) {
		e->cap = e->cap == 0 ? 8 : 2 * e->cap;
		e->v = xreallocarray(e->v, e->cap, sizeof(*e->v));
	}
	e->v[e->n++] = (struct itemerr) {
		.name = escaped(name, name_len),
		.reason = xstrdup(reason),
		.detail = xstrdup(detail != NULL ? detail : ""),
		.code = code,
	};
}

static int
compare_groups(const struct itemerr *a, const struct itemerr *b)
{
	int d = strcmp(a->reason, b->reason);

	return d != 0 ? d : strcmp(a->detail, b->detail);
}

static int
compare(const void *pa, const void *pb)
{
	const struct itemerr *a = pa, *b = pb;
	int d = compare_groups(a, b);

	return d != 0 ? d : strcmp(a->name, b->name);
}

/* Room for the names of a line that begins now. */
static size_t
names_room(const struct itemerr *e, const struct buf *out)
{
	size_t used = out->len + strlen(e->reason) + strlen(e->detail);
	size_t left = used < ITEMERRS_ROOM ? ITEMERRS_ROOM - used : 0;

	return left < ITEMERRS_NAMES_ROOM ? left : ITEMERRS_NAMES_ROOM;
}

/* One line for the items [from, to), which share reason and detail. */
static void
put_group(const struct itemerrs *e, size_t from, size_t to, struct buf *out)
{
	size_t room = names_room(&e->v[from], out);
	size_t i, begin;

	buf_printf(out, "%s%s (", from > 0 ? "\n" : "", e->v[from].reason);
	begin = out->len;
	for (i = from; i < to; i++) {
		/* One at least, and none that would have to be cut. */
		if (i > from &&
		    out->len - begin + strlen(e->v[i].name) + 2 > room)
			break;
		buf_printf(out, "%s%s", i > from ? ", " : "", e->v[i].name);
	}
	if (i < to)
		buf_printf(out, " and %zu more", to - i);
	buf_putc(out, ')');
	if (e->v[from].detail[0] != '\0')
		buf_printf(out, ": %s", e->v[from].detail);
}

static size_t
group_end(const struct itemerrs *e, size_t from)
{
	size_t to = from + 1;

	while (to < e->n && compare_groups(&e->v[from], &e->v[to]) == 0)
		to++;
	return to;
}

static enum err_code
code_of(const struct itemerrs *e)
{
	for (size_t i = 0; i < e->n; i++)
		if (e->v[i].code == ERR_NOKEY)
			return ERR_NOKEY;
	return e->v[0].code;
}

int
itemerrs_result(struct itemerrs *e, struct err *err)
{
	AUTO_RELEASE(buf) struct buf text = BUF_INIT(TEXT_MAX);

	if (e->n == 0)
		return 0;
	qsort(e->v, e->n, sizeof(*e->v), compare);
	for (size_t from = 0; from < e->n; from = group_end(e, from)) {
		size_t least = strlen(e->v[from].reason) +
		    strlen(e->v[from].name) + strlen(e->v[from].detail);

		if (from > 0 && text.len + least > ITEMERRS_ROOM) {
			buf_printf(&text, "\nand %zu more item%s", e->n - from,
			    e->n - from == 1 ? "" : "s");
			break;
		}
		put_group(e, from, group_end(e, from), &text);
	}
	return err_set(err, code_of(e), "%s", buf_str(&text));
}
