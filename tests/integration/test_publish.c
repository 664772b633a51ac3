/*
 * The certificate in a ConfigMap (--publish-cert-configmap).
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/jsonx.h"
#include "base/mem.h"
#include "keyrig.h"

#define NAME	"sealed-secrets-cert"
#define FLAG	"--publish-cert-configmap=" NAME
#define LIMIT	KEYRIG_LIMIT_MS
#define CONTROL "/api/v1/namespaces/kube-system/configmaps"

static const char *const args[] = { FLAG, NULL };

/* The ConfigMap's certificate, owned by the caller; NULL: none. */
static char *
published(struct harness *h)
{
	AUTO_JSON json_t *map = NULL;
	const char *pem;

	(void)api_get(h->api, &map, CONTROL "/" NAME);
	pem = jsonx_str(map, "data", "cert.pem", NULL);
	return pem != NULL ? xasprintf("%s", pem) : NULL;
}

struct wish {
	struct harness *h;
	const char * not ; /* NULL: anything */
};

/* What is published is what is served, and no longer what it was. */
static bool
follows(void *ctx)
{
	const struct wish *w = ctx;
	AUTO_STR char *pem = published(w->h);
	AUTO_STR char *served = harness_cert_of(w->h, w->h->controller);

	return pem != NULL && strcmp(pem, served) == 0 &&
	    (w->not == NULL || strcmp(pem, w->not ) != 0);
}

static void
a_renewal_changes_the_ConfigMap_within_5_s(void **state)
{
	struct harness *h = *state;
	struct wish any = { .h = h };
	AUTO_STR char *first = NULL;
	struct wish other = { .h = h };

	harness_start_ready(h, args);
	harness_expect(h, wait_until(follows, &any, LIMIT));
	first = published(h);
	assert_null(strstr(first, "PRIVATE"));
	other.not = first;
	proc_signal(h->controller, SIGUSR1);
	harness_expect(h, harness_wait_keys(h, 2, HARNESS_SOON_MS));
	harness_expect(h, wait_until(follows, &other, LIMIT));
}

static void
no_ConfigMap_is_touched_unless_asked_for(void **state)
{
	struct harness *h = *state;
	AUTO_JSON json_t *list = NULL;

	harness_start_ready(h, NULL);
	harness_create(h, "a", "one", "value");
	harness_expect(
	    h, harness_wait_value(h, "a", "one", "value", HARNESS_SOON_MS));
	(void)api_get(h->api, &list, CONTROL);
	assert_int_equal(json_array_size(json_object_get(list, "items")), 0);
}

static void
without_rights_on_ConfigMaps_all_else_works(void **state)
{
	struct harness *h = *state;

	control_post(h->api, "forbidden",
	    json_pack("{s:[{s:s}]}", "rules", "resource", "configmaps"));
	harness_start_ready(h, args);
	harness_create(h, "a", "one", "value");
	harness_expect(
	    h, harness_wait_value(h, "a", "one", "value", HARNESS_SOON_MS));
	harness_expect(h,
	    proc_wait_said(h->controller,
		"level=WARN msg=\"Not permitted to publish the certificate",
		HARNESS_SOON_MS));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    a_renewal_changes_the_ConfigMap_within_5_s, harness_setup,
		    harness_teardown),
		cmocka_unit_test_setup_teardown(
		    no_ConfigMap_is_touched_unless_asked_for, harness_setup,
		    harness_teardown),
		cmocka_unit_test_setup_teardown(
		    without_rights_on_ConfigMaps_all_else_works, harness_setup,
		    harness_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
