/*
 * sprig's functions for dates.
 */
#include "func.h"
#include "goduration.h"
#include "golayout.h"
#include "strconv.h"
#include "timetypes.h"

#define HTML_LAYOUT "2006-01-02"
#define DAY_H	    24
/* A look at the file system for a zone that may not exist. */
#define ZONE_STEPS 50

static struct gotime
now(struct call *c)
{
	int64_t ns = clock_wall_ns(c->env->clock);
	struct gotime t = gotime_unix(ns / (int64_t)NS_PER_S, gozone_local());

	t.nsec = (int32_t)(ns % (int64_t)NS_PER_S);
	t.has_mono = true;
	t.mono = (int64_t)clock_mono_ns(c->env->clock);
	return t;
}

static int
fn_now(struct call *c, struct value *ret)
{
	struct gotime t = now(c);

	return timetypes_ret(c, &t, ret);
}

/* What sprig takes for a date; *is_now: anything else. */
static struct gotime
date_arg(struct call *c, const struct value *v, bool *is_now)
{
	*is_now = false;
	if (v->type == &type_time && v->u.obj != NULL)
		return *timetypes_time(v);
	if (v->type == &type_int || v->type == &type_int32 ||
	    v->type == &type_int64)
		return gotime_unix(v->u.i, gozone_local());
	*is_now = true;
	c->env->varies = true;
	return now(c);
}

static int
format_date(struct call *c, const struct value *layout,
    const struct value *date, const struct gozone *zone, struct value *ret)
{
	bool is_now;
	struct gotime t = date_arg(c, date, &is_now);
	struct text out;

	t.zone = zone;
	text_init(&out, c->env);
	golayout_format(&out, &t, layout->u.s.p, layout->u.s.len);
	return text_done(&out, ret);
}

static int
fn_date(struct call *c, struct value *ret)
{
	return format_date(c, &c->args[0], &c->args[1], gozone_local(), ret);
}

/* An unknown zone is UTC. */
static int
zone_arg(struct call *c, const struct value *v, const struct gozone **ret)
{
	if (env_step(c->env, ZONE_STEPS) < 0)
		return -1;
	if (gozone_load(v->u.s.p, v->u.s.len, ret) < 0)
		*ret = NULL;
	return 0;
}

static int
fn_date_in_zone(struct call *c, struct value *ret)
{
	const struct gozone *zone;

	if (zone_arg(c, &c->args[2], &zone) < 0)
		return -1;
	return format_date(c, &c->args[0], &c->args[1], zone, ret);
}

static int
fn_html_date(struct call *c, struct value *ret)
{
	struct value layout = value_cstr(HTML_LAYOUT);

	return format_date(c, &layout, &c->args[0], gozone_local(), ret);
}

static int
fn_html_date_in_zone(struct call *c, struct value *ret)
{
	struct value layout = value_cstr(HTML_LAYOUT);
	const struct gozone *zone;

	if (zone_arg(c, &c->args[1], &zone) < 0)
		return -1;
	return format_date(c, &layout, &c->args[0], zone, ret);
}

static int
fn_must_date_modify(struct call *c, struct value *ret)
{
	struct gotime t;
	int64_t d;

	if (goduration_parse(c->env, &c->args[0], &d) < 0)
		return -1;
	t = gotime_add(*timetypes_time(&c->args[1]), d);
	return timetypes_ret(c, &t, ret);
}

static int
fn_date_modify(struct call *c, struct value *ret)
{
	if (fn_must_date_modify(c, ret) == 0)
		return 0;
	env_forgive(c->env);
	*ret = c->args[1];
	return 0;
}

static int
fn_must_to_date(struct call *c, struct value *ret)
{
	struct gotime t;

	if (golayout_parse(
		c->env, &c->args[0], &c->args[1], gozone_local(), &t) < 0)
		return -1;
	return timetypes_ret(c, &t, ret);
}

static int
fn_to_date(struct call *c, struct value *ret)
{
	static const struct gotime zero;

	if (fn_must_to_date(c, ret) == 0)
		return 0;
	env_forgive(c->env);
	return timetypes_ret(c, &zero, ret);
}

