/*
 * Tests of keystore/keypair.c: the certificate that it makes, field by field,
 * and the key Secrets that it takes or refuses, each with its reason.
 * layer: keystore
 */
#include "tests/unit/keystore_fixture.h"

#include <openssl/bn.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>

#include <pthread.h>
#include <sched.h>

#include "keystore/private.h"
#include "tests/fuzz/testkey.h"
#include "vectors.h"

/* Generation. */

static X509 *
certificate_of(const struct keypair *kp)
{
	BIO *bio = BIO_new_mem_buf(keypair_cert_pem(kp), -1);
	X509 *cert = PEM_read_bio_X509(bio, NULL, NULL, NULL);

	assert_non_null(cert);
	BIO_free(bio);
	return cert;
}

static void
assert_extension(
    X509 *cert, int at, int nid, int critical, const void *der, size_t len)
{
	X509_EXTENSION *ext = X509_get_ext(cert, at);
	ASN1_OCTET_STRING *value = X509_EXTENSION_get_data(ext);

	assert_int_equal(OBJ_obj2nid(X509_EXTENSION_get_object(ext)), nid);
	assert_int_equal(X509_EXTENSION_get_critical(ext), critical);
	assert_int_equal(ASN1_STRING_length(value), len);
	assert_memory_equal(ASN1_STRING_get0_data(value), der, len);
}

static void
certificate_has_the_extensions_of_the_reference(void **state UNUSED)
{
	unsigned char id[2 + EVP_MAX_MD_SIZE] = { 0x04, 20 };
	X509 *cert = certificate_of(fixture_key(0));

	assert_int_equal(X509_get_ext_count(cert), 3);
	assert_extension(cert, 0, NID_key_usage, 1, "\x03\x02\x00\x01", 4);
	assert_extension(
	    cert, 1, NID_basic_constraints, 1, "\x30\x03\x01\x01\xff", 5);
	assert_int_equal(
	    X509_pubkey_digest(cert, EVP_sha256(), id + 2, NULL), 1);
	assert_extension(cert, 2, NID_subject_key_identifier, 0, id, 22);
	X509_free(cert);
}

static void
certificate_is_version_3_and_signs_itself(void **state UNUSED)
{
	X509 *cert = certificate_of(fixture_key(0));

	assert_int_equal(X509_get_version(cert), 2);
	assert_int_equal(
	    X509_get_signature_nid(cert), NID_sha256WithRSAEncryption);
	assert_int_equal(X509_verify(cert, X509_get0_pubkey(cert)), 1);
	assert_int_equal(X509_NAME_entry_count(X509_get_subject_name(cert)), 0);
	assert_int_equal(X509_NAME_entry_count(X509_get_issuer_name(cert)), 0);
	assert_int_equal(EVP_PKEY_get_bits(X509_get0_pubkey(cert)), 2048);
	X509_free(cert);
}

static void
public_exponent_is_65537(void **state UNUSED)
{
	BIGNUM *e = NULL;

	assert_int_equal(
	    EVP_PKEY_get_bn_param(keypair_pkey(fixture_key(0)), "e", &e), 1);
	assert_true(BN_is_word(e, 65537));
	BN_free(e);
}

static void
serial_numbers_are_random_and_of_128_bits(void **state UNUSED)
{
	int most = 0;
	BIGNUM *serial[FIXTURE_KEYS];

	for (unsigned i = 0; i < FIXTURE_KEYS; i++) {
		X509 *cert = certificate_of(fixture_key(i));

		serial[i] =
		    ASN1_INTEGER_to_BN(X509_get0_serialNumber(cert), NULL);
		assert_false(BN_is_negative(serial[i]));
		assert_true(BN_num_bits(serial[i]) <= 128);
		if (BN_num_bits(serial[i]) > most)
			most = BN_num_bits(serial[i]);
		if (i > 0)
			assert_int_not_equal(BN_cmp(serial[0], serial[i]), 0);
		X509_free(cert);
	}
	assert_true(most > 96);
	for (unsigned i = 0; i < FIXTURE_KEYS; i++)
		BN_free(serial[i]);
}

