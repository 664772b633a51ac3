/*
 * Go's time.Time, time.Duration, time.Month, time.Weekday and *time.Location
 * as types of values, with their methods.
 */
#include "timetypes.h"

#include <string.h>

#include "goduration.h"
#include "golayout.h"
#include "quote.h"

/* What type_location's u.obj is. */
struct location {
	const struct gozone *zone; /* NULL: UTC */
};

static const struct type type_month;   /* u.i from 1 */
static const struct type type_weekday; /* u.i from 0, Sunday */

const struct gotime *
timetypes_time(const struct value *v)
{
	return v->u.obj;
}

static struct value
value_of_type(const struct type *type, int64_t i)
{
	return (struct value) { .type = type, .u.i = i };
}

int
timetypes_ret(struct call *c, const struct gotime *t, struct value *ret)
{
	return value_obj_copy(c->env, &type_time, t, sizeof(*t), ret);
}

/* Methods of time.Time. */

static int
tm_add(struct call *c, struct value *ret)
{
	struct gotime t =
	    gotime_add(*timetypes_time(&c->args[0]), c->args[1].u.i);

	return timetypes_ret(c, &t, ret);
}

static int
tm_add_date(struct call *c, struct value *ret)
{
	struct gotime t = gotime_add_date(timetypes_time(&c->args[0]),
	    c->args[1].u.i, c->args[2].u.i, c->args[3].u.i);

	return timetypes_ret(c, &t, ret);
}

static int
compare_args(struct call *c)
{
	return gotime_compare(
	    timetypes_time(&c->args[0]), timetypes_time(&c->args[1]));
}

static int
tm_after(struct call *c, struct value *ret)
{
	*ret = value_bool(compare_args(c) > 0);
	return 0;
}

static int
tm_before(struct call *c, struct value *ret)
{
	*ret = value_bool(compare_args(c) < 0);
	return 0;
}

static int
tm_compare(struct call *c, struct value *ret)
{
	*ret = value_int(compare_args(c));
	return 0;
}

static int
tm_equal(struct call *c, struct value *ret)
{
	*ret = value_bool(compare_args(c) == 0);
	return 0;
}

static int
tm_format(struct call *c, struct value *ret)
{
	struct text out;

	text_init(&out, c->env);
	golayout_format(&out, timetypes_time(&c->args[0]), c->args[1].u.s.p,
	    c->args[1].u.s.len);
	return text_done(&out, ret);
}

static int
tm_append_format(struct call *c, struct value *ret)
{
	struct value text;

	*ret = c->args[1];
	if (tm_format(&(struct call) { .env = c->env,
			  .name = c->name,
			  .args = (struct value[]) { c->args[0], c->args[2] },
			  .nargs = 2 },
		&text) < 0)
		return -1;
	for (size_t i = 0; i < text.u.s.len; i++) {
		if (list_append(
			c->env, ret, value_uint8((uint8_t)text.u.s.p[i])) < 0)
			return -1;
	}
	return 0;
}

/* The text of a time in []uint8. */
static int
ret_bytes(struct call *c, const char *layout, struct value *ret)
{
	struct value args[] = { c->args[0], list_nil(&type_bytes),
		value_cstr(layout) };
	struct call again = {
		.env = c->env, .name = c->name, .args = args, .nargs = 3
	};

	return tm_append_format(&again, ret);
}

static int
tm_marshal_text(struct call *c, struct value *ret)
{
	return ret_bytes(c, GOLAYOUT_RFC3339_NANO, ret);
}

static int
tm_marshal_json(struct call *c, struct value *ret)
{
	return ret_bytes(c, "\"" GOLAYOUT_RFC3339_NANO "\"", ret);
}

static void
go_string_time(const struct value *v, struct text *out)
{
	const struct gotime *t = timetypes_time(v);
	const char *name = gozone_name(t->zone);
	struct gotime_parts p;

	gotime_split(t, &p);
	text_printf(out, "time.Date(%lld, time.%s, %d, %d, %d, %d, %d, ",
	    (long long)p.year, golayout_months[p.month - 1], p.day, p.hour,
	    p.min, p.sec, (int)t->nsec);
	if (t->zone == NULL) {
		text_puts(out, "time.UTC)");
	} else if (t->zone == gozone_local()) {
		text_puts(out, "time.Local)");
	} else {
		text_puts(out, "time.Location(");
		quote_string(out, name, strlen(name), true);
		text_puts(out, "))");
	}
}

