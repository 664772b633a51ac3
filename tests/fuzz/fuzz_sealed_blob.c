/*
 * Fuzz target: opening a sealed blob. Input: one byte, the length of the label
 * (modulo 64); the label; the blob. The key is fixed, so that seeds can be
 * blobs that open and mutations get behind the key part.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "fuzz.h"
#include "keystore/registry.h"
#include "keystore/seal.h"
#include "tests/fuzz/testkey.h"
#include "tests/lib/keyring.h"

#define LABEL_MOD 64

static struct keypair *
test_key(void)
{
	struct keypair *kp = NULL;
	struct err err = ERR_INIT;

	if (keypair_parse(TESTKEY_PKCS1, strlen(TESTKEY_PKCS1), TESTKEY_CERT,
		strlen(TESTKEY_CERT), &kp, &err) < 0)
		abort();
	return kp;
}

/* One key for the whole run, still reachable at its end. */
static struct registry *
test_registry(void)
{
	static struct registry *r;
	struct err err = ERR_INIT;

	if (r == NULL) {
		AUTO(keypair) struct keypair *kp = test_key();

		r = registry_new(&clock_system);
		if (keyring_add(r, "key", kp, 0, &err) < 0)
			abort();
	}
	return r;
}

/* What opened can be sealed again, and then opens to the same bytes. */
static void
seal_again(struct registry *r, const void *label, size_t label_len,
    const struct secret *plain)
{
	AUTO_RELEASE(buf) struct buf blob = BUF_INIT(SEAL_BLOB_MAX);
	AUTO(keypair) struct keypair *kp = registry_sealing_key(r);
	AUTO(secret) struct secret *again = NULL;
	struct err err = ERR_INIT;
	uint32_t hint = 0;

	if (seal_encrypt(kp, label, label_len, secret_bytes(plain),
		secret_len(plain), &blob, &err) < 0 ||
	    keyring_open(r, &hint, label, label_len, blob.data, blob.len,
		&again, &err) < 0 ||
	    secret_len(again) != secret_len(plain) ||
	    memcmp(secret_bytes(again), secret_bytes(plain),
		secret_len(plain)) != 0)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct registry *r = test_registry();
	AUTO(secret) struct secret *plain = NULL;
	struct err err = ERR_INIT;
	uint32_t hint = 0;
	size_t label_len, part;
	const uint8_t *blob;

	if (size == 0)
		return 0;
	label_len = data[0] % LABEL_MOD;
	if (label_len > size - 1)
		label_len = size - 1;
	blob = data + 1 + label_len;
	size -= 1 + label_len;
	if (keyring_open(
		r, &hint, data + 1, label_len, blob, size, &plain, &err) < 0) {
		if (plain != NULL || hint != 0 ||
		    (err.code != ERR_NOKEY && err.code != ERR_TOOBIG))
			abort();
		return 0;
	}
	part = (size_t)blob[0] << 8 | blob[1];
	if (secret_len(plain) + 2 + part + SEAL_TAG_LEN != size || hint == 0)
		abort();
	seal_again(r, data + 1, label_len, plain);
	return 0;
}
