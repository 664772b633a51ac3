/*
 * sprig's urlParse and urlJoin.
 */
#include "func.h"
#include "url.h"

#define NIL_DEREFERENCE \
	"runtime error: invalid memory address or nil pointer dereference"

static int
put(struct call *c, const struct value *dict, const char *key, struct str s)
{
	return dict_set(c->env, dict, key, str_c(key).len, str_value(s));
}

static int
user_text(struct call *c, const struct url *u, struct str *ret)
{
	struct value v;
	struct text t;

	text_init(&t, c->env);
	url_put_user(&t, u);
	if (text_done(&t, &v) < 0)
		return -1;
	*ret = str_of(&v);
	return 0;
}

static int
parse(struct call *c, const char *what, struct str s, struct url *u)
{
	const char *why;

	if (env_step(c->env, 1 + s.len / 4) < 0)
		return -1;
	if (url_parse(c->env, s, u, &why) == 0)
		return 0;
	if (why == NULL)
		return -1;
	return call_fail(
	    c, "unable to parse %s: parse %s: %s", what, WITHHELD, why);
}

static int
fn_url_parse(struct call *c, struct value *ret)
{
	struct str user;
	struct url u;

	if (parse(c, "url", str_arg(c, 0), &u) < 0 ||
	    user_text(c, &u, &user) < 0 ||
	    dict_new(c->env, &type_dict, ret) < 0 ||
	    put(c, ret, "scheme", u.scheme) < 0 ||
	    put(c, ret, "host", u.host) < 0 ||
	    put(c, ret, "hostname", url_hostname(&u)) < 0 ||
	    put(c, ret, "path", u.path) < 0 ||
	    put(c, ret, "query", u.query) < 0 ||
	    put(c, ret, "opaque", u.opaque) < 0 ||
	    put(c, ret, "fragment", u.fragment) < 0 ||
	    put(c, ret, "userinfo", user) < 0)
		return -1;
	return 0;
}

/* A string of the dictionary; nothing where it is missing. */
static int
take(struct call *c, const char *key, struct str *ret)
{
	struct value v;

	*ret = (struct str) { 0 };
	if (!dict_get(&c->args[0], key, str_c(key).len, &v))
		return 0;
	if (v.type == NULL)
		return call_fail(c, NIL_DEREFERENCE);
	if (v.type != &type_string)
		return call_fail(c,
		    "unable to parse %s key, must be of type string, but %s "
		    "found",
		    key, value_kind_name(&v));
	*ret = str_of(&v);
	return 0;
}

static int
take_user(struct call *c, struct url *u)
{
	struct url around;
	struct value v;
	struct str s;
	struct text t;

	if (take(c, "userinfo", &s) < 0)
		return -1;
	if (s.len == 0)
		return 0;
	text_init(&t, c->env);
	text_puts(&t, "proto://");
	text_append(&t, s.p, s.len);
	text_puts(&t, "@host");
	if (text_done(&t, &v) < 0 ||
	    parse(c, "userinfo in dict", str_of(&v), &around) < 0)
		return -1;
	u->user = around.user;
	u->password = around.password;
	u->has_user = around.has_user;
	u->has_password = around.has_password;
	return 0;
}

static int
fn_url_join(struct call *c, struct value *ret)
{
	struct url u = { 0 };
	struct text t;

	if (take(c, "scheme", &u.scheme) < 0 || take(c, "host", &u.host) < 0 ||
	    take(c, "path", &u.path) < 0 || take(c, "query", &u.query) < 0 ||
	    take(c, "opaque", &u.opaque) < 0 ||
	    take(c, "fragment", &u.fragment) < 0 || take_user(c, &u) < 0)
		return -1;
	if (env_step(c->env, 1 + (u.path.len + u.host.len) / 16) < 0)
		return -1;
	text_init(&t, c->env);
	url_put(&t, &u);
	return text_done(&t, ret);
}

const struct func funcs_url[] = {
	{ "urlJoin", "m:s", fn_url_join, 0 },
	{ "urlParse", "s:m", fn_url_parse, 0 },
	{ NULL, NULL, NULL, 0 },
};
