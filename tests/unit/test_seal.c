/*
 * Tests of keystore/seal.c: the sealed format from both sides, and every way
 * in which a blob can be wrong. What a blob looks like is built here anew,
 * with OpenSSL alone, so that both sides cannot agree on a mistake.
 * layer: keystore
 */
#include "tests/unit/keystore_fixture.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>

#include "keystore/private.h"
#include "keystore/registry.h"
#include "keystore/seal.h"
#include "tests/lib/keyring.h"

#define LABEL	  "team-a/db"
#define PART	  256 /* modulus of fixture_key(), in bytes */
#define BLOB_MAX  4096
#define BODY_AT	  (2 + PART)
#define PLAIN	  "correct horse battery staple"
#define PLAIN_LEN (sizeof(PLAIN) - 1)

struct blob {
	unsigned char data[BLOB_MAX];
	size_t len;
};

/* How to make the key part of a blob. */
struct recipe {
	const char *label;
	size_t label_len;
	size_t session_len;
	int padding;
	const EVP_MD *(*md)(void);
	const EVP_MD *(*mgf)(void);
};

static const struct recipe usual = { LABEL, sizeof(LABEL) - 1, 32,
	RSA_PKCS1_OAEP_PADDING, EVP_sha256, EVP_sha256 };

static struct registry *keys;

static int
setup(void **state UNUSED)
{
	struct err err = ERR_INIT;

	keys = registry_new(&fixture_clock);
	assert_int_equal(
	    keyring_add(keys, "a", fixture_key(0), NOW_S, &err), 0);
	return 0;
}

static int
teardown(void **state)
{
	registry_free(keys);
	return fixture_forget(state);
}

static size_t
lock_session(
    const struct recipe *how, const unsigned char *session, unsigned char *out)
{
	EVP_PKEY_CTX *ctx =
	    EVP_PKEY_CTX_new(keypair_pkey(fixture_key(0)), NULL);
	size_t len = BLOB_MAX;

	assert_int_equal(EVP_PKEY_encrypt_init(ctx), 1);
	assert_int_equal(EVP_PKEY_CTX_set_rsa_padding(ctx, how->padding), 1);
	if (how->padding == RSA_PKCS1_OAEP_PADDING) {
		assert_int_equal(
		    EVP_PKEY_CTX_set_rsa_oaep_md(ctx, how->md()), 1);
		assert_int_equal(
		    EVP_PKEY_CTX_set_rsa_mgf1_md(ctx, how->mgf()), 1);
		if (how->label_len > 0)
			assert_int_equal(
			    EVP_PKEY_CTX_set0_rsa_oaep_label(ctx,
				OPENSSL_memdup(how->label, how->label_len),
				(int)how->label_len),
			    1);
	}
	assert_int_equal(
	    EVP_PKEY_encrypt(ctx, out, &len, session, how->session_len), 1);
	EVP_PKEY_CTX_free(ctx);
	return len;
}

/* A session key that AES cannot take gets a body under its first 16 bytes. */
static const EVP_CIPHER *
cipher_for(size_t len)
{
	return len == 32 ? EVP_aes_256_gcm()
	    : len == 24	 ? EVP_aes_192_gcm()
			 : EVP_aes_128_gcm();
}

static void
craft(const struct recipe *how, const void *plain, size_t len, struct blob *b)
{
	static const unsigned char nonce[12];
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	unsigned char session[PART] = { 0 };
	unsigned char *p = b->data + 2;
	size_t part;
	int n;

	RAND_bytes(session, (int)how->session_len);
	part = lock_session(how, session, p);
	b->data[0] = (unsigned char)(part >> 8);
	b->data[1] = (unsigned char)part;
	p += part;
	EVP_EncryptInit_ex(
	    ctx, cipher_for(how->session_len), NULL, session, nonce);
	assert_int_equal(EVP_EncryptUpdate(ctx, p, &n, plain, (int)len), 1);
	assert_int_equal(EVP_EncryptFinal_ex(ctx, p + len, &n), 1);
	EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_GET_TAG, 16, p + len);
	EVP_CIPHER_CTX_free(ctx);
	b->len = 2 + part + len + 16;
}

