/*
 * Semantic versions: sprig's functions and the methods of *semver.Version.
 */
#include "func.h"

#include <string.h>

#include "quote.h"
#include "semver.h"

#define PRE_BYTES_PER_STEP 8
#define NIL_POINTER \
	"runtime error: invalid memory address or nil pointer dereference"

static const struct type type_version;

static const struct version *
version_of(const struct value *v)
{
	return v->u.obj;
}

static int
fn_semver(struct call *c, struct value *ret)
{
	struct version v;

	if (version_parse(c->env, &c->args[0], &v) < 0)
		return -1;
	return value_obj_copy(c->env, &type_semver, &v, sizeof(v), ret);
}

static int
fn_semver_compare(struct call *c, struct value *ret)
{
	bool good;

	if (constraint_check(c->env, &c->args[0], &c->args[1], &good) < 0)
		return -1;
	*ret = value_bool(good);
	return 0;
}

static int
vm_string(struct call *c, struct value *ret)
{
	struct text out;

	text_init(&out, c->env);
	version_print(&out, version_of(&c->args[0]));
	return text_done(&out, ret);
}

static int
vm_original(struct call *c, struct value *ret)
{
	*ret = version_of(&c->args[0])->original;
	return 0;
}

static struct value
uint64_of(uint64_t u)
{
	return (struct value) { .type = &type_uint64, .u.u = u };
}

static int
vm_part(struct call *c, struct value *ret)
{
	const struct version *v = version_of(&c->args[0]);
	uint64_t n = v->patch;

	if (strcmp(c->name, "Major") == 0)
		n = v->major;
	else if (strcmp(c->name, "Minor") == 0)
		n = v->minor;
	*ret = uint64_of(n);
	return 0;
}

static int
vm_prerelease(struct call *c, struct value *ret)
{
	*ret = version_of(&c->args[0])->pre;
	return 0;
}

static int
vm_metadata(struct call *c, struct value *ret)
{
	*ret = version_of(&c->args[0])->metadata;
	return 0;
}

/* A changed version: its original text is what it prints, with its v. */
static int
ret_changed(struct call *c, struct version *v, struct value *ret)
{
	struct text out;

	text_init(&out, c->env);
	if (v->original.u.s.len > 0 && v->original.u.s.p[0] == 'v')
		text_putc(&out, 'v');
	version_print(&out, v);
	if (text_done(&out, &v->original) < 0)
		return -1;
	return value_obj_copy(c->env, &type_version, v, sizeof(*v), ret);
}

static int
vm_increase(struct call *c, struct value *ret)
{
	struct version v = *version_of(&c->args[0]);
	bool had_pre = v.pre.u.s.len > 0;

	v.pre = v.metadata = value_str("", 0);
	if (strcmp(c->name, "IncMajor") == 0) {
		v.major++;
		v.minor = v.patch = 0;
	} else if (strcmp(c->name, "IncMinor") == 0) {
		v.minor++;
		v.patch = 0;
	} else if (!had_pre) {
		v.patch++;
	}
	return ret_changed(c, &v, ret);
}

static int
vm_set_prerelease(struct call *c, struct value *ret)
{
	struct version v = *version_of(&c->args[0]);

	if (version_check_pre(c->env, &c->args[1]) < 0)
		return -1;
	v.pre = c->args[1];
	return ret_changed(c, &v, ret);
}

static int
vm_set_metadata(struct call *c, struct value *ret)
{
	struct version v = *version_of(&c->args[0]);

	if (version_check_metadata(c->env, &c->args[1]) < 0)
		return -1;
	v.metadata = c->args[1];
	return ret_changed(c, &v, ret);
}

/* Of two versions, whose pre-releases may be long. */
static int
compare(struct call *c, int *order)
{
	const struct version *a = version_of(&c->args[0]);
	const struct version *b = version_of(&c->args[1]);

	if (env_step(c->env,
		(a->pre.u.s.len + b->pre.u.s.len) / PRE_BYTES_PER_STEP) < 0)
		return -1;
	*order = version_compare(a, b);
	return 0;
}

static int
vm_compare(struct call *c, struct value *ret)
{
	static const struct {
		const char *name;
		bool less, equal, greater;
	} methods[] = {
		{ "LessThan", true, false, false },
		{ "LessThanEqual", true, true, false },
		{ "GreaterThan", false, false, true },
		{ "GreaterThanEqual", false, true, true },
	};
	int order = 0;

	if (c->args[1].u.obj == NULL)
		return call_fail(c, NIL_POINTER);
	if (compare(c, &order) < 0)
		return -1;
	*ret = value_int(order);
	for (size_t i = 0; i < ARRAY_SIZE(methods); i++) {
		if (strcmp(c->name, methods[i].name) == 0)
			*ret = value_bool(order < 0 ? methods[i].less
				: order > 0	    ? methods[i].greater
						    : methods[i].equal);
	}
	return 0;
}

static int
vm_equal(struct call *c, struct value *ret)
{
	int order = 1;

	if (c->args[1].u.obj != NULL && compare(c, &order) < 0)
		return -1;
	*ret = value_bool(order == 0);
	return 0;
}

static int
ret_bytes(struct call *c, struct value *text, struct value *ret)
{
	*ret = list_nil(&type_bytes);
	for (size_t i = 0; i < text->u.s.len; i++) {
		if (list_append(
			c->env, ret, value_uint8((uint8_t)text->u.s.p[i])) < 0)
			return -1;
	}
	return 0;
}

static int
vm_marshal_text(struct call *c, struct value *ret)
{
	struct value text;

	return vm_string(c, &text) < 0 ? -1 : ret_bytes(c, &text, ret);
}

