/*
 * Tests of keystore/keypair.c: what it knows of a key, and the text of the
 * private half.
 * layer: keystore
 */
#include "keypairrig.h"
#include "vectors.h"

static void
writes_pkcs1_that_it_reads_again(void **state UNUSED)
{
	static const char begin[] = "-----BEGIN RSA PRIVATE KEY-----\n";
	static const char end[] = "\n-----END RSA PRIVATE KEY-----\n";
	AUTO_STR char *pem = keypairrig_private_pem(fixture_key(0));
	AUTO(keypair)
	struct keypair *kp =
	    keypairrig_parse(pem, keypair_cert_pem(fixture_key(0)));

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
knows_the_length_of_a_longer_modulus(void **state UNUSED)
{
	AUTO(keypair)
	struct keypair *kp = vectors_key("rsa4096", "pkcs1");

	assert_int_equal(keypair_modulus_len(kp), 512);
}

static void
lives_until_the_last_reference_is_dropped(void **state UNUSED)
{
	AUTO_STR char *pem = keypairrig_private_pem(fixture_key(0));
	struct keypair *kp =
	    keypairrig_parse(pem, keypair_cert_pem(fixture_key(0)));
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
		cmocka_unit_test(writes_pkcs1_that_it_reads_again),
		cmocka_unit_test(knows_the_length_of_a_longer_modulus),
		cmocka_unit_test(lives_until_the_last_reference_is_dropped),
	};

	return cmocka_run_group_tests(tests, NULL, fixture_forget);
}
