/*
 * Log lines in the two formats of Go's slog: quoting, escapes, time and level
 * texts follow its TextHandler and JSONHandler. A line is built on the stack
 * and written with one write(2) under a lock, so that lines never mix.
 */
#include "base/log.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/thread.h"
#include "base/timefmt.h"

#define LINE_LIMIT 16384
/* Kept free for what ends a line that had to be cut: the mark, quotes, brace,
 * line feed. */
#define LINE_RESERVE 16
#define CUT_MARK     "..."
#define RUNE_ERROR   0xfffd

struct line {
	char text[LINE_LIMIT];
	size_t len;
	bool cut; /* full: nothing but closing marks goes in any more */
};

static struct log_config config = { .info_stdout = true };
static struct mutex write_lock = { .m = PTHREAD_MUTEX_INITIALIZER };

void
log_init(const struct log_config *cfg)
{
	config = *cfg;
}

static size_t
room(const struct line *l)
{
	size_t limit = sizeof(l->text) - LINE_RESERVE;

	return l->cut || l->len >= limit ? 0 : limit - l->len;
}

/* Whole pieces only, so that no escape is ever torn. */
static void
put(struct line *l, const char *s, size_t len)
{
	if (len > room(l)) {
		l->cut = true;
		return;
	}
	memcpy(l->text + l->len, s, len);
	l->len += len;
}

static void
puts_line(struct line *l, const char *s)
{
	put(l, s, strlen(s));
}

/* Into the reserve; a line has at most eight bytes of these. */
static void
put_closing(struct line *l, const char *s)
{
	size_t len = strlen(s);

	if (len > sizeof(l->text) - l->len)
		abort();
	memcpy(l->text + l->len, s, len);
	l->len += len;
}

static PRINTF(2, 3) void put_escape(struct line *l, const char *fmt, ...)
{
	char esc[16];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(esc, sizeof(esc), fmt, ap);
	va_end(ap);
	if (n > 0)
		put(l, esc, (size_t)n);
}

/* Rune at s and its size; RUNE_ERROR of size 1 for what is not UTF-8. */
static uint32_t
decode_rune(const char *s, size_t *size)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	unsigned char c = (unsigned char)*s;
	size_t n = c < 0xc0 ? 0 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;
	uint32_t r;

	*size = 1;
	if (c < 0x80)
		return c;
	if (n == 0 || c > 0xf4)
		return RUNE_ERROR;
	r = c & (0x7fu >> n);
	for (size_t i = 1; i < n; i++) {
		c = (unsigned char)s[i];
		if ((c & 0xc0) != 0x80)
			return RUNE_ERROR;
		r = r << 6 | (c & 0x3f);
	}
	if (r < least[n] || r > 0x10ffff || (r >= 0xd800 && r <= 0xdfff))
		return RUNE_ERROR;
	*size = n;
	return r;
}

/*
 * Not printable in Go's sense: spaces, controls, format characters (they could
 * reorder a line on a terminal), private use, non-characters. Code points that
 * Unicode has not assigned pass as printable; Go's answer for them changes
 * with its version.
 */
static bool
is_printable(uint32_t r)
{
	static const struct {
		uint32_t first, last;
	} no[] = {
		{ 0x00, 0x1f },
		{ 0x7f, 0xa0 },
		{ 0xad, 0xad },
		{ 0x600, 0x605 },
		{ 0x61c, 0x61c },
		{ 0x6dd, 0x6dd },
		{ 0x70f, 0x70f },
		{ 0x890, 0x891 },
		{ 0x8e2, 0x8e2 },
		{ 0x1680, 0x1680 },
		{ 0x180e, 0x180e },
		{ 0x2000, 0x200f },
		{ 0x2028, 0x202f },
		{ 0x205f, 0x206f },
		{ 0x3000, 0x3000 },
		{ 0xd800, 0xf8ff },
		{ 0xfeff, 0xfeff },
		{ 0xfff0, 0xfffb },
		{ 0xfffe, 0xffff },
		{ 0x110bd, 0x110bd },
		{ 0x110cd, 0x110cd },
		{ 0x13430, 0x1343f },
		{ 0x1bca0, 0x1bca3 },
		{ 0x1d173, 0x1d17a },
		{ 0xe0000, 0xe00ff },
		{ 0xe01f0, 0x10ffff },
	};

	for (size_t i = 0; i < ARRAY_SIZE(no); i++)
		if (r >= no[i].first && r <= no[i].last)
			return false;
	return true;
}