static void
opens_with(const char *label, size_t label_len, const void *blob, size_t len,
    const void *want, size_t want_len)
{
	struct err err = ERR_INIT;
	struct secret *s = NULL;
	uint32_t hint = 0;

	if (keyring_open(keys, &hint, label, label_len, blob, len, &s, &err) <
	    0)
		fail_msg("%s", err.msg);
	assert_int_equal(secret_len(s), want_len);
	if (want_len > 0)
		assert_memory_equal(secret_bytes(s), want, want_len);
	assert_int_not_equal(hint, 0);
	secret_free(s);
}

static void
opens(const struct blob *b)
{
	opens_with(LABEL, sizeof(LABEL) - 1, b->data, b->len, PLAIN, PLAIN_LEN);
}

/* One text, one code, nothing released, no error left behind in OpenSSL. */
static void
refused_with(const char *label, size_t label_len, const void *blob, size_t len)
{
	struct err err = ERR_INIT;
	struct secret *s = NULL;
	uint32_t hint = 0;

	assert_int_equal(
	    keyring_open(keys, &hint, label, label_len, blob, len, &s, &err),
	    -1);
	assert_int_equal(err.code, ERR_NOKEY);
	assert_string_equal(err.msg, "no key could decrypt secret");
	assert_null(s);
	assert_int_equal(hint, 0);
	assert_int_equal(ERR_peek_error(), 0);
}

static void
refused(const struct blob *b)
{
	refused_with(LABEL, sizeof(LABEL) - 1, b->data, b->len);
}

static void
usual_blob(struct blob *b)
{
	craft(&usual, PLAIN, PLAIN_LEN, b);
}

/* Sealing. */

static void
opens_what_it_sealed_byte_for_byte(void **state UNUSED)
{
	static unsigned char big[1024 * 1024];
	const struct {
		const char *label;
		size_t label_len;
		const void *plain;
		size_t len;
	} cases[] = {
		{ LABEL, sizeof(LABEL) - 1, "", 0 },
		{ LABEL, sizeof(LABEL) - 1, PLAIN, PLAIN_LEN },
		{ "", 0, "x", 1 },
		{ "a\0b", 3, "\0\xff\xfe\0", 4 },
		{ "\xc3\x28", 2, "\xc3\x28", 2 },
		{ "team-a", 6, big, sizeof(big) },
	};

	RAND_bytes(big, sizeof(big));
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO_RELEASE(buf) struct buf out = BUF_INIT(SEAL_BLOB_MAX);
		struct err err = ERR_INIT;

		assert_int_equal(seal_encrypt(fixture_key(0), cases[i].label,
				     cases[i].label_len, cases[i].plain,
				     cases[i].len, &out, &err),
		    0);
		assert_int_equal(
		    out.len, 2 + PART + cases[i].len + SEAL_TAG_LEN);
		opens_with(cases[i].label, cases[i].label_len, out.data,
		    out.len, cases[i].plain, cases[i].len);
	}
}

static void
begins_with_the_length_of_the_key_part(void **state UNUSED)
{
	AUTO_RELEASE(buf) struct buf out = BUF_INIT(SEAL_BLOB_MAX);
	struct err err = ERR_INIT;

	assert_int_equal(
	    seal_encrypt(fixture_key(0), "", 0, "x", 1, &out, &err), 0);
	assert_memory_equal(out.data, "\x01\x00", 2);
}

