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

/* What kubectl and client libraries ask first. */
static void
discovery_tells_of_every_group(void **state UNUSED)
{
	/* clang-format off */
	static const struct step steps[] = {
		{ "GET", "/apis/coordination.k8s.io/v1", NULL, 200,
		    "{'*':1,'kind':'APIResourceList',"
		    "'groupVersion':'coordination.k8s.io/v1','resources':["
		    "{'*':1,'name':'leases','singularName':'lease',"
		    "'namespaced':true,'kind':'Lease'}]}" },
		{ "GET", "/apis/bitnami.com/v1alpha1", NULL, 200,
		    "{'*':1,'kind':'APIResourceList',"
		    "'groupVersion':'bitnami.com/v1alpha1','resources':["
		    "{'*':1,'name':'sealedsecrets',"
		    "'singularName':'sealedsecret','namespaced':true,"
		    "'kind':'SealedSecret'},"
		    "{'*':1,'name':'sealedsecrets/status','singularName':'',"
		    "'namespaced':true,'kind':'SealedSecret'}]}" },
	};
	/* clang-format on */

	RUN(steps);
}

#define LEASES "/apis/coordination.k8s.io/v1/namespaces/{N}/leases"
#define LEASE(version, holder)                                               \
	"{'apiVersion':'coordination.k8s.io/v1','kind':'Lease','metadata':{" \
	"'name':'l'" version "},'spec':{'holderIdentity':'" holder           \
	"','leaseDurationSeconds':15,"                                       \
	"'renewTime':'2026-04-22T11:28:08.000001Z'}}"

/* An election rests on these answers. */
static void
a_lease_is_taken_by_one_at_a_time(void **state UNUSED)
{
	/* clang-format off */
	static const struct step steps[] = {
		{ "GET", LEASES "/l", NULL, 404,
		    FAILURE(404, "NotFound",
		    "leases.coordination.k8s.io ~l~ not found",
		    "{'name':'l','group':'coordination.k8s.io',"
		    "'kind':'leases'}") },
		{ "POST", LEASES, LEASE("", "one"), 201,
		    "{'*':1,'kind':'Lease','metadata':{'*':1,'name':'l',"
		    "'resourceVersion':'<rv=first>'},"
		    "'spec':{'holderIdentity':'one','leaseDurationSeconds':15,"
		    "'renewTime':'2026-04-22T11:28:08.000001Z'}}" },
		{ "POST", LEASES, LEASE("", "two"), 409,
		    FAILURE(409, "AlreadyExists",
		    "leases.coordination.k8s.io ~l~ already exists",
		    "{'name':'l','group':'coordination.k8s.io',"
		    "'kind':'leases'}") },
		{ "PUT", LEASES "/l",
		    LEASE(",'resourceVersion':'<first>'", "two"), 200,
		    "{'*':1,'spec':{'*':1,'holderIdentity':'two'}}" },
		{ "PUT", LEASES "/l",
		    LEASE(",'resourceVersion':'<first>'", "one"), 409,
		    FAILURE(409, "Conflict",
		    "Operation cannot be fulfilled on "
		    "leases.coordination.k8s.io ~l~: the object has been "
		    "modified; please apply your changes to the latest "
		    "version and try again",
		    "{'name':'l','group':'coordination.k8s.io',"
		    "'kind':'leases'}") },
		{ "GET", LEASES "/l", NULL, 200,
		    "{'*':1,'spec':{'*':1,'holderIdentity':'two'}}" },
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
		cmocka_unit_test(discovery_tells_of_every_group),
		cmocka_unit_test(a_lease_is_taken_by_one_at_a_time),
		cmocka_unit_test(a_namespace_tells_its_name_and_phase),
		cmocka_unit_test(strangers_are_kept_out),
	};

	return cmocka_run_group_tests_name("paths", tests, NULL, NULL);
}
