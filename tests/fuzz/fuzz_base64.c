/*
 * Base64: what is accepted decodes to the same bytes again after encoding, and
 * any bytes come back from their encoding. An error names a byte of the input
 * or its end, and leaves the buffer empty.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/codec.h"
#include "fuzz.h"

static void
check_round_trip(const void *bytes, size_t len)
{
	AUTO_RELEASE(buf) struct buf text = BUF_INIT(2 * len + 8);
	AUTO_RELEASE(buf) struct buf back = BUF_INIT(len);
	struct err err = ERR_INIT;

	check(base64_encode(bytes, len, &text, &err) == 0);
	check(text.len == (len + 2) / 3 * 4);
	check(base64_decode(buf_str(&text), text.len, &back, &err) == 0);
	check(back.len == len && memcmp(buf_str(&back), bytes, len) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char prefix[] = "illegal base64 data at input byte ";
	AUTO_RELEASE(buf) struct buf out = BUF_INIT(size);
	struct err err = ERR_INIT;

	if (base64_decode((const char *)data, size, &out, &err) == 0) {
		check(out.len <= size / 4 * 3);
		check_round_trip(buf_str(&out), out.len);
	} else {
		check(out.len == 0 && err.code == ERR_INVALID);
		check(strncmp(err.msg, prefix, strlen(prefix)) == 0);
		check(strtoul(err.msg + strlen(prefix), NULL, 10) <= size);
	}
	check_round_trip(data, size);
	return 0;
}
