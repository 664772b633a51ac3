/*
 * Allocation, strings, times, identifiers and JSON access for the API server.
 */
#include "util.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

static void *
need(void *p)
{
	if (p == NULL) {
		fputs("apiserver: out of memory\n", stderr);
		abort();
	}
	return p;
}

void *
util_alloc(size_t n)
{
	return need(calloc(1, n == 0 ? 1 : n));
}

void *
util_grow(void *p, size_t n)
{
	return need(realloc(p, n));
}

char *
util_strdup(const char *s)
{
	return need(strdup(s));
}

char *
util_strndup(const char *s, size_t n)
{
	return need(strndup(s, n));
}

static char *vformat(const char *fmt, va_list ap) PRINTFLIKE(1, 0);

static char *
vformat(const char *fmt, va_list ap)
{
	char *out = NULL;

	if (vasprintf(&out, fmt, ap) < 0)
		out = NULL;
	return need(out);
}

char *
util_format(const char *fmt, ...)
{
	va_list ap;
	char *out;

	va_start(ap, fmt);
	out = vformat(fmt, ap);
	va_end(ap);
	return out;
}

void
sbuf_add(struct sbuf *sb, const void *data, size_t len)
{
	if (sb->len + len + 1 > sb->cap) {
		size_t cap = sb->cap == 0 ? 256 : sb->cap;

		while (cap < sb->len + len + 1)
			cap *= 2;
		sb->data = util_grow(sb->data, cap);
		sb->cap = cap;
	}
	if (len > 0)
		memcpy(sb->data + sb->len, data, len);
	sb->len += len;
	sb->data[sb->len] = '\0';
}

void
sbuf_adds(struct sbuf *sb, const char *s)
{
	sbuf_add(sb, s, strlen(s));
}

void
sbuf_addf(struct sbuf *sb, const char *fmt, ...)
{
	va_list ap;
	char *s;

	va_start(ap, fmt);
	s = vformat(fmt, ap);
	va_end(ap);
	sbuf_adds(sb, s);
	free(s);
}

void
sbuf_release(struct sbuf *sb)
{
	free(sb->data);
	memset(sb, 0, sizeof(*sb));
}

int64_t
util_now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

void
util_time(char out[TIME_SIZE])
{
	time_t now = time(NULL);
	struct tm tm;

	gmtime_r(&now, &tm);
	strftime(out, TIME_SIZE, "%Y-%m-%dT%H:%M:%SZ", &tm);
}

static void
random_bytes(unsigned char *p, size_t n)
{
	if (getrandom(p, n, 0) != (ssize_t)n)
		abort();
}

void
util_uuid(char out[UUID_SIZE])
{
	unsigned char b[16];

	random_bytes(b, sizeof(b));
	b[6] = (unsigned char)((b[6] & 0x0f) | 0x40);
	b[8] = (unsigned char)((b[8] & 0x3f) | 0x80);
	snprintf(out, UUID_SIZE,
	    "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-"
	    "%02x%02x%02x%02x%02x%02x",
	    b[0], b[1], b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10],
	    b[11], b[12], b[13], b[14], b[15]);
}

void
util_random_suffix(char out[6])
{
	static const char alphabet[] = "bcdfghjklmnpqrstvwxz2456789";
	unsigned char b[5];

	random_bytes(b, sizeof(b));
	for (size_t i = 0; i < sizeof(b); i++)
		out[i] = alphabet[b[i] % (sizeof(alphabet) - 1)];
	out[5] = '\0';
}

bool
util_parse_u64(const char *s, uint64_t *ret)
{
	uint64_t v = 0;

	if (*s == '\0')
		return false;
	for (; *s != '\0'; s++) {
		if (*s < '0' || *s > '9' || v > (UINT64_MAX - 9) / 10)
			return false;
		v = v * 10 + (uint64_t)(*s - '0');
	}
	*ret = v;
	return true;
}

bool
util_str_in(const char *s, const char *const *set, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (strcmp(s, set[i]) == 0)
			return true;
	}
	return false;
}

json_t *
json_at(const json_t *root, ...)
{
	va_list ap;
	const char *word;

	va_start(ap, root);
	while (root != NULL && (word = va_arg(ap, const char *)) != NULL)
		root = json_object_get(root, word);
	va_end(ap);
	return (json_t *)root;
}

const char *
json_str(const json_t *root, const char *key)
{
	return json_string_value(json_object_get(root, key));
}

bool
json_flag(const json_t *root, const char *key, bool fallback)
{
	const json_t *v = json_object_get(root, key);

	return json_is_boolean(v) ? json_is_true(v) : fallback;
}

int64_t
json_num(const json_t *root, const char *key, int64_t fallback)
{
	const json_t *v = json_object_get(root, key);

	return json_is_integer(v) ? json_integer_value(v) : fallback;
}

void
json_put(json_t *obj, const char *key, json_t *value)
{
	if (json_object_set_new(obj, key, need(value)) < 0)
		abort();
}

void
json_puts(json_t *obj, const char *key, const char *value)
{
	json_put(obj, key, json_string(value));
}

json_t *
json_child(json_t *obj, const char *key)
{
	json_t *v = json_object_get(obj, key);

	if (!json_is_object(v)) {
		json_put(obj, key, json_object());
		v = json_object_get(obj, key);
	}
	return v;
}

json_t *
json_parse(const char *data, size_t len, char **why)
{
	json_error_t e;
	json_t *v;

	v = json_loadb(data, len, JSON_ALLOW_NUL, &e);
	if (v == NULL && why != NULL)
		*why = util_strdup(e.text);
	return v;
}

char *
json_text(const json_t *v)
{
	return need(json_dumps(v, JSON_COMPACT | JSON_ENCODE_ANY));
}