static int
tm_go_string(struct call *c, struct value *ret)
{
	struct text out;

	text_init(&out, c->env);
	go_string_time(&c->args[0], &out);
	return text_done(&out, ret);
}

static int
tm_in(struct call *c, struct value *ret)
{
	struct gotime t = *timetypes_time(&c->args[0]);
	const struct location *l = c->args[1].u.obj;

	if (l == NULL)
		return call_fail(
		    c, "time: missing Location in call to Time.In");
	t.zone = l->zone;
	return timetypes_ret(c, &t, ret);
}

static int
tm_local(struct call *c, struct value *ret)
{
	struct gotime t = *timetypes_time(&c->args[0]);

	t.zone = gozone_local();
	return timetypes_ret(c, &t, ret);
}

static int
tm_utc(struct call *c, struct value *ret)
{
	struct gotime t = *timetypes_time(&c->args[0]);

	t.zone = NULL;
	return timetypes_ret(c, &t, ret);
}

static int
tm_location(struct call *c, struct value *ret)
{
	const struct location l = {
		.zone = timetypes_time(&c->args[0])->zone,
	};

	return value_obj_copy(c->env, &type_location, &l, sizeof(l), ret);
}

static int
tm_is_dst(struct call *c, struct value *ret)
{
	struct gotime_parts p;

	gotime_split(timetypes_time(&c->args[0]), &p);
	*ret = value_bool(p.at.is_dst);
	return 0;
}

static int
tm_is_zero(struct call *c, struct value *ret)
{
	const struct gotime *t = timetypes_time(&c->args[0]);

	*ret = value_bool(t->sec == 0 && t->nsec == 0);
	return 0;
}

/* Methods that give one of the parts. */
static int
tm_part(struct call *c, struct value *ret)
{
	const struct gotime *t = timetypes_time(&c->args[0]);
	struct gotime_parts p;

	gotime_split(t, &p);
	const struct {
		const char *name;
		const struct type *type;
		int64_t v;
	} parts[] = {
		{ "Year", &type_int, p.year },
		{ "Month", &type_month, p.month },
		{ "Day", &type_int, p.day },
		{ "Hour", &type_int, p.hour },
		{ "Minute", &type_int, p.min },
		{ "Second", &type_int, p.sec },
		{ "Nanosecond", &type_int, t->nsec },
		{ "Weekday", &type_weekday, p.weekday },
		{ "YearDay", &type_int, p.yday },
	};

	for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
		if (strcmp(c->name, parts[i].name) == 0)
			*ret = value_of_type(parts[i].type, parts[i].v);
	}
	return 0;
}

static int
tm_round(struct call *c, struct value *ret)
{
	struct gotime t =
	    gotime_round(*timetypes_time(&c->args[0]), c->args[1].u.i);

	return timetypes_ret(c, &t, ret);
}

static int
tm_truncate(struct call *c, struct value *ret)
{
	struct gotime t =
	    gotime_truncate(*timetypes_time(&c->args[0]), c->args[1].u.i);

	return timetypes_ret(c, &t, ret);
}

static int
tm_string(struct call *c, struct value *ret)
{
	struct text out;

	text_init(&out, c->env);
	golayout_string(&out, timetypes_time(&c->args[0]));
	return text_done(&out, ret);
}

static int
tm_sub(struct call *c, struct value *ret)
{
	*ret = value_of_type(&type_duration,
	    gotime_sub(
		timetypes_time(&c->args[0]), timetypes_time(&c->args[1])));
	return 0;
}

static int64_t
unix_in(const struct gotime *t, int64_t per_second)
{
	uint64_t s = (uint64_t)gotime_unix_s(t) * (uint64_t)per_second;

	return (int64_t)(s +
	    (uint64_t)(t->nsec / (GODURATION_SECOND / per_second)));
}

static int
tm_unix(struct call *c, struct value *ret)
{
	*ret = value_int64(gotime_unix_s(timetypes_time(&c->args[0])));
	return 0;
}