static void
common_name_is_subject_and_issuer(void **state UNUSED)
{
	static const struct {
		const char *cn;
		int type;
	} cases[] = {
		{ "Sealed Secrets (test), v1", V_ASN1_PRINTABLESTRING },
		{ "a*b", V_ASN1_UTF8STRING },
		{ "gr\xc3\xbc\xc3\x9f\x65", V_ASN1_UTF8STRING },
		{ "a name that is longer than the sixty-four characters that "
		  "X.520 once allowed for it",
		    V_ASN1_PRINTABLESTRING },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct keypair_params params = { .bits = 2048,
			.ttl_s = DAY_S,
			.now_s = NOW_S,
			.cn = cases[i].cn };
		AUTO(keypair) struct keypair *kp = NULL;
		struct err err = ERR_INIT;
		X509_NAME *name;
		ASN1_STRING *s;
		X509 *cert;

		assert_int_equal(keypair_generate(&params, &kp, &err), 0);
		cert = certificate_of(kp);
		name = X509_get_subject_name(cert);
		assert_int_equal(X509_NAME_entry_count(name), 1);
		s = X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, 0));
		assert_int_equal(ASN1_STRING_type(s), cases[i].type);
		assert_int_equal(ASN1_STRING_length(s), strlen(cases[i].cn));
		assert_memory_equal(
		    ASN1_STRING_get0_data(s), cases[i].cn, strlen(cases[i].cn));
		assert_int_equal(
		    X509_NAME_cmp(name, X509_get_issuer_name(cert)), 0);
		X509_free(cert);
	}
}

/* 2050 is where UTCTime ends and GeneralizedTime begins. */
static void
dates_are_right_on_both_sides_of_2050(void **state UNUSED)
{
	static const struct {
		int64_t from, ttl_s;
		const char *want_from, *want_to;
	} cases[] = {
		{ INT64_C(1800000000), 3650 * DAY_S, "270115080000Z",
		    "370112080000Z" },
		{ INT64_C(2524607999), 1, "491231235959Z", "20500101000000Z" },
		{ INT64_C(2524608000), DAY_S, "20500101000000Z",
		    "20500102000000Z" },
		{ 0, INT64_C(253402300799), "700101000000Z",
		    "99991231235959Z" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO(keypair)
		struct keypair *kp =
		    fixture_make(2048, cases[i].from, cases[i].ttl_s);
		X509 *cert = certificate_of(kp);

		assert_string_equal((const char *)ASN1_STRING_get0_data(
					X509_get0_notBefore(cert)),
		    cases[i].want_from);
		assert_string_equal((const char *)ASN1_STRING_get0_data(
					X509_get0_notAfter(cert)),
		    cases[i].want_to);
		assert_int_equal(keypair_not_before(kp), cases[i].from);
		assert_int_equal(
		    keypair_not_after(kp), cases[i].from + cases[i].ttl_s);
		X509_free(cert);
	}
}

static void
refuses_parameters_it_cannot_honour(void **state UNUSED)
{
	static char long_cn[1026];
	const struct {
		struct keypair_params params;
		const char *want;
	} cases[] = {
		{ { .bits = 1024, .ttl_s = 1, .cn = "" },
		    "key size 1024 is not between 2048 and 8192 bits" },
		{ { .bits = 2047, .ttl_s = 1, .cn = "" },
		    "key size 2047 is not between 2048 and 8192 bits" },
		{ { .bits = 8193, .ttl_s = 1, .cn = "" },
		    "key size 8193 is not between 2048 and 8192 bits" },
		{ { .bits = 2048, .ttl_s = 0, .cn = "" },
		    "certificate validity does not end in the years that X.509 "
		    "can say" },
		{ { .bits = 2048, .ttl_s = INT64_MAX, .now_s = 1, .cn = "" },
		    "certificate validity does not end in the years that X.509 "
		    "can say" },
		{ { .bits = 2048,
		      .ttl_s = 1,
		      .now_s = INT64_C(253402300799),
		      .cn = "" },
		    "certificate validity does not end in the years that X.509 "
		    "can say" },
		{ { .bits = 2048, .ttl_s = 1, .cn = long_cn },
		    "common name is longer than 1024 bytes" },
		{ { .bits = 2048, .ttl_s = 1, .cn = "\xff\xfe" },
		    "certificate: common name is not UTF-8" },
	};

	memset(long_cn, 'a', sizeof(long_cn) - 1);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct keypair *kp = NULL;
		struct err err = ERR_INIT;

		assert_int_equal(
		    keypair_generate(&cases[i].params, &kp, &err), -1);
		assert_int_equal(err.code, ERR_INVALID);
		assert_string_equal(err.msg, cases[i].want);
		assert_null(kp);
	}
}

