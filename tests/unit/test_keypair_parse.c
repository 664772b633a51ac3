/*
 * Tests of keystore/keypair_parse.c: the key Secrets that it takes or refuses,
 * each with its reason.
 * layer: keystore
 */
#include "keypairrig.h"

#include <openssl/bn.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include "keystore/private.h"
#include "tests/fuzz/testkey.h"

static void
refused_for(const char *key, size_t key_len, const char *cert, const char *want)
{
	struct keypair *kp = NULL;
	struct err err = ERR_INIT;

	assert_int_equal(
	    keypair_parse(key, key_len, cert, strlen(cert), &kp, &err), -1);
	assert_string_equal(err.msg, want);
	assert_null(kp);
	assert_int_equal(ERR_peek_error(), 0);
}

static void
reads_both_pem_forms_and_agrees_with_ssh_keygen(void **state UNUSED)
{
	static const char *const forms[] = { TESTKEY_PKCS1, TESTKEY_PKCS8 };

	for (size_t i = 0; i < ARRAY_SIZE(forms); i++) {
		AUTO(keypair)
		struct keypair *kp = keypairrig_parse(forms[i], TESTKEY_CERT);

		assert_string_equal(
		    keypair_fingerprint(kp), TESTKEY_FINGERPRINT);
		assert_string_equal(keypair_cert_pem(kp), TESTKEY_CERT);
		assert_int_equal(keypair_modulus_len(kp), 256);
	}
}

static void
takes_the_first_key_and_certificate_that_are_whole(void **state UNUSED)
{
	static const char broken[] = "-----BEGIN RSA PRIVATE KEY-----\nAAAA\n"
				     "-----END RSA PRIVATE KEY-----\n";
	static const char cut[] = "-----BEGIN PRIVATE KEY-----\nnot base64!\n";
	AUTO_STR char *pem = keypairrig_private_pem(fixture_key(0));
	AUTO_STR char *other = keypairrig_private_pem(fixture_key(1));
	AUTO_STR char *keys =
	    xasprintf("Bag Attributes\n%s%s%s%s", broken, cut, pem, other);
	AUTO_STR char *certs = xasprintf("%ssubject=\n%s%s", broken,
	    keypair_cert_pem(fixture_key(0)), keypair_cert_pem(fixture_key(1)));
	AUTO(keypair) struct keypair *kp = keypairrig_parse(keys, certs);

	assert_string_equal(
	    keypair_fingerprint(kp), keypair_fingerprint(fixture_key(0)));
	assert_string_equal(
	    keypair_cert_pem(kp), keypair_cert_pem(fixture_key(0)));
}

/* PEM of any key, through writer; owned by the caller. */
static char *
pem_of(EVP_PKEY *pkey, const EVP_CIPHER *cipher, bool traditional)
{
	BIO *bio = BIO_new(BIO_s_mem());
	char *text, *copy;
	long len;

	if (traditional)
		PEM_write_bio_PrivateKey_traditional(bio, pkey, cipher,
		    (const unsigned char *)"pass", 4, NULL, NULL);
	else
		PEM_write_bio_PKCS8PrivateKey(
		    bio, pkey, cipher, "pass", 4, NULL, NULL);
	len = BIO_get_mem_data(bio, &text);
	assert_true(len > 0);
	copy = xstrndup(text, (size_t)len);
	BIO_free(bio);
	return copy;
}

/* RSA that may only sign. */
static EVP_PKEY *
pss_key(void)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "RSA-PSS", NULL);
	EVP_PKEY *pkey = NULL;

	EVP_PKEY_keygen_init(ctx);
	EVP_PKEY_CTX_set_rsa_keygen_bits(ctx, 2048);
	assert_int_equal(EVP_PKEY_generate(ctx, &pkey), 1);
	EVP_PKEY_CTX_free(ctx);
	return pkey;
}

