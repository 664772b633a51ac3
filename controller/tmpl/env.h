/*
 * What one rendering shares: memory, bounds, the pending error.
 *
 * Memory comes from an arena that counts against the budget and is wiped when
 * the rendering ends: nothing is freed in between, values may be shared
 * freely. Every function that can fail returns -1 (or NULL) with the reason
 * kept here; the first one stays.
 */
#ifndef TMPL_ENV_H
#define TMPL_ENV_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/compiler.h"
#include "tmpl/tmpl.h"

/* In the place of what Go would quote from a value, or from a message that
 * was built of values. */
#define WITHHELD	 "(value withheld)"
#define MESSAGE_WITHHELD "(message withheld)"

/* Of text that is hashed, compared or looked through, for env_step(). */
#define ENV_BYTES_PER_STEP 64

struct env_chunk;

struct env {
	struct tmpl_budget left; /* what may still be used */
	struct tmpl_budget limit;
	const struct clock *clock;
	struct env_chunk *chunks;
	uint64_t cpu_start_ns;
	uint64_t cpu_limit_ns;
	uint64_t cpu_spared_ns; /* of the first key, does not count */
	uint64_t key_start_ns;
	uint64_t key_end_ns; /* the key in the making has to be ready */
	uint64_t next_check; /* look at the clock where left.steps is below */
	const char *stack_top;
	char *fault;		  /* pending error, NULL: none */
	const char *exhausted_of; /* what was used up */
	bool exhausted;		  /* it is the budget's: nothing more may run */
	bool varies;
	bool key_made;
};

void env_init(
    struct env *e, const struct tmpl_budget *limit, const struct clock *clock);
/* Wipes and frees all memory handed out. */
void env_release(struct env *e);

/*
 * Memory, zeroed, aligned for anything. NULL where the budget does not allow
 * it (the error is pending then). Size 0 gives a valid pointer.
 */
void *env_alloc(struct env *e, size_t size) MUST_CHECK;
void *env_allocarray(struct env *e, size_t n, size_t size) MUST_CHECK;
/* v with room for one more element of this size than len: itself, or a copy
 * twice as large (at first: least) where *cap elements are all there is room
 * for. */
void *env_grow(struct env *e, void *v, size_t len, size_t *cap, size_t least,
    size_t size) MUST_CHECK;
/* Grows what was allocated last without moving it; false: allocate anew. */
bool env_extend(struct env *e, void *p, size_t old, size_t size);
/* A copy with a NUL behind it. */
char *env_strndup(struct env *e, const char *s, size_t n) MUST_CHECK;
/* Counts memory that somebody else allocates (a library); -1: too much. */
int env_charge_memory(struct env *e, size_t size) MUST_CHECK;

/*
 * n steps of work: about one for each node, element or 64 bytes of output.
 * Also looks at the CPU clock from time to time. A loop that a template can
 * make long calls this, before the work.
 */
int env_step(struct env *e, uint64_t n) MUST_CHECK;
/* One level of recursion, in C or in the template. Each env_enter() that
 * returned 0 is followed by one env_leave(). */
int env_enter(struct env *e) MUST_CHECK;
void env_leave(struct env *e);
/*
 * Before a call that is costly by nature and cannot be stopped on its way
 * (bcrypt, scrypt, a signature): takes credits. -1: none left, or too little
 * time.
 */
int env_costly(struct env *e, unsigned credits) MUST_CHECK;
/*
 * Around the generation of a key by search for primes, which asks from time
 * to time whether it may go on. The object's first one has key_cpu_ms, and
 * little of that counts; later ones have to be ready before the object, first
 * key and all, has used cpu_ms. -1: that time is over.
 */
int env_key_begin(struct env *e, unsigned credits) MUST_CHECK;
bool env_key_goes_on(const struct env *e);
int env_key_end(struct env *e) MUST_CHECK;

/*
 * For the error message alone: a little more, although all is used up, and
 * without a look at the clock. The end takes back what is left of it, so that
 * an error gives the templates behind it nothing.
 */
struct env_reserve {
	unsigned depth;
	uint64_t next_check;
	struct env_chunk *chunks;
	bool exhausted;
};
struct env_reserve env_reserve_begin(struct env *e);
void env_reserve_end(struct env *e, const struct env_reserve *before);
/* The budget is used up: sets the error "out of budget: WHAT", for good. */
int env_exhaust(struct env *e, const char *what);
/*
 * Sets the pending error unless there is one; always -1. The text never holds
 * a value: WITHHELD stands for it. Types, numbers of arguments, names and
 * literals of the template may appear.
 */
int env_fail(struct env *e, const char *fmt, ...) PRINTF(2, 3);
/* Drops the pending error, for a function that goes on without what failed;
 * an exhausted budget stays. */
void env_forgive(struct env *e);
int env_vfail(struct env *e, const char *fmt, va_list ap) PRINTF(2, 0);

#endif
