/*
 * Bodies are put one behind the other; room is won back when the last of them
 * has gone.
 */
#include "bodies.h"

#include <stdbool.h>
#include <sys/mman.h>

#include "base/mem.h"

/* Memory that an empty store keeps: what comes one by one costs no call. */
#define KEPT (16u * 1024)

void
bodies_release(struct bodies *b)
{
	if (b->map != NULL)
		(void)munmap(b->map, BODIES_MAX);
	*b = (struct bodies) { .map = NULL };
}

static bool
is_mapped(struct bodies *b)
{
	void *p;

	if (b->map != NULL)
		return true;
	p = mmap(NULL, BODIES_MAX, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (p == MAP_FAILED)
		return false;
	/* A huge page would be half of it, for a body of a kilobyte. */
	(void)madvise(p, BODIES_MAX, MADV_NOHUGEPAGE);
	b->map = p;
	return true;
}

static void
touch(struct bodies *b, size_t end)
{
	if (end > BODIES_MAX)
		end = BODIES_MAX;
	if (end > b->touched)
		b->touched = end;
}

struct body
bodies_put(struct bodies *b, const json_t *v)
{
	struct body body = { 0 };
	size_t room, len;

	if (!is_mapped(b))
		return body;
	room = BODIES_MAX - b->used;
	len = json_dumpb(v, b->map + b->used, room, JSON_COMPACT);
	touch(b, b->used + len);
	if (len == 0 || len > room)
		return body;
	body = (struct body) { (uint32_t)b->used, (uint32_t)len };
	b->used += len;
	b->waiting++;
	return body;
}

void
bodies_drop(struct bodies *b, struct body *body)
{
	if (body->len == 0)
		return;
	body->len = 0;
	if (--b->waiting > 0)
		return;
	b->used = 0;
	if (b->touched <= KEPT)
		return;
	(void)madvise(b->map, b->touched, MADV_DONTNEED);
	b->touched = 0;
}

char *
bodies_take(struct bodies *b, struct body *body)
{
	char *text;

	if (body->len == 0)
		return NULL;
	/* JSON text has no NUL in it. */
	text = xstrndup(b->map + body->at, body->len);
	bodies_drop(b, body);
	return text;
}
