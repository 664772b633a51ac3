/*
 * Random strings and numbers, from the kernel's generator.
 */
#include "func.h"

#include <string.h>
#include <sys/random.h>

#include "base/mem.h"
#include "utf8.h"

#define POOL	   256
#define UUID_BYTES 16
#define LOWER	   "abcdefghijklmnopqrstuvwxyz"
#define UPPER	   "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS	   "0123456789"
#define BASE64	   UPPER LOWER DIGITS "+/"

/* Random bytes, fetched many at a time. */
struct pool {
	uint8_t bytes[POOL];
	size_t left;
};

static int
fill(struct env *e, void *p, size_t len)
{
	if (getrandom(p, len, 0) != (ssize_t)len)
		return env_fail(e, "no random bytes");
	return 0;
}

static int
next_byte(struct env *e, struct pool *pool, uint8_t *ret)
{
	if (pool->left == 0) {
		if (fill(e, pool->bytes, POOL) < 0)
			return -1;
		pool->left = POOL;
	}
	*ret = pool->bytes[--pool->left];
	return 0;
}

/* 0 <= *ret < n, each as likely as the others. */
static int
below(struct env *e, struct pool *pool, uint64_t n, uint64_t *ret)
{
	const uint64_t reject = UINT64_MAX - UINT64_MAX % n;
	uint64_t v;

	do {
		v = 0;
		for (size_t i = 0; i < sizeof(v); i++) {
			uint8_t b;

			if (next_byte(e, pool, &b) < 0)
				return -1;
			v = v << 8 | b;
		}
	} while (v >= reject);
	*ret = v % n;
	return 0;
}

static int
from_set(struct call *c, const char *set, struct value *ret)
{
	size_t size = strlen(set);
	struct pool pool = { .left = 0 };
	struct text out;
	uint64_t at;
	int rc = 0;

	text_init(&out, c->env);
	for (int64_t i = 0; i < c->args[0].u.i && rc == 0; i++) {
		if (env_step(c->env, 1) < 0 || out.failed)
			rc = -1;
		else
			rc = below(c->env, &pool, size, &at);
		if (rc == 0)
			text_putc(&out, set[at]);
	}
	mem_wipe(&pool, sizeof(pool));
	return rc < 0 ? -1 : text_done(&out, ret);
}

static int
fn_alpha_num(struct call *c, struct value *ret)
{
	return from_set(c, LOWER UPPER DIGITS, ret);
}

static int
fn_alpha(struct call *c, struct value *ret)
{
	return from_set(c, LOWER UPPER, ret);
}

static int
fn_numeric(struct call *c, struct value *ret)
{
	return from_set(c, DIGITS, ret);
}

static int
fn_ascii(struct call *c, struct value *ret)
{
	return from_set(c,
	    " !\"#$%&'()*+,-./" DIGITS ":;<=>?@" UPPER "[\\]^_`" LOWER "{|}~",
	    ret);
}

/* Standard base64 of n bytes. */
static int
fn_bytes(struct call *c, struct value *ret)
{
	int64_t n = c->args[0].u.i;
	struct pool pool = { .left = 0 };
	struct text out;

	if (n < 0)
		return call_fail(
		    c, "runtime error: makeslice: len out of range");
	text_init(&out, c->env);
	for (int64_t i = 0; i < n && !out.failed; i += 3) {
		size_t size = n - i < 3 ? (size_t)(n - i) : 3;
		uint8_t b[3] = { 0 };
		uint32_t v;

		if (env_step(c->env, 1) < 0)
			return -1;
		for (size_t j = 0; j < size; j++) {
			if (next_byte(c->env, &pool, &b[j]) < 0)
				return -1;
		}
		v = (uint32_t)b[0] << 16 | (uint32_t)b[1] << 8 | b[2];
		for (size_t j = 0; j < 4 && j <= size; j++)
			text_putc(&out, BASE64[v >> (18 - 6 * j) & 63]);
		text_fill(&out, '=', 3 - size);
	}
	mem_wipe(&pool, sizeof(pool));
	return text_done(&out, ret);
}

static int
fn_int(struct call *c, struct value *ret)
{
	int64_t min = c->args[0].u.i, max = c->args[1].u.i;
	uint64_t size = (uint64_t)max - (uint64_t)min, v;
	struct pool pool = { .left = 0 };

	if ((int64_t)size <= 0)
		return call_fail(c, "invalid argument to Intn");
	if (below(c->env, &pool, size, &v) < 0)
		return -1;
	*ret = value_int((int64_t)((uint64_t)min + v));
	return 0;
}

/* A random order of the characters. */
static int
fn_shuffle(struct call *c, struct value *ret)
{
	const struct value *s = &c->args[0];
	size_t n = 0, w;
	uint32_t *runes = env_allocarray(c->env, s->u.s.len, sizeof(*runes));
	struct pool pool = { .left = 0 };
	struct text out;

	if (runes == NULL || env_step(c->env, s->u.s.len) < 0)
		return -1;
	for (size_t i = 0; i < s->u.s.len; i += w)
		w = utf8_decode(s->u.s.p + i, s->u.s.len - i, &runes[n++]);
	for (size_t i = n; i > 1; i--) {
		uint32_t last = runes[i - 1];
		uint64_t at;

		if (below(c->env, &pool, i, &at) < 0)
			return -1;
		runes[i - 1] = runes[at];
		runes[at] = last;
	}
	text_init(&out, c->env);
	for (size_t i = 0; i < n; i++)
		text_putrune(&out, runes[i]);
	return text_done(&out, ret);
}

static int
fn_uuid(struct call *c, struct value *ret)
{
	uint8_t b[UUID_BYTES];
	struct text out;

	if (fill(c->env, b, sizeof(b)) < 0)
		return -1;
	b[6] = (uint8_t)((b[6] & 0x0f) | 0x40);
	b[8] = (uint8_t)((b[8] & 0x3f) | 0x80);
	text_init(&out, c->env);
	for (size_t i = 0; i < sizeof(b); i++) {
		if (i == 4 || i == 6 || i == 8 || i == 10)
			text_putc(&out, '-');
		text_printf(&out, "%02x", b[i]);
	}
	return text_done(&out, ret);
}

const struct func funcs_random[] = {
	{ "randAlpha", "i:s", fn_alpha, FUNC_VARIES },
	{ "randAlphaNum", "i:s", fn_alpha_num, FUNC_VARIES },
	{ "randAscii", "i:s", fn_ascii, FUNC_VARIES },
	{ "randBytes", "i:s", fn_bytes, FUNC_VARIES },
	{ "randInt", "ii:i", fn_int, FUNC_VARIES },
	{ "randNumeric", "i:s", fn_numeric, FUNC_VARIES },
	{ "shuffle", "s:s", fn_shuffle, FUNC_VARIES },
	{ "uuidv4", ":s", fn_uuid, FUNC_VARIES },
	{ NULL, NULL, NULL, 0 },
};