static void
refuses_keys_of_the_wrong_kind(void **state UNUSED)
{
	EVP_PKEY *rsa = keypair_pkey(fixture_key(0));
	EVP_PKEY *ec = EVP_EC_gen("P-256");
	EVP_PKEY *ed = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	EVP_PKEY *small = EVP_RSA_gen(1024);
	EVP_PKEY *pss = pss_key();
	const struct {
		char *pem;
		const char *want;
	} cases[] = {
		{ xstrdup(""), "private key: empty" },
		{ xstrdup("hello"),
		    "private key: no PEM block of a private key in it" },
		{ xstrdup(keypair_cert_pem(fixture_key(0))),
		    "private key: no PEM block of a private key in it" },
		{ xstrdup("-----BEGIN RSA PRIVATE KEY-----\n"),
		    "private key: no PEM block of a private key in it" },
		{ xstrdup("-----BEGIN PRIVATE KEY-----\nAAAA\n"
			  "-----END PRIVATE KEY-----\n"),
		    "private key: its PEM block is damaged" },
		{ pem_of(rsa, EVP_aes_256_cbc(), false),
		    "private key: it is encrypted" },
		{ pem_of(rsa, EVP_aes_256_cbc(), true),
		    "private key: it is encrypted" },
		{ pem_of(ec, NULL, true), "private key: not an RSA key" },
		{ pem_of(ec, NULL, false), "private key: not an RSA key" },
		{ pem_of(ed, NULL, false), "private key: not an RSA key" },
		{ pem_of(pss, NULL, false), "private key: not an RSA key" },
		{ pem_of(small, NULL, true),
		    "private key: RSA key of 1024 bits, usable are 2048 to "
		    "8192" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		refused_for(cases[i].pem, strlen(cases[i].pem),
		    keypair_cert_pem(fixture_key(0)), cases[i].want);
		mem_free_wiped(cases[i].pem);
	}
	EVP_PKEY_free(ec);
	EVP_PKEY_free(ed);
	EVP_PKEY_free(small);
	EVP_PKEY_free(pss);
}

static void
refuses_der_and_texts_over_the_limit(void **state UNUSED)
{
	static char big[64 * 1024 + 1];
	unsigned char *der = NULL;
	int len = i2d_PrivateKey(keypair_pkey(fixture_key(0)), &der);
	const char *cert = keypair_cert_pem(fixture_key(0));
	AUTO_STR char *pem = keypairrig_private_pem(fixture_key(0));
	AUTO_STR char *filled = NULL;

	assert_true(len > 0);
	refused_for((char *)der, (size_t)len, cert,
	    "private key: no PEM block of a private key in it");
	OPENSSL_free(der);
	memset(big, '\n', sizeof(big));
	refused_for(
	    big, sizeof(big), cert, "private key: larger than 65536 bytes");
	refused_for(big, sizeof(big) - 1, cert,
	    "private key: no PEM block of a private key in it");
	big[sizeof(big) - 1] = '\0';
	filled = xasprintf("%s%s", big, cert);
	refused_for(
	    pem, strlen(pem), filled, "certificate: larger than 65536 bytes");
}

/* Owned by the caller. One byte more than the DER that it should be. */
static char *
with_a_byte_too_many(const char *name, unsigned char *der, int len)
{
	unsigned char *longer = xcalloc(1, (size_t)len + 1);
	BIO *bio = BIO_new(BIO_s_mem());
	char *text, *copy;
	long n;

	assert_true(len > 0);
	memcpy(longer, der, (size_t)len);
	PEM_write_bio(bio, name, "", longer, len + 1);
	n = BIO_get_mem_data(bio, &text);
	copy = xstrndup(text, (size_t)n);
	BIO_free(bio);
	OPENSSL_free(der);
	mem_free_wiped(longer);
	return copy;
}

static void
refuses_bytes_behind_the_der(void **state UNUSED)
{
	unsigned char *der = NULL, *cert_der = NULL;
	int len = i2d_PrivateKey(keypair_pkey(fixture_key(0)), &der);
	X509 *x509 = keypairrig_certificate(fixture_key(0));
	int cert_len = i2d_X509(x509, &cert_der);
	AUTO_STR char *key = with_a_byte_too_many(PEM_STRING_RSA, der, len);
	AUTO_STR char *cert =
	    with_a_byte_too_many(PEM_STRING_X509, cert_der, cert_len);
	AUTO_STR char *good = keypairrig_private_pem(fixture_key(0));

	refused_for(key, strlen(key), keypair_cert_pem(fixture_key(0)),
	    "private key: its PEM block is damaged");
	refused_for(good, strlen(good), cert, "certificate: not a certificate");
	X509_free(x509);
}

static void
looks_at_a_bounded_number_of_blocks(void **state UNUSED)
{
	static const char line[] = "-----BEGIN RSA PRIVATE KEY-----\n";
	AUTO_RELEASE(buf) struct buf text = BUF_INIT(64 * 1024);
	AUTO_STR char *pem = keypairrig_private_pem(fixture_key(0));
	const char *cert = keypair_cert_pem(fixture_key(0));
	AUTO(keypair) struct keypair *kp = NULL;

	for (int i = 0; i < 63; i++)
		buf_puts(&text, line);
	buf_puts(&text, pem);
	kp = keypairrig_parse(buf_str(&text), cert);
	assert_non_null(kp);
	buf_clear(&text);
	while (text.len + sizeof(line) + strlen(pem) < 64 * 1024)
		buf_puts(&text, line);
	buf_puts(&text, pem);
	refused_for(buf_str(&text), text.len, cert,
	    "private key: no PEM block of a private key in it");
}

static void
refuses_certificates_that_do_not_go_with_the_key(void **state UNUSED)
{
	AUTO_STR char *pem = keypairrig_private_pem(fixture_key(0));
	AUTO_STR char *chain = xasprintf("%s%s",
	    keypair_cert_pem(fixture_key(1)), keypair_cert_pem(fixture_key(0)));
	AUTO_STR char *cut = xstrndup(keypair_cert_pem(fixture_key(0)), 200);
	const struct {
		const char *cert, *want;
	} cases[] = {
		{ "", "certificate: empty" },
		{ pem, "certificate: no CERTIFICATE block in it" },
		{ cut, "certificate: no CERTIFICATE block in it" },
		{ "-----BEGIN CERTIFICATE-----\nMAA=\n"
		  "-----END CERTIFICATE-----\n",
		    "certificate: not a certificate" },
		{ keypair_cert_pem(fixture_key(1)),
		    "the certificate does not match the private key" },
		{ chain, "the certificate does not match the private key" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		refused_for(pem, strlen(pem), cases[i].cert, cases[i].want);
}

static void
survives_every_truncation_of_its_texts(void **state UNUSED)
{
	AUTO_STR char *pem = keypairrig_private_pem(fixture_key(0));
	const char *cert = keypair_cert_pem(fixture_key(0));
	struct keypair *kp = NULL;
	struct err err = ERR_INIT;

	/* The last newline and the last dash may be missing. */
	for (size_t len = 0; len + 2 < strlen(pem); len += 3)
		assert_int_equal(
		    keypair_parse(pem, len, cert, strlen(cert), &kp, &err), -1);
	for (size_t len = 0; len + 2 < strlen(cert); len += 19)
		assert_int_equal(
		    keypair_parse(pem, strlen(pem), cert, len, &kp, &err), -1);
	assert_null(kp);
}

/* Keys whose numbers do not belong together. */

enum { N, E, D, P, Q, DP, DQ, QI, NUMBERS };

struct numbers {
	BIGNUM *bn[NUMBERS];
};

static void
numbers_of(const EVP_PKEY *pkey, struct numbers *k)
{
	static const char *const params[NUMBERS] = { "n", "e", "d",
		"rsa-factor1", "rsa-factor2", "rsa-exponent1", "rsa-exponent2",
		"rsa-coefficient1" };

	for (size_t i = 0; i < NUMBERS; i++) {
		k->bn[i] = NULL;
		assert_int_equal(
		    EVP_PKEY_get_bn_param(pkey, params[i], &k->bn[i]), 1);
	}
}

static void
numbers_free(struct numbers *k)
{
	for (size_t i = 0; i < NUMBERS; i++)
		BN_free(k->bn[i]);
}

/* All that follows from p, q and e. */
static void
derive(struct numbers *k)
{
	BN_CTX *ctx = BN_CTX_new();
	BIGNUM *p1 = BN_dup(k->bn[P]), *q1 = BN_dup(k->bn[Q]);
	BIGNUM *phi = BN_new();

	BN_sub_word(p1, 1);
	BN_sub_word(q1, 1);
	BN_mul(phi, p1, q1, ctx);
	BN_mul(k->bn[N], k->bn[P], k->bn[Q], ctx);
	if (BN_mod_inverse(k->bn[D], k->bn[E], phi, ctx) == NULL)
		ERR_clear_error();
	BN_mod(k->bn[DP], k->bn[D], p1, ctx);
	BN_mod(k->bn[DQ], k->bn[D], q1, ctx);
	if (BN_mod_inverse(k->bn[QI], k->bn[Q], k->bn[P], ctx) == NULL)
		ERR_clear_error();
	BN_free(p1);
	BN_free(q1);
	BN_free(phi);
	BN_CTX_free(ctx);
}

/* PKCS#1, written by hand: OpenSSL's writers might refuse such numbers. */
static char *
pkcs1_of(const struct numbers *k)
{
	unsigned char *der = xmalloc(128 * 1024), *p = der, *body;
	size_t len, body_len = 3;
	ASN1_INTEGER *n[NUMBERS];
	BIO *bio = BIO_new(BIO_s_mem());
	char *text, *copy;
	long text_len;

	for (size_t i = 0; i < NUMBERS; i++) {
		n[i] = BN_to_ASN1_INTEGER(k->bn[i], NULL);
		body_len += (size_t)i2d_ASN1_INTEGER(n[i], NULL);
	}
	ASN1_put_object(
	    &p, 1, (int)body_len, V_ASN1_SEQUENCE, V_ASN1_UNIVERSAL);
	body = p;
	memcpy(p, "\x02\x01\x00", 3);
	p += 3;
	for (size_t i = 0; i < NUMBERS; i++) {
		i2d_ASN1_INTEGER(n[i], &p);
		ASN1_INTEGER_free(n[i]);
	}
	assert_int_equal((size_t)(p - body), body_len);
	len = (size_t)(p - der);
	PEM_write_bio(bio, PEM_STRING_RSA, "", der, (long)len);
	text_len = BIO_get_mem_data(bio, &text);
	copy = xstrndup(text, (size_t)text_len);
	BIO_free(bio);
	mem_free_wiped(der);
	return copy;
}

static void
spoil(struct numbers *k, const char *how)
{
	if (strcmp(how, "even exponent") == 0) {
		BN_set_word(k->bn[E], 65536);
	} else if (strcmp(how, "exponent 1") == 0) {
		BN_set_word(k->bn[E], 1);
		derive(k);
	} else if (strcmp(how, "exponent of 33 bits") == 0) {
		BN_set_word(k->bn[E], 0x100000001u);
		derive(k);
	} else if (strcmp(how, "p is q") == 0) {
		BN_copy(k->bn[Q], k->bn[P]);
		derive(k);
		BN_set_word(k->bn[QI], 1);
	} else if (strcmp(how, "p is composite") == 0) {
		BN_set_word(k->bn[E], 65537);
		do {
			BN_rand(k->bn[P], 1024, BN_RAND_TOP_TWO,
			    BN_RAND_BOTTOM_ODD);
			derive(k);
		} while (BN_mod_word(k->bn[P], 3) != 0 ||
		    BN_mod_word(k->bn[P], 65537) == 1 ||
		    BN_num_bits(k->bn[QI]) < 900);
	} else if (strcmp(how, "p even") == 0) {
		BN_add_word(k->bn[P], 1);
	} else if (strcmp(how, "p is n and q is 1") == 0) {
		BN_copy(k->bn[P], k->bn[N]);
		BN_set_word(k->bn[Q], 1);
	} else if (strcmp(how, "other n") == 0) {
		BN_add_word(k->bn[N], 2);
	} else if (strcmp(how, "other d") == 0) {
		BN_add_word(k->bn[D], 2);
	} else if (strcmp(how, "other dp") == 0) {
		BN_add_word(k->bn[DP], 2);
	} else if (strcmp(how, "other dq") == 0) {
		BN_sub_word(k->bn[DQ], 2);
	} else if (strcmp(how, "other coefficient") == 0) {
		BN_add_word(k->bn[QI], 1);
	} else if (strcmp(how, "no d") == 0) {
		BN_zero(k->bn[D]);
	} else if (strcmp(how, "no primes") == 0) {
		BN_zero(k->bn[P]);
		BN_zero(k->bn[Q]);
	} else if (strcmp(how, "d of 300,000 bits") == 0) {
		BN_set_bit(k->bn[D], 300000);
	} else if (strcmp(how, "p of 300,000 bits") == 0) {
		BN_set_bit(k->bn[P], 300000);
	} else if (strcmp(how, "coefficient of 300,000 bits") == 0) {
		BN_set_bit(k->bn[QI], 300000);
	} else
		fail_msg("%s?", how);
}

/* Owned by the caller. */
static char *
spoilt_pem(const char *how)
{
	struct numbers k;
	char *pem;

	numbers_of(keypair_pkey(fixture_key(0)), &k);
	spoil(&k, how);
	pem = pkcs1_of(&k);
	numbers_free(&k);
	return pem;
}

static void
refuses_numbers_that_do_not_belong_together(void **state UNUSED)
{
	static const char *const ways[] = { "even exponent", "exponent 1",
		"exponent of 33 bits", "p is q", "p is composite", "p even",
		"p is n and q is 1", "other n", "other d", "other dp",
		"other dq", "other coefficient", "no d", "no primes" };

	for (size_t i = 0; i < ARRAY_SIZE(ways); i++) {
		AUTO_STR char *pem = spoilt_pem(ways[i]);

		refused_for(pem, strlen(pem), keypair_cert_pem(fixture_key(0)),
		    "private key: the numbers of the RSA key do not belong "
		    "together");
	}
}

/* OpenSSL 3.5 already refuses to read them, 3.0 does not: two texts. */
static void
refuses_huge_numbers_in_bounded_time(void **state UNUSED)
{
	static const char *const ways[] = { "d of 300,000 bits",
		"p of 300,000 bits", "coefficient of 300,000 bits" };
	const char *cert = keypair_cert_pem(fixture_key(0));

	for (size_t i = 0; i < ARRAY_SIZE(ways); i++) {
		AUTO_STR char *pem = spoilt_pem(ways[i]);
		struct keypair *kp = NULL;
		struct err err = ERR_INIT;
		clock_t start = clock();

		assert_int_equal(keypair_parse(pem, strlen(pem), cert,
				     strlen(cert), &kp, &err),
		    -1);
		assert_true(clock() - start < 2 * CLOCKS_PER_SEC);
		assert_true(strstr(err.msg, "do not belong together") ||
		    strstr(err.msg, "PEM block is damaged"));
		assert_null(kp);
	}
}

static void
refuses_a_modulus_over_the_limit_before_any_arithmetic(void **state UNUSED)
{
	AUTO_STR char *pem = NULL;
	struct numbers k;
	clock_t start;

	numbers_of(keypair_pkey(fixture_key(0)), &k);
	BN_set_bit(k.bn[N], 300000);
	pem = pkcs1_of(&k);
	numbers_free(&k);
	start = clock();
	refused_for(pem, strlen(pem), keypair_cert_pem(fixture_key(0)),
	    "private key: RSA key of 300001 bits, usable are 2048 to 8192");
	assert_true(clock() - start < 2 * CLOCKS_PER_SEC);
}

/* The control of the two tests above: untouched numbers are taken. */
static void
takes_the_same_numbers_untouched(void **state UNUSED)
{
	AUTO_STR char *pem = NULL;
	AUTO(keypair) struct keypair *kp = NULL;
	struct numbers k;

	numbers_of(keypair_pkey(fixture_key(0)), &k);
	derive(&k);
	pem = pkcs1_of(&k);
	numbers_free(&k);
	kp = keypairrig_parse(pem, keypair_cert_pem(fixture_key(0)));
	assert_non_null(kp);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    reads_both_pem_forms_and_agrees_with_ssh_keygen),
		cmocka_unit_test(
		    takes_the_first_key_and_certificate_that_are_whole),
		cmocka_unit_test(refuses_keys_of_the_wrong_kind),
		cmocka_unit_test(refuses_der_and_texts_over_the_limit),
		cmocka_unit_test(refuses_bytes_behind_the_der),
		cmocka_unit_test(looks_at_a_bounded_number_of_blocks),
		cmocka_unit_test(
		    refuses_certificates_that_do_not_go_with_the_key),
		cmocka_unit_test(survives_every_truncation_of_its_texts),
		cmocka_unit_test(refuses_numbers_that_do_not_belong_together),
		cmocka_unit_test(refuses_huge_numbers_in_bounded_time),
		cmocka_unit_test(
		    refuses_a_modulus_over_the_limit_before_any_arithmetic),
		cmocka_unit_test(takes_the_same_numbers_untouched),
	};

	return cmocka_run_group_tests(tests, NULL, fixture_forget);
}
