/*
 * Text forms of times and durations. The calendar is computed here: the C
 * library's calls depend on the process's time zone or on static memory.
 */
#include "base/timefmt.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"

#define DAY_S	       INT64_C(86400)
#define DAYS_400Y      INT64_C(146097)
#define DAYS_TO_1970   INT64_C(719468) /* from 1 March of year 0 */
#define DURATION_LIMIT (UINT64_C(1) << 63)

struct date {
	int64_t year;
	int month, day; /* from 1 */
	int hour, minute, second;
};

/* Howard Hinnant's civil_from_days and days_from_civil: years begin in March,
 * so that the leap day is the last one. */
static void
split_days(int64_t days, struct date *d)
{
	int64_t era, doe, yoe, doy, mp;

	days += DAYS_TO_1970;
	era = (days >= 0 ? days : days - (DAYS_400Y - 1)) / DAYS_400Y;
	doe = days - era * DAYS_400Y;
	yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
	mp = (5 * doy + 2) / 153;
	d->day = (int)(doy - (153 * mp + 2) / 5 + 1);
	d->month = (int)(mp < 10 ? mp + 3 : mp - 9);
	d->year = yoe + era * 400 + (d->month <= 2);
}

static int64_t
days_of(const struct date *d)
{
	int64_t y = d->month <= 2 ? d->year - 1 : d->year;
	int64_t era = (y >= 0 ? y : y - 399) / 400;
	int64_t yoe = y - era * 400;
	int64_t mp = d->month > 2 ? d->month - 3 : d->month + 9;
	int64_t doy = (153 * mp + 2) / 5 + d->day - 1;
	int64_t doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;

	return era * DAYS_400Y + doe - DAYS_TO_1970;
}

static void
split_time(int64_t unix_s, struct date *d)
{
	int64_t days = unix_s / DAY_S;
	int64_t rest = unix_s % DAY_S;

	if (rest < 0) {
		rest += DAY_S;
		days--;
	}
	split_days(days, d);
	d->hour = (int)(rest / 3600);
	d->minute = (int)(rest / 60 % 60);
	d->second = (int)(rest % 60);
}

static int
print_date(int64_t unix_s, char out[static TIMEFMT_MAX])
{
	struct date d;

	split_time(unix_s, &d);
	return snprintf(out, TIMEFMT_MAX,
	    "%04" PRId64 "-%02d-%02dT%02d:%02d:%02d", d.year, d.month, d.day,
	    d.hour, d.minute, d.second);
}

void
timefmt_rfc3339(int64_t unix_s, char out[static TIMEFMT_MAX])
{
	int n = print_date(unix_s, out);

	(void)snprintf(out + n, TIMEFMT_MAX - (size_t)n, "Z");
}

static void
print_fraction(int64_t wall_ns, int digits, char out[static TIMEFMT_MAX])
{
	int64_t s = wall_ns / (int64_t)NS_PER_S;
	int64_t ns = wall_ns % (int64_t)NS_PER_S;
	int n;

	if (ns < 0) {
		ns += (int64_t)NS_PER_S;
		s--;
	}
	for (int i = digits; i < 9; i++)
		ns /= 10;
	n = print_date(s, out);
	(void)snprintf(
	    out + n, TIMEFMT_MAX - (size_t)n, ".%0*" PRId64 "Z", digits, ns);
}

void
timefmt_rfc3339_ms(int64_t wall_ns, char out[static TIMEFMT_MAX])
{
	print_fraction(wall_ns, 3, out);
}

void
timefmt_rfc3339_us(int64_t wall_ns, char out[static TIMEFMT_MAX])
{
	print_fraction(wall_ns, 6, out);
}

/* Exactly n digits at *s, which moves behind them. */
static bool
take_digits(const char **s, int n, int64_t *v)
{
	*v = 0;
	for (int i = 0; i < n; i++) {
		if (**s < '0' || **s > '9')
			return false;
		*v = *v * 10 + (*(*s)++ - '0');
	}
	return true;
}

static bool
take_int(const char **s, int n, int *v)
{
	int64_t wide;

	if (!take_digits(s, n, &wide))
		return false;
	*v = (int)wide;
	return true;
}

