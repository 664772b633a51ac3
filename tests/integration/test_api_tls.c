/*
 * TLS to the API server: who is trusted, and what a renewal does.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/mem.h"
#include "harness.h"
#include "lib/certs.h"
#include "lib/tempdir.h"

#define LISTS "list sealedsecrets"

struct tls {
	struct harness *h;
	char *ca;
	char *cert;
	char *key;
};

static int
start(void **state)
{
	struct tls *t = xcalloc(1, sizeof(*t));
	const char *args[8] = { "--tls-cert", NULL, "--tls-key", NULL,
		"--tls-ca", NULL, NULL };

	*state = t;
	t->ca = tempdir_path("ca.pem");
	t->cert = tempdir_path("cert.pem");
	t->key = tempdir_path("key.pem");
	certs_write(t->ca, t->cert, t->key);
	args[1] = t->cert;
	args[3] = t->key;
	args[5] = t->ca;
	t->h = harness_new(args);
	return 0;
}

static int
stop(void **state)
{
	struct tls *t = *state;
	int ret = harness_end(t->h);

	free(t->ca);
	free(t->cert);
	free(t->key);
	free(t);
	return ret;
}

static void
expect_work(struct harness *h, const char *name)
{
	harness_create(h, "a", name, "value");
	harness_expect(
	    h, harness_wait_synced(h, "a", name, "True", HARNESS_LATE_MS));
}

static void
a_server_of_the_named_authority_is_trusted(void **state)
{
	struct tls *t = *state;

	harness_start_ready(t->h, NULL);
	expect_work(t->h, "one");
}

static void
a_renewed_authority_is_followed(void **state)
{
	struct tls *t = *state;

	harness_start_ready(t->h, NULL);
	expect_work(t->h, "one");
	/* Both files are new; connections that stand end. */
	certs_write(t->ca, t->cert, t->key);
	control_post(t->h->api, "drop-watches", NULL);
	expect_work(t->h, "two");
}

static void
another_authority_gets_no_request(void **state)
{
	struct tls *t = *state;
	AUTO_STR char *other = tempdir_path("other-ca.pem");
	AUTO_STR char *unused_cert = tempdir_path("other-cert.pem");
	AUTO_STR char *unused_key = tempdir_path("other-key.pem");
	AUTO_STR char *good = tempdir_path("good-ca.pem");
	AUTO(api) struct api *web = NULL;

	/* The kubeconfig names an authority that did not sign the server. */
	certs_write(other, unused_cert, unused_key);
	harness_expect(t->h, rename(t->ca, good) == 0);
	harness_expect(t->h, rename(other, t->ca) == 0);
	harness_start(t->h, NULL);
	harness_expect(t->h,
	    proc_wait_said(t->h->controller, "certificate", HARNESS_LATE_MS));
	web = api_new(t->h->http, NULL);
	harness_expect(t->h, api_get(web, NULL, "/readyz") == 503);
	/* Put right, it is trusted without a restart. */
	harness_expect(t->h, rename(good, t->ca) == 0);
	harness_expect(t->h, control_count(t->h->api, LISTS) == 0);
	harness_expect(t->h, harness_wait_ready(t->h, HARNESS_LATE_MS));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    a_server_of_the_named_authority_is_trusted, start, stop),
		cmocka_unit_test_setup_teardown(
		    a_renewed_authority_is_followed, start, stop),
		cmocka_unit_test_setup_teardown(
		    another_authority_gets_no_request, start, stop),
	};

	return cmocka_run_group_tests_name("TLS", tests, NULL, NULL);
}
