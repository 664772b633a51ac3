/*
 * A string under construction, in the arena of a rendering.
 */
#include "text.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "utf8.h"

#define CAP_FIRST  64
#define PRINTF_MAX 512
/* Bytes that count as one step. */
#define STEP_BYTES 64

void
text_init(struct text *t, struct env *e)
{
	memset(t, 0, sizeof(*t));
	t->env = e;
}

static int
grow(struct text *t, size_t need)
{
	size_t cap = t->cap < CAP_FIRST ? CAP_FIRST : 2 * t->cap;
	char *p;

	if (cap < need)
		cap = need;
	if (t->data != NULL && env_extend(t->env, t->data, t->cap, cap)) {
		t->cap = cap;
		return 0;
	}
	p = env_alloc(t->env, cap);
	if (p == NULL)
		return -1;
	if (t->data != NULL)
		memcpy(p, t->data, t->len);
	t->data = p;
	t->cap = cap;
	return 0;
}

/* Room for len bytes more and a NUL; NULL where it failed. */
static char *
room(struct text *t, size_t len)
{
	if (t->failed)
		return NULL;
	if (len > SIZE_MAX / 4 - t->len ||
	    (len >= STEP_BYTES && env_step(t->env, len / STEP_BYTES) < 0) ||
	    (t->len + len + 1 > t->cap && grow(t, t->len + len + 1) < 0)) {
		if (t->env->fault == NULL)
			(void)env_exhaust(t->env, "memory");
		t->failed = true;
		return NULL;
	}
	return t->data + t->len;
}

void
text_append(struct text *t, const void *p, size_t len)
{
	char *to = room(t, len);

	if (to == NULL || len == 0)
		return;
	memcpy(to, p, len);
	t->len += len;
}

void
text_puts(struct text *t, const char *s)
{
	text_append(t, s, strlen(s));
}

void
text_putc(struct text *t, char c)
{
	text_append(t, &c, 1);
}

void
text_fill(struct text *t, char c, size_t n)
{
	char *to = room(t, n);

	if (to == NULL)
		return;
	memset(to, c, n);
	t->len += n;
}

void
text_putrune(struct text *t, uint32_t r)
{
	char enc[4];

	text_append(t, enc, utf8_encode(r, enc));
}

void
text_printf(struct text *t, const char *fmt, ...)
{
	char tmp[PRINTF_MAX];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(tmp, sizeof(tmp), fmt, ap);
	va_end(ap);
	if (n > 0)
		text_append(t, tmp,
		    (size_t)n < sizeof(tmp) ? (size_t)n : sizeof(tmp) - 1);
}

int
text_done(struct text *t, struct value *ret)
{
	char *end = room(t, 0);

	if (end == NULL)
		return -1;
	*end = '\0';
	*ret = value_str(t->data, t->len);
	return 0;
}
