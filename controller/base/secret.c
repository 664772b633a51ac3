/*
 * Secret bytes in a mapping of their own: kept out of core dumps, locked
 * where the limit allows, wiped before it goes back to the kernel. A few wiped
 * single pages are kept for the next ones: four calls for each secret, one of
 * which interrupts all processors, are a twentieth of what unsealing costs.
 */
#include "base/secret.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/mem.h"

/* Single pages that are kept. */
#define SPARE_MAX 8

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

/* Wiped; NULL: an empty place. */
static _Atomic(unsigned char *) spare[SPARE_MAX];

static unsigned char *
take_spare(void)
{
	unsigned char *p;

	for (unsigned i = 0; i < SPARE_MAX; i++)
		if ((p = atomic_exchange(&spare[i], NULL)) != NULL)
			return p;
	return NULL;
}

static bool
keep_spare(unsigned char *p)
{
	for (unsigned i = 0; i < SPARE_MAX; i++) {
		unsigned char *none = NULL;

		if (atomic_compare_exchange_strong(&spare[i], &none, p))
			return true;
	}
	return false;
}

static unsigned char *
map(size_t size)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		abort();
	/* Both are defence in depth: the limit on locked memory is small in
	 * most containers, and a secret must still work without it. */
	(void)madvise(p, size, MADV_DONTDUMP);
	(void)mlock(p, size);
	return p;
}

struct secret *
secret_new(size_t size)
{
	struct secret *s = xcalloc(1, sizeof(*s));

	s->mapped = pages_for(size);
	s->len = size;
	if (s->mapped == pages_for(0))
		s->data = take_spare();
	if (s->data == NULL)
		s->data = map(s->mapped);
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
	if (s->mapped != pages_for(0) || !keep_spare(s->data))
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