static bool
take_char(const char **s, char c)
{
	if (**s != c)
		return false;
	(*s)++;
	return true;
}

/* ".123", also with a comma; nothing at all is fine too. */
static void
skip_fraction(const char **s)
{
	if ((**s != '.' && **s != ',') || (*s)[1] < '0' || (*s)[1] > '9')
		return;
	(*s)++;
	while (**s >= '0' && **s <= '9')
		(*s)++;
}

static bool
date_is_valid(const struct date *d)
{
	static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30,
		31 };
	bool leap =
	    (d->year % 4 == 0 && d->year % 100 != 0) || d->year % 400 == 0;
	int last;

	if (d->month < 1 || d->month > 12)
		return false;
	last = days[d->month - 1] + (d->month == 2 && leap);
	return d->day >= 1 && d->day <= last && d->hour <= 23 &&
	    d->minute <= 59 && d->second <= 59;
}

/* "+hh:mm", or "+hhmm" without the colon. */
static bool
take_offset(const char **s, bool colon, int64_t *offset_s)
{
	int64_t sign = **s == '-' ? -1 : 1;
	int hour, minute;

	if (!take_char(s, '+') && !take_char(s, '-'))
		return false;
	if (!take_int(s, 2, &hour) || (colon && !take_char(s, ':')) ||
	    !take_int(s, 2, &minute))
		return false;
	if (hour > 24 || minute > 60)
		return false;
	*offset_s = sign * (hour * 3600 + minute * 60);
	return true;
}

static int64_t
join_time(const struct date *d, int64_t offset_s)
{
	return days_of(d) * DAY_S + d->hour * 3600 + d->minute * 60 +
	    d->second - offset_s;
}

int
timefmt_parse_rfc3339(const char *s, int64_t *unix_s, struct err *err)
{
	struct date d;
	int64_t offset = 0;

	if (!take_digits(&s, 4, &d.year) || !take_char(&s, '-') ||
	    !take_int(&s, 2, &d.month) || !take_char(&s, '-') ||
	    !take_int(&s, 2, &d.day) || !take_char(&s, 'T') ||
	    !take_int(&s, 2, &d.hour) || !take_char(&s, ':') ||
	    !take_int(&s, 2, &d.minute) || !take_char(&s, ':') ||
	    !take_int(&s, 2, &d.second))
		return err_set(err, ERR_INVALID, "not an RFC 3339 time");
	skip_fraction(&s);
	if (!take_char(&s, 'Z') && !take_offset(&s, true, &offset))
		return err_set(err, ERR_INVALID, "not an RFC 3339 time");
	if (*s != '\0' || !date_is_valid(&d))
		return err_set(err, ERR_INVALID, "not an RFC 3339 time");
	*unix_s = join_time(&d, offset);
	return 0;
}

int64_t
timefmt_rfc3339_or(const char *s, int64_t other)
{
	struct err err = ERR_INIT;
	int64_t unix_s = 0;

	if (s == NULL || timefmt_parse_rfc3339(s, &unix_s, &err) < 0)
		return other;
	return unix_s;
}

/* One of n three-letter names, in any case; its index, -1: none. */
static int
take_name(const char **s, const char *const names[], int n)
{
	for (int i = 0; i < n; i++) {
		if (strncasecmp(*s, names[i], 3) == 0) {
			*s += 3;
			return i;
		}
	}
	return -1;
}

/* A space of Go's layout stands for one space or more. */
static bool
take_spaces(const char **s)
{
	if (**s != ' ')
		return false;
	while (**s == ' ')
		(*s)++;
	return true;
}

/* Layout "15": two digits or one. */
static bool
take_hour(const char **s, int *v)
{
	if ((*s)[0] != '\0' && ((*s)[1] < '0' || (*s)[1] > '9'))
		return take_int(s, 1, v);
	return take_int(s, 2, v);
}