static int
tm_unix_milli(struct call *c, struct value *ret)
{
	*ret = value_int64(unix_in(timetypes_time(&c->args[0]), 1000));
	return 0;
}

static int
tm_unix_micro(struct call *c, struct value *ret)
{
	*ret = value_int64(unix_in(timetypes_time(&c->args[0]), 1000000));
	return 0;
}

static int
tm_unix_nano(struct call *c, struct value *ret)
{
	*ret = value_int64(
	    unix_in(timetypes_time(&c->args[0]), GODURATION_SECOND));
	return 0;
}

/* Those without a function give more values than a template can take; the
 * engine refuses them by what stands behind the colon. */
static const struct func time_methods[] = {
	{ "Add", "td:t", tm_add, 0 },
	{ "AddDate", "tiii:t", tm_add_date, 0 },
	{ "After", "tt:b", tm_after, 0 },
	{ "AppendFormat", "tBs:B", tm_append_format, 0 },
	{ "Before", "tt:b", tm_before, 0 },
	{ "Clock", "t:iii", NULL, 0 },
	{ "Compare", "tt:i", tm_compare, 0 },
	{ "Date", "t:iii", NULL, 0 },
	{ "Day", "t:i", tm_part, 0 },
	{ "Equal", "tt:b", tm_equal, 0 },
	{ "Format", "ts:s", tm_format, 0 },
	{ "GoString", "t:s", tm_go_string, 0 },
	{ "Hour", "t:i", tm_part, 0 },
	{ "ISOWeek", "t:ii", NULL, 0 },
	{ "In", "tL:t", tm_in, 0 },
	{ "IsDST", "t:b", tm_is_dst, 0 },
	{ "IsZero", "t:b", tm_is_zero, 0 },
	{ "Local", "t:t", tm_local, 0 },
	{ "Location", "t:L", tm_location, 0 },
	{ "MarshalJSON", "t:B", tm_marshal_json, 0 },
	{ "MarshalText", "t:B", tm_marshal_text, 0 },
	{ "Minute", "t:i", tm_part, 0 },
	{ "Month", "t:i", tm_part, 0 },
	{ "Nanosecond", "t:i", tm_part, 0 },
	{ "Round", "td:t", tm_round, 0 },
	{ "Second", "t:i", tm_part, 0 },
	{ "String", "t:s", tm_string, 0 },
	{ "Sub", "tt:d", tm_sub, 0 },
	{ "Truncate", "td:t", tm_truncate, 0 },
	{ "UTC", "t:t", tm_utc, 0 },
	{ "Unix", "t:I", tm_unix, 0 },
	{ "UnixMicro", "t:I", tm_unix_micro, 0 },
	{ "UnixMilli", "t:I", tm_unix_milli, 0 },
	{ "UnixNano", "t:I", tm_unix_nano, 0 },
	{ "Weekday", "t:i", tm_part, 0 },
	{ "Year", "t:i", tm_part, 0 },
	{ "YearDay", "t:i", tm_part, 0 },
	{ "Zone", "t:si", NULL, 0 },
	{ "ZoneBounds", "t:tt", NULL, 0 },
	{ NULL, NULL, NULL, 0 },
};

/* Methods of time.Duration. */

static int
dm_whole(struct call *c, struct value *ret)
{
	int64_t d = c->args[0].u.i;

	if (strcmp(c->name, "Milliseconds") == 0)
		d /= 1000000;
	else if (strcmp(c->name, "Microseconds") == 0)
		d /= 1000;
	*ret = value_int64(d);
	return 0;
}

static int
dm_float(struct call *c, struct value *ret)
{
	int64_t d = c->args[0].u.i, unit = GODURATION_SECOND, whole;

	if (strcmp(c->name, "Hours") == 0)
		unit = GODURATION_HOUR;
	else if (strcmp(c->name, "Minutes") == 0)
		unit = GODURATION_MINUTE;
	whole = d / unit;
	*ret = value_float64((double)whole + (double)(d % unit) / (double)unit);
	return 0;
}

static int
dm_abs(struct call *c, struct value *ret)
{
	int64_t d = c->args[0].u.i;

	*ret = value_of_type(&type_duration,
	    d == INT64_MIN ? INT64_MAX
		: d < 0	   ? -d
			   : d);
	return 0;
}

