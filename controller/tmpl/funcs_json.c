/*
 * sprig's JSON functions.
 */
#include "func.h"
#include "json.h"

static const struct json_style compact = { .html = true };
static const struct json_style pretty = { .html = true, .pretty = true };
static const struct json_style raw = { .html = false };

static int
encode(struct call *c, struct json_style style, struct value *ret)
{
	struct text t;

	text_init(&t, c->env);
	if (json_encode(c->env, &c->args[0], style, &t) < 0)
		return -1;
	return text_done(&t, ret);
}

/* A value that JSON cannot hold gives nothing. */
static int
encode_or_nothing(struct call *c, struct json_style style, struct value *ret)
{
	if (encode(c, style, ret) == 0)
		return 0;
	env_forgive(c->env);
	*ret = value_str("", 0);
	return c->env->exhausted ? -1 : 0;
}

static int
fn_to_json(struct call *c, struct value *ret)
{
	return encode_or_nothing(c, compact, ret);
}

static int
fn_to_pretty_json(struct call *c, struct value *ret)
{
	return encode_or_nothing(c, pretty, ret);
}

static int
fn_must_to_json(struct call *c, struct value *ret)
{
	return encode(c, compact, ret);
}

static int
fn_must_to_pretty_json(struct call *c, struct value *ret)
{
	return encode(c, pretty, ret);
}

static int
fn_to_raw_json(struct call *c, struct value *ret)
{
	return encode(c, raw, ret);
}

static int
fn_must_from_json(struct call *c, struct value *ret)
{
	return json_decode(c->env, str_arg(c, 0), ret);
}

static int
fn_from_json(struct call *c, struct value *ret)
{
	if (json_decode(c->env, str_arg(c, 0), ret) == 0)
		return 0;
	env_forgive(c->env);
	return c->env->exhausted ? -1 : 0;
}

const struct func funcs_json[] = {
	{ "fromJson", "s:a", fn_from_json, 0 },
	{ "mustFromJson", "s:a", fn_must_from_json, 0 },
	{ "mustToJson", "a:s", fn_must_to_json, 0 },
	{ "mustToPrettyJson", "a:s", fn_must_to_pretty_json, 0 },
	{ "mustToRawJson", "a:s", fn_to_raw_json, 0 },
	{ "toJson", "a:s", fn_to_json, 0 },
	{ "toPrettyJson", "a:s", fn_to_pretty_json, 0 },
	{ "toRawJson", "a:s", fn_to_raw_json, 0 },
	{ NULL, NULL, NULL, 0 },
};