static int
fn_unix_epoch(struct call *c, struct value *ret)
{
	struct text out;

	text_init(&out, c->env);
	text_printf(&out, "%lld",
	    (long long)gotime_unix_s(timetypes_time(&c->args[0])));
	return text_done(&out, ret);
}

static int
ret_duration_text(struct call *c, int64_t d, struct value *ret)
{
	char text[GODURATION_MAX];

	goduration_string(d, text);
	return ret_cstr(c, text, ret);
}

static int
fn_ago(struct call *c, struct value *ret)
{
	bool is_now;
	struct gotime t = date_arg(c, &c->args[0], &is_now), n = now(c);

	if (is_now || c->args[0].type == &type_int32)
		return ret_duration_text(c, 0, ret);
	return ret_duration_text(
	    c, goduration_round(gotime_sub(&n, &t), GODURATION_SECOND), ret);
}

static int
fn_duration(struct call *c, struct value *ret)
{
	const struct value *v = &c->args[0];
	int64_t n = 0;

	if (v->type == &type_string) {
		if (strconv_parse_int(v->u.s.p, v->u.s.len, 10, &n) ==
		    STRCONV_SYNTAX)
			n = 0;
	} else if (v->type == &type_int64) {
		n = v->u.i;
	}
	n = (int64_t)((uint64_t)n * (uint64_t)GODURATION_SECOND);
	return ret_duration_text(c, n, ret);
}

static int64_t
duration_arg(struct call *c, const struct value *v)
{
	struct gotime n;
	int64_t d = 0;

	if (v->type == &type_string) {
		if (goduration_parse(c->env, v, &d) < 0)
			env_forgive(c->env);
		return d;
	}
	if (v->type == &type_int64)
		return v->u.i;
	if (v->type == &type_time) {
		c->env->varies = true;
		n = now(c);
		return gotime_sub(&n, timetypes_time(v));
	}
	return 0;
}

static int
fn_duration_round(struct call *c, struct value *ret)
{
	static const struct {
		uint64_t ns;
		const char *name;
	} units[] = {
		{ (uint64_t)GODURATION_HOUR * DAY_H * 365, "y" },
		{ (uint64_t)GODURATION_HOUR * DAY_H * 30, "mo" },
		{ (uint64_t)GODURATION_HOUR * DAY_H, "d" },
		{ (uint64_t)GODURATION_HOUR, "h" },
		{ (uint64_t)GODURATION_MINUTE, "m" },
		{ (uint64_t)GODURATION_SECOND, "s" },
	};
	int64_t d = duration_arg(c, &c->args[0]);
	uint64_t u = d < 0 ? 0 - (uint64_t)d : (uint64_t)d;
	struct text out;

	text_init(&out, c->env);
	for (size_t i = 0; i < ARRAY_SIZE(units); i++) {
		if (u <= units[i].ns)
			continue;
		text_printf(&out, "%llu%s",
		    (unsigned long long)(u / units[i].ns), units[i].name);
		return text_done(&out, ret);
	}
	text_puts(&out, "0s");
	return text_done(&out, ret);
}

/* date and its kind set env.varies where they fall back to now. */
const struct func funcs_date[] = {
	{ "ago", "a:s", fn_ago, FUNC_VARIES },
	{ "date", "sa:s", fn_date, 0 },
	{ "dateInZone", "sas:s", fn_date_in_zone, 0 },
	{ "dateModify", "st:t", fn_date_modify, 0 },
	{ "date_in_zone", "sas:s", fn_date_in_zone, 0 },
	{ "date_modify", "st:t", fn_date_modify, 0 },
	{ "duration", "a:s", fn_duration, 0 },
	{ "durationRound", "a:s", fn_duration_round, 0 },
	{ "htmlDate", "a:s", fn_html_date, 0 },
	{ "htmlDateInZone", "as:s", fn_html_date_in_zone, 0 },
	{ "mustDateModify", "st:t", fn_must_date_modify, 0 },
	{ "mustToDate", "ss:t", fn_must_to_date, 0 },
	{ "must_date_modify", "st:t", fn_must_date_modify, 0 },
	{ "now", ":t", fn_now, FUNC_VARIES },
	{ "toDate", "ss:t", fn_to_date, 0 },
	{ "unixEpoch", "t:s", fn_unix_epoch, 0 },
	{ NULL, NULL, NULL, 0 },
};