static int
dm_round(struct call *c, struct value *ret)
{
	*ret = value_of_type(
	    &type_duration, goduration_round(c->args[0].u.i, c->args[1].u.i));
	return 0;
}

static int
dm_truncate(struct call *c, struct value *ret)
{
	int64_t d = c->args[0].u.i, m = c->args[1].u.i;

	*ret = value_of_type(&type_duration, m <= 0 ? d : d - d % m);
	return 0;
}

/* String() of everything here but time.Time. */
static int
m_string(struct call *c, struct value *ret)
{
	struct text out;

	text_init(&out, c->env);
	c->args[0].type->string(&c->args[0], &out);
	return text_done(&out, ret);
}

static const struct func duration_methods[] = {
	{ "Abs", "d:d", dm_abs, 0 },
	{ "Hours", "d:f", dm_float, 0 },
	{ "Microseconds", "d:I", dm_whole, 0 },
	{ "Milliseconds", "d:I", dm_whole, 0 },
	{ "Minutes", "d:f", dm_float, 0 },
	{ "Nanoseconds", "d:I", dm_whole, 0 },
	{ "Round", "dd:d", dm_round, 0 },
	{ "Seconds", "d:f", dm_float, 0 },
	{ "String", "d:s", m_string, 0 },
	{ "Truncate", "dd:d", dm_truncate, 0 },
	{ NULL, NULL, NULL, 0 },
};

static const struct func string_methods[] = {
	{ "String", "v:s", m_string, 0 },
	{ NULL, NULL, NULL, 0 },
};

static void
string_time(const struct value *v, struct text *out)
{
	golayout_string(out, timetypes_time(v));
}

static void
string_duration(const struct value *v, struct text *out)
{
	char text[GODURATION_MAX];

	goduration_string(v->u.i, text);
	text_puts(out, text);
}

static void
string_month(const struct value *v, struct text *out)
{
	text_puts(out, golayout_months[v->u.i - 1]);
}

static void
string_weekday(const struct value *v, struct text *out)
{
	text_puts(out, golayout_weekdays[v->u.i]);
}

static void
string_location(const struct value *v, struct text *out)
{
	const struct location *l = v->u.obj;

	text_puts(out, gozone_name(l == NULL ? NULL : l->zone));
}

static bool
same_instant(const struct gotime *t, const struct gotime *u)
{
	return t->sec == u->sec && t->nsec == u->nsec &&
	    t->has_mono == u->has_mono && t->mono == u->mono;
}

static bool
equal_times(const struct value *a, const struct value *b)
{
	return same_instant(timetypes_time(a), timetypes_time(b)) &&
	    timetypes_time(a)->zone == timetypes_time(b)->zone;
}

static bool
deep_equal_times(const struct value *a, const struct value *b)
{
	return same_instant(timetypes_time(a), timetypes_time(b)) &&
	    gozone_equal(timetypes_time(a)->zone, timetypes_time(b)->zone);
}

static bool
equal_locations(const struct value *a, const struct value *b)
{
	const struct location *l = a->u.obj, *m = b->u.obj;

	return l->zone == m->zone;
}

/* Not exported, and not to be printed: an address is among them. */
static const struct field time_fields[] = {
	{ "wall", false, NULL },
	{ "ext", false, NULL },
	{ "loc", false, NULL },
	{ NULL, false, NULL },
};

const struct type type_time = {
	.name = "time.Time",
	.kind = KIND_STRUCT,
	.fields = time_fields,
	.methods = time_methods,
	.string = string_time,
	.go_string = go_string_time,
	.equal = equal_times,
	.deep_equal = deep_equal_times,
};

const struct type type_duration = {
	.name = "time.Duration",
	.kind = KIND_INT64,
	.methods = duration_methods,
	.string = string_duration,
};

static const struct type type_month = {
	.name = "time.Month",
	.kind = KIND_INT,
	.methods = string_methods,
	.string = string_month,
};

static const struct type type_weekday = {
	.name = "time.Weekday",
	.kind = KIND_INT,
	.methods = string_methods,
	.string = string_weekday,
};

const struct type type_location = {
	.name = "*time.Location",
	.kind = KIND_PTR,
	.methods = string_methods,
	.string = string_location,
	.equal = equal_locations,
};
