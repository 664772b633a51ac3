/*
 * What the tests of keystore/registry.c and keystore/opener.c share: which keys
 * are tried when a registry opens an item. White box: keystore/opener.c is
 * compiled in.
 */
#ifndef TESTS_UNIT_REGISTRYRIG_H
#define TESTS_UNIT_REGISTRYRIG_H

#include "tests/unit/keystore_fixture.h"

/* Opening is watched on its way to the format. */
#define seal_open logged_seal_open
#include "keystore/opener.c" /* NOLINT(bugprone-suspicious-include) */
#undef seal_open
int seal_open(
    const struct keypair *kp, const struct seal_input *in, struct secret **ret);

#include "keystore/seal.h"
#include "tests/lib/keyring.h"

#define LABEL	  "team-a/db"
#define LABEL_LEN (sizeof(LABEL) - 1)

/* The keys that were tried since the log was emptied, per thread. */
static _Thread_local struct {
	const struct keypair *kp[64];
	unsigned n;
} tried;

/* Another search's hit, while a key is tried. */
static struct {
	struct opener *o;
	uint32_t hit;
} meanwhile;

int
logged_seal_open(
    const struct keypair *kp, const struct seal_input *in, struct secret **ret)
{
	if (meanwhile.o != NULL)
		meanwhile.o->last_hit = meanwhile.hit;
	tried.kp[tried.n++ % ARRAY_SIZE(tried.kp)] = kp;
	return seal_open(kp, in, ret);
}

/* Letters stand for fixture keys: "ba" for key 1, then key 0. */
static inline void
assert_tried(const char *want)
{
	char got[ARRAY_SIZE(tried.kp) + 1] = "";

	for (unsigned i = 0; i < tried.n; i++)
		for (unsigned k = 0; k < FIXTURE_KEYS; k++)
			if (tried.kp[i] == fixture_key(k))
				got[i] = (char)('a' + k);
	assert_string_equal(got, want);
}

static inline void
add(struct registry *r, const char *name, unsigned key, int64_t order_s)
{
	struct err err = ERR_INIT;

	assert_int_equal(
	    keyring_add(r, name, fixture_key(key), order_s, &err), 0);
}

static inline void
seal_with(unsigned key, struct buf *out)
{
	struct err err = ERR_INIT;

	buf_clear(out);
	assert_int_equal(seal_encrypt(fixture_key(key), LABEL, LABEL_LEN,
			     "value", 5, out, &err),
	    0);
}

/* Opens what key sealed; want_tried as in assert_tried. */
static inline void
open_sealed(
    struct registry *r, unsigned key, uint32_t *hint, const char *want_tried)
{
	AUTO_RELEASE(buf) struct buf blob = BUF_INIT(SEAL_BLOB_MAX);
	AUTO(secret) struct secret *s = NULL;
	struct err err = ERR_INIT;

	seal_with(key, &blob);
	tried.n = 0;
	assert_int_equal(keyring_open(r, hint, LABEL, LABEL_LEN, blob.data,
			     blob.len, &s, &err),
	    0);
	assert_int_equal(secret_len(s), 5);
	assert_memory_equal(secret_bytes(s), "value", 5);
	assert_tried(want_tried);
}

#endif
