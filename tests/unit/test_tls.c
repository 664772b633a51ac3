/*
 * The listener's side of TLS: what files are taken, which versions are spoken,
 * and that changed files count.
 * layer: http
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <curl/curl.h>

#include "certs.h"
#include "controller/http/tls.h"
#include "fakeclock.h"
#include "keystore_fixture.h"
#include "lib/tlsclient.h"
#include "listenrig.h"
#include "rawhttp.h"
#include "tmpfiles.h"

static struct tmpfiles files;
static struct cert authority, first, second;
static struct fakeclock fake;
static struct clock clock_;
static struct tls *tls;
static struct http_server *server;
static struct tls_answer answer;

static void
write_pair(const struct cert *cert, const struct cert *key)
{
	tmpfiles_swap(&files, "tls.crt", cert->pem);
	tmpfiles_swap(&files, "tls.key", key->key);
}

static int
load(struct err *err)
{
	return tls_new(tmpfiles_path(&files, "tls.crt"),
	    tmpfiles_path(&files, "tls.key"), &clock_, &tls, err);
}

static int
setup(void **state UNUSED)
{
	tmpfiles_init(&files);
	fakeclock_init(&fake);
	clock_ = fakeclock_clock(&fake);
	cert_authority(&authority, "tests");
	cert_issue(&first, &authority, "IP:127.0.0.1,DNS:first", 0);
	cert_issue(&second, &authority, "IP:127.0.0.1,DNS:second", 0);
	tmpfiles_write(&files, "ca.crt", authority.pem);
	write_pair(&first, &first);
	return 0;
}

static int
teardown(void **state UNUSED)
{
	http_server_stop(server);
	server = NULL;
	tls_free(tls);
	tls = NULL;
	cert_release(&first);
	cert_release(&second);
	cert_release(&authority);
	tmpfiles_release(&files);
	return 0;
}

static void
handle_ok(void *ctx UNUSED, struct http_reply *reply)
{
	http_reply_text(reply, 200, "ok\n");
}

static const struct http_route routes[] = { { "/ok", handle_ok, false } };

static void
serve(void)
{
	struct err err = ERR_INIT;
	struct http_listener_config cfg = listenrig_config();

	if (load(&err) < 0)
		fail_msg("%s", err.msg);
	cfg.routes = routes;
	cfg.nroutes = ARRAY_SIZE(routes);
	cfg.tls = tls;
	server = listenrig_start(&cfg);
}

static void
ask(const char *ca, long max_version)
{
	const struct tls_ask a = {
		.addr = http_server_addr(server),
		.ca = tmpfiles_path(&files, ca),
		.method = "GET",
		.path = "/ok",
		.max_version = max_version,
	};

	tls_ask(&a, &answer);
}

static void
it_speaks_tls_1_2_and_1_3_and_nothing_older(void **state UNUSED)
{
	static const struct {
		long version;
		bool fine;
	} cases[] = {
		{ CURL_SSLVERSION_MAX_TLSv1_0, false },
		{ CURL_SSLVERSION_MAX_TLSv1_1, false },
		{ CURL_SSLVERSION_MAX_TLSv1_2, true },
		{ CURL_SSLVERSION_MAX_TLSv1_3, true },
	};

	serve();
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		ask("ca.crt", cases[i].version);
		assert_int_equal(answer.status, cases[i].fine ? 200 : 0);
		assert_int_equal(answer.error,
		    cases[i].fine ? CURLE_OK : CURLE_SSL_CONNECT_ERROR);
	}
}

static void
plain_http_gets_nothing(void **state UNUSED)
{
	char out[1000];

	serve();
	raw_exchange(http_server_addr(server),
	    "GET /ok HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", out,
	    sizeof(out));
	assert_null(strstr(out, "ok"));
	ask("ca.crt", 0);
	assert_int_equal(answer.status, 200);
}

/* The certificate of another authority tells which pair is in use. */
static void
a_changed_pair_counts_from_the_next_handshake_on(void **state UNUSED)
{
	struct cert other, leaf;

	serve();
	cert_authority(&other, "others");
	cert_issue(&leaf, &other, "IP:127.0.0.1", 0);
	tmpfiles_write(&files, "other.crt", other.pem);
	write_pair(&leaf, &leaf);
	/* Not looked at yet: the clock has not moved. */
	ask("ca.crt", 0);
	assert_int_equal(answer.status, 200);
	fakeclock_advance_ms(&fake, TLS_LOOK_MS);
	ask("other.crt", 0);
	assert_int_equal(answer.status, 200);
	ask("ca.crt", 0);
	assert_int_equal(answer.status, 0);
	cert_release(&leaf);
	cert_release(&other);
}

