/*
 * Byte buffer with a hard maximum. data always has room for a NUL behind len.
 */
#include "base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define BUF_FIRST 64

void
buf_init(struct buf *b, size_t max)
{
	*b = (struct buf)BUF_INIT(max);
}

void
buf_release(struct buf *b)
{
	mem_free_wiped(b->data);
	b->data = NULL;
	b->len = b->cap = 0;
}

void
buf_clear(struct buf *b)
{
	if (b->data == NULL)
		return;
	mem_wipe(b->data, b->cap);
	b->len = 0;
}

/* Room for n more bytes and the NUL; false where the maximum forbids it. */
static bool
reserve(struct buf *b, size_t n)
{
	size_t limit = b->max < SIZE_MAX ? b->max + 1 : SIZE_MAX;
	size_t need, cap;
	char *p;

	if (b->len >= limit || n > limit - 1 - b->len)
		return false;
	need = b->len + n + 1;
	if (need <= b->cap)
		return true;
	cap = b->cap > limit / 2 ? limit : b->cap * 2;
	if (cap < BUF_FIRST)
		cap = BUF_FIRST < limit ? BUF_FIRST : limit;
	if (cap < need)
		cap = need;
	p = xmalloc(cap);
	if (b->data != NULL)
		memcpy(p, b->data, b->len);
	p[b->len] = '\0';
	mem_free_wiped(b->data);
	b->data = p;
	b->cap = cap;
	return true;
}

int
buf_append(struct buf *b, const void *p, size_t len, struct err *err)
{
	if (!reserve(b, len))
		return err_set(err, ERR_TOOBIG, "more than %zu bytes", b->max);
	if (len > 0)
		memcpy(b->data + b->len, p, len);
	b->len += len;
	b->data[b->len] = '\0';
	return 0;
}

static void
must_reserve(struct buf *b, size_t n)
{
	if (!reserve(b, n))
		abort();
}

void
buf_puts(struct buf *b, const char *s)
{
	size_t len = strlen(s);

	must_reserve(b, len);
	memcpy(b->data + b->len, s, len + 1);
	b->len += len;
}

void
buf_putc(struct buf *b, char c)
{
	must_reserve(b, 1);
	b->data[b->len++] = c;
	b->data[b->len] = '\0';
}

void
buf_printf(struct buf *b, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (n < 0)
		abort();
	must_reserve(b, (size_t)n);
	va_start(ap, fmt);
	n = vsnprintf(b->data + b->len, (size_t)n + 1, fmt, ap);
	va_end(ap);
	if (n < 0)
		abort();
	b->len += (size_t)n;
}

void
buf_truncate(struct buf *b, size_t len)
{
	if (len >= b->len)
		return;
	mem_wipe(b->data + len, b->len - len);
	b->len = len;
}

void
buf_consume(struct buf *b, size_t n)
{
	size_t rest;

	if (n > b->len)
		abort();
	if (n == 0)
		return;
	rest = b->len - n;
	memmove(b->data, b->data + n, rest);
	mem_wipe(b->data + rest, n);
	b->len = rest;
	b->data[rest] = '\0';
}

const char *
buf_str(const struct buf *b)
{
	return b->data == NULL ? "" : b->data;
}

char *
buf_take(struct buf *b, size_t *len)
{
	char *p = b->data == NULL ? xstrdup("") : b->data;

	if (len != NULL)
		*len = b->len;
	b->data = NULL;
	b->len = b->cap = 0;
	return p;
}
