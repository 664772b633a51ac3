/*
 * Secret bytes in a mapping of their own: kept out of core dumps, locked
 * where the limit allows, wiped before it goes back to the kernel.
 */
#include "base/secret.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/mem.h"

struct secret {
	unsigned char *data;
	size_t len;
	size_t mapped;
};

/* Whole pages, at least one. Aborts where the sum does not fit a size_t. */
static size_t
pages_for(size_t size)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);

	if (size > SIZE_MAX - page)
		abort();
	return size == 0 ? page : (size + page - 1) / page * page;
}

struct secret *
secret_new(size_t size)
{
	struct secret *s = xcalloc(1, sizeof(*s));
	void *p;

	s->mapped = pages_for(size);
	p = mmap(NULL, s->mapped, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (p == MAP_FAILED)
		abort();
	/* Both are defence in depth: the limit on locked memory is small in
	 * most containers, and a secret must still work without it. */
	(void)madvise(p, s->mapped, MADV_DONTDUMP);
	(void)mlock(p, s->mapped);
	s->data = p;
	s->len = size;
	return s;
}

struct secret *
secret_from(const void *p, size_t len)
{
	struct secret *s = secret_new(len);

	if (len > 0)
		memcpy(s->data, p, len);
	return s;
}

void
secret_free(struct secret *s)
{
	if (s == NULL)
		return;
	mem_wipe(s->data, s->mapped);
	(void)munmap(s->data, s->mapped);
	mem_free_wiped(s);
}

unsigned char *
secret_data(struct secret *s)
{
	return s->data;
}

const unsigned char *
secret_bytes(const struct secret *s)
{
	return s->data;
}

size_t
secret_len(const struct secret *s)
{
	return s->len;
}

void
secret_truncate(struct secret *s, size_t len)
{
	if (len >= s->len)
		return;
	mem_wipe(s->data + len, s->len - len);
	s->len = len;
}

void
secret_harden_process(void)
{
	struct rlimit none = { .rlim_cur = 0, .rlim_max = 0 };

	/* Lowering a limit and dropping the dumpable bit need no privilege. */
	if (setrlimit(RLIMIT_CORE, &none) != 0 ||
	    prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0)
		abort();
}
