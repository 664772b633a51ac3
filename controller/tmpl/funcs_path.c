/*
 * Go's package path; on Linux path/filepath is the same.
 */
#include "func.h"
#include "str.h"

#include <string.h>

static int
fn_base(struct call *c, struct value *ret)
{
	struct str s = str_arg(c, 0);
	size_t slash;

	if (str_charge(c) < 0)
		return -1;
	if (s.len == 0) {
		*ret = value_cstr(".");
		return 0;
	}
	while (s.len > 0 && s.p[s.len - 1] == '/')
		s.len--;
	slash = str_rfind(s, '/');
	if (slash != STR_NONE)
		s = str_slice(s, slash + 1, s.len);
	*ret = s.len == 0 ? value_cstr("/") : str_value(s);
	return 0;
}

/* The path being written: never longer than the one that is read. */
struct cleaning {
	char *out;
	size_t len;
	size_t keep; /* .. takes nothing away before this */
	bool rooted;
};

static void
add_element(struct cleaning *w, struct str element)
{
	if (w->len != (w->rooted ? 1 : 0))
		w->out[w->len++] = '/';
	memcpy(w->out + w->len, element.p, element.len);
	w->len += element.len;
}

static void
go_up(struct cleaning *w)
{
	if (w->len > w->keep) {
		do
			w->len--;
		while (w->len > w->keep && w->out[w->len] != '/');
	} else if (!w->rooted) {
		add_element(w, str_c(".."));
		w->keep = w->len;
	}
}

static int
clean(struct call *c, struct str s, struct value *ret)
{
	struct cleaning w = { .rooted = s.len > 0 && s.p[0] == '/' };

	w.out = env_alloc(c->env, s.len + 1);
	if (w.out == NULL)
		return -1;
	if (w.rooted)
		w.out[w.len++] = '/';
	w.keep = w.len;
	while (s.len > 0) {
		size_t slash = str_find_char(s, '/');
		struct str element = s;

		if (slash != STR_NONE)
			element.len = slash;
		s = str_slice(s, element.len + (slash != STR_NONE), s.len);
		if (element.len == 0 || str_eq(element, str_c(".")))
			continue;
		if (str_eq(element, str_c("..")))
			go_up(&w);
		else
			add_element(&w, element);
	}
	*ret = w.len == 0 ? value_cstr(".") : value_str(w.out, w.len);
	return 0;
}

static int
fn_clean(struct call *c, struct value *ret)
{
	if (str_charge(c) < 0)
		return -1;
	return clean(c, str_arg(c, 0), ret);
}

static int
fn_dir(struct call *c, struct value *ret)
{
	struct str s = str_arg(c, 0);
	size_t slash = str_rfind(s, '/');

	if (str_charge(c) < 0)
		return -1;
	s.len = slash == STR_NONE ? 0 : slash + 1;
	return clean(c, s, ret);
}

static int
fn_ext(struct call *c, struct value *ret)
{
	struct str s = str_arg(c, 0);
	size_t slash, dot;

	if (str_charge(c) < 0)
		return -1;
	slash = str_rfind(s, '/');
	if (slash != STR_NONE)
		s = str_slice(s, slash + 1, s.len);
	dot = str_rfind(s, '.');
	*ret = str_value(str_slice(s, dot == STR_NONE ? s.len : dot, s.len));
	return 0;
}

static int
fn_is_abs(struct call *c, struct value *ret)
{
	*ret = value_bool(str_has_prefix(str_arg(c, 0), str_c("/")));
	return 0;
}

const struct func funcs_path[] = {
	{ "base", "s:s", fn_base, 0 },
	{ "clean", "s:s", fn_clean, 0 },
	{ "dir", "s:s", fn_dir, 0 },
	{ "ext", "s:s", fn_ext, 0 },
	{ "isAbs", "s:b", fn_is_abs, 0 },
	{ "osBase", "s:s", fn_base, 0 },
	{ "osClean", "s:s", fn_clean, 0 },
	{ "osDir", "s:s", fn_dir, 0 },
	{ "osExt", "s:s", fn_ext, 0 },
	{ "osIsAbs", "s:b", fn_is_abs, 0 },
	{ NULL, NULL, NULL, 0 },
};