static bool
needs_quoting(const char *s)
{
	size_t size;

	if (*s == '\0')
		return true;
	for (; *s != '\0'; s += size) {
		uint32_t r = decode_rune(s, &size);

		if (r < 0x80) {
			/* DEL passes, as in slog's table. */
			if (r <= ' ' || r == '=' || r == '"')
				return true;
			continue;
		}
		if (r == RUNE_ERROR || !is_printable(r))
			return true;
	}
	return false;
}

/* One rune inside quotes, as Go's strconv.Quote writes it. */
static void
put_quoted_rune(struct line *l, const char *s, uint32_t r, size_t size)
{
	static const char named[] = "abtnvfr"; /* from 0x07 on */

	if (r == RUNE_ERROR && size == 1)
		put_escape(l, "\\x%02x", (unsigned char)*s);
	else if (r == '"' || r == '\\')
		put_escape(l, "\\%c", (char)r);
	else if (is_printable(r) || r == ' ')
		put(l, s, size);
	else if (r >= 0x07 && r <= 0x0d)
		put_escape(l, "\\%c", named[r - 0x07]);
	else if (r < ' ' || r == 0x7f)
		put_escape(l, "\\x%02x", (unsigned)r);
	else if (r < 0x10000)
		put_escape(l, "\\u%04x", (unsigned)r);
	else
		put_escape(l, "\\U%08x", (unsigned)r);
}

static void
put_json_rune(struct line *l, const char *s, uint32_t r, size_t size)
{
	if (r == RUNE_ERROR && size == 1)
		puts_line(l, "\\ufffd");
	else if (r == '"' || r == '\\')
		put_escape(l, "\\%c", (char)r);
	else if (r == '\n')
		puts_line(l, "\\n");
	else if (r == '\r')
		puts_line(l, "\\r");
	else if (r == '\t')
		puts_line(l, "\\t");
	else if (r < ' ' || r == 0x2028 || r == 0x2029)
		put_escape(l, "\\u%04x", (unsigned)r);
	else
		put(l, s, size);
}

/* In quotes; a value that does not fit ends in a mark. */
static void
put_quoted(struct line *l, const char *s, bool json)
{
	size_t size;

	puts_line(l, "\"");
	if (l->cut)
		return;
	for (; *s != '\0' && !l->cut; s += size) {
		uint32_t r = decode_rune(s, &size);

		if (json)
			put_json_rune(l, s, r, size);
		else
			put_quoted_rune(l, s, r, size);
	}
	if (l->cut)
		put_closing(l, CUT_MARK);
	put_closing(l, "\"");
}

static void
put_text_value(struct line *l, const char *s)
{
	size_t size;

	if (needs_quoting(s)) {
		put_quoted(l, s, false);
		return;
	}
	for (; *s != '\0' && !l->cut; s += size) {
		(void)decode_rune(s, &size);
		put(l, s, size);
	}
	if (l->cut)
		put_closing(l, CUT_MARK);
}

/* A pair only begins where its name and an empty value fit. */
static void
put_pair(struct line *l, const char *key, const char *value)
{
	if (value == NULL)
		value = "";
	if (6 * strlen(key) + 8 > room(l)) {
		l->cut = true;
		return;
	}
	if (config.json) {
		puts_line(l, l->len > 1 ? "," : "");
		put_quoted(l, key, true);
		puts_line(l, ":");
		put_quoted(l, value, true);
	} else {
		puts_line(l, l->len > 0 ? " " : "");
		put_text_value(l, key);
		puts_line(l, "=");
		put_text_value(l, value);
	}
}

static void
level_text(int level, char *out, size_t size)
{
	const char *name = "ERROR";
	int base = LOG_LEVEL_ERROR;

	if (level < LOG_LEVEL_INFO) {
		name = "DEBUG";
		base = LOG_LEVEL_DEBUG;
	} else if (level < LOG_LEVEL_WARN) {
		name = "INFO";
		base = LOG_LEVEL_INFO;
	} else if (level < LOG_LEVEL_ERROR) {
		name = "WARN";
		base = LOG_LEVEL_WARN;
	}
	if (level == base)
		(void)snprintf(out, size, "%s", name);
	else
		(void)snprintf(out, size, "%s%+d", name, level - base);
}

