/*
 * Go's package fmt on numbers: integers in every base, characters, floats.
 */
#include <string.h>

#include "printer.h"
#include "quote.h"
#include "strconv.h"
#include "unicode.h"
#include "utf8.h"

/* Binary digits of 64 bits. */
#define DIGITS_MAX 64
#define FLOAT_PREC 6

const char printer_lower[] = "0123456789abcdefx";
const char printer_upper[] = "0123456789ABCDEFX";

struct digits {
	char buf[DIGITS_MAX];
	size_t len;
};

static const char *
digits_of(struct digits *d, uint64_t u, unsigned base, const char *set)
{
	char *at = d->buf + sizeof(d->buf);

	do {
		*--at = set[u % base];
		u /= base;
	} while (u > 0);
	d->len = (size_t)(d->buf + sizeof(d->buf) - at);
	return at;
}

/* Without zeros as padding: those are part of the number already. */
static void
pad_plain(struct printer *p, const struct text *t)
{
	bool zero = p->f.zero;

	p->f.zero = false;
	if (t->failed)
		p->out->failed = true;
	else
		printer_pad(p, t->data, t->len);
	p->f.zero = zero;
}

static void
base_prefix(struct text *t, unsigned base, const char *digits, const char *set)
{
	if (base == 2)
		text_puts(t, "0b");
	else if (base == 8 && *digits != '0')
		text_putc(t, '0');
	else if (base == 16)
		text_printf(t, "0%c", set[16]);
}

/* How many digits an integer has at least. */
static size_t
min_digits(const struct printer *p, bool negative)
{
	size_t n = p->f.width;

	if (p->f.has_prec)
		return p->f.prec;
	if (!p->f.zero || p->f.minus || !p->f.has_width)
		return 0;
	if ((negative || p->f.plus || p->f.space) && n > 0)
		n--;
	return n;
}

static void
print_uint(
    struct printer *p, uint64_t u, bool negative, unsigned base, uint32_t verb)
{
	const char *set = verb == 'X' ? printer_upper : printer_lower;
	size_t prec = min_digits(p, negative), zeros;
	struct digits d;
	struct text t;
	const char *s;

	if (p->f.has_prec && prec == 0 && u == 0) {
		text_fill(p->out, ' ', p->f.width);
		return;
	}
	s = digits_of(&d, u, base, set);
	zeros = prec > d.len ? prec - d.len : 0;
	text_init(&t, p->out->env);
	if (negative)
		text_putc(&t, '-');
	else if (p->f.plus)
		text_putc(&t, '+');
	else if (p->f.space)
		text_putc(&t, ' ');
	if (verb == 'O')
		text_puts(&t, "0o");
	if (p->f.sharp)
		base_prefix(&t, base, zeros > 0 ? "0" : s, set);
	text_fill(&t, '0', zeros);
	text_append(&t, s, d.len);
	pad_plain(p, &t);
}

static void
print_0x(struct printer *p, uint64_t u)
{
	bool sharp = p->f.sharp;

	p->f.sharp = true;
	print_uint(p, u, false, 16, 'v');
	p->f.sharp = sharp;
}

static void
print_char(struct printer *p, uint64_t u, bool quoted)
{
	uint32_t r = u > UTF8_MAX_RUNE ? UTF8_ERROR : (uint32_t)u;
	struct text t;

	text_init(&t, p->out->env);
	if (quoted)
		quote_rune(&t, r, p->f.plus);
	else
		text_putrune(&t, r);
	if (t.failed)
		p->out->failed = true;
	else
		printer_pad(p, t.data, t.len);
}

static void
print_unicode(struct printer *p, uint64_t u)
{
	size_t prec = p->f.has_prec && p->f.prec > 4 ? p->f.prec : 4;
	struct digits d;
	struct text t;
	const char *s = digits_of(&d, u, 16, printer_upper);

	text_init(&t, p->out->env);
	text_puts(&t, "U+");
	text_fill(&t, '0', prec > d.len ? prec - d.len : 0);
	text_append(&t, s, d.len);
	if (p->f.sharp && u <= UTF8_MAX_RUNE && unicode_is_print((uint32_t)u)) {
		text_puts(&t, " '");
		text_putrune(&t, (uint32_t)u);
		text_putc(&t, '\'');
	}
	pad_plain(p, &t);
}

