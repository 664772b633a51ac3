/*
 * Time zones as Go's package time knows them: files of the IANA database and
 * zones fixed to an offset. No process-wide TZ is read again or changed.
 */
#ifndef TMPL_GOZONE_H
#define TMPL_GOZONE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"

struct env;
struct gozone;

/* What a zone says about an instant. */
struct gozone_at {
	const char *name; /* "CEST"; no NUL behind */
	size_t name_len;  /* 0: it has none */
	int offset;	  /* seconds east of UTC */
	int64_t start;	  /* since when and until when, seconds (Unix) */
	int64_t end;
	bool is_dst;
};

/*
 * Zones live as long as the process and never change, those of
 * gozone_fixed() as long as the rendering. NULL stands for UTC everywhere.
 * The name is any bytes; -1: there is no such zone.
 */
int
gozone_load(const char *name, size_t len, const struct gozone **ret) MUST_CHECK;
/* What TZ or /etc/localtime say: never NULL, although it may be UTC's. */
const struct gozone *gozone_local(void);
/* NULL where the budget does not allow it. */
const struct gozone *gozone_fixed(
    struct env *e, const char *name, size_t len, int offset) MUST_CHECK;

const char *gozone_name(const struct gozone *z);
void
gozone_lookup(const struct gozone *z, int64_t unix_s, struct gozone_at *ret);
/* The offset of the zone abbreviated name at a wall clock time. */
bool gozone_lookup_name(const struct gozone *z, const char *name, size_t len,
    int64_t wall_s, int *offset);
/* The same rules, wherever they are in memory. */
bool gozone_equal(const struct gozone *a, const struct gozone *b);

#endif