static void
uses_a_fresh_session_key_each_time(void **state UNUSED)
{
	AUTO_RELEASE(buf) struct buf a = BUF_INIT(SEAL_BLOB_MAX);
	AUTO_RELEASE(buf) struct buf b = BUF_INIT(SEAL_BLOB_MAX);
	struct err err = ERR_INIT;

	assert_int_equal(
	    seal_encrypt(fixture_key(0), "", 0, PLAIN, PLAIN_LEN, &a, &err), 0);
	assert_int_equal(
	    seal_encrypt(fixture_key(0), "", 0, PLAIN, PLAIN_LEN, &b, &err), 0);
	assert_memory_not_equal(
	    a.data + BODY_AT, b.data + BODY_AT, PLAIN_LEN + SEAL_TAG_LEN);
}

static void
leaves_the_output_alone_where_the_value_is_too_large(void **state UNUSED)
{
	static unsigned char big[SEAL_BLOB_MAX];
	AUTO_RELEASE(buf) struct buf out = BUF_INIT(2 * SEAL_BLOB_MAX);
	AUTO_RELEASE(buf) struct buf tiny = BUF_INIT(8);
	struct err err = ERR_INIT;
	size_t most = SEAL_BLOB_MAX - 2 - PART - SEAL_TAG_LEN;

	assert_int_equal(
	    seal_encrypt(fixture_key(0), "", 0, big, most + 1, &out, &err), -1);
	assert_int_equal(err.code, ERR_TOOBIG);
	assert_int_equal(out.len, 0);
	assert_int_equal(
	    seal_encrypt(fixture_key(0), "", 0, big, SIZE_MAX, &out, &err), -1);
	assert_int_equal(err.code, ERR_TOOBIG);
	assert_int_equal(
	    seal_encrypt(fixture_key(0), "", 0, "x", 1, &tiny, &err), -1);
	assert_int_equal(err.code, ERR_TOOBIG);
	assert_int_equal(tiny.len, 0);
	assert_int_equal(
	    seal_encrypt(fixture_key(0), "", 0, big, most, &out, &err), 0);
	opens_with("", 0, out.data, out.len, big, most);
}

static void
refuses_a_label_longer_than_any_name(void **state UNUSED)
{
	static char label[1025];
	AUTO_RELEASE(buf) struct buf out = BUF_INIT(SEAL_BLOB_MAX);
	struct err err = ERR_INIT;

	memset(label, 'a', sizeof(label));
	assert_int_equal(seal_encrypt(fixture_key(0), label, sizeof(label), "x",
			     1, &out, &err),
	    -1);
	assert_int_equal(err.code, ERR_TOOBIG);
	assert_int_equal(
	    seal_encrypt(fixture_key(0), label, 1024, "x", 1, &out, &err), 0);
	opens_with(label, 1024, out.data, out.len, "x", 1);
	refused_with(label, sizeof(label), out.data, out.len);
}

static void
seals_to_the_first_certificate_of_a_chain(void **state UNUSED)
{
	AUTO_STR char *chain = xasprintf("%s%s",
	    keypair_cert_pem(fixture_key(0)), keypair_cert_pem(fixture_key(1)));
	AUTO_RELEASE(buf) struct buf out = BUF_INIT(SEAL_BLOB_MAX);
	struct err err = ERR_INIT;

	assert_int_equal(seal_encrypt_cert(chain, LABEL, sizeof(LABEL) - 1,
			     PLAIN, PLAIN_LEN, &out, &err),
	    0);
	opens_with(
	    LABEL, sizeof(LABEL) - 1, out.data, out.len, PLAIN, PLAIN_LEN);
}

/* A certificate for a P-256 key: usual, but nothing can be sealed to it. */
static char *
ec_certificate(void)
{
	EVP_PKEY *pkey = EVP_EC_gen("P-256");
	X509 *cert = X509_new();
	BIO *bio = BIO_new(BIO_s_mem());
	char *text, *copy;
	long len;

	X509_gmtime_adj(X509_getm_notBefore(cert), 0);
	X509_gmtime_adj(X509_getm_notAfter(cert), DAY_S);
	X509_set_pubkey(cert, pkey);
	assert_true(X509_sign(cert, pkey, EVP_sha256()) > 0);
	PEM_write_bio_X509(bio, cert);
	len = BIO_get_mem_data(bio, &text);
	copy = xstrndup(text, (size_t)len);
	BIO_free(bio);
	X509_free(cert);
	EVP_PKEY_free(pkey);
	return copy;
}

