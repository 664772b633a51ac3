/*
 * Values and their types: the part of Go's type system that templates see.
 *
 * A value is copied by assignment; strings, lists and dicts point into the
 * arena. Strings never change. Lists are Go's slices (a copy shares its
 * elements with the original), dicts are references: both as in Go.
 *
 * An element of a []interface {} or a map[string]interface {} has the static
 * type interface {} until something takes it out: value.iface says so, and an
 * iface value of KIND_INVALID is Go's nil interface. Functions get their
 * arguments and make their results without caring: parameters of type
 * interface {} arrive unwrapped (KIND_INVALID: nil), and elements that
 * list_append() and dict_set() store are marked.
 */
#ifndef TMPL_VALUE_H
#define TMPL_VALUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "env.h"

enum kind {
	KIND_INVALID, /* missing, or untyped nil */
	KIND_BOOL,
	KIND_INT,
	KIND_INT32,
	KIND_INT64,
	KIND_UINT8,
	KIND_UINT32,
	KIND_UINT64,
	KIND_FLOAT64,
	KIND_STRING,
	KIND_SLICE,
	KIND_MAP,
	KIND_STRUCT,
	KIND_PTR,
	KIND_INTERFACE, /* of element types only, never of a value */
};

struct value;
struct text;
struct call;
struct func;

struct field {
	const char *name;
	bool exported;
	/* NULL where it cannot be printed either. */
	int (*get)(struct env *e, const struct value *v, struct value *ret);
};

struct type {
	const char *name; /* as Go's %T: "map[string]interface {}" */
	enum kind kind;
	const struct type *elem; /* slices, maps, pointers */
	/* args[0] is the receiver, whose letter comes first in the signature;
	 * ends with a NULL name. */
	const struct func *methods;
	/* Of structs; ends with a NULL name. */
	const struct field *fields; /* structs; ends with a NULL name */
	/* Go's String() method; NULL: none. Printing uses it. */
	void (*string)(const struct value *v, struct text *out);
	/* GoString(), for %#v; NULL: none. */
	void (*go_string)(const struct value *v, struct text *out);
	/* Go's == for structs and pointers; NULL: not comparable (structs)
	 * or identity (pointers). */
	bool (*equal)(const struct value *a, const struct value *b);
	/* reflect.DeepEqual; NULL: as equal. */
	bool (*deep_equal)(const struct value *a, const struct value *b);
};

struct dict;

struct value {
	const struct type *type; /* NULL: KIND_INVALID */
	bool iface;
	union {
		bool b;
		int64_t i;  /* all signed kinds */
		uint64_t u; /* all unsigned kinds */
		double f;
		struct {
			const char *p; /* any bytes; not always a NUL behind */
			size_t len;
		} s;
		struct {
			struct value *v; /* NULL: a nil slice */
			uint32_t len;
			uint32_t cap;
		} l;
		struct dict *m; /* NULL: a nil map */
		void *obj;	/* structs and pointers; NULL: nil pointer */
	} u;
};

extern const struct type type_any; /* interface {}: of elements */
extern const struct type type_bool, type_int, type_int32, type_int64;
extern const struct type type_uint8, type_uint32, type_uint64, type_float64;
extern const struct type type_string;
extern const struct type type_list;    /* []interface {} */
extern const struct type type_strings; /* []string */
extern const struct type type_bytes;   /* []uint8 */
extern const struct type type_ints;    /* []int */
extern const struct type type_lists;   /* [][]interface {} */
extern const struct type type_dict;    /* map[string]interface {} */
extern const struct type type_strmap;  /* map[string]string */

enum kind value_kind(const struct value *v);
/* "int", "[]string", "<nil>" for KIND_INVALID, as sprig's typeOf. */
const char *value_type_name(const struct value *v);
/* "string", "slice", "map", "struct", "ptr", "invalid", as sprig's kindOf. */
const char *value_kind_name(const struct value *v);
const char *kind_name(enum kind k);

struct value value_nil(void);
struct value value_bool(bool b);
struct value value_int(int64_t i);
struct value value_int64(int64_t i);
struct value value_uint8(uint8_t u);
struct value value_float64(double f);
/* Borrows: p lives in the arena, in the template's text or for ever. */
struct value value_str(const char *p, size_t len);
struct value value_cstr(const char *s);
/* Copies into the arena. */
int value_strdup(
    struct env *e, const char *p, size_t len, struct value *ret) MUST_CHECK;
/* A struct or pointer of a type of its own. */
struct value value_obj(const struct type *type, void *obj);
/* The same of a copy in the environment's memory. */
int value_obj_copy(struct env *e, const struct type *type, const void *obj,
    size_t size, struct value *ret) MUST_CHECK;
/* v without the mark of an interface slot. */
struct value value_concrete(struct value v);

bool value_is_signed(const struct value *v);   /* any signed integer */
bool value_is_unsigned(const struct value *v); /* any unsigned integer */
/* Go's truth, which is the opposite of sprig's empty except for structs and
 * pointers: those are always true here (nil pointers false). */
bool value_truth(const struct value *v);
/* Go's reflect.DeepEqual on what interfaces hold: type-strict. Bounded. */
int value_deep_equal(struct env *e, const struct value *a,
    const struct value *b, bool *ret) MUST_CHECK;
/* Go's == of comparable types; -1 and Go's run-time panic text for others. */
int value_identical(struct env *e, const struct value *a, const struct value *b,
    bool *ret) MUST_CHECK;

/*
 * Lists. list_new() has length 0 and room for cap; list_append() grows it and
 * marks the element where the element type is interface {}. For a list of
 * strings use type_strings and so on. list_nil() is Go's nil slice.
 */
int list_new(struct env *e, const struct type *type, size_t cap,
    struct value *ret) MUST_CHECK;
struct value list_nil(const struct type *type);
int list_append(struct env *e, struct value *list, struct value v) MUST_CHECK;
static inline size_t
list_len(const struct value *list)
{
	return list->u.l.len;
}
/* Element i (i < len), unwrapped: KIND_INVALID for nil. */
struct value list_get(const struct value *list, size_t i);

#endif