/* RFC 3339: milliseconds, or for JSON nanoseconds without trailing zeros. */
static void
time_text(char out[static TIMEFMT_MAX])
{
	const struct clock *c =
	    config.clock != NULL ? config.clock : &clock_system;
	int64_t ns = clock_wall_ns(c);
	int64_t s = ns / (int64_t)NS_PER_S;
	int64_t frac = ns % (int64_t)NS_PER_S;
	size_t n;

	if (!config.json) {
		timefmt_rfc3339_ms(ns, out);
		return;
	}
	if (frac < 0) {
		frac += (int64_t)NS_PER_S;
		s--;
	}
	timefmt_rfc3339(s, out);
	if (frac == 0)
		return;
	n = strlen(out) - 1;
	n += (size_t)snprintf(out + n, TIMEFMT_MAX - n, ".%09" PRId64, frac);
	while (out[n - 1] == '0')
		n--;
	(void)snprintf(out + n, TIMEFMT_MAX - n, "Z");
}

static void
write_line(int level, const struct line *l)
{
	int low = config.fd_low != 0 ? config.fd_low : STDOUT_FILENO;
	int high = config.fd_high != 0 ? config.fd_high : STDERR_FILENO;
	int fd = level <= LOG_LEVEL_INFO && config.info_stdout ? low : high;
	size_t done = 0;

	mutex_lock(&write_lock);
	while (done < l->len) {
		ssize_t n = write(fd, l->text + done, l->len - done);

		if (n > 0)
			done += (size_t)n;
		else if (n == 0 || errno != EINTR)
			break; /* nobody is left to be told */
	}
	mutex_unlock(&write_lock);
}

bool
log_enabled(int level)
{
	return level >= config.level;
}

void
log_write(int level, const char *msg, ...)
{
	char level_name[32], when[TIMEFMT_MAX];
	const char *key;
	struct line l;
	va_list ap;

	if (!log_enabled(level))
		return;
	l.len = 0;
	l.cut = false;
	level_text(level, level_name, sizeof(level_name));
	time_text(when);
	if (config.json)
		puts_line(&l, "{");
	put_pair(&l, "time", when);
	put_pair(&l, "level", level_name);
	put_pair(&l, "msg", msg);
	va_start(ap, msg);
	while ((key = va_arg(ap, const char *)) != NULL) {
		const char *value = va_arg(ap, const char *);

		put_pair(&l, key, value);
	}
	va_end(ap);
	put_closing(&l, config.json ? "}\n" : "\n");
	write_line(level, &l);
}

/* Go's strconv.Atoi for a text that begins with a sign; bounded, since the
 * sum with a level must fit an int. */
static bool
parse_offset(const char *s, int *v)
{
	bool neg = *s == '-';
	int sum = 0;

	s++;
	if (*s == '\0')
		return false;
	for (; *s != '\0'; s++) {
		if (*s < '0' || *s > '9' || sum > 1000000)
			return false;
		sum = sum * 10 + (*s - '0');
	}
	*v = neg ? -sum : sum;
	return true;
}

int
log_parse_level(const char *s, int *level)
{
	static const struct {
		const char *name;
		int level;
	} levels[] = {
		{ "DEBUG", LOG_LEVEL_DEBUG },
		{ "INFO", LOG_LEVEL_INFO },
		{ "WARN", LOG_LEVEL_WARN },
		{ "ERROR", LOG_LEVEL_ERROR },
	};
	size_t len = strcspn(s, "+-");
	int offset = 0;

	*level = LOG_LEVEL_INFO;
	if (s[len] != '\0' && !parse_offset(s + len, &offset))
		return -1;
	for (size_t i = 0; i < ARRAY_SIZE(levels); i++) {
		if (strlen(levels[i].name) == len &&
		    strncasecmp(s, levels[i].name, len) == 0) {
			*level = levels[i].level + offset;
			return 0;
		}
	}
	return -1;
}