int
timefmt_parse_rfc1123z(const char *s, int64_t *unix_s, struct err *err)
{
	static const char *const weekdays[] = { "Sun", "Mon", "Tue", "Wed",
		"Thu", "Fri", "Sat" };
	static const char *const months[] = { "Jan", "Feb", "Mar", "Apr", "May",
		"Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };
	struct date d;
	int64_t offset;

	if (take_name(&s, weekdays, 7) < 0 || !take_char(&s, ',') ||
	    !take_spaces(&s) || !take_int(&s, 2, &d.day) || !take_spaces(&s))
		goto bad;
	d.month = take_name(&s, months, 12) + 1;
	if (d.month == 0 || !take_spaces(&s) || !take_digits(&s, 4, &d.year) ||
	    !take_spaces(&s) || !take_hour(&s, &d.hour) ||
	    !take_char(&s, ':') || !take_int(&s, 2, &d.minute) ||
	    !take_char(&s, ':') || !take_int(&s, 2, &d.second))
		goto bad;
	skip_fraction(&s);
	if (!take_spaces(&s) || !take_offset(&s, false, &offset) ||
	    *s != '\0' || !date_is_valid(&d))
		goto bad;
	*unix_s = join_time(&d, offset);
	return 0;
bad:
	return err_set(err, ERR_INVALID, "not an RFC 1123 time");
}

/* Appends to a NUL-terminated text as far as there is room. */
static void
quote_put(char *out, size_t size, const char *s, size_t len)
{
	size_t used = strlen(out);

	if (len < size - used) {
		memcpy(out + used, s, len);
		out[used + len] = '\0';
	}
}

/* Go's time.quote(): control and non-ASCII bytes become \xNN. */
static void
quote(const char *s, size_t len, char *out, size_t size)
{
	out[0] = '\0';
	quote_put(out, size, "\"", 1);
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)s[i];
		char esc[8];
		int n;

		if (c >= 0x80 || c < ' ')
			n = snprintf(esc, sizeof(esc), "\\x%02x", c);
		else if (c == '"' || c == '\\')
			n = snprintf(esc, sizeof(esc), "\\%c", c);
		else
			n = snprintf(esc, sizeof(esc), "%c", c);
		quote_put(out, size, esc, (size_t)n);
	}
	quote_put(out, size, "\"", 1);
}

static int
duration_error(struct err *err, const char *what, const char *text)
{
	char quoted[ERR_TEXT_MAX];

	quote(text, strlen(text), quoted, sizeof(quoted));
	return err_set(err, ERR_INVALID, "time: %s %s", what, quoted);
}

/* Digits at *s; false where they pass 2^63. */
static bool
leading_int(const char **s, uint64_t *v)
{
	*v = 0;
	for (; **s >= '0' && **s <= '9'; (*s)++) {
		if (*v > DURATION_LIMIT / 10)
			return false;
		*v = *v * 10 + (uint64_t)(**s - '0');
		if (*v > DURATION_LIMIT)
			return false;
	}
	return true;
}

/* Digits behind the point; those that no longer fit are dropped. */
static void
leading_fraction(const char **s, uint64_t *v, double *scale)
{
	bool full = false;

	*v = 0;
	*scale = 1;
	for (; **s >= '0' && **s <= '9'; (*s)++) {
		uint64_t next;

		if (full || *v > (DURATION_LIMIT - 1) / 10) {
			full = true;
			continue;
		}
		next = *v * 10 + (uint64_t)(**s - '0');
		if (next > DURATION_LIMIT) {
			full = true;
			continue;
		}
		*v = next;
		*scale *= 10;
	}
}

static uint64_t
unit_ns(const char *s, size_t len)
{
	static const struct {
		const char *name;
		uint64_t ns;
	} units[] = {
		{ "ns", 1 },
		{ "us", 1000 },
		{ "\xc2\xb5s", 1000 }, /* U+00B5, micro sign */
		{ "\xce\xbcs", 1000 }, /* U+03BC, Greek letter mu */
		{ "ms", 1000 * 1000 },
		{ "s", NS_PER_S },
		{ "m", 60 * NS_PER_S },
		{ "h", 3600 * NS_PER_S },
	};

	for (size_t i = 0; i < ARRAY_SIZE(units); i++)
		if (strlen(units[i].name) == len &&
		    memcmp(units[i].name, s, len) == 0)
			return units[i].ns;
	return 0;
}

