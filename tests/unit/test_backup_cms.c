/*
 * Tests of keystore/backup_cms.c: the openssl program opens what is written,
 * the algorithms are the promised ones, and unfit recipients are refused.
 * layer: keystore
 */
#include "tests/unit/keystore_fixture.h"

#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "keystore/backup.h"
#include "keystore/private.h"
#include "tests/unit/tmpfiles.h"
#include "textfile.h"

#define PLAIN	"apiVersion: v1\nkind: List\nitems: []\n"
#define PEM_MAX 65536

enum kind { RSA_2048, RSA_1024, EC_256, EC_384, EC_521, EC_K256, ED_25519 };

static EVP_PKEY *
make_key(enum kind kind)
{
	static const char *const curves[] = { [EC_256] = "P-256",
		[EC_384] = "P-384",
		[EC_521] = "P-521",
		[EC_K256] = "secp256k1" };

	switch (kind) {
	case RSA_2048:
		return EVP_RSA_gen(2048);
	case RSA_1024:
		return EVP_RSA_gen(1024);
	case ED_25519:
		return EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	case EC_256:
	case EC_384:
	case EC_521:
	case EC_K256:
		return EVP_EC_gen(curves[kind]);
	}
	return NULL;
}

static void
append_pem(BIO *bio, char *out)
{
	char *text;
	long len = BIO_get_mem_data(bio, &text);
	size_t at = strlen(out);

	assert_true(at + (size_t)len < PEM_MAX);
	memcpy(out + at, text, (size_t)len);
	out[at + (size_t)len] = '\0';
	BIO_free(bio);
}

/* A self-signed certificate and its key, each appended where wanted. */
static void
make_recipient(enum kind kind, char *cert_pem, char *key_pem)
{
	static long serial = 1000;
	EVP_PKEY *key = make_key(kind);
	X509 *cert = X509_new();
	BIO *bio = BIO_new(BIO_s_mem());

	assert_non_null(key);
	assert_int_equal(X509_set_version(cert, X509_VERSION_3), 1);
	ASN1_INTEGER_set(X509_get_serialNumber(cert), ++serial);
	X509_gmtime_adj(X509_getm_notBefore(cert), 0);
	X509_gmtime_adj(X509_getm_notAfter(cert), 3600);
	X509_NAME_add_entry_by_txt(X509_get_subject_name(cert), "CN",
	    MBSTRING_ASC, (const unsigned char *)"backup", -1, -1, 0);
	X509_set_issuer_name(cert, X509_get_subject_name(cert));
	X509_set_pubkey(cert, key);
	assert_true(
	    X509_sign(cert, key, kind == ED_25519 ? NULL : EVP_sha256()) > 0);
	assert_int_equal(PEM_write_bio_X509(bio, cert), 1);
	append_pem(bio, cert_pem);
	if (key_pem != NULL) {
		bio = BIO_new(BIO_s_mem());
		assert_int_equal(PEM_write_bio_PrivateKey(
				     bio, key, NULL, NULL, 0, NULL, NULL),
		    1);
		append_pem(bio, key_pem);
	}
	X509_free(cert);
	EVP_PKEY_free(key);
}

static struct backup_recipients *
load(const char *pem)
{
	struct backup_recipients *r = NULL;
	struct err err = ERR_INIT;

	if (backup_recipients_load(pem, strlen(pem), &r, &err) < 0)
		fail_msg("%s", err.msg);
	return r;
}

/* Owned by the caller. */
static char *
encrypt(const char *recipients, const char *plain)
{
	AUTO(backup_recipients) struct backup_recipients *r = load(recipients);
	AUTO(secret) struct secret *text = secret_from(plain, strlen(plain));
	AUTO_RELEASE(buf) struct buf out = BUF_INIT(BACKUP_CMS_MAX);
	struct err err = ERR_INIT;

	if (backup_encrypt(r, text, &out, &err) < 0)
		fail_msg("%s", err.msg);
	assert_int_equal(
	    strncmp(buf_str(&out), "-----BEGIN CMS-----\n", 20), 0);
	return buf_take(&out, NULL);
}