static int
vm_marshal_json(struct call *c, struct value *ret)
{
	struct value text;
	struct text out;

	if (vm_string(c, &text) < 0)
		return -1;
	text_init(&out, c->env);
	quote_string(&out, text.u.s.p, text.u.s.len, true);
	return text_done(&out, &text) < 0 ? -1 : ret_bytes(c, &text, ret);
}

/* Methods of Go that read into the version give an error value or nil. */
static int
read_into(struct call *c, const struct value *text, struct value *ret)
{
	struct version v;

	if (version_parse(c->env, text, &v) < 0) {
		env_forgive(c->env);
		*ret = value_cstr("invalid semantic version");
		return 0;
	}
	*(struct version *)c->args[0].u.obj = v;
	return 0;
}

static int
vm_scan(struct call *c, struct value *ret)
{
	struct value empty = value_str("", 0);
	const struct value *text = &c->args[1];

	return read_into(c, text->type == &type_string ? text : &empty, ret);
}

static int
vm_unmarshal_text(struct call *c, struct value *ret)
{
	const struct value *bytes = &c->args[1];
	struct text out;
	struct value text;

	text_init(&out, c->env);
	for (size_t i = 0; i < list_len(bytes); i++)
		text_putc(&out, (char)list_get(bytes, i).u.u);
	return text_done(&out, &text) < 0 ? -1 : read_into(c, &text, ret);
}

#define VALUE_METHODS                                                       \
	{ "IncMajor", "V:V", vm_increase, 0 },                              \
	    { "IncMinor", "V:V", vm_increase, 0 },                          \
	    { "IncPatch", "V:V", vm_increase, 0 },                          \
	    { "Major", "V:I", vm_part, 0 },                                 \
	    { "MarshalJSON", "V:B", vm_marshal_json, 0 },                   \
	    { "MarshalText", "V:B", vm_marshal_text, 0 },                   \
	    { "Metadata", "V:s", vm_metadata, 0 },                          \
	    { "Minor", "V:I", vm_part, 0 }, { "Patch", "V:I", vm_part, 0 }, \
	    { "Prerelease", "V:s", vm_prerelease, 0 },                      \
	    { "SetMetadata", "Vs:V", vm_set_metadata, 0 },                  \
	    { "SetPrerelease", "Vs:V", vm_set_prerelease, 0 },              \
	    { "String", "V:s", vm_string, 0 },                              \
	{                                                                   \
		"Value", "V:a", vm_string, 0                                \
	}

/* Of *semver.Version. */
static const struct func pointer_methods[] = {
	VALUE_METHODS,
	{ "Compare", "VV:i", vm_compare, 0 },
	{ "Equal", "VV:b", vm_equal, 0 },
	{ "GreaterThan", "VV:b", vm_compare, 0 },
	{ "GreaterThanEqual", "VV:b", vm_compare, 0 },
	{ "LessThan", "VV:b", vm_compare, 0 },
	{ "LessThanEqual", "VV:b", vm_compare, 0 },
	{ "Original", "V:s", vm_original, 0 },
	{ "Scan", "Va:a", vm_scan, 0 },
	{ "UnmarshalText", "VB:a", vm_unmarshal_text, 0 },
	{ NULL, NULL, NULL, 0 },
};

/* Of semver.Version, which is what a changed one is. */
static const struct func value_methods[] = {
	VALUE_METHODS,
	{ NULL, NULL, NULL, 0 },
};

/* Not exported: for printing alone. */
#define FIELD(name, expr)                                                   \
	static int get_##name(                                              \
	    struct env *e UNUSED, const struct value *v, struct value *ret) \
	{                                                                   \
		const struct version *ver = version_of(v);                  \
                                                                            \
		*ret = (expr);                                              \
		return 0;                                                   \
	}

FIELD(major, uint64_of(ver->major))
FIELD(minor, uint64_of(ver->minor))
FIELD(patch, uint64_of(ver->patch))
FIELD(pre, ver->pre)
FIELD(metadata, ver->metadata)
FIELD(original, ver->original)

static const struct field version_fields[] = {
	{ "major", false, get_major },
	{ "minor", false, get_minor },
	{ "patch", false, get_patch },
	{ "pre", false, get_pre },
	{ "metadata", false, get_metadata },
	{ "original", false, get_original },
	{ NULL, false, NULL },
};

static void
string_version(const struct value *v, struct text *out)
{
	if (v->u.obj == NULL)
		text_puts(out, "<nil>");
	else
		version_print(out, version_of(v));
}

static bool
same_text(const struct value *a, const struct value *b)
{
	return a->u.s.len == b->u.s.len &&
	    (a->u.s.len == 0 || memcmp(a->u.s.p, b->u.s.p, a->u.s.len) == 0);
}

static bool
equal_versions(const struct value *a, const struct value *b)
{
	const struct version *v = version_of(a), *w = version_of(b);

	return v->major == w->major && v->minor == w->minor &&
	    v->patch == w->patch && same_text(&v->pre, &w->pre) &&
	    same_text(&v->metadata, &w->metadata) &&
	    same_text(&v->original, &w->original);
}

const struct type type_semver = {
	.name = "*semver.Version",
	.kind = KIND_PTR,
	.elem = &type_version,
	.methods = pointer_methods,
	.fields = version_fields,
	.string = string_version,
	.deep_equal = equal_versions,
};

static const struct type type_version = {
	.name = "semver.Version",
	.kind = KIND_STRUCT,
	.methods = value_methods,
	.fields = version_fields,
	.string = string_version,
	.equal = equal_versions,
	.deep_equal = equal_versions,
};

const struct func funcs_semver[] = {
	{ "semver", "s:V", fn_semver, 0 },
	{ "semverCompare", "ss:b", fn_semver_compare, 0 },
	{ NULL, NULL, NULL, 0 },
};