struct generation {
	struct keypair_params params;
	struct keypair *kp;
	struct err err;
	int rc;
};

static void *
generate(void *arg)
{
	struct generation *g = arg;

	g->rc = keypair_generate(&g->params, &g->kp, &g->err);
	return NULL;
}

static void
generates_nothing_once_stop_was_requested(void **state UNUSED)
{
	struct stop stop;
	struct generation g = {
		.params = { .bits = 2048, .ttl_s = 1, .cn = "", .stop = &stop }
	};

	stop_init(&stop);
	stop_request(&stop);
	generate(&g);
	assert_int_equal(g.rc, -1);
	assert_int_equal(g.err.code, ERR_CANCELLED);
	assert_null(g.kp);
	stop_release(&stop);
}

/* CPU time shows that the search for primes runs; it would take seconds. */
static void
gives_up_a_running_generation(void **state UNUSED)
{
	struct stop stop;
	struct generation g = {
		.params = { .bits = 8192, .ttl_s = 1, .cn = "", .stop = &stop }
	};
	struct timespec used = { 0 };
	clockid_t clock;
	pthread_t thread;

	stop_init(&stop);
	assert_int_equal(pthread_create(&thread, NULL, generate, &g), 0);
	assert_int_equal(pthread_getcpuclockid(thread, &clock), 0);
	while (used.tv_sec == 0 && used.tv_nsec < 20000000) {
		sched_yield();
		assert_int_equal(clock_gettime(clock, &used), 0);
	}
	stop_request(&stop);
	pthread_join(thread, NULL);
	assert_int_equal(g.rc, -1);
	assert_int_equal(g.err.code, ERR_CANCELLED);
	assert_string_equal(g.err.msg, "generate key: stopped");
	assert_null(g.kp);
	stop_release(&stop);
}

/* PEM in and out. */

static struct keypair *
parse(const char *key, const char *cert)
{
	struct keypair *kp = NULL;
	struct err err = ERR_INIT;

	if (keypair_parse(key, strlen(key), cert, strlen(cert), &kp, &err) < 0)
		fail_msg("%s", err.msg);
	return kp;
}

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

/* Owned by the caller. */
static char *
private_pem(const struct keypair *kp)
{
	struct secret *pem = NULL;
	struct err err = ERR_INIT;
	char *text;

	assert_int_equal(keypair_private_pem(kp, &pem, &err), 0);
	text = xstrndup((const char *)secret_bytes(pem), secret_len(pem));
	secret_free(pem);
	return text;
}

static void
writes_pkcs1_that_it_reads_again(void **state UNUSED)
{
	static const char begin[] = "-----BEGIN RSA PRIVATE KEY-----\n";
	static const char end[] = "\n-----END RSA PRIVATE KEY-----\n";
	AUTO_STR char *pem = private_pem(fixture_key(0));
	AUTO(keypair)
	struct keypair *kp = parse(pem, keypair_cert_pem(fixture_key(0)));

	assert_memory_equal(pem, begin, sizeof(begin) - 1);
	assert_string_equal(pem + strlen(pem) - (sizeof(end) - 1), end);
	assert_string_equal(
	    keypair_fingerprint(kp), keypair_fingerprint(fixture_key(0)));
	assert_string_equal(
	    keypair_cert_pem(kp), keypair_cert_pem(fixture_key(0)));
	assert_int_equal(
	    keypair_not_after(kp), keypair_not_after(fixture_key(0)));
}