static void
refuses_certificates_it_cannot_seal_to(void **state UNUSED)
{
	AUTO_STR char *ec = ec_certificate();
	const struct {
		const char *pem, *want;
	} cases[] = {
		{ "", "certificate: empty" },
		{ "hello", "certificate: no CERTIFICATE block in it" },
		{ "-----BEGIN CERTIFICATE-----\nAAAA\n"
		  "-----END CERTIFICATE-----\n",
		    "certificate: not a certificate" },
		{ ec, "certificate: not for an RSA key" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO_RELEASE(buf) struct buf out = BUF_INIT(SEAL_BLOB_MAX);
		struct err err = ERR_INIT;

		assert_int_equal(
		    seal_encrypt_cert(cases[i].pem, "", 0, "x", 1, &out, &err),
		    -1);
		assert_string_equal(err.msg, cases[i].want);
		assert_int_equal(out.len, 0);
	}
}

/* Opening what others sealed. */

static void
opens_a_blob_built_without_this_code(void **state UNUSED)
{
	struct blob b;

	usual_blob(&b);
	opens(&b);
}

static void
takes_session_keys_of_the_three_aes_lengths_only(void **state UNUSED)
{
	static const size_t lengths[] = { 0, 1, 15, 16, 17, 23, 24, 25, 31, 32,
		33, PART - 66 };
	struct recipe how = usual;
	struct blob b;

	for (size_t i = 0; i < ARRAY_SIZE(lengths); i++) {
		how.session_len = lengths[i];
		craft(&how, PLAIN, PLAIN_LEN, &b);
		if (lengths[i] == 16 || lengths[i] == 24 || lengths[i] == 32)
			opens(&b);
		else
			refused(&b);
	}
}

static void
refuses_other_paddings_and_digests(void **state UNUSED)
{
	static const struct {
		int padding;
		const EVP_MD *(*md)(void);
		const EVP_MD *(*mgf)(void);
	} cases[] = {
		{ RSA_PKCS1_OAEP_PADDING, EVP_sha1, EVP_sha1 },
		{ RSA_PKCS1_OAEP_PADDING, EVP_sha256, EVP_sha1 },
		{ RSA_PKCS1_OAEP_PADDING, EVP_sha1, EVP_sha256 },
		{ RSA_PKCS1_OAEP_PADDING, EVP_sha512, EVP_sha512 },
		{ RSA_PKCS1_PADDING, NULL, NULL },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct recipe how = usual;
		struct blob b;

		how.padding = cases[i].padding;
		how.md = cases[i].md;
		how.mgf = cases[i].mgf;
		craft(&how, PLAIN, PLAIN_LEN, &b);
		refused(&b);
	}
}

static void
refuses_every_label_but_the_sealed_one(void **state UNUSED)
{
	static const struct {
		const char *label;
		size_t len;
	} labels[] = {
		{ "", 0 },
		{ "team-a", 6 },
		{ "team-a/", 7 },
		{ "team-a/d", 8 },
		{ "team-a/db2", 10 },
		{ "team-a/db\0", 10 },
		{ "team-a/Db", 9 },
		{ "team-b/db", 9 },
		{ "team-a\0db", 9 },
	};
	struct blob b;

	usual_blob(&b);
	for (size_t i = 0; i < ARRAY_SIZE(labels); i++)
		refused_with(labels[i].label, labels[i].len, b.data, b.len);
}

static void
cluster_wide_blobs_open_without_a_label_only(void **state UNUSED)
{
	struct recipe how = usual;
	struct blob b;

	how.label_len = 0;
	craft(&how, PLAIN, PLAIN_LEN, &b);
	opens_with("", 0, b.data, b.len, PLAIN, PLAIN_LEN);
	opens_with(NULL, 0, b.data, b.len, PLAIN, PLAIN_LEN);
	refused(&b);
}

/* Framing. */

static void
refuses_every_truncation(void **state UNUSED)
{
	struct blob b;

	usual_blob(&b);
	for (size_t whole = b.len; b.len > 0;) {
		b.len--;
		assert_true(b.len < whole);
		refused(&b);
	}
}

/* OpenSSL alone would take a tag of any length from 1 to 16. */
static void
refuses_every_other_length_of_the_tag(void **state UNUSED)
{
	static const size_t bodies[] = { 0, 1, PLAIN_LEN };
	struct blob b;

	for (size_t i = 0; i < ARRAY_SIZE(bodies); i++) {
		for (size_t tag = 0; tag < SEAL_TAG_LEN; tag++) {
			craft(&usual, PLAIN, bodies[i], &b);
			b.len = BODY_AT + bodies[i] + tag;
			refused(&b);
		}
		craft(&usual, PLAIN, bodies[i], &b);
		b.data[b.len++] = 0;
		refused(&b);
	}
}

static void
refuses_every_other_value_of_the_length_field(void **state UNUSED)
{
	static const unsigned lengths[] = { 0, 1, 2, 15, 16, 127, 128, 247, 248,
		249, 254, 255, 257, 258, 272, 283, 284, 285, 300, 511, 512, 513,
		1024, 0x7fff, 0x8000, 0xfffe, 0xffff };
	struct blob b;

	usual_blob(&b);
	for (size_t i = 0; i < ARRAY_SIZE(lengths); i++) {
		b.data[0] = (unsigned char)(lengths[i] >> 8);
		b.data[1] = (unsigned char)lengths[i];
		refused(&b);
	}
}

static void
flip(struct blob *b, size_t bit)
{
	b->data[bit / 8] ^= (unsigned char)(1 << bit % 8);
}

static void
refuses_every_single_bit_flip(void **state UNUSED)
{
	/* All bits, but of the long key part only each 41st. */
	static const struct {
		size_t from, to, step;
	} regions[] = {
		{ 0, 2, 1 },
		{ 2, BODY_AT, 41 },
		{ BODY_AT, BODY_AT + PLAIN_LEN + SEAL_TAG_LEN, 1 },
	};
	struct blob b;

	usual_blob(&b);
	for (size_t i = 0; i < ARRAY_SIZE(regions); i++)
		for (size_t bit = regions[i].from * 8; bit < regions[i].to * 8;
		     bit += regions[i].step) {
			flip(&b, bit);
			refused(&b);
			flip(&b, bit);
		}
	opens(&b);
}

static void
refuses_a_key_part_that_is_not_below_the_modulus(void **state UNUSED)
{
	struct blob b;

	usual_blob(&b);
	memset(b.data + 2, 0xff, PART);
	refused(&b);
	memset(b.data + 2, 0, PART);
	refused(&b);
	b.data[BODY_AT - 1] = 1;
	refused(&b);
}

/* The body is sealed under the key that is used when the key part fails. */
static void
refuses_a_body_under_a_key_of_zeros(void **state UNUSED)
{
	static const unsigned char nonce[12], zeros[32];
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	struct blob b;
	int n;

	usual_blob(&b);
	flip(&b, 100);
	EVP_EncryptInit_ex(ctx, EVP_aes_256_gcm(), NULL, zeros, nonce);
	EVP_EncryptUpdate(ctx, b.data + BODY_AT, &n,
	    (const unsigned char *)PLAIN, (int)PLAIN_LEN);
	EVP_EncryptFinal_ex(ctx, b.data + BODY_AT + PLAIN_LEN, &n);
	EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_GET_TAG, SEAL_TAG_LEN,
	    b.data + BODY_AT + PLAIN_LEN);
	EVP_CIPHER_CTX_free(ctx);
	refused(&b);
}

