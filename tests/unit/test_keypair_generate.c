/*
 * Tests of keystore/keypair_generate.c: the certificate that it makes, field by
 * field.
 * layer: keystore
 */
#include "keypairrig.h"

#include <openssl/bn.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>

#include <pthread.h>
#include <sched.h>

#include "keystore/private.h"

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
	X509 *cert = keypairrig_certificate(fixture_key(0));

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
	X509 *cert = keypairrig_certificate(fixture_key(0));

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
		X509 *cert = keypairrig_certificate(fixture_key(i));

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
		cert = keypairrig_certificate(kp);
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
		X509 *cert = keypairrig_certificate(kp);

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
	};

	return cmocka_run_group_tests(tests, NULL, fixture_forget);
}