/* The exit code of the openssl program; its output goes to file "said". */
static int
openssl(const struct tmpfiles *t, const char *const argv[])
{
	extern char **environ;
	posix_spawn_file_actions_t fds;
	int status;
	pid_t pid;

	posix_spawn_file_actions_init(&fds);
	posix_spawn_file_actions_addopen(&fds, 1, tmpfiles_path(t, "said"),
	    O_WRONLY | O_CREAT | O_TRUNC, 0600);
	posix_spawn_file_actions_adddup2(&fds, 1, 2);
	assert_int_equal(posix_spawnp(&pid, "openssl", &fds, NULL,
			     (char *const *)(uintptr_t)argv, environ),
	    0);
	posix_spawn_file_actions_destroy(&fds);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static int
decrypt(const struct tmpfiles *t)
{
	const char *const argv[] = { "openssl", "cms", "-decrypt", "-inform",
		"PEM", "-in", tmpfiles_path(t, "cms"), "-recip",
		tmpfiles_path(t, "cert"), "-inkey", tmpfiles_path(t, "key"),
		"-out", tmpfiles_path(t, "plain"), NULL };

	return openssl(t, argv);
}

static void
assert_opens(const struct tmpfiles *t, const char *cert, const char *key,
    const char *want)
{
	AUTO_STR char *got = NULL;

	tmpfiles_write(t, "cert", cert);
	tmpfiles_write(t, "key", key);
	assert_int_equal(decrypt(t), 0);
	got = textfile_read(tmpfiles_path(t, "plain"));
	assert_string_equal(got, want);
}

static void
the_openssl_program_opens_it_for_every_kind_of_recipient(void **state UNUSED)
{
	static const enum kind kinds[] = { RSA_2048, EC_256, EC_384, EC_521 };

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		char cert[PEM_MAX] = "", key[PEM_MAX] = "";
		AUTO_STR char *cms = NULL;
		struct tmpfiles t;

		tmpfiles_init(&t);
		make_recipient(kinds[i], cert, key);
		cms = encrypt(cert, PLAIN);
		assert_null(strstr(cms, "kind"));
		tmpfiles_write(&t, "cms", cms);
		assert_opens(&t, cert, key, PLAIN);
		tmpfiles_release(&t);
	}
}

static void
any_one_of_several_recipients_opens_it(void **state UNUSED)
{
	char all[PEM_MAX] = "", cert[3][PEM_MAX] = { "" };
	char key[3][PEM_MAX] = { "" };
	static const enum kind kinds[] = { EC_384, RSA_2048, EC_256 };
	AUTO_STR char *cms = NULL;
	struct tmpfiles t;

	tmpfiles_init(&t);
	for (size_t i = 0; i < 3; i++) {
		make_recipient(kinds[i], cert[i], key[i]);
		(void)snprintf(all + strlen(all), PEM_MAX - strlen(all),
		    "a comment\n%s\n", cert[i]);
	}
	cms = encrypt(all, PLAIN);
	tmpfiles_write(&t, "cms", cms);
	for (size_t i = 0; i < 3; i++)
		assert_opens(&t, cert[i], key[i], PLAIN);
	tmpfiles_release(&t);
}

static void
nobody_else_opens_it(void **state UNUSED)
{
	char cert[PEM_MAX] = "", key[PEM_MAX] = "";
	AUTO_STR char *cms = NULL;
	struct tmpfiles t;

	tmpfiles_init(&t);
	make_recipient(RSA_2048, cert, NULL);
	cms = encrypt(cert, PLAIN);
	tmpfiles_write(&t, "cms", cms);
	cert[0] = '\0';
	make_recipient(RSA_2048, cert, key);
	tmpfiles_write(&t, "cert", cert);
	tmpfiles_write(&t, "key", key);
	assert_int_not_equal(decrypt(&t), 0);
	tmpfiles_release(&t);
}

static void
a_changed_ciphertext_is_noticed(void **state UNUSED)
{
	char cert[PEM_MAX] = "", key[PEM_MAX] = "";
	AUTO_STR char *cms = NULL;
	struct tmpfiles t;
	char *p;

	tmpfiles_init(&t);
	make_recipient(RSA_2048, cert, key);
	cms = encrypt(cert, PLAIN PLAIN PLAIN PLAIN);
	/* The last line but one is ciphertext and tag. */
	p = strstr(cms, "\n-----END") - 70;
	*p = *p == 'A' ? 'B' : 'A';
	tmpfiles_write(&t, "cms", cms);
	tmpfiles_write(&t, "cert", cert);
	tmpfiles_write(&t, "key", key);
	assert_int_not_equal(decrypt(&t), 0);
	tmpfiles_release(&t);
}

/* The words come in this order where openssl prints the message. */
static void
assert_says(const char *cms, const char *const words[])
{
	AUTO_STR char *said = NULL;
	const char *at;
	struct tmpfiles t;
	const char *argv[] = { "openssl", "cms", "-cmsout", "-print", "-noout",
		"-inform", "PEM", "-in", NULL, NULL };

	tmpfiles_init(&t);
	tmpfiles_write(&t, "cms", cms);
	argv[8] = tmpfiles_path(&t, "cms");
	assert_int_equal(openssl(&t, argv), 0);
	said = textfile_read(tmpfiles_path(&t, "said"));
	at = said;
	for (; *words != NULL; words++) {
		at = strstr(at, *words);
		if (at == NULL)
			fail_msg("%s is missing in: %s", *words, said);
		at += strlen(*words);
	}
	tmpfiles_release(&t);
}

