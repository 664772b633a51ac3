/*
 * sprig's defaults, logic, reflection and fail.
 */
#include "func.h"
#include "str.h"

static int
fn_default(struct call *c, struct value *ret)
{
	*ret =
	    c->nargs > 1 && value_truth(&c->args[1]) ? c->args[1] : c->args[0];
	return 0;
}

static int
fn_empty(struct call *c, struct value *ret)
{
	*ret = value_bool(!value_truth(&c->args[0]));
	return 0;
}

static int
fn_coalesce(struct call *c, struct value *ret)
{
	for (size_t i = 0; i < c->nargs; i++) {
		if (value_truth(&c->args[i])) {
			*ret = c->args[i];
			break;
		}
	}
	return 0;
}

static int
fn_all(struct call *c, struct value *ret)
{
	bool all = true;

	for (size_t i = 0; i < c->nargs; i++)
		all = all && value_truth(&c->args[i]);
	*ret = value_bool(all);
	return 0;
}

static int
fn_any(struct call *c, struct value *ret)
{
	bool any = false;

	for (size_t i = 0; i < c->nargs; i++)
		any = any || value_truth(&c->args[i]);
	*ret = value_bool(any);
	return 0;
}

static int
fn_ternary(struct call *c, struct value *ret)
{
	*ret = c->args[c->args[2].u.b ? 0 : 1];
	return 0;
}

/* The message may be made of secrets: nobody gets to see it. */
static int
fn_fail(struct call *c, struct value *ret UNUSED)
{
	return call_fail(c, MESSAGE_WITHHELD);
}

static int
fn_type_of(struct call *c, struct value *ret)
{
	*ret = value_cstr(value_type_name(&c->args[0]));
	return 0;
}

static int
fn_kind_of(struct call *c, struct value *ret)
{
	*ret = value_cstr(value_kind_name(&c->args[0]));
	return 0;
}

static int
fn_type_is(struct call *c, struct value *ret)
{
	*ret = value_bool(
	    str_eq(str_arg(c, 0), str_c(value_type_name(&c->args[1]))));
	return 0;
}

static int
fn_kind_is(struct call *c, struct value *ret)
{
	*ret = value_bool(
	    str_eq(str_arg(c, 0), str_c(value_kind_name(&c->args[1]))));
	return 0;
}

static int
fn_type_is_like(struct call *c, struct value *ret)
{
	struct str want = str_arg(c, 0);
	struct str have = str_c(value_type_name(&c->args[1]));
	bool like = str_eq(want, have);

	if (!like && have.p[0] == '*')
		like = str_eq(want, str_slice(have, 1, have.len));
	*ret = value_bool(like);
	return 0;
}

static int
fn_deep_equal(struct call *c, struct value *ret)
{
	bool equal;

	if (str_charge(c) < 0 ||
	    value_deep_equal(c->env, &c->args[0], &c->args[1], &equal) < 0)
		return -1;
	*ret = value_bool(equal);
	return 0;
}

const struct func funcs_core[] = {
	{ "all", "a*:b", fn_all, 0 },
	{ "any", "a*:b", fn_any, 0 },
	{ "coalesce", "a*:a", fn_coalesce, 0 },
	{ "deepEqual", "aa:b", fn_deep_equal, 0 },
	{ "default", "aa*:a", fn_default, 0 },
	{ "empty", "a:b", fn_empty, 0 },
	{ "fail", "s:s", fn_fail, 0 },
	{ "kindIs", "sa:b", fn_kind_is, 0 },
	{ "kindOf", "a:s", fn_kind_of, 0 },
	{ "ternary", "aab:a", fn_ternary, 0 },
	{ "typeIs", "sa:b", fn_type_is, 0 },
	{ "typeIsLike", "sa:b", fn_type_is_like, 0 },
	{ "typeOf", "a:s", fn_type_of, 0 },
	{ NULL, NULL, NULL, 0 },
};