/* One "1.5h" at *s, added to *sum; what: the complaint, in Go's words. */
static bool
take_duration_part(const char **s, uint64_t *sum, char *what, size_t what_size)
{
	char quoted[ERR_TEXT_MAX / 2];
	uint64_t v, f = 0, unit;
	double scale = 1;
	const char *start = *s;
	size_t digits, len;

	(void)snprintf(what, what_size, "invalid duration");
	if (!leading_int(s, &v))
		return false;
	digits = (size_t)(*s - start);
	if (take_char(s, '.')) {
		start = *s;
		leading_fraction(s, &f, &scale);
		digits += (size_t)(*s - start);
	}
	if (digits == 0)
		return false;
	len = strcspn(*s, ".0123456789");
	if (len == 0) {
		(void)snprintf(what, what_size, "missing unit in duration");
		return false;
	}
	unit = unit_ns(*s, len);
	if (unit == 0) {
		quote(*s, len, quoted, sizeof(quoted));
		(void)snprintf(
		    what, what_size, "unknown unit %s in duration", quoted);
		return false;
	}
	*s += len;
	if (v > DURATION_LIMIT / unit)
		return false;
	v *= unit;
	if (f > 0)
		v += (uint64_t)((double)f * ((double)unit / scale));
	if (v > DURATION_LIMIT)
		return false;
	*sum += v;
	return *sum <= DURATION_LIMIT;
}

int
timefmt_parse_duration(const char *s, int64_t *ns, struct err *err)
{
	char what[ERR_TEXT_MAX];
	const char *text = s;
	uint64_t sum = 0;
	bool neg = *s == '-';

	if (*s == '-' || *s == '+')
		s++;
	if (strcmp(s, "0") == 0) {
		*ns = 0;
		return 0;
	}
	if (*s == '\0')
		return duration_error(err, "invalid duration", text);
	while (*s != '\0')
		if (!take_duration_part(&s, &sum, what, sizeof(what)))
			return duration_error(err, what, text);
	if (sum == DURATION_LIMIT && !neg)
		return duration_error(err, "invalid duration", text);
	if (sum == DURATION_LIMIT)
		*ns = INT64_MIN;
	else
		*ns = neg ? -(int64_t)sum : (int64_t)sum;
	return 0;
}

/* v / 10^digits without trailing zeros. */
static int
print_decimal(char *out, size_t size, uint64_t v, int digits)
{
	uint64_t scale = 1;
	int n;

	for (int i = 0; i < digits; i++)
		scale *= 10;
	if (v % scale == 0)
		return snprintf(out, size, "%" PRIu64, v / scale);
	n = snprintf(
	    out, size, "%" PRIu64 ".%0*" PRIu64, v / scale, digits, v % scale);
	while (n > 0 && out[n - 1] == '0')
		out[--n] = '\0';
	return n;
}

void
timefmt_duration(int64_t ns, char out[static TIMEFMT_MAX])
{
	uint64_t u = ns < 0 ? -(uint64_t)ns : (uint64_t)ns;
	const char *unit = "s";
	uint64_t minutes;
	size_t n = 0;

	if (ns < 0)
		out[n++] = '-';
	if (u > 0 && u < NS_PER_S) {
		int digits = u < 1000 ? 0 : u < NS_PER_MS ? 3 : 6;

		unit = digits == 0 ? "ns" : digits == 3 ? "\xc2\xb5s" : "ms";
		n += (size_t)print_decimal(out + n, TIMEFMT_MAX - n, u, digits);
	} else {
		minutes = u / NS_PER_S / 60;
		if (minutes >= 60)
			n += (size_t)snprintf(out + n, TIMEFMT_MAX - n,
			    "%" PRIu64 "h", minutes / 60);
		if (minutes > 0)
			n += (size_t)snprintf(out + n, TIMEFMT_MAX - n,
			    "%" PRIu64 "m", minutes % 60);
		n += (size_t)print_decimal(
		    out + n, TIMEFMT_MAX - n, u % (60 * NS_PER_S), 9);
	}
	(void)snprintf(out + n, TIMEFMT_MAX - n, "%s", unit);
}
