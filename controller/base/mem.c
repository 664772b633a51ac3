/*
 * Allocate or abort, wipe on free, and the allocators that OpenSSL, jansson
 * and libcurl are given, so that what passes through their buffers does not
 * stay in freed memory.
 */
#include "base/mem.h"

#include <curl/curl.h>
#include <jansson.h>
#include <malloc.h>
#include <openssl/crypto.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/hash.h"

/*
 * Freed by libraries without a hook: filled with this byte (glibc does so
 * for what does not go to the thread's own small cache).
 */
#define PERTURB_BYTE 0xa5
/* Few threads allocate at the same time; each arena costs resident memory. */
#define ARENA_MAX 2
/* Fixed, because glibc raises both when a large block is freed, and keeps
 * large blocks in the heap from then on. */
#define MMAP_THRESHOLD (256 * 1024)
#define TRIM_THRESHOLD (256 * 1024)

static NORETURN void
die(const char *what)
{
	/* No stdio: it may allocate. */
	(void)!write(STDERR_FILENO, what, strlen(what));
	abort();
}

static NORETURN void
die_oom(void)
{
	die("out of memory\n");
}

void *
xmalloc(size_t size)
{
	void *p = malloc(size == 0 ? 1 : size);

	if (p == NULL)
		die_oom();
	return p;
}

void *
xcalloc(size_t n, size_t size)
{
	void *p;

	if (n == 0 || size == 0)
		n = size = 1;
	p = calloc(n, size);
	if (p == NULL)
		die_oom();
	return p;
}

void *
xreallocarray(void *p, size_t n, size_t size)
{
	if (n == 0 || size == 0)
		n = size = 1;
	p = reallocarray(p, n, size);
	if (p == NULL)
		die_oom();
	return p;
}

char *
xstrdup(const char *s)
{
	return xstrndup(s, strlen(s));
}

char *
xstrndup(const char *s, size_t n)
{
	size_t len = strnlen(s, n);
	char *p = xmalloc(len + 1);

	memcpy(p, s, len);
	p[len] = '\0';
	return p;
}

char *
xasprintf(const char *fmt, ...)
{
	va_list ap;
	char *s;
	int n;

	/* Not vasprintf(3), which may leave a copy in a block it frees. */
	va_start(ap, fmt);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (n < 0)
		die("cannot format a text\n");
	s = xmalloc((size_t)n + 1);
	va_start(ap, fmt);
	n = vsnprintf(s, (size_t)n + 1, fmt, ap);
	va_end(ap);
	if (n < 0)
		die("cannot format a text\n");
	return s;
}

void
mem_wipe(void *p, size_t len)
{
	if (len > 0)
		OPENSSL_cleanse(p, len);
}

int
mem_compare(const void *a, const void *b, size_t len)
{
	return CRYPTO_memcmp(a, b, len);
}

void
mem_free_wiped(void *p)
{
	if (p == NULL)
		return;
	/* The usable size, not the requested one: a block that was grown in
	 * place has old contents behind what its owner knows of. */
	mem_wipe(p, malloc_usable_size(p));
	free(p);
}

void *
mem_realloc_wiped(void *p, size_t size)
{
	size_t have;
	void *q;

	if (p == NULL)
		return xmalloc(size);
	have = malloc_usable_size(p);
	if (size <= have && size >= have / 2)
		return p;
	q = xmalloc(size);
	memcpy(q, p, have < size ? have : size);
	mem_free_wiped(p);
	return q;
}

static void *
ossl_malloc(size_t size, const char *file UNUSED, int line UNUSED)
{
	return xmalloc(size);
}

static void *
ossl_realloc(void *p, size_t size, const char *file UNUSED, int line UNUSED)
{
	if (p != NULL && size == 0) {
		mem_free_wiped(p);
		return NULL;
	}
	return mem_realloc_wiped(p, size);
}

static void
ossl_free(void *p, const char *file UNUSED, int line UNUSED)
{
	mem_free_wiped(p);
}

static void
tune_malloc(void)
{
	/* Best effort: sanitizers bring an allocator that has no such knobs. */
	(void)mallopt(M_PERTURB, PERTURB_BYTE);
	(void)mallopt(M_ARENA_MAX, ARENA_MAX);
	(void)mallopt(M_TRIM_THRESHOLD, TRIM_THRESHOLD);
	(void)mallopt(M_MMAP_THRESHOLD, MMAP_THRESHOLD);
}

void
mem_install_hooks(void)
{
	tune_malloc();
	if (CRYPTO_set_mem_functions(ossl_malloc, ossl_realloc, ossl_free) != 1)
		die("cannot install OpenSSL's allocator: it ran already\n");
	json_set_alloc_funcs(xmalloc, mem_free_wiped);
	json_object_seed(0);
	hash_seed();
	if (curl_global_init_mem(CURL_GLOBAL_DEFAULT, xmalloc, mem_free_wiped,
		mem_realloc_wiped, xstrdup, xcalloc) != CURLE_OK)
		die("cannot initialise libcurl\n");
}

void
mem_trim(void)
{
	(void)malloc_trim(0);
}
