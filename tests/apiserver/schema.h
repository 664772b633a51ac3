/*
 * A description of object shapes, used three ways: to decode built-in types
 * as the Go structs do, to prune and validate custom objects as a CRD does,
 * and to tell which fields a write owns (managedFields).
 */
#ifndef APISERVER_SCHEMA_H
#define APISERVER_SCHEMA_H

#include "util.h"

enum schema_kind {
	SCHEMA_STRING,
	SCHEMA_INT,
	SCHEMA_BOOL,
	SCHEMA_TIME,
	SCHEMA_BYTES, /* base64 */
	SCHEMA_STRUCT,
	SCHEMA_MAP,
	SCHEMA_LIST,
	SCHEMA_ANY, /* maps are granular, lists are leaves */
};

#define SCHEMA_ATOMIC	0x1 /* owned as a whole */
#define SCHEMA_PRESERVE 0x2 /* unknown fields are kept */
#define SCHEMA_NULLABLE 0x4
#define SCHEMA_SET	0x8 /* list of distinct scalars */

#define FIELD_KEEP	0x1 /* written even when empty */
#define FIELD_POINTER	0x2 /* written when given, even when empty */
#define FIELD_REQUIRED	0x4

struct schema;

struct schema_field {
	const char *name;
	const struct schema *type;
	unsigned flags;
};

struct schema {
	enum schema_kind kind;
	unsigned flags;
	const struct schema_field *fields; /* ends with a NULL name */
	const struct schema *elem;	   /* of maps and lists */
	const char *key;		   /* of keyed lists of objects */
	const char *go_name;		   /* for decoding errors */
};

const struct schema_field *
schema_field(const struct schema *s, const char *name);

/*
 * Decodes as a Go struct: unknown fields and empty values are left out. NULL
 * with *why set when a type is wrong. The result is owned by the caller.
 */
json_t *schema_decode(const struct schema *s, const json_t *in, char **why);

/* CRD rules, in place: unknown fields and nulls that are not allowed go. */
void schema_prune(const struct schema *s, json_t *v);

/*
 * CRD rules: appends {field, reason, message} to causes. The texts name the
 * path without its first `skip` characters.
 */
void schema_validate(const struct schema *s, const json_t *v, const char *path,
    size_t skip, json_t *causes);

/* Go's base64: -1 and the offset of the error, or the decoded length. */
long schema_base64_len(const char *s, size_t len, size_t *bad);
/* Of text that is known to be good; owned by the caller. */
char *schema_base64_decode(const char *s, size_t len, size_t *ret);

#endif
