/*
 * sprig's numbers: conversions, integer and decimal arithmetic, sequences.
 */
#include "cast.h"
#include "decimal.h"
#include "func.h"
#include "print.h"
#include "str.h"
#include "strconv.h"

#include <math.h>

#define DIVIDE_BY_ZERO "runtime error: integer divide by zero"
#define ROUND_ON       0.5
/* math.Pow: beyond this exponent of two nothing is left to compute. */
#define POW_EXP_MAX (1 << 12)

static int64_t
arg_int(const struct call *c, size_t i)
{
	return cast_int64(&c->args[i]);
}

static int
fn_int(struct call *c, struct value *ret)
{
	*ret = value_int(arg_int(c, 0));
	return 0;
}

static int
fn_int64(struct call *c, struct value *ret)
{
	*ret = value_int64(arg_int(c, 0));
	return 0;
}

static int
fn_float64(struct call *c, struct value *ret)
{
	*ret = value_float64(cast_float64(&c->args[0]));
	return 0;
}

static int
fn_atoi(struct call *c, struct value *ret)
{
	struct str s = str_arg(c, 0);
	int64_t i;

	/* Out of range gives the nearest int, as strconv.Atoi does. */
	if (str_charge(c) < 0)
		return -1;
	if (strconv_parse_int(s.p, s.len, 10, &i) == STRCONV_SYNTAX)
		i = 0;
	*ret = value_int(i);
	return 0;
}

static int
fn_to_decimal(struct call *c, struct value *ret)
{
	struct value s;
	struct text t;
	int64_t i;

	text_init(&t, c->env);
	print_value(&t, &c->args[0]);
	if (text_done(&t, &s) < 0)
		return -1;
	if (strconv_parse_int(s.u.s.p, s.u.s.len, 8, &i) != STRCONV_OK)
		i = 0;
	*ret = value_int64(i);
	return 0;
}

/* Overflow wraps, as in Go. */
static int64_t
wrap_add(int64_t a, int64_t b)
{
	return (int64_t)((uint64_t)a + (uint64_t)b);
}

static int
fn_add(struct call *c, struct value *ret)
{
	int64_t sum = 0;

	for (size_t i = 0; i < c->nargs; i++)
		sum = wrap_add(sum, arg_int(c, i));
	*ret = value_int64(sum);
	return 0;
}

static int
fn_add1(struct call *c, struct value *ret)
{
	*ret = value_int64(wrap_add(arg_int(c, 0), 1));
	return 0;
}

static int
fn_sub(struct call *c, struct value *ret)
{
	*ret = value_int64(
	    (int64_t)((uint64_t)arg_int(c, 0) - (uint64_t)arg_int(c, 1)));
	return 0;
}

static int
fn_mul(struct call *c, struct value *ret)
{
	uint64_t product = 1;

	for (size_t i = 0; i < c->nargs; i++)
		product *= (uint64_t)arg_int(c, i);
	*ret = value_int64((int64_t)product);
	return 0;
}

static int
fn_div(struct call *c, struct value *ret)
{
	int64_t a = arg_int(c, 0), b = arg_int(c, 1);

	if (b == 0)
		return call_fail(c, DIVIDE_BY_ZERO);
	/* The smallest number by -1 traps in C, and wraps in Go. */
	*ret = value_int64(b == -1 ? (int64_t)(0 - (uint64_t)a) : a / b);
	return 0;
}

static int
fn_mod(struct call *c, struct value *ret)
{
	int64_t a = arg_int(c, 0), b = arg_int(c, 1);

	if (b == 0)
		return call_fail(c, DIVIDE_BY_ZERO);
	*ret = value_int64(b == -1 ? 0 : a % b);
	return 0;
}

static int
fn_max(struct call *c, struct value *ret)
{
	int64_t max = arg_int(c, 0);

	for (size_t i = 1; i < c->nargs; i++) {
		if (arg_int(c, i) > max)
			max = arg_int(c, i);
	}
	*ret = value_int64(max);
	return 0;
}

static int
fn_min(struct call *c, struct value *ret)
{
	int64_t min = arg_int(c, 0);

	for (size_t i = 1; i < c->nargs; i++) {
		if (arg_int(c, i) < min)
			min = arg_int(c, i);
	}
	*ret = value_int64(min);
	return 0;
}

/* Go's math.Max: infinity before NaN, 0 before -0. */
static double
go_max(double a, double b)
{
	if ((isinf(a) && a > 0) || (isinf(b) && b > 0))
		return (double)INFINITY;
	if (isnan(a) || isnan(b))
		return (double)NAN;
	if (a >= b && a <= b)
		return signbit(a) ? b : a;
	return a > b ? a : b;
}

