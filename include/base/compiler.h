/*
 * Compiler attributes shared by every component: must-check results, printf
 * checking, scope-based cleanup and clang's thread-safety annotations.
 */
#ifndef BASE_COMPILER_H
#define BASE_COMPILER_H

#include <stddef.h>

#define UNUSED	      __attribute__((unused))
#define MUST_CHECK    __attribute__((warn_unused_result))
#define PRINTF(f, a)  __attribute__((format(printf, f, a)))
#define SENTINEL      __attribute__((sentinel))
#define NORETURN      __attribute__((noreturn))
#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

/*
 * AUTO(x) struct x *p = ...; releases p with x_free() when its scope ends.
 * AUTO_RELEASE(x) struct x v;  releases an embedded value with x_release().
 * A component makes its type usable with DEFINE_AUTO(x) /
 * DEFINE_AUTO_RELEASE(x) in its header. STEAL(p) hands the pointer over and
 * leaves NULL behind.
 */
#define AUTO(x)		__attribute__((cleanup(x##_cleanup)))
#define AUTO_RELEASE(x) __attribute__((cleanup(x##_cleanup_release)))
#define DEFINE_AUTO(x)                               \
	static inline void x##_cleanup(struct x **p) \
	{                                            \
		x##_free(*p);                        \
	}                                            \
	struct x
#define DEFINE_AUTO_RELEASE(x)                              \
	static inline void x##_cleanup_release(struct x *p) \
	{                                                   \
		x##_release(p);                             \
	}                                                   \
	struct x
#define STEAL(p)                                \
	__extension__({                         \
		__typeof__(p) steal_tmp_ = (p); \
		(p) = NULL;                     \
		steal_tmp_;                     \
	})

/* Clang's thread-safety analysis; nothing for other compilers. */
#if defined(__clang__)
#define TSA(x) __attribute__((x))
#else
#define TSA(x)
#endif
#define CAPABILITY(x) TSA(capability(x))
#define GUARDED_BY(x) TSA(guarded_by(x))
#define REQUIRES(...) TSA(requires_capability(__VA_ARGS__))
#define ACQUIRES(...) TSA(acquire_capability(__VA_ARGS__))
#define RELEASES(...) TSA(release_capability(__VA_ARGS__))

#endif
