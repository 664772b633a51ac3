/*
 * Conformance: paths, methods, media types and who may ask.
 */
#include "conformance.h"

#define NO_PATH                  \
	FAILURE(404, "NotFound", \
	    "the server could not find the requested resource", "{}")
#define NO_METHOD                                                     \
	FAILURE(405, "MethodNotAllowed",                              \
	    "the server does not allow this method on the requested " \
	    "resource",                                               \
	    "{}")
#define NOT_FOUND_TEXT "'404 page not found\\n'"

static void
unknown_paths_are_not_found(void **state UNUSED)
{
	/* clang-format off */
	static const struct step steps[] = {
		{ "GET", "/nowhere", NULL, 404, NOT_FOUND_TEXT },
		{ "GET", "/api/v1/nothings", NULL, 404, NO_PATH },
		{ "GET", "/api/v1/namespaces/{N}/nothings", NULL, 404, NO_PATH },
		{ "GET", "{S}/s/bar", NULL, 404, NO_PATH },
		/* An absent custom resource answers in plain text. */
		{ "GET", "/apis/bitnami.com/v1alpha1/nothings", NULL, 404,
		    NOT_FOUND_TEXT },
		{ "GET", "/apis/bitnami.com/v2/sealedsecrets", NULL, 404,
		    NOT_FOUND_TEXT },
		{ "GET", "/apis/nobody.example/v1/things", NULL, 404,
		    NOT_FOUND_TEXT },
		{ "GET", "/api/v1/namespaces/no-such-namespace", NULL, 404,
		    FAILURE(404, "NotFound",
		    "namespaces ~no-such-namespace~ not found",
		    "{'name':'no-such-namespace','kind':'namespaces'}") },
	};
	/* clang-format on */

	RUN(steps);
}

static void
methods_must_fit_the_path(void **state UNUSED)
{
	/* clang-format off */
	static const struct step steps[] = {
		{ "PATCH", "{S}", "{}", 405, NO_METHOD, NULL, API_MERGE },
		{ "PUT", "{S}", "{}", 405, NO_METHOD },
		{ "POST", "{S}/s", "{}", 405, NO_METHOD },
		{ "POST", "/api/v1/secrets", "{}", 405, NO_METHOD },
	};
	/* clang-format on */

	RUN(steps);
}

static void
media_types_are_negotiated(void **state UNUSED)
{
	/* clang-format off */
	static const struct step steps[] = {
		{ "GET", "{S}", NULL, 406, FAILURE(406, "NotAcceptable",
		    "^406: Not Acceptable", "{}"), "text/html" },
		{ "GET", "{X}", NULL, 406, PLAIN_FAILURE(406, "NotAcceptable",
		    "^only the following media types are accepted: "
		    "application/json, application/yaml"), "text/html" },
		{ "GET", "{S}", NULL, 200, "{'*':1,'kind':'SecretList'}",
		    "text/html, application/json;q=0.9" },
		{ "GET", "{S}", NULL, 200, "{'*':1,'kind':'SecretList'}", "*/*" },
		{ "POST", "{S}", "{'metadata':{'name':'s'}}", 415,
		    PLAIN_FAILURE(415, "UnsupportedMediaType",
		    "^the body of the request was in an unknown format - "
		    "accepted media types include: application/json, "), NULL,
		    "text/plain" },
	};
	/* clang-format on */

	RUN(steps);
}

static void
a_namespace_tells_its_name_and_phase(void **state UNUSED)
{
	/* clang-format off */
	static const struct step steps[] = {
		{ "GET", "/api/v1/namespaces/{N}", NULL, 200,
		    "{'kind':'Namespace','apiVersion':'v1',"
		    "'metadata':{'name':'{N}','uid':'<uid>',"
		    "'resourceVersion':'<rv>','creationTimestamp':'<time>',"
		    "'labels':{'kubernetes.io/metadata.name':'{N}'}" MANAGED(CORE_ENTRY(
		    "test-client", "'f:metadata':{'f:labels':{'.':{},"
		    "'f:kubernetes.io/metadata.name':{}}}"))
		    "},'spec':{'finalizers':['kubernetes']},"
		    "'status':{'phase':'Active'}}" },
	};
	/* clang-format on */

	RUN(steps);
}

static void
strangers_are_kept_out(void **state UNUSED)
{
#define NOBODY "User ~system:anonymous~ cannot "
	/* clang-format off */
	static const struct step steps[] = {
		{ "GET", "{S}", NULL, 401, PLAIN_FAILURE(401, "Unauthorized",
		    "Unauthorized"), NULL, NULL, "BAD" },
		{ "GET", "{S}", NULL, 403, FAILURE(403, "Forbidden",
		    "secrets is forbidden: " NOBODY
		    "list resource ~secrets~ in API group ~~ in the "
		    "namespace ~{N}~", "{'kind':'secrets'}"), NULL, NULL,
		    "ANON" },
		{ "GET", "/api/v1/secrets", NULL, 403, FAILURE(403, "Forbidden",
		    "secrets is forbidden: " NOBODY
		    "list resource ~secrets~ in API group ~~ at the cluster "
		    "scope", "{'kind':'secrets'}"), NULL, NULL, "ANON" },
		{ "GET", "{S}/s", NULL, 403, FAILURE(403, "Forbidden",
		    "secrets ~s~ is forbidden: " NOBODY
		    "get resource ~secrets~ in API group ~~ in the "
		    "namespace ~{N}~", "{'name':'s','kind':'secrets'}"), NULL,
		    NULL, "ANON" },
		{ "PUT", "{X}/x/status", "{}", 403, FAILURE(403, "Forbidden",
		    "sealedsecrets.bitnami.com ~x~ is forbidden: " NOBODY
		    "update resource ~sealedsecrets/status~ in API group "
		    "~bitnami.com~ in the namespace ~{N}~",
		    "{'name':'x','group':'bitnami.com',"
		    "'kind':'sealedsecrets'}"), NULL, NULL, "ANON" },
	};
	/* clang-format on */

	RUN(steps);
}

int
conformance_paths(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(unknown_paths_are_not_found),
		cmocka_unit_test(methods_must_fit_the_path),
		cmocka_unit_test(media_types_are_negotiated),
		cmocka_unit_test(a_namespace_tells_its_name_and_phase),
		cmocka_unit_test(strangers_are_kept_out),
	};

	return cmocka_run_group_tests_name("paths", tests, NULL, NULL);
}
