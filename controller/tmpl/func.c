/*
 * All tables of template functions, and the look-up in them.
 */
#include "func.h"

#include <string.h>

#include "print.h"
#include "timetypes.h"

/* Later tables hide earlier ones. */
static const struct func *const tables[] = {
	funcs_builtin,
	funcs_core,
	funcs_string,
	funcs_list,
	funcs_dict,
	funcs_math,
	funcs_encoding,
	funcs_json,
	funcs_path,
	funcs_url,
	funcs_date,
	funcs_regex,
	funcs_semver,
	funcs_random,
	funcs_crypto,
	funcs_cert,
};

const struct type type_value = { .name = "reflect.Value", .kind = KIND_STRUCT };

static const struct {
	char letter;
	const struct type *type;
} params[] = {
	{ 's', &type_string },
	{ 'b', &type_bool },
	{ 'i', &type_int },
	{ 'I', &type_int64 },
	{ 'U', &type_uint32 },
	{ 'f', &type_float64 },
	{ 'a', &type_any },
	{ 'l', &type_list },
	{ 'm', &type_dict },
	{ 'S', &type_strings },
	{ 'M', &type_strmap },
	{ 'v', &type_value },
	{ 'c', &type_certificate },
	{ 't', &type_time },
	{ 'd', &type_duration },
	{ 'V', &type_semver },
	{ 'L', &type_location },
	{ 'B', &type_bytes },
};

const struct type *
func_param_type(char letter)
{
	for (size_t i = 0; i < ARRAY_SIZE(params); i++) {
		if (params[i].letter == letter)
			return params[i].type;
	}
	return &type_any;
}

const struct func *
func_find(const char *name, size_t len)
{
	for (size_t i = ARRAY_SIZE(tables); i > 0; i--) {
		for (const struct func *f = tables[i - 1]; f->name != NULL;
		     f++) {
			if (strncmp(f->name, name, len) == 0 &&
			    f->name[len] == '\0')
				return f;
		}
	}
	return NULL;
}

const struct func *
func_method(const struct type *t, const char *name, size_t len)
{
	if (t == NULL || t->methods == NULL)
		return NULL;
	for (const struct func *f = t->methods; f->name != NULL; f++) {
		if (strncmp(f->name, name, len) == 0 && f->name[len] == '\0')
			return f;
	}
	return NULL;
}

int
call_fail(struct call *c, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	(void)env_vfail(c->env, fmt, ap);
	va_end(ap);
	return -1;
}

int
ret_str(struct call *c, const char *p, size_t len, struct value *ret)
{
	return value_strdup(c->env, p, len, ret);
}

int
ret_cstr(struct call *c, const char *s, struct value *ret)
{
	return ret_str(c, s, strlen(s), ret);
}

int
value_strval(struct env *e, const struct value *v, struct value *ret)
{
	struct text t;

	if (v->type == &type_string) {
		*ret = value_concrete(*v);
		return 0;
	}
	text_init(&t, e);
	print_value(&t, v);
	return text_done(&t, ret);
}
