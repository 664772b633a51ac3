/*
 * Tests of controller/tmpl/funcs_cert.c: certificates.
 * layer: tmpl
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
/* cmocka needs the four above first. */
#include <cmocka.h>

#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "base/mem.h"
#include "tmplrig.h"

#define KEY "{{ $k := genPrivateKey \"ecdsa\" }}"

static X509 *
read_cert(BIO *bio)
{
	X509 *cert = PEM_read_bio_X509(bio, NULL, NULL, NULL);

	assert_non_null(cert);
	return cert;
}

static void
makes_an_authority(void **state UNUSED)
{
	AUTO_STR char *out = tmplrig_render(
	    KEY "{{ $c := genCAWithKey \"my ca\" 365 $k }}{{ $c.Cert }}"
		"{{ if ne $c.Key $k }}another key{{ end }}");
	BIO *bio = BIO_new_mem_buf(out, -1);
	X509 *cert = read_cert(bio);
	char name[16];
	int days, s;

	assert_null(strstr(out, "another key"));
	assert_int_equal(X509_check_ca(cert), 1);
	assert_int_equal(X509_get_key_usage(cert),
	    KU_DIGITAL_SIGNATURE | KU_KEY_ENCIPHERMENT | KU_KEY_CERT_SIGN);
	assert_int_equal(
	    X509_get_extended_key_usage(cert), XKU_SSL_SERVER | XKU_SSL_CLIENT);
	assert_int_equal(X509_get_pathlen(cert), -1);
	assert_non_null(X509_get0_subject_key_id(cert));
	assert_null(X509_get0_authority_key_id(cert));
	assert_int_equal(X509_verify(cert, X509_get0_pubkey(cert)), 1);
	assert_int_equal(X509_NAME_get_text_by_NID(X509_get_subject_name(cert),
			     NID_commonName, name, sizeof(name)),
	    5);
	assert_string_equal(name, "my ca");
	assert_int_equal(ASN1_TIME_diff(&days, &s, X509_get0_notBefore(cert),
			     X509_get0_notAfter(cert)),
	    1);
	assert_int_equal(days, 365);
	assert_int_equal(s, 0);
	X509_free(cert);
	BIO_free(bio);
}

static void
signs_others(void **state UNUSED)
{
	AUTO_STR char *out = tmplrig_render(
	    KEY "{{ $ca := genCAWithKey \"ca\" 9 $k }}"
		"{{ $c := genSignedCertWithKey \"leaf\" (list \"10.0.0.1\" "
		"\"::1\" \"::ffff:1.2.3.4\") (list \"a.b\" \"*.c.d\") 7 $ca "
		"(genPrivateKey \"ed25519\") }}{{ $c.Cert }}{{ $ca.Cert }}");
	BIO *bio = BIO_new_mem_buf(out, -1);
	X509 *leaf = read_cert(bio), *ca = read_cert(bio);

	assert_int_equal(X509_verify(leaf, X509_get0_pubkey(ca)), 1);
	assert_int_equal(X509_check_issued(ca, leaf), X509_V_OK);
	assert_int_equal(X509_check_ca(leaf), 0);
	assert_null(X509_get0_subject_key_id(leaf));
	assert_int_equal(ASN1_OCTET_STRING_cmp(X509_get0_authority_key_id(leaf),
			     X509_get0_subject_key_id(ca)),
	    0);
	assert_int_equal(X509_check_ip_asc(leaf, "10.0.0.1", 0), 1);
	assert_int_equal(X509_check_ip_asc(leaf, "::1", 0), 1);
	assert_int_equal(X509_check_ip_asc(leaf, "1.2.3.4", 0), 1);
	assert_int_equal(X509_check_host(leaf, "a.b", 0, 0, NULL), 1);
	assert_int_equal(X509_check_host(leaf, "x.c.d", 0, 0, NULL), 1);
	X509_free(ca);
	X509_free(leaf);
	BIO_free(bio);
}

static void
signs_itself(void **state UNUSED)
{
	AUTO_STR char *out = tmplrig_render(
	    KEY "{{ (genSelfSignedCertWithKey \"\" nil (list \"a\") 2 $k)"
		".Cert }}");
	BIO *bio = BIO_new_mem_buf(out, -1);
	X509 *cert = read_cert(bio);
	int critical;

	assert_int_equal(X509_NAME_entry_count(X509_get_subject_name(cert)), 0);
	GENERAL_NAMES_free(
	    X509_get_ext_d2i(cert, NID_subject_alt_name, &critical, NULL));
	assert_int_equal(critical, 1);
	assert_null(X509_get0_subject_key_id(cert));
	assert_int_equal(X509_check_ca(cert), 0);
	X509_free(cert);
	BIO_free(bio);
}

static void
keeps_given_texts(void **state UNUSED)
{
	AUTO_STR char *out = tmplrig_render(KEY
	    "{{ $c := genCAWithKey \"a\" 1 $k }}{{ $d := buildCustomCert "
	    "(b64enc (printf \"x\\n%s\" $c.Cert)) (b64enc $k) }}"
	    "{{ eq $d.Cert (printf \"x\\n%s\" $c.Cert) }} {{ eq $d.Key $k }} "
	    "{{ typeOf $d }} {{ eq $c $c }} {{ eq $c $d }}");

	assert_string_equal(out, "true true sprig.certificate true false");
}

static void
refuses_with_gos_words(void **state UNUSED)
{
	static const char *const cases[][2] = {
		{ "{{ genCAWithKey \"a\" 1 .x }}",
		    "parsing private key: no PEM data in input" },
		{ KEY "{{ genCAWithKey .bin 1 $k }}",
		    "error creating certificate: asn1: string not valid "
		    "UTF-8" },
		{ KEY "{{ genSelfSignedCertWithKey \"a\" (list .x) nil 1 $k "
		      "}}",
		    "error parsing ip: " WITHHELD },
		{ KEY "{{ genSelfSignedCertWithKey \"a\" (list 5) nil 1 $k }}",
		    "error parsing ip: " WITHHELD " is not a string" },
		{ KEY "{{ genSelfSignedCertWithKey \"a\" nil (list 5) 1 $k }}",
		    "error processing alternate dns name: " WITHHELD
		    " is not a string" },
		{ KEY
		    "{{ genSelfSignedCertWithKey \"a\" nil (list \"\\u00e9\") "
		    "1 $k }}",
		    "error creating certificate: x509: " WITHHELD
		    " cannot be encoded as an IA5String" },
		{ "{{ buildCustomCert \"!\" \"\" }}",
		    "unable to decode base64 certificate" },
		{ "{{ buildCustomCert \"\" \"!\" }}",
		    "unable to decode base64 private key" },
		{ "{{ buildCustomCert \"\" \"\" }}",
		    "unable to decode certificate" },
		{ KEY "{{ $c := genCAWithKey \"a\" 1 $k }}"
		      "{{ $d := buildCustomCert (b64enc $c.Cert) (b64enc "
		      "(genPrivateKey \"ecdsa\")) }}"
		      "{{ genSignedCertWithKey \"b\" nil nil 1 $d $k }}",
		    "error creating certificate: x509: provided PrivateKey "
		    "doesn't match parent's PublicKey" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO_STR char *out = tmplrig_render(cases[i][0]);
		size_t len = strlen(out), want = strlen(cases[i][1]);

		assert_in_range(len, want, 1U << 12);
		assert_string_equal(out + len - want, cases[i][1]);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(makes_an_authority),
		cmocka_unit_test(signs_others),
		cmocka_unit_test(signs_itself),
		cmocka_unit_test(keeps_given_texts),
		cmocka_unit_test(refuses_with_gos_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
