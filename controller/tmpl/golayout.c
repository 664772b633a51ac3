/*
 * Go's time layouts, and times written by them.
 */
#include "golayout.h"

#include <string.h>

#include "layout.h"

/* Longer spellings first where one begins as another. */
static const struct {
	const char *text;
	enum element element;
	bool ends_word; /* no lower-case letter may follow */
} elements[] = {
	{ "January", EL_LONG_MONTH, false },
	{ "Jan", EL_MONTH, true },
	{ "Monday", EL_LONG_WEEKDAY, false },
	{ "Mon", EL_WEEKDAY, true },
	{ "MST", EL_ZONE_NAME, false },
	{ "01", EL_ZERO_MONTH, false },
	{ "02", EL_ZERO_DAY, false },
	{ "03", EL_ZERO_HOUR12, false },
	{ "04", EL_ZERO_MINUTE, false },
	{ "05", EL_ZERO_SECOND, false },
	{ "06", EL_YEAR, false },
	{ "002", EL_ZERO_YEARDAY, false },
	{ "15", EL_HOUR, false },
	{ "1", EL_NUM_MONTH, false },
	{ "2006", EL_LONG_YEAR, false },
	{ "2", EL_DAY, false },
	{ "_2006", EL_NONE, false }, /* a literal _ and the year */
	{ "_2", EL_UNDER_DAY, false },
	{ "__2", EL_UNDER_YEARDAY, false },
	{ "3", EL_HOUR12, false },
	{ "4", EL_MINUTE, false },
	{ "5", EL_SECOND, false },
	{ "PM", EL_PM, false },
	{ "pm", EL_LOWER_PM, false },
	{ "-070000", EL_OFFSET, false },
	{ "-07:00:00", EL_OFFSET, false },
	{ "-0700", EL_OFFSET, false },
	{ "-07:00", EL_OFFSET, false },
	{ "-07", EL_OFFSET, false },
	{ "Z070000", EL_OFFSET, false },
	{ "Z07:00:00", EL_OFFSET, false },
	{ "Z0700", EL_OFFSET, false },
	{ "Z07:00", EL_OFFSET, false },
	{ "Z07", EL_OFFSET, false },
};

const char *const golayout_months[12] = { "January", "February", "March",
	"April", "May", "June", "July", "August", "September", "October",
	"November", "December" };
const char *const golayout_weekdays[7] = { "Sunday", "Monday", "Tuesday",
	"Wednesday", "Thursday", "Friday", "Saturday" };

/* .000 or ,999: its length, 0 where there is none. */
static size_t
fraction_length(const char *p, size_t len)
{
	size_t n = 1;

	if (len < 2 || (p[0] != '.' && p[0] != ',') ||
	    (p[1] != '0' && p[1] != '9'))
		return 0;
	while (n < len && p[n] == p[1])
		n++;
	return is_digit_at(p, len, n) ? 0 : n;
}

static enum element
element_at(const char *p, size_t len, size_t *width)
{
	*width = fraction_length(p, len);
	if (*width > 0)
		return p[1] == '0' ? EL_FRACTION : EL_FRACTION_CUT;
	for (size_t i = 0; i < ARRAY_SIZE(elements); i++) {
		size_t n;

		/* Most places are none: layouts may be long. */
		if (elements[i].text[0] != *p)
			continue;
		n = strlen(elements[i].text);
		if (n > len || memcmp(p, elements[i].text, n) != 0)
			continue;
		if (elements[i].ends_word && len > n && p[n] >= 'a' &&
		    p[n] <= 'z')
			continue;
		*width = n;
		return elements[i].element;
	}
	return EL_NONE;
}

struct chunk
golayout_next(const char **layout, size_t *len)
{
	struct chunk c = { .prefix = *layout, .prefix_len = *len };

	for (size_t i = 0; i < *len; i++) {
		size_t width = 0;
		enum element el = element_at(*layout + i, *len - i, &width);

		if (el == EL_NONE)
			continue;
		c.prefix_len = i;
		c.element = el;
		c.text = *layout + i;
		c.len = width;
		*layout += i + width;
		*len -= i + width;
		return c;
	}
	c.text = *layout + *len;
	*layout += *len;
	*len = 0;
	return c;
}

static void
put_number(struct text *out, int64_t n, int width)
{
	uint64_t u = n < 0 ? 0 - (uint64_t)n : (uint64_t)n;

	text_printf(
	    out, "%s%0*llu", n < 0 ? "-" : "", width, (unsigned long long)u);
}

static void
put_offset(struct text *out, int offset, const char *form, size_t len)
{
	int minutes = offset / 60;
	bool colon = len > 3 && form[3] == ':';

	if (form[0] == 'Z' && offset == 0) {
		text_putc(out, 'Z');
		return;
	}
	text_putc(out, minutes < 0 ? '-' : '+');
	if (minutes < 0) {
		minutes = -minutes;
		offset = -offset;
	}
	put_number(out, minutes / 60, 2);
	if (len == 3)
		return;
	if (colon)
		text_putc(out, ':');
	put_number(out, minutes % 60, 2);
	if (len == 7 || len == 9) {
		if (colon)
			text_putc(out, ':');
		put_number(out, offset % 60, 2);
	}
}