void
printer_integer(struct printer *p, const struct value *v, uint32_t verb)
{
	bool is_signed = value_is_signed(v);
	bool negative = is_signed && v->u.i < 0;
	uint64_t raw = v->u.u;
	uint64_t magnitude = negative ? 0 - raw : raw;

	switch (verb) {
	case 'v':
		if (p->f.sharp_v && !is_signed) {
			print_0x(p, raw);
			break;
		}
		print_uint(p, magnitude, negative, 10, verb);
		break;
	case 'd':
		print_uint(p, magnitude, negative, 10, verb);
		break;
	case 'b':
		print_uint(p, magnitude, negative, 2, verb);
		break;
	case 'o':
	case 'O':
		print_uint(p, magnitude, negative, 8, verb);
		break;
	case 'x':
	case 'X':
		print_uint(p, magnitude, negative, 16, verb);
		break;
	case 'c':
		print_char(p, raw, false);
		break;
	case 'q':
		print_char(p, raw, true);
		break;
	case 'U':
		print_unicode(p, raw);
		break;
	default:
		printer_bad_verb(p, verb, v);
		break;
	}
}

/* For # : where the exponent starts, which zeros must go in front of. */
static size_t
find_tail(const struct text *num, char verb)
{
	for (size_t i = 1; i < num->len; i++) {
		char c = num->data[i];

		if (c == 'p' || c == 'P')
			return i;
		if ((c == 'e' || c == 'E') && verb != 'x' && verb != 'X')
			return i;
	}
	return num->len;
}

/* The # flag: always a point, and for %g the zeros that it drops. */
static void
sharpen(struct text *num, char verb, int prec, struct text *out)
{
	size_t tail = find_tail(num, verb);
	bool point = false, nonzero = false;
	int digits = 0;

	if (verb == 'g' || verb == 'G' || verb == 'x')
		digits = prec < 0 ? FLOAT_PREC : prec;
	for (size_t i = 1; i < tail; i++) {
		if (num->data[i] == '.') {
			point = true;
			continue;
		}
		nonzero = nonzero || num->data[i] != '0';
		digits -= nonzero;
	}
	text_append(out, num->data, tail);
	if (!point) {
		if (tail == 2 && num->data[1] == '0')
			digits--;
		text_putc(out, '.');
	}
	if (digits > 0)
		text_fill(out, '0', (size_t)digits);
	text_append(out, num->data + tail, num->len - tail);
}

/* num starts with its sign, always. */
static void
put_float(struct printer *p, const struct text *num)
{
	const char *s = num->data;

	if (!p->f.plus && s[0] == '+') {
		printer_pad(p, s + 1, num->len - 1);
		return;
	}
	if (p->f.zero && !p->f.minus && p->f.has_width &&
	    p->f.width > num->len) {
		text_putc(p->out, s[0]);
		printer_padding(p, p->f.width - num->len);
		text_append(p->out, s + 1, num->len - 1);
		return;
	}
	printer_pad(p, s, num->len);
}

static void
put_inf_or_nan(struct printer *p, struct text *num)
{
	struct text t = *num;

	/* +Inf keeps its sign, NaN only where one was asked for. */
	if (t.data[1] == 'N' && !p->f.space && !p->f.plus) {
		t.data++;
		t.len--;
	}
	pad_plain(p, &t);
}

static void
format_float(struct printer *p, double f, char verb, int prec)
{
	struct text num, sharp;

	if (p->f.has_prec)
		prec = (int)p->f.prec;
	text_init(&num, p->out->env);
	if (!__builtin_signbit(f) || f != f)
		text_putc(&num, '+');
	if (__builtin_isinf(f))
		num.len = 0;
	strconv_format_float(&num, f, verb, prec);
	if (num.failed) {
		p->out->failed = true;
		return;
	}
	if (p->f.space && num.data[0] == '+' && !p->f.plus)
		num.data[0] = ' ';
	if (num.data[1] == 'I' || num.data[1] == 'N') {
		put_inf_or_nan(p, &num);
		return;
	}
	if (p->f.sharp && verb != 'b') {
		text_init(&sharp, p->out->env);
		sharpen(&num, verb, prec, &sharp);
		num = sharp;
	}
	if (num.failed)
		p->out->failed = true;
	else
		put_float(p, &num);
}

void
printer_float(struct printer *p, const struct value *v, uint32_t verb)
{
	switch (verb) {
	case 'v':
		format_float(p, v->u.f, 'g', -1);
		break;
	case 'b':
	case 'g':
	case 'G':
	case 'x':
	case 'X':
		format_float(p, v->u.f, (char)verb, -1);
		break;
	case 'f':
	case 'e':
	case 'E':
		format_float(p, v->u.f, (char)verb, FLOAT_PREC);
		break;
	case 'F':
		format_float(p, v->u.f, 'f', FLOAT_PREC);
		break;
	default:
		printer_bad_verb(p, verb, v);
		break;
	}
}
