/*
 * Requests in the words of Kubernetes.
 */
/* layer: kube */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above first. */
#include <cmocka.h>

#include <string.h>

#include "base/compiler.h"
#include "controller/kube/verb.h"

static void
names_verb_and_resource_of_every_kind_of_request(void **state UNUSED)
{
	static const struct {
		const char *method, *path, *verb, *resource;
	} cases[] = {
		{ "GET", "/api/v1/secrets?limit=500", "list", "secrets" },
		{ "GET", "/api/v1/secrets?watch=true&x=y", "watch", "secrets" },
		{ "GET", "/api/v1/namespaces/a/secrets", "list", "secrets" },
		{ "GET", "/api/v1/namespaces/a/secrets/b", "get", "secrets" },
		{ "GET", "/api/v1/namespaces/a", "get", "namespaces" },
		{ "GET", "/api/v1/namespaces", "list", "namespaces" },
		{ "GET", "/api/v1/namespaces/a/namespaces", "list",
		    "namespaces" },
		{ "POST", "/api/v1/namespaces/a/events", "create", "events" },
		{ "DELETE", "/api/v1/namespaces/a/secrets/b", "delete",
		    "secrets" },
		{ "PATCH", "/api/v1/namespaces/a/events/b", "patch", "events" },
		{ "PUT",
		    "/apis/bitnami.com/v1alpha1/namespaces/a/sealedsecrets/b/"
		    "status",
		    "update", "sealedsecrets/status" },
		{ "GET", "/apis/bitnami.com/v1alpha1/sealedsecrets?watch=true",
		    "watch", "sealedsecrets" },
		{ "PUT", "/apis/coordination.k8s.io/v1/namespaces/a/leases/b",
		    "update", "leases" },
		/* A name that looks like something else. */
		{ "GET", "/api/v1/namespaces/watch/secrets/namespaces", "get",
		    "secrets" },
		{ "GET", "/version", "list", "" },
		{ "GET", "", "list", "" },
		{ "GET", "/api", "list", "" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct verb v;

		verb_of(cases[i].method, cases[i].path, &v);
		assert_string_equal(v.name, cases[i].verb);
		assert_string_equal(v.resource, cases[i].resource);
	}
}

static void
cuts_what_is_too_long(void **state UNUSED)
{
	char path[3 * VERB_RESOURCE_MAX];
	struct verb v;

	memset(path, 'r', sizeof(path));
	memcpy(path, "/api/v1/", strlen("/api/v1/"));
	path[sizeof(path) - 1] = '\0';
	verb_of("GET", path, &v);
	assert_int_equal(strlen(v.resource), VERB_RESOURCE_MAX - 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    names_verb_and_resource_of_every_kind_of_request),
		cmocka_unit_test(cuts_what_is_too_long),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
