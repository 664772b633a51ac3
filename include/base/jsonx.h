/*
 * Reading and writing JSON trees (jansson). Paths are lists of member names
 * ended by NULL, so that names may hold dots and slashes:
 *
 *	const char *uid = jsonx_str(obj, "metadata", "uid", NULL);
 *
 * Readers never fail: a missing member or one of another type reads as absent.
 */
#ifndef BASE_JSONX_H
#define BASE_JSONX_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/compiler.h"
#include "base/err.h"

#define JSONX_DEPTH_MAX 64

enum jsonx_flags {
	JSONX_REJECT_DUPLICATES = 1, /* for bodies of untrusted callers */
	/* For lists and watches, where one odd object must not hide the others:
	 * what is nested too deep reads as null. */
	JSONX_CUT_DEEP = 2,
};

/*
 * Parses one value with nothing but white space behind it; nesting over
 * JSONX_DEPTH_MAX is refused before the parser recurses. ret is owned by the
 * caller (json_decref). Errors name the byte offset, never the text there.
 * Strings may hold NUL (json_string_length() tells); a NUL in a member name
 * reads as U+FFFD, an integer over 64 bits as a floating-point number.
 */
int jsonx_parse(const char *p, size_t len, unsigned flags, json_t **ret,
    struct err *err) MUST_CHECK;
/* Compact, members in their own order; appended to out. */
int jsonx_dump(const json_t *v, struct buf *out, struct err *err) MUST_CHECK;
/* The same with members sorted: equal trees give equal bytes. */
int
jsonx_dump_sorted(const json_t *v, struct buf *out, struct err *err) MUST_CHECK;

/* Borrowed; NULL where absent (or JSON null). */
json_t *jsonx_get(const json_t *v, ...) SENTINEL;
/* A text with a NUL in it reads as absent: cut it would be another one. */
const char *jsonx_str(const json_t *v, ...) SENTINEL;
bool jsonx_is_true(const json_t *v, ...) SENTINEL;   /* absent: false */
int64_t jsonx_int(const json_t *v, ...) SENTINEL;    /* absent: 0 */
json_t *jsonx_object(const json_t *v, ...) SENTINEL; /* absent: NULL */
json_t *jsonx_array(const json_t *v, ...) SENTINEL;

/* Sets, steals value, which must not be NULL; name must be UTF-8. Aborts on
 * out of memory. */
void jsonx_set(json_t *obj, const char *name, json_t *value);
/* Bytes of s that are not UTF-8 become U+FFFD. */
void jsonx_set_str(json_t *obj, const char *name, const char *s);
/* String of any bytes; json_null() semantics are never used: bytes that are
 * not UTF-8 make it return NULL. */
json_t *jsonx_strn(const char *p, size_t len);
/* "object", "array", "string", "number", "boolean", "null". */
const char *jsonx_type_name(const json_t *v);

static inline void
jsonx_cleanup(json_t **p)
{
	json_decref(*p);
}

/* AUTO_JSON json_t *v = ...; */
#define AUTO_JSON __attribute__((cleanup(jsonx_cleanup)))

#endif