static double
go_min(double a, double b)
{
	return -go_max(-a, -b);
}

static int
fold(struct call *c, double (*fn)(double a, double b), struct value *ret)
{
	double f = cast_float64(&c->args[0]);

	for (size_t i = 1; i < c->nargs; i++)
		f = fn(f, cast_float64(&c->args[i]));
	*ret = value_float64(f);
	return 0;
}

static int
fn_maxf(struct call *c, struct value *ret)
{
	return fold(c, go_max, ret);
}

static int
fn_minf(struct call *c, struct value *ret)
{
	return fold(c, go_min, ret);
}

static int
fn_floor(struct call *c, struct value *ret)
{
	*ret = value_float64(floor(cast_float64(&c->args[0])));
	return 0;
}

static int
fn_ceil(struct call *c, struct value *ret)
{
	*ret = value_float64(ceil(cast_float64(&c->args[0])));
	return 0;
}

/* Go's math.Pow(10, places), whose rounding differs from the C library's. */
static double
power_of_ten(int64_t places)
{
	double y = (double)places, x, a = 1;
	int64_t bits;
	int exp = 0, xexp;

	if (places == 0 || places == 1)
		return places == 0 ? 1 : 10;
	if (fabs(y) >= 0x1p63)
		return y > 0 ? (double)INFINITY : 0;
	x = frexp(10, &xexp);
	for (bits = (int64_t)fabs(y); bits != 0; bits >>= 1) {
		if (xexp < -POW_EXP_MAX || xexp > POW_EXP_MAX) {
			exp += xexp;
			break;
		}
		if ((bits & 1) != 0) {
			a *= x;
			exp += xexp;
		}
		x *= x;
		xexp *= 2;
		if (x < 0.5) {
			x += x;
			xexp--;
		}
	}
	if (y < 0) {
		a = 1 / a;
		exp = -exp;
	}
	return ldexp(a, exp);
}

static int
fn_round(struct call *c, struct value *ret)
{
	double on = c->nargs > 2 ? c->args[2].u.f : ROUND_ON;
	double pow = power_of_ten(c->args[1].u.i), whole, fraction, digits;

	digits = pow * cast_float64(&c->args[0]);
	fraction = modf(digits, &whole);
	/* Go's Modf has NaN behind infinity's point, C's has 0. */
	if (isinf(digits))
		fraction = (double)NAN;
	digits = fraction >= on ? ceil(digits) : floor(digits);
	*ret = value_float64(digits / pow);
	return 0;
}

/* The numbers from start towards stop, which is not among them: how many. */
static uint64_t
step_count(int64_t start, int64_t stop, int64_t step)
{
	uint64_t way, each;

	if (stop < start ? step >= 0 : step <= 0)
		return 0;
	if (step > 0) {
		way = (uint64_t)stop - (uint64_t)start;
		each = (uint64_t)step;
	} else {
		way = (uint64_t)start - (uint64_t)stop;
		each = 0 - (uint64_t)step;
	}
	return way / each + (way % each != 0);
}

static int
step_list(struct call *c, int64_t start, int64_t stop, int64_t step,
    struct value *ret)
{
	uint64_t n = step_count(start, stop, step);

	/* All of them are charged before the first takes memory. */
	if (env_step(c->env, n) < 0 || list_new(c->env, &type_ints, n, ret) < 0)
		return -1;
	for (uint64_t i = 0; i < n; i++) {
		if (list_append(c->env, ret, value_int(start)) < 0)
			return -1;
		start = wrap_add(start, step);
	}
	return 0;
}

static int
fn_until(struct call *c, struct value *ret)
{
	int64_t n = c->args[0].u.i;

	return step_list(c, 0, n, n < 0 ? -1 : 1, ret);
}

static int
fn_until_step(struct call *c, struct value *ret)
{
	return step_list(
	    c, c->args[0].u.i, c->args[1].u.i, c->args[2].u.i, ret);
}

static int
step_text(struct call *c, int64_t start, int64_t stop, int64_t step,
    struct value *ret)
{
	uint64_t n = step_count(start, stop, step);
	struct text t;

	if (env_step(c->env, n) < 0)
		return -1;
	text_init(&t, c->env);
	for (uint64_t i = 0; i < n && !t.failed; i++) {
		text_printf(&t, i == 0 ? "%lld" : " %lld", (long long)start);
		start = wrap_add(start, step);
	}
	return text_done(&t, ret);
}

