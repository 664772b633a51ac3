/*
 * Go's Sprintf: flags, widths, precisions and indexes of operands, and what is
 * printed where the format and the operands do not agree.
 */
#include <string.h>

#include "print.h"
#include "printer.h"
#include "utf8.h"

/* A width or precision that comes from an operand. */
#define NUMBER_MAX 1000000

/* Sprintf in progress. */
struct format {
	struct printer p;
	const char *s;
	size_t len;
	size_t at;
	const struct value *args;
	size_t nargs;
	size_t arg;
	bool reordered;
	bool good_index;  /* the indexes of this verb are fine */
	bool after_index; /* the last thing was an index */
};

/* Decimal digits from at up to end; what is too large ends the format. */
static size_t
parse_num(
    const struct format *f, size_t at, size_t end, size_t *ret, bool *found)
{
	size_t n = 0;

	*ret = 0;
	*found = false;
	if (at >= end)
		return end;
	for (; at < end && f->s[at] >= '0' && f->s[at] <= '9'; at++) {
		if (n > NUMBER_MAX) {
			*found = false;
			return end;
		}
		n = n * 10 + (size_t)(f->s[at] - '0');
		*found = true;
	}
	*ret = *found ? n : 0;
	return at;
}

/* "[3]": which operand is next. */
static void
arg_index(struct format *f)
{
	const char *close;
	size_t end, n, stop;
	bool found;

	f->after_index = false;
	if (f->at >= f->len || f->s[f->at] != '[')
		return;
	f->reordered = true;
	close = f->len - f->at < 3
	    ? NULL
	    : memchr(f->s + f->at + 1, ']', f->len - f->at - 1);
	if (close == NULL) {
		f->good_index = false;
		f->at++;
		return;
	}
	end = (size_t)(close - f->s);
	stop = parse_num(f, f->at + 1, end, &n, &found);
	f->at = end + 1;
	if (!found || stop != end) {
		f->good_index = false;
		return;
	}
	f->after_index = true;
	if (n >= 1 && n <= f->nargs)
		f->arg = n - 1;
	else
		f->good_index = false;
}

/* A width or precision from the operands; false: unfit. */
static bool
int_from_arg(struct format *f, int64_t *ret)
{
	const struct value *v;
	bool ok;

	*ret = 0;
	if (f->arg >= f->nargs)
		return false;
	v = &f->args[f->arg];
	f->arg++;
	ok = value_is_signed(v) || (value_is_unsigned(v) && v->u.i >= 0);
	if (!ok || v->u.i > NUMBER_MAX || v->u.i < -NUMBER_MAX)
		return false;
	*ret = v->u.i;
	return true;
}

static void
parse_width(struct format *f)
{
	struct flags *fl = &f->p.f;
	int64_t n;

	if (f->at >= f->len || f->s[f->at] != '*') {
		f->at = parse_num(f, f->at, f->len, &fl->width, &fl->has_width);
		if (f->after_index && fl->has_width)
			f->good_index = false;
		return;
	}
	f->at++;
	fl->has_width = int_from_arg(f, &n);
	if (!fl->has_width)
		text_puts(f->p.out, "%!(BADWIDTH)");
	if (n < 0) {
		n = -n;
		fl->minus = true;
		fl->zero = false;
	}
	fl->width = (size_t)n;
	f->after_index = false;
}

static void
parse_precision(struct format *f)
{
	struct flags *fl = &f->p.f;
	int64_t n;

	if (f->at + 1 >= f->len || f->s[f->at] != '.')
		return;
	f->at++;
	if (f->after_index)
		f->good_index = false;
	arg_index(f);
	if (f->at >= f->len || f->s[f->at] != '*') {
		f->at = parse_num(f, f->at, f->len, &fl->prec, &fl->has_prec);
		fl->has_prec = true;
		return;
	}
	f->at++;
	fl->has_prec = int_from_arg(f, &n) && n >= 0;
	fl->prec = fl->has_prec ? (size_t)n : 0;
	if (!fl->has_prec)
		text_puts(f->p.out, "%!(BADPREC)");
	f->after_index = false;
}

static void
parse_flags(struct format *f)
{
	struct flags *fl = &f->p.f;

	for (; f->at < f->len; f->at++) {
		switch (f->s[f->at]) {
		case '#':
			fl->sharp = true;
			break;
		case '0':
			fl->zero = true;
			break;
		case '+':
			fl->plus = true;
			break;
		case '-':
			fl->minus = true;
			break;
		case ' ':
			fl->space = true;
			break;
		default:
			return;
		}
	}
}

static void
print_operand(struct format *f, uint32_t verb)
{
	struct flags *fl = &f->p.f;
	const struct value *v;

	if (verb == '%') {
		text_putc(f->p.out, '%');
		return;
	}
	if (!f->good_index || f->arg >= f->nargs) {
		text_puts(f->p.out, "%!");
		text_putrune(f->p.out, verb);
		text_puts(f->p.out, f->good_index ? "(MISSING)" : "(BADINDEX)");
		return;
	}
	if (verb == 'v' || verb == 'w') {
		fl->sharp_v = fl->sharp;
		fl->sharp = false;
		fl->plus_v = fl->plus;
		fl->plus = false;
	}
	v = &f->args[f->arg];
	f->arg++;
	if (verb == 'w' && v->type != NULL)
		printer_bad_verb(&f->p, verb, v);
	else
		printer_arg(&f->p, v, verb);
}

/* Behind a percent sign. */
static void
directive(struct format *f)
{
	uint32_t verb;

	memset(&f->p.f, 0, sizeof(f->p.f));
	f->good_index = true;
	f->after_index = false;
	parse_flags(f);
	arg_index(f);
	parse_width(f);
	parse_precision(f);
	if (!f->after_index)
		arg_index(f);
	if (f->at >= f->len) {
		text_puts(f->p.out, "%!(NOVERB)");
		return;
	}
	f->at += utf8_decode(f->s + f->at, f->len - f->at, &verb);
	print_operand(f, verb);
}

static void
print_extra(struct format *f)
{
	memset(&f->p.f, 0, sizeof(f->p.f));
	text_puts(f->p.out, "%!(EXTRA ");
	for (size_t i = f->arg; i < f->nargs && !f->p.out->failed; i++) {
		const struct value *v = &f->args[i];

		if (i > f->arg)
			text_puts(f->p.out, ", ");
		if (v->type != NULL) {
			text_puts(f->p.out, v->type->name);
			text_putc(f->p.out, '=');
		}
		printer_arg(&f->p, v, 'v');
	}
	text_putc(f->p.out, ')');
}

void
print_sprintf(struct text *out, const char *fmt, size_t fmtlen,
    const struct value *args, size_t n)
{
	struct format f = {
		.p = { .out = out },
		.s = fmt,
		.len = fmtlen,
		.args = args,
		.nargs = n,
	};

	while (f.at < f.len && !out->failed) {
		const char *percent = memchr(f.s + f.at, '%', f.len - f.at);
		size_t stop = percent == NULL ? f.len : (size_t)(percent - f.s);

		text_append(out, f.s + f.at, stop - f.at);
		f.at = stop + 1;
		if (percent != NULL)
			directive(&f);
	}
	if (!f.reordered && f.arg < f.nargs)
		print_extra(&f);
}
