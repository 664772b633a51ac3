/*
 * sprig's base64 and base32. A malformed text gives the error's text as the
 * value: that is what sprig does.
 */
#include "func.h"
#include "str.h"

#include <string.h>

#include "base/codec.h"

#define B32_BITS    5
#define B32_QUANTUM 8
#define B32_BYTES   5
#define FOREIGN	    0xFF
/* "illegal base32 data at input byte 18446744073709551615" */
#define ERROR_TEXT_MAX 80

static const char b32_alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/* Works in a buffer beside the arena, which counts nevertheless. */
static int
b64(struct call *c,
    int (*fn)(const char *in, size_t len, struct buf *out, struct err *err),
    struct value *ret)
{
	struct str s = str_arg(c, 0);
	AUTO_RELEASE(buf) struct buf b = BUF_INIT(2 * s.len + 4);
	struct err err = ERR_INIT;

	if (str_charge(c) < 0 || env_charge_memory(c->env, 2 * s.len + 4) < 0)
		return -1;
	if (fn(s.p, s.len, &b, &err) < 0)
		return ret_cstr(c, err.msg, ret);
	return ret_str(c, buf_str(&b), b.len, ret);
}

static int
encode(const char *in, size_t len, struct buf *out, struct err *err)
{
	return base64_encode(in, len, out, err);
}

static int
fn_b64enc(struct call *c, struct value *ret)
{
	return b64(c, encode, ret);
}

static int
fn_b64dec(struct call *c, struct value *ret)
{
	return b64(c, base64_decode, ret);
}

static int
fn_b32enc(struct call *c, struct value *ret)
{
	struct str s = str_arg(c, 0);
	uint32_t bits = 0;
	unsigned have = 0;
	struct text t;

	if (str_charge(c) < 0)
		return -1;
	text_init(&t, c->env);
	for (size_t i = 0; i < s.len && !t.failed; i++) {
		bits = (bits << 8 | (unsigned char)s.p[i]) & 0xFFFF;
		have += 8;
		for (; have >= B32_BITS; have -= B32_BITS)
			text_putc(
			    &t, b32_alphabet[bits >> (have - B32_BITS) & 0x1F]);
	}
	if (have > 0)
		text_putc(&t, b32_alphabet[bits << (B32_BITS - have) & 0x1F]);
	while (t.len % B32_QUANTUM != 0 && !t.failed)
		text_putc(&t, '=');
	return text_done(&t, ret);
}

static unsigned char
b32_value(char c)
{
	if (c >= 'A' && c <= 'Z')
		return (unsigned char)(c - 'A');
	if (c >= '2' && c <= '7')
		return (unsigned char)(c - '2' + 26);
	return FOREIGN;
}

struct b32 {
	struct str in; /* without newlines */
	size_t at;
	size_t bad; /* the place that Go complains about */
	bool end;
};

/* At the first '=' behind have characters of a quantum: only padding may
 * follow, as much as is missing. */
static int
b32_padding(struct b32 *b, size_t have)
{
	size_t left = b->in.len - b->at;

	b->bad = b->in.len;
	if (left + have < B32_QUANTUM - 1)
		return -1;
	for (size_t k = 0; k < B32_QUANTUM - 1 - have && k < left; k++) {
		if (b->in.p[b->at + k] != '=') {
			b->bad = b->at + k - 1;
			return -1;
		}
	}
	b->bad = b->at - 1;
	b->end = true;
	/* These leave a byte cut in two. */
	return have == 3 || have == 6 ? -1 : 0;
}

/* One quantum; the number of its characters, -1: malformed. */
static int
b32_quantum(struct b32 *b, unsigned char bits[B32_QUANTUM])
{
	size_t have = 0;

	while (have < B32_QUANTUM) {
		char c;

		b->bad = b->at - have;
		if (b->at == b->in.len)
			return -1;
		c = b->in.p[b->at++];
		if (c == '=' && have >= 2 && b->in.len - b->at < B32_QUANTUM) {
			if (b32_padding(b, have) < 0)
				return -1;
			break;
		}
		b->bad = b->at - 1;
		bits[have] = b32_value(c);
		if (bits[have++] == FOREIGN)
			return -1;
	}
	return (int)have;
}

static void
b32_put(struct text *t, const unsigned char bits[B32_QUANTUM], int have)
{
	uint64_t all = 0;

	for (int i = 0; i < B32_QUANTUM; i++)
		all = all << B32_BITS | (i < have ? bits[i] : 0);
	for (int i = 0; i < have * B32_BITS / 8; i++)
		text_putc(t, (char)(all >> 8 * (B32_BYTES - 1 - i)));
}

static int
b32_decode(struct call *c, struct b32 *b, struct value *ret)
{
	char why[ERROR_TEXT_MAX];
	struct text t;

	text_init(&t, c->env);
	while (b->at < b->in.len && !b->end && !t.failed) {
		unsigned char bits[B32_QUANTUM];
		int have = b32_quantum(b, bits);

		if (have < 0) {
			(void)snprintf(why, sizeof(why),
			    "illegal base32 data at input byte %zu", b->bad);
			return ret_cstr(c, why, ret);
		}
		b32_put(&t, bits, have);
	}
	return text_done(&t, ret);
}

static int
fn_b32dec(struct call *c, struct value *ret)
{
	struct str s = str_arg(c, 0);
	struct b32 b = { .at = 0 };
	struct value v;
	struct text t;

	if (str_charge(c) < 0)
		return -1;
	text_init(&t, c->env);
	for (size_t i = 0; i < s.len && !t.failed; i++) {
		if (s.p[i] != '\r' && s.p[i] != '\n')
			text_putc(&t, s.p[i]);
	}
	if (text_done(&t, &v) < 0)
		return -1;
	b.in = str_of(&v);
	return b32_decode(c, &b, ret);
}

const struct func funcs_encoding[] = {
	{ "b32dec", "s:s", fn_b32dec, 0 },
	{ "b32enc", "s:s", fn_b32enc, 0 },
	{ "b64dec", "s:s", fn_b64dec, 0 },
	{ "b64enc", "s:s", fn_b64enc, 0 },
	{ NULL, NULL, NULL, 0 },
};