static void
put_fraction(struct text *out, int32_t nsec, const struct chunk *c)
{
	bool cut = c->element == EL_FRACTION_CUT;
	char digits[NANO_DIGITS];
	size_t n = c->len - 1;

	if (cut && nsec == 0)
		return;
	for (size_t i = NANO_DIGITS; i > 0; i--, nsec /= 10)
		digits[i - 1] = (char)('0' + nsec % 10);
	if (n > NANO_DIGITS)
		n = NANO_DIGITS;
	while (cut && n > 0 && digits[n - 1] == '0')
		n--;
	if (n == 0)
		return;
	text_putc(out, c->text[0]);
	text_append(out, digits, n);
}

static void
put_padded(struct text *out, int n, int width)
{
	text_printf(out, "%*d", width, n);
}

static void
put_date(struct text *out, const struct gotime_parts *p, enum element el)
{
	switch ((int)el) {
	case EL_YEAR:
		put_number(
		    out, p->year < 0 ? -(p->year % 100) : p->year % 100, 2);
		break;
	case EL_LONG_YEAR:
		put_number(out, p->year, 4);
		break;
	case EL_MONTH:
		text_append(out, golayout_months[p->month - 1], 3);
		break;
	case EL_LONG_MONTH:
		text_puts(out, golayout_months[p->month - 1]);
		break;
	case EL_NUM_MONTH:
	case EL_ZERO_MONTH:
		put_number(out, p->month, el == EL_ZERO_MONTH ? 2 : 1);
		break;
	case EL_WEEKDAY:
		text_append(out, golayout_weekdays[p->weekday], 3);
		break;
	case EL_LONG_WEEKDAY:
		text_puts(out, golayout_weekdays[p->weekday]);
		break;
	case EL_DAY:
	case EL_ZERO_DAY:
		put_number(out, p->day, el == EL_ZERO_DAY ? 2 : 1);
		break;
	case EL_UNDER_DAY:
		put_padded(out, p->day, 2);
		break;
	case EL_UNDER_YEARDAY:
		put_padded(out, p->yday, 3);
		break;
	default:
		put_number(out, p->yday, 3);
		break;
	}
}

static void
put_clock(struct text *out, const struct gotime_parts *p, enum element el)
{
	int hour12 = p->hour % 12 == 0 ? 12 : p->hour % 12;

	switch ((int)el) {
	case EL_HOUR:
		put_number(out, p->hour, 2);
		break;
	case EL_HOUR12:
	case EL_ZERO_HOUR12:
		put_number(out, hour12, el == EL_ZERO_HOUR12 ? 2 : 1);
		break;
	case EL_MINUTE:
	case EL_ZERO_MINUTE:
		put_number(out, p->min, el == EL_ZERO_MINUTE ? 2 : 1);
		break;
	case EL_SECOND:
	case EL_ZERO_SECOND:
		put_number(out, p->sec, el == EL_ZERO_SECOND ? 2 : 1);
		break;
	case EL_PM:
		text_puts(out, p->hour >= 12 ? "PM" : "AM");
		break;
	default:
		text_puts(out, p->hour >= 12 ? "pm" : "am");
		break;
	}
}

static void
put_element(struct text *out, const struct gotime *t,
    const struct gotime_parts *p, const struct chunk *c)
{
	switch ((int)c->element) {
	case EL_NONE:
		break;
	case EL_HOUR:
	case EL_HOUR12:
	case EL_ZERO_HOUR12:
	case EL_MINUTE:
	case EL_ZERO_MINUTE:
	case EL_SECOND:
	case EL_ZERO_SECOND:
	case EL_PM:
	case EL_LOWER_PM:
		put_clock(out, p, c->element);
		break;
	case EL_ZONE_NAME:
		if (p->at.name_len > 0)
			text_append(out, p->at.name, p->at.name_len);
		else
			put_offset(out, p->at.offset, "-0700", 5);
		break;
	case EL_OFFSET:
		put_offset(out, p->at.offset, c->text, c->len);
		break;
	case EL_FRACTION:
	case EL_FRACTION_CUT:
		put_fraction(out, t->nsec, c);
		break;
	default:
		put_date(out, p, c->element);
		break;
	}
}

void
golayout_format(
    struct text *out, const struct gotime *t, const char *layout, size_t len)
{
	struct gotime_parts p;

	if (env_step(out->env, 1 + len) < 0) {
		out->failed = true;
		return;
	}
	gotime_split(t, &p);
	while (len > 0 && !out->failed) {
		struct chunk c = golayout_next(&layout, &len);

		text_append(out, c.prefix, c.prefix_len);
		put_element(out, t, &p, &c);
	}
}

void
golayout_string(struct text *out, const struct gotime *t)
{
	static const char layout[] = "2006-01-02 15:04:05.999999999 -0700 MST";
	uint64_t m = t->mono < 0 ? 0 - (uint64_t)t->mono : (uint64_t)t->mono;

	golayout_format(out, t, layout, sizeof(layout) - 1);
	if (t->has_mono)
		text_printf(out, " m=%c%llu.%09llu", t->mono < 0 ? '-' : '+',
		    (unsigned long long)(m / NS_PER_S),
		    (unsigned long long)(m % NS_PER_S));
}