static int
fn_seq(struct call *c, struct value *ret)
{
	int64_t start = 1, end, step, back;

	*ret = value_str("", 0);
	if (c->nargs == 0 || c->nargs > 3)
		return 0;
	end = c->args[c->nargs - 1].u.i;
	if (c->nargs > 1)
		start = c->args[0].u.i;
	back = end < start ? -1 : 1;
	step = c->nargs == 3 ? c->args[1].u.i : back;
	if (back < 0 && step > 0)
		return 0;
	return step_text(c, start, wrap_add(end, back), step, ret);
}

static int
decimal_arg(struct call *c, const struct value *v, struct decimal *ret)
{
	double f = cast_float64(v);

	if (!isfinite(f))
		return call_fail(
		    c, "Cannot create a Decimal from %s", WITHHELD);
	return decimal_from_float(c->env, f, ret);
}

static int
divide(struct env *e, const struct decimal *a, const struct decimal *b,
    struct decimal *ret)
{
	if (b->n == 0)
		return env_fail(e, "decimal division by 0");
	return decimal_div(e, a, b, ret);
}

typedef int decimal_fn(struct env *e, const struct decimal *a,
    const struct decimal *b, struct decimal *ret);

/* a OP the arguments from first on, from left to right. */
static int
decimal_fold(struct call *c, struct decimal *a, size_t first, decimal_fn *fn,
    struct value *ret)
{
	struct decimal b = { 0 };
	double f;

	for (size_t i = first; i < c->nargs; i++) {
		struct decimal r = { 0 };

		if (decimal_arg(c, &c->args[i], &b) < 0 ||
		    fn(c->env, a, &b, &r) < 0)
			return -1;
		*a = r;
	}
	if (decimal_to_float(c->env, a, &f) < 0)
		return -1;
	*ret = value_float64(f);
	return 0;
}

static int
fn_addf(struct call *c, struct value *ret)
{
	struct decimal a = { 0 };

	return decimal_fold(c, &a, 0, decimal_add, ret);
}

static int
fn_add1f(struct call *c, struct value *ret)
{
	struct decimal a;

	if (decimal_from_float(c->env, 1, &a) < 0)
		return -1;
	return decimal_fold(c, &a, 0, decimal_add, ret);
}

static int
from_first(struct call *c, decimal_fn *fn, struct value *ret)
{
	struct decimal a = { 0 };

	if (decimal_arg(c, &c->args[0], &a) < 0)
		return -1;
	return decimal_fold(c, &a, 1, fn, ret);
}

static int
fn_subf(struct call *c, struct value *ret)
{
	return from_first(c, decimal_sub, ret);
}

static int
fn_mulf(struct call *c, struct value *ret)
{
	return from_first(c, decimal_mul, ret);
}

static int
fn_divf(struct call *c, struct value *ret)
{
	return from_first(c, divide, ret);
}

const struct func funcs_math[] = {
	{ "add", "a*:I", fn_add, 0 },
	{ "add1", "a:I", fn_add1, 0 },
	{ "add1f", "a:f", fn_add1f, 0 },
	{ "addf", "a*:f", fn_addf, 0 },
	{ "atoi", "s:i", fn_atoi, 0 },
	{ "biggest", "aa*:I", fn_max, 0 },
	{ "ceil", "a:f", fn_ceil, 0 },
	{ "div", "aa:I", fn_div, 0 },
	{ "divf", "aa*:f", fn_divf, 0 },
	{ "float64", "a:f", fn_float64, 0 },
	{ "floor", "a:f", fn_floor, 0 },
	{ "int", "a:i", fn_int, 0 },
	{ "int64", "a:I", fn_int64, 0 },
	{ "max", "aa*:I", fn_max, 0 },
	{ "maxf", "aa*:f", fn_maxf, 0 },
	{ "min", "aa*:I", fn_min, 0 },
	{ "minf", "aa*:f", fn_minf, 0 },
	{ "mod", "aa:I", fn_mod, 0 },
	{ "mul", "aa*:I", fn_mul, 0 },
	{ "mulf", "aa*:f", fn_mulf, 0 },
	{ "round", "aif*:f", fn_round, 0 },
	{ "seq", "i*:s", fn_seq, 0 },
	{ "sub", "aa:I", fn_sub, 0 },
	{ "subf", "aa*:f", fn_subf, 0 },
	{ "toDecimal", "a:I", fn_to_decimal, 0 },
	{ "until", "i:l", fn_until, 0 },
	{ "untilStep", "iii:l", fn_until_step, 0 },
	{ NULL, NULL, NULL, 0 },
};
