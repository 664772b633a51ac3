/*
 * Base64 as Go's encoding/base64.StdEncoding reads and writes it, and hex.
 * Work goes through a small block on the stack that is wiped, since the bytes
 * may be a secret.
 */
#include "base/codec.h"

#include <stdint.h>
#include <string.h>

#include "base/mem.h"

/* Whole quanta per block: 3 bytes are 4 characters. */
#define BLOCK_QUANTA 256

#define FOREIGN	     0xff

static const char alphabet[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/* Computed, not looked up, so that no table index depends on a secret. */
static unsigned char
value_of(char c)
{
	if (c >= 'A' && c <= 'Z')
		return (unsigned char)(c - 'A');
	if (c >= 'a' && c <= 'z')
		return (unsigned char)(c - 'a' + 26);
	if (c >= '0' && c <= '9')
		return (unsigned char)(c - '0' + 52);
	if (c == '+')
		return 62;
	if (c == '/')
		return 63;
	return FOREIGN;
}

static int
corrupt(struct err *err, size_t at)
{
	return err_set(
	    err, ERR_INVALID, "illegal base64 data at input byte %zu", at);
}

static bool
is_newline(char c)
{
	return c == '\n' || c == '\r';
}

static size_t
skip_newlines(const char *in, size_t len, size_t at)
{
	while (at < len && is_newline(in[at]))
		at++;
	return at;
}

/* The first '=' of the text was at *pos - 1, behind have characters of its
 * quantum. Only the rest of the padding and newlines may follow. */
static int
check_padding(
    const char *in, size_t len, size_t *pos, unsigned have, struct err *err)
{
	size_t at = *pos;

	if (have < 2)
		return corrupt(err, at - 1);
	if (have == 2) {
		at = skip_newlines(in, len, at);
		if (at == len)
			return corrupt(err, len);
		if (in[at] != '=')
			return corrupt(err, at - 1);
		at++;
	}
	at = skip_newlines(in, len, at);
	if (at < len)
		return corrupt(err, at);
	*pos = at;
	return 0;
}

/*
 * One quantum from *pos on into out. Number of bytes, 0 at the end of the
 * text, -1 where it is malformed. Positions of errors are those of Go.
 */
static int
decode_quantum(const char *in, size_t len, size_t *pos, unsigned char out[3],
    struct err *err)
{
	uint32_t bits = 0;
	unsigned have = 0;
	size_t at = *pos;

	while (have < 4) {
		unsigned char v;

		if (at == len)
			return have == 0 ? 0 : corrupt(err, at - have);
		v = value_of(in[at++]);
		if (v != FOREIGN) {
			bits |= (uint32_t)v << (18 - 6 * have);
			have++;
			continue;
		}
		if (is_newline(in[at - 1]))
			continue;
		if (in[at - 1] != '=')
			return corrupt(err, at - 1);
		if (check_padding(in, len, &at, have, err) < 0)
			return -1;
		break;
	}
	out[0] = (unsigned char)(bits >> 16);
	out[1] = (unsigned char)(bits >> 8);
	out[2] = (unsigned char)bits;
	*pos = at;
	return (int)have - 1;
}

int
base64_decode(const char *in, size_t len, struct buf *out, struct err *err)
{
	unsigned char block[3 * BLOCK_QUANTA];
	size_t before = out->len;
	size_t pos = 0, used = 0;
	int n;

	do {
		n = decode_quantum(in, len, &pos, block + used, err);
		if (n > 0)
			used += (size_t)n;
		if (n > 0 && used + 3 <= sizeof(block))
			continue;
		if (n >= 0 && buf_append(out, block, used, err) < 0)
			n = -1;
		used = 0;
	} while (n > 0);
	mem_wipe(block, sizeof(block));
	if (n < 0)
		buf_truncate(out, before);
	return n;
}

static size_t
encode_quantum(const unsigned char *in, size_t len, bool pad, char out[4])
{
	uint32_t bits = (uint32_t)in[0] << 16;
	size_t chars = len + 1;

	if (len > 1)
		bits |= (uint32_t)in[1] << 8;
	if (len > 2)
		bits |= in[2];
	for (size_t i = 0; i < chars; i++)
		out[i] = alphabet[bits >> (18 - 6 * i) & 0x3f];
	for (size_t i = chars; i < 4; i++)
		out[i] = '=';
	return pad ? 4 : chars;
}

static int
encode(const unsigned char *in, size_t len, bool pad, struct buf *out,
    struct err *err)
{
	char block[4 * BLOCK_QUANTA];
	size_t before = out->len;
	int rc = 0;

	while (len > 0 && rc == 0) {
		size_t used = 0;

		while (len > 0 && used + 4 <= sizeof(block)) {
			size_t n = len < 3 ? len : 3;

			used += encode_quantum(in, n, pad, block + used);
			in += n;
			len -= n;
		}
		rc = buf_append(out, block, used, err);
	}
	mem_wipe(block, sizeof(block));
	if (rc < 0)
		buf_truncate(out, before);
	return rc;
}

int
base64_encode(const void *in, size_t len, struct buf *out, struct err *err)
{
	return encode(in, len, true, out, err);
}

int
base64_encode_raw(const void *in, size_t len, struct buf *out, struct err *err)
{
	return encode(in, len, false, out, err);
}

void
hex_encode(const void *in, size_t len, char *out)
{
	static const char digits[] = "0123456789abcdef";
	const unsigned char *p = in;

	for (size_t i = 0; i < len; i++) {
		*out++ = digits[p[i] >> 4];
		*out++ = digits[p[i] & 0xf];
	}
	*out = '\0';
}