static void
the_algorithms_are_the_promised_ones(void **state UNUSED)
{
	static const char *const rsa[] = { "id-smime-ct-authEnvelopedData",
		"rsaesOaep", ":sha256", ":mgf1", ":sha256", "aes-256-gcm",
		NULL };
	static const char *const ec[] = { "id-smime-ct-authEnvelopedData",
		"dhSinglePass-stdDH-sha256kdf-scheme", "id-aes256-wrap",
		"aes-256-gcm", NULL };
	char cert[2][PEM_MAX] = { "" };
	AUTO_STR char *to_rsa = NULL;
	AUTO_STR char *to_ec = NULL;

	make_recipient(RSA_2048, cert[0], NULL);
	make_recipient(EC_256, cert[1], NULL);
	to_rsa = encrypt(cert[0], PLAIN);
	to_ec = encrypt(cert[1], PLAIN);
	assert_says(to_rsa, rsa);
	assert_says(to_ec, ec);
}

static void
two_encryptions_share_nothing(void **state UNUSED)
{
	char cert[PEM_MAX] = "";
	AUTO_STR char *a = NULL;
	AUTO_STR char *b = NULL;

	make_recipient(RSA_2048, cert, NULL);
	a = encrypt(cert, PLAIN);
	b = encrypt(cert, PLAIN);
	assert_string_not_equal(a, b);
}

static void
a_backup_of_many_keys_is_encrypted_whole(void **state UNUSED)
{
	size_t len = 3u * 1024 * 1024;
	char cert[PEM_MAX] = "", key[PEM_MAX] = "";
	AUTO_STR char *plain = xcalloc(1, len + 1);
	AUTO_STR char *cms = NULL;
	struct tmpfiles t;

	tmpfiles_init(&t);
	for (size_t i = 0; i < len; i++)
		plain[i] = (char)('a' + i % 23);
	make_recipient(EC_256, cert, key);
	cms = encrypt(cert, plain);
	tmpfiles_write(&t, "cms", cms);
	assert_opens(&t, cert, key, plain);
	tmpfiles_release(&t);
}

/* ---- refusals ---- */

static void
assert_refused(const char *pem, const char *want)
{
	struct backup_recipients *r = NULL;
	struct err err = ERR_INIT;

	assert_int_equal(
	    backup_recipients_load(pem, strlen(pem), &r, &err), -1);
	assert_null(r);
	assert_int_equal(err.code, ERR_INVALID);
	if (strstr(err.msg, want) == NULL)
		fail_msg("\"%s\" is not in \"%s\"", want, err.msg);
	assert_int_equal(ERR_peek_error(), 0);
}

static void
recipients_of_other_keys_are_refused(void **state UNUSED)
{
	static const struct {
		enum kind kind;
		const char *want;
	} cases[] = {
		{ RSA_1024,
		    "recipient 2: RSA key of 1024 bits, usable are 2048" },
		{ EC_K256, "recipient 2: its key is neither RSA nor EC on" },
		{ ED_25519, "recipient 2: its key is neither RSA nor EC on" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char pem[PEM_MAX] = "";

		make_recipient(EC_256, pem, NULL);
		make_recipient(cases[i].kind, pem, NULL);
		assert_refused(pem, cases[i].want);
	}
}

static void
a_file_that_holds_anything_but_certificates_is_refused(void **state UNUSED)
{
	char both[PEM_MAX] = "", cut[PEM_MAX] = "", other[PEM_MAX] = "";

	make_recipient(EC_256, both, both);
	assert_refused(both, "recipient 2: not a block of type CERTIFICATE");
	make_recipient(EC_256, cut, NULL);
	cut[strlen(cut) / 2] = '\0';
	assert_refused(cut, "recipient 1: its PEM block is damaged");
	(void)snprintf(other, sizeof(other),
	    "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
	assert_refused(other, "recipient 1: not an X.509 certificate");
	assert_refused("", "recipients: no certificate in it");
	assert_refused("hello\n", "recipients: no certificate in it");
}

static void
the_number_of_recipients_is_bounded(void **state UNUSED)
{
	char one[PEM_MAX] = "", many[PEM_MAX] = "";
	AUTO(backup_recipients) struct backup_recipients *r = NULL;

	make_recipient(EC_256, one, NULL);
	for (int i = 0; i < BACKUP_RECIPIENTS_MAX; i++)
		(void)snprintf(
		    many + strlen(many), PEM_MAX - strlen(many), "%s", one);
	r = load(many);
	assert_int_equal(backup_recipients_count(r), BACKUP_RECIPIENTS_MAX);
	(void)snprintf(many + strlen(many), PEM_MAX - strlen(many), "%s", one);
	assert_refused(many, "recipient 17: more than 16 certificates");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    the_openssl_program_opens_it_for_every_kind_of_recipient),
		cmocka_unit_test(any_one_of_several_recipients_opens_it),
		cmocka_unit_test(nobody_else_opens_it),
		cmocka_unit_test(a_changed_ciphertext_is_noticed),
		cmocka_unit_test(the_algorithms_are_the_promised_ones),
		cmocka_unit_test(two_encryptions_share_nothing),
		cmocka_unit_test(a_backup_of_many_keys_is_encrypted_whole),
		cmocka_unit_test(recipients_of_other_keys_are_refused),
		cmocka_unit_test(
		    a_file_that_holds_anything_but_certificates_is_refused),
		cmocka_unit_test(the_number_of_recipients_is_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, fixture_forget);
}
