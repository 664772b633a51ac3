/*
 * Memory: allocate or abort, overflow-checked sizes, wipe on free.
 *
 * Out of memory aborts (state is rebuilt from the API server after a restart);
 * every size that a peer can influence is therefore checked before it gets
 * here. free() of anything that held a secret goes through mem_free_wiped().
 */
#ifndef BASE_MEM_H
#define BASE_MEM_H

#include <stddef.h>

#include "base/compiler.h"

void *xmalloc(size_t size);
void *xcalloc(size_t n, size_t size);
void *xreallocarray(void *p, size_t n, size_t size);
char *xstrdup(const char *s);
char *xstrndup(const char *s, size_t n);
char *xasprintf(const char *fmt, ...) PRINTF(1, 2);

/* Wipes the whole usable size, then frees. NULL is fine. */
void mem_free_wiped(void *p);
/* realloc(3) that leaves no copy of the contents behind. Size 0 gives a block
 * of its own. */
void *mem_realloc_wiped(void *p, size_t size);
/* Wipe that the compiler may not remove. */
void mem_wipe(void *p, size_t len);
/* Constant time; 0 where equal. */
int mem_compare(const void *a, const void *b, size_t len);

/*
 * Installs wipe-on-free allocators into OpenSSL, jansson and libcurl, sets
 * M_PERTURB for the libraries that have no such hook (libyaml, GnuTLS), fixes
 * the malloc thresholds and the number of arenas, and seeds jansson's hash.
 * Initialises libcurl globally. Must be the first thing main() does, before
 * any thread and any other library call. Aborts where a hook cannot be set.
 */
void mem_install_hooks(void);
/* Gives free pages back to the kernel; cheap enough after a list. */
void mem_trim(void);

static inline void
str_cleanup(char **p)
{
	mem_free_wiped(*p);
}

/* AUTO_STR char *s = ...; */
#define AUTO_STR __attribute__((cleanup(str_cleanup)))

#endif