static void
a_pair_that_does_not_fit_leaves_the_last_one_in_use(void **state UNUSED)
{
	serve();
	tmpfiles_swap(&files, "tls.crt", second.pem);
	fakeclock_advance_ms(&fake, TLS_LOOK_MS);
	ask("ca.crt", 0);
	assert_int_equal(answer.status, 200);
	tmpfiles_remove(&files, "tls.key");
	fakeclock_advance_ms(&fake, TLS_LOOK_MS);
	ask("ca.crt", 0);
	assert_int_equal(answer.status, 200);
	/* The other half has come. */
	tmpfiles_swap(&files, "tls.key", second.key);
	fakeclock_advance_ms(&fake, TLS_LOOK_MS);
	ask("ca.crt", 0);
	assert_int_equal(answer.status, 200);
}

static void
an_rsa_key_will_do(void **state UNUSED)
{
	AUTO(secret) struct secret *pem = NULL;
	AUTO_STR char *text = NULL;
	struct err err = ERR_INIT;

	assert_int_equal(keypair_private_pem(fixture_key(0), &pem, &err), 0);
	text = xstrndup((const char *)secret_bytes(pem), secret_len(pem));
	tmpfiles_swap(&files, "tls.crt", keypair_cert_pem(fixture_key(0)));
	tmpfiles_swap(&files, "tls.key", text);
	assert_int_equal(load(&err), 0);
}

static void
bad_files_refuse_the_start_and_are_named(void **state UNUSED)
{
	static const struct {
		const char *name;
		const char *text; /* NULL: the file is not there */
		const char *want;
	} cases[] = {
		{ "tls.crt", NULL, "tls.crt" },
		{ "tls.crt", "", "tls.crt" },
		{ "tls.crt", "nonsense", "tls.crt" },
		{ "tls.key", NULL, "tls.key" },
		{ "tls.key", "", "tls.key" },
		{ "tls.key", "nonsense", "tls.key" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct err err = ERR_INIT;

		write_pair(&first, &first);
		if (cases[i].text == NULL)
			tmpfiles_remove(&files, cases[i].name);
		else
			tmpfiles_swap(&files, cases[i].name, cases[i].text);
		assert_int_equal(load(&err), -1);
		assert_non_null(strstr(err.msg, cases[i].want));
	}
}

static void
a_key_of_another_certificate_refuses_the_start(void **state UNUSED)
{
	struct err err = ERR_INIT;

	write_pair(&first, &second);
	assert_int_equal(load(&err), -1);
	assert_int_equal(err.code, ERR_INVALID);
	assert_non_null(strstr(err.msg, "does not hold the key"));
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(it_speaks_tls_1_2_and_1_3_and_nothing_older),
		T(plain_http_gets_nothing),
		T(a_changed_pair_counts_from_the_next_handshake_on),
		T(a_pair_that_does_not_fit_leaves_the_last_one_in_use),
		T(an_rsa_key_will_do),
		T(bad_files_refuse_the_start_and_are_named),
		T(a_key_of_another_certificate_refuses_the_start),
	};

	return cmocka_run_group_tests(tests, NULL, fixture_forget);
}