static void
reads_both_pem_forms_and_agrees_with_ssh_keygen(void **state UNUSED)
{
	static const char *const forms[] = { TESTKEY_PKCS1, TESTKEY_PKCS8 };

	for (size_t i = 0; i < ARRAY_SIZE(forms); i++) {
		AUTO(keypair)
		struct keypair *kp = parse(forms[i], TESTKEY_CERT);

		assert_string_equal(
		    keypair_fingerprint(kp), TESTKEY_FINGERPRINT);
		assert_string_equal(keypair_cert_pem(kp), TESTKEY_CERT);
		assert_int_equal(keypair_modulus_len(kp), 256);
	}
}

static void
knows_the_length_of_a_longer_modulus(void **state UNUSED)
{
	AUTO(keypair)
	struct keypair *kp = vectors_key("rsa4096", "pkcs1");

	assert_int_equal(keypair_modulus_len(kp), 512);
}

static void
takes_the_first_key_and_certificate_that_are_whole(void **state UNUSED)
{
	static const char broken[] = "-----BEGIN RSA PRIVATE KEY-----\nAAAA\n"
				     "-----END RSA PRIVATE KEY-----\n";
	static const char cut[] = "-----BEGIN PRIVATE KEY-----\nnot base64!\n";
	AUTO_STR char *pem = private_pem(fixture_key(0));
	AUTO_STR char *other = private_pem(fixture_key(1));
	AUTO_STR char *keys =
	    xasprintf("Bag Attributes\n%s%s%s%s", broken, cut, pem, other);
	AUTO_STR char *certs = xasprintf("%ssubject=\n%s%s", broken,
	    keypair_cert_pem(fixture_key(0)), keypair_cert_pem(fixture_key(1)));
	AUTO(keypair) struct keypair *kp = parse(keys, certs);

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
	AUTO_STR char *pem = private_pem(fixture_key(0));
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
	X509 *x509 = certificate_of(fixture_key(0));
	int cert_len = i2d_X509(x509, &cert_der);
	AUTO_STR char *key = with_a_byte_too_many(PEM_STRING_RSA, der, len);
	AUTO_STR char *cert =
	    with_a_byte_too_many(PEM_STRING_X509, cert_der, cert_len);
	AUTO_STR char *good = private_pem(fixture_key(0));

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
	AUTO_STR char *pem = private_pem(fixture_key(0));
	const char *cert = keypair_cert_pem(fixture_key(0));
	AUTO(keypair) struct keypair *kp = NULL;

	for (int i = 0; i < 63; i++)
		buf_puts(&text, line);
	buf_puts(&text, pem);
	kp = parse(buf_str(&text), cert);
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
	AUTO_STR char *pem = private_pem(fixture_key(0));
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
	AUTO_STR char *pem = private_pem(fixture_key(0));
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
	kp = parse(pem, keypair_cert_pem(fixture_key(0)));
	assert_non_null(kp);
}

static void
lives_until_the_last_reference_is_dropped(void **state UNUSED)
{
	AUTO_STR char *pem = private_pem(fixture_key(0));
	struct keypair *kp = parse(pem, keypair_cert_pem(fixture_key(0)));
	struct keypair *other = keypair_ref(kp);

	assert_ptr_equal(kp, other);
	keypair_free(kp);
	assert_string_equal(
	    keypair_fingerprint(other), keypair_fingerprint(fixture_key(0)));
	keypair_free(other);
	keypair_free(NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    certificate_has_the_extensions_of_the_reference),
		cmocka_unit_test(certificate_is_version_3_and_signs_itself),
		cmocka_unit_test(public_exponent_is_65537),
		cmocka_unit_test(serial_numbers_are_random_and_of_128_bits),
		cmocka_unit_test(common_name_is_subject_and_issuer),
		cmocka_unit_test(dates_are_right_on_both_sides_of_2050),
		cmocka_unit_test(refuses_parameters_it_cannot_honour),
		cmocka_unit_test(generates_nothing_once_stop_was_requested),
		cmocka_unit_test(gives_up_a_running_generation),
		cmocka_unit_test(writes_pkcs1_that_it_reads_again),
		cmocka_unit_test(
		    reads_both_pem_forms_and_agrees_with_ssh_keygen),
		cmocka_unit_test(knows_the_length_of_a_longer_modulus),
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
		cmocka_unit_test(lives_until_the_last_reference_is_dropped),
	};

	return cmocka_run_group_tests(tests, NULL, fixture_forget);
}