/* Go reads the key part as a number. */
static void
takes_a_key_part_without_its_leading_zero_byte(void **state UNUSED)
{
	struct blob b;

	do
		usual_blob(&b);
	while (b.data[2] != 0);
	opens(&b);
	memmove(b.data + 2, b.data + 3, b.len - 3);
	b.len--;
	b.data[0] = 0;
	b.data[1] = PART - 1;
	opens(&b);
}

static void
refuses_a_key_part_with_a_zero_byte_too_many(void **state UNUSED)
{
	struct blob b;

	usual_blob(&b);
	memmove(b.data + 3, b.data + 2, b.len - 2);
	b.len++;
	b.data[1] = 1;
	b.data[2] = 0;
	refused(&b);
}

static void
tries_only_keys_whose_modulus_fits_the_key_part(void **state UNUSED)
{
	static const struct {
		size_t part;
		bool fits;
	} cases[] = {
		{ 0, false },
		{ 1, false },
		{ 128, false },
		{ PART - 9, false },
		{ PART - 8, true },
		{ PART - 1, true },
		{ PART, true },
		{ PART + 1, false },
		{ 2 * PART, false },
		{ 65535, false },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_int_equal(
		    seal_fits(fixture_key(0), cases[i].part), cases[i].fits);
}

static void
refuses_a_blob_larger_than_any_item_without_trying_it(void **state UNUSED)
{
	static unsigned char big[SEAL_BLOB_MAX + 1] = { 1, 0 };
	struct err err = ERR_INIT;
	struct secret *s = NULL;
	uint32_t hint = 0;

	assert_int_equal(
	    keyring_open(keys, &hint, "", 0, big, sizeof(big), &s, &err), -1);
	assert_int_equal(err.code, ERR_TOOBIG);
	assert_null(s);
	refused_with("", 0, big, sizeof(big) - 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(opens_what_it_sealed_byte_for_byte),
		cmocka_unit_test(begins_with_the_length_of_the_key_part),
		cmocka_unit_test(uses_a_fresh_session_key_each_time),
		cmocka_unit_test(
		    leaves_the_output_alone_where_the_value_is_too_large),
		cmocka_unit_test(refuses_a_label_longer_than_any_name),
		cmocka_unit_test(seals_to_the_first_certificate_of_a_chain),
		cmocka_unit_test(refuses_certificates_it_cannot_seal_to),
		cmocka_unit_test(opens_a_blob_built_without_this_code),
		cmocka_unit_test(
		    takes_session_keys_of_the_three_aes_lengths_only),
		cmocka_unit_test(refuses_other_paddings_and_digests),
		cmocka_unit_test(refuses_every_label_but_the_sealed_one),
		cmocka_unit_test(cluster_wide_blobs_open_without_a_label_only),
		cmocka_unit_test(refuses_every_truncation),
		cmocka_unit_test(refuses_every_other_length_of_the_tag),
		cmocka_unit_test(refuses_every_other_value_of_the_length_field),
		cmocka_unit_test(refuses_every_single_bit_flip),
		cmocka_unit_test(
		    refuses_a_key_part_that_is_not_below_the_modulus),
		cmocka_unit_test(refuses_a_body_under_a_key_of_zeros),
		cmocka_unit_test(
		    takes_a_key_part_without_its_leading_zero_byte),
		cmocka_unit_test(refuses_a_key_part_with_a_zero_byte_too_many),
		cmocka_unit_test(
		    tries_only_keys_whose_modulus_fits_the_key_part),
		cmocka_unit_test(
		    refuses_a_blob_larger_than_any_item_without_trying_it),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
