/*
 * Conformance: SealedSecrets, a custom resource with a status subresource.
 */
#include "conformance.h"

#define API		 "bitnami.com/v1alpha1"
#define HEAD		 "'apiVersion':'" API "','kind':'SealedSecret'"
#define BODY(name, rest) "{" HEAD ",'metadata':{'name':'" name "'}" rest "}"
#define AT(version, rest)                                              \
	"{" HEAD ",'metadata':{'name':'x','resourceVersion':'" version \
	"'}" rest "}"
#define SPEC(items)		      ",'spec':{'encryptedData':{" items "}}"
#define SEALED_ENTRY(manager, fields) ENTRY(manager, API, fields)
#define STATUS_ENTRY(manager, fields)                                    \
	"{'manager':'" manager "','operation':'Update',"                 \
	"'subresource':'status','apiVersion':'" API "','time':'<time>'," \
	"'fieldsType':'FieldsV1','fieldsV1':{" fields "}}"
#define KEEP "'metadata':{'*':1,'resourceVersion':'<rv=v>'"
#define BAD(name, message, causes)                                       \
	FAILURE(422, "Invalid",                                          \
	    "^SealedSecret.bitnami.com ~" name "~ is invalid: " message, \
	    "{'name':'" name "','group':'bitnami.com',"                  \
	    "'kind':'SealedSecret','causes':{'<set>':[" causes "]}}")
#define ABOUT_X "{'name':'x','group':'bitnami.com','kind':'sealedsecrets'}"

static void
a_created_object_is_pruned_and_numbered(void **state UNUSED)
{
	/* clang-format off */
	static const struct step steps[] = {
		{ "POST", "{X}", "{" HEAD ",'metadata':{'name':'x'},'extra':1,"
		    "'spec':{'encryptedData':{'a':'b'},"
		    "'template':{'bogus':1,'data':{'q':'r'},"
		    "'metadata':{'creationTimestamp':null,'name':'x',"
		    "'labels':{'a':'b'},'odd':{'deep':[1,{'x':1}],"
		    "'m':{'z':1}}}}},'status':{'observedGeneration':4}}", 201,
		    "{" HEAD ",'spec':{'encryptedData':{'a':'b'},"
		    "'template':{'data':{'q':'r'},"
		    "'metadata':{'creationTimestamp':null,'name':'x',"
		    "'labels':{'a':'b'},'odd':{'deep':[1,{'x':1}],"
		    "'m':{'z':1}}}}}," META("x", ",'generation':1" MANAGED(SEALED_ENTRY(
		    "conformance",
		    "'f:spec':{'.':{},'f:encryptedData':{'.':{},'f:a':{}},"
		    "'f:template':{'.':{},'f:data':{'.':{},'f:q':{}},"
		    "'f:metadata':{'.':{},'f:creationTimestamp':{},"
		    "'f:labels':{'.':{},'f:a':{}},'f:name':{},"
		    "'f:odd':{'.':{},'f:deep':{},'f:m':{'.':{},'f:z':{}}}}}}")))
		    "}" },
		{ "POST", "{X}", BODY("x", SPEC("")), 409, FAILURE(409,
		    "AlreadyExists",
		    "sealedsecrets.bitnami.com ~x~ already exists", ABOUT_X) },
	};
	/* clang-format on */

	RUN(steps);
}

static void
nulls_that_are_not_allowed_vanish(void **state UNUSED)
{
	/* clang-format off */
	static const struct step steps[] = {
		{ "POST", "{X}", BODY("n",
		    ",'spec':{'encryptedData':{'n':null},'template':null}"),
		    201, "{'*':1,'spec':{'encryptedData':{}}}" },
		{ "POST", "{X}", BODY("m", ",'spec':{'encryptedData':{},"
		    "'template':{'metadata':null,'type':null}}"), 201,
		    "{'*':1,'spec':{'encryptedData':{},"
		    "'template':{'metadata':null}}}" },
	};
	/* clang-format on */

	RUN(steps);
}

static void
objects_against_the_schema_are_invalid(void **state UNUSED)
{
#define TYPED(field, is, wants)               \
	CAUSE(field, "FieldValueTypeInvalid", \
	    "Invalid value: ~" is "~: " field \
	    " in body must be of type " wants ": ~" is "~")
	/* clang-format off */
	static const struct step steps[] = {
		{ "POST", "{X}", BODY("y", ""), 422, BAD("y",
		    "spec: Required value", CAUSE("spec", "FieldValueRequired",
		    "Required value")) },
		{ "POST", "{X}", BODY("y", ",'spec':{}"), 422, BAD("y",
		    "spec.encryptedData: Required value", CAUSE(
		    "spec.encryptedData", "FieldValueRequired",
		    "Required value")) },
		{ "POST", "{X}", BODY("y", SPEC("'a':1")), 422, BAD("y",
		    "spec.encryptedData.a: Invalid value: ", TYPED(
		    "spec.encryptedData.a", "integer", "string")) },
		{ "POST", "{X}", BODY("y", ",'spec':{'encryptedData':'s'}"),
		    422, BAD("y", "spec.encryptedData: Invalid value: ", TYPED(
		    "spec.encryptedData", "string", "object")) },
		{ "POST", "{X}", BODY("y", ",'spec':5"), 422, BAD("y",
		    "spec: Invalid value: ", TYPED("spec", "integer", "object")) },
		{ "POST", "{X}", BODY("y",
		    ",'spec':{'encryptedData':{},'data':'!!'}"), 422, BAD("y",
		    "spec.data: Invalid value: ", TYPED("spec.data", "!!",
		    "byte")) },
		{ "POST", "{X}", BODY("y", ",'spec':{'encryptedData':{},"
		    "'template':{'immutable':'x','type':1,"
		    "'metadata':{'labels':{'a':1}}}}"), 422, BAD("y",
		    "[spec.template.", TYPED("spec.template.immutable",
		    "string", "boolean") "," TYPED("spec.template.type",
		    "integer", "string") "," TYPED(
		    "spec.template.metadata.labels.a", "integer", "string")) },
		{ "POST", "{X}", BODY("Q_", SPEC("")), 422, BAD("Q_",
		    "metadata.name: Invalid value: ", CAUSE("metadata.name",
		    "FieldValueInvalid",
		    "^Invalid value: ~Q_~: a lowercase RFC 1123 subdomain "
		    "must consist of ")) },
	};
	/* clang-format on */

	RUN(steps);
}

static void
bodies_that_are_no_sealed_secret_are_refused(void **state UNUSED)
{
	/* clang-format off */
	static const struct step steps[] = {
		{ "POST", "{X}",
		    "{'metadata':{'name':'q'},'spec':{'encryptedData':{}}}",
		    400, PLAIN_FAILURE(400, "BadRequest",
		    "^the object provided is unrecognized (must be of type "
		    "SealedSecret): Object ") },
		{ "POST", "{X}",
		    "{'apiVersion':'bitnami.com/v1','kind':'SealedSecret',"
		    "'metadata':{'name':'q'},'spec':{'encryptedData':{}}}", 400,
		    PLAIN_FAILURE(400, "BadRequest",
		    "the API version in the data (bitnami.com/v1) does not "
		    "match the expected API version (bitnami.com/v1alpha1)") },
		{ "POST", "{X}", "{'apiVersion':'" API
		    "','kind':'Foo','metadata':{'name':'q'},"
		    "'spec':{'encryptedData':{}}}", 422, FAILURE(422, "Invalid",
		    "Foo.bitnami.com ~q~ is invalid: kind: Invalid value: "
		    "~Foo~: must be SealedSecret",
		    "{'name':'q','group':'bitnami.com','kind':'Foo',"
		    "'causes':[" CAUSE("kind", "FieldValueInvalid",
		    "Invalid value: ~Foo~: must be SealedSecret") "]}") },
		{ "POST", "{X}", "{" HEAD
		    ",'metadata':{'name':'q','labels':{'a':1}},"
		    "'spec':{'encryptedData':{}}}", 400, PLAIN_FAILURE(400,
		    "BadRequest",
		    "SealedSecret in version ~v1alpha1~ cannot be handled "
		    "as a SealedSecret: json: cannot unmarshal number into "
		    "Go struct field ObjectMeta.labels of type string") },
		{ "POST", "{X}", "RAW{\"a\":", 400, PLAIN_FAILURE(400,
		    "BadRequest",
		    "^the object provided is unrecognized (must be of type "
		    "SealedSecret): couldn") },
		{ "POST",
		    "/apis/bitnami.com/v1alpha1/namespaces/no-such-namespace/sealedsecrets",
		    BODY("x", SPEC("")), 404, FAILURE(404, "NotFound",
		    "namespaces ~no-such-namespace~ not found",
		    "{'name':'no-such-namespace','kind':'namespaces'}") },
	};
	/* clang-format on */

	RUN(steps);
}

static void
the_generation_rises_with_the_spec_alone(void **state UNUSED)
{
	/* clang-format off */
	static const struct step steps[] = {
		{ "POST", "{X}", BODY("x", SPEC("'a':'b'")), 201, "{'*':1,"
		    KEEP ",'generation':1}}" },
		{ "PUT", "{X}/x", AT("<v>", SPEC("'a':'c'")), 200, "{'*':1,"
		    KEEP ",'generation':2" MANAGED(SEALED_ENTRY("conformance",
		    "'f:spec':{'.':{},'f:encryptedData':{}}") ","
		    SEALED_ENTRY("other",
		    "'f:spec':{'f:encryptedData':{'f:a':{}}}")) "}}", NULL,
		    NULL, "other/1" },
		{ "PUT", "{X}/x", AT("<v>", SPEC("'a':'c'")), 200,
		    "{'*':1,'metadata':{'*':1,'resourceVersion':'<v>',"
		    "'generation':2}}" },
		{ "PUT", "{X}/x", "{" HEAD
		    ",'metadata':{'name':'x','labels':{'l':'m'},"
		    "'resourceVersion':'<v>'}" SPEC("'a':'c'") "}", 200,
		    "{'*':1," KEEP ",'generation':2}}" },
		{ "PATCH", "{X}/x", "{'spec':{'encryptedData':{'b':'x'}}}", 200,
		    "{'*':1," KEEP ",'generation':3}}", NULL, API_MERGE },
	};
	/* clang-format on */

	RUN(steps);
}

static void
the_status_is_written_by_its_own_path_only(void **state UNUSED)
{
#define CONDITIONS                                        \
	"'conditions':[{'type':'Synced','status':'True'," \
	"'lastUpdateTime':'2026-01-01T00:00:00Z',"        \
	"'lastTransitionTime':'2026-01-01T00:00:00Z'}]"
	/* clang-format off */
	static const struct step steps[] = {
		{ "POST", "{X}", BODY("x", SPEC("'a':'b'")), 201, "{'*':1,"
		    KEEP "}}" },
		/* The main path ignores it. */
		{ "PUT", "{X}/x", AT("<v>", SPEC("'a':'b'")
		    ",'status':{'observedGeneration':9}"), 200, "{" HEAD SPEC(
		    "'a':'b'") ",'metadata':{'*':1,'resourceVersion':'<v>',"
		    "'generation':1}}" },
		/* Its own path ignores all the rest. */
		{ "PUT", "{X}/x/status", "{" HEAD
		    ",'metadata':{'name':'x','labels':{'l':'m'},"
		    "'resourceVersion':'<v>'}" SPEC("'z':'z'")
		    ",'status':{'observedGeneration':2,'bogus':1," CONDITIONS
		    "}}", 200, "{" HEAD SPEC("'a':'b'")
		    ",'status':{'observedGeneration':2," CONDITIONS
		    "},'metadata':{'name':'x','namespace':'{N}',"
		    "'uid':'<uid>','resourceVersion':'<rv=w>',"
		    "'creationTimestamp':'<time>','generation':1" MANAGED(SEALED_ENTRY(
		    "conformance",
		    "'f:spec':{'.':{},'f:encryptedData':{'.':{},'f:a':{}}}")
		    "," STATUS_ENTRY("controller",
		    /* Not stored, and yet owned: the real server does so. */
		    "'f:metadata':{'f:labels':{'.':{},'f:l':{}}},"
		    "'f:status':{'.':{},'f:conditions':{},"
		    "'f:observedGeneration':{}}")) "}}", NULL, NULL,
		    "controller/1" },
		/* The same again changes nothing. */
		{ "PUT", "{X}/x/status", AT("<w>", SPEC("")
		    ",'status':{'observedGeneration':2," CONDITIONS "}"), 200,
		    "{'*':1,'metadata':{'*':1,'resourceVersion':'<w>'}}", NULL,
		    NULL, "controller/1" },
		{ "GET", "{X}/x/status", NULL, 200,
		    "{'*':1,'kind':'SealedSecret',"
		    "'status':{'observedGeneration':2," CONDITIONS "}}" },
	};
	/* clang-format on */

	RUN(steps);
}

static void
a_status_must_fit_the_schema(void **state UNUSED)
{
	/* clang-format off */
	static const struct step steps[] = {
		{ "POST", "{X}", BODY("x", SPEC("")), 201, "{'*':1," KEEP "}}" },
		{ "PUT", "{X}/x/status", AT("<v>", SPEC("")
		    ",'status':{'observedGeneration':'a',"
		    "'conditions':[{'type':'Synced','lastUpdateTime':'x'}]}"),
		    422, BAD("x", "[status.", CAUSE(
		    "status.conditions[0].lastUpdateTime",
		    "FieldValueTypeInvalid",
		    "Invalid value: ~x~: conditions[0].lastUpdateTime in "
		    "body must be of type date-time: ~x~") "," CAUSE(
		    "status.conditions[0].status", "FieldValueRequired",
		    "Required value") "," CAUSE("status.observedGeneration",
		    "FieldValueTypeInvalid",
		    "Invalid value: ~string~: observedGeneration in body "
		    "must be of type integer: ~string~")) },
	};
	/* clang-format on */

	RUN(steps);
}

static void
writes_need_the_present_version(void **state UNUSED)
{
#define STALE                                                               \
	FAILURE(409, "Conflict",                                            \
	    "Operation cannot be fulfilled on sealedsecrets.bitnami.com "   \
	    "~x~: the object has been modified; please apply your changes " \
	    "to the latest version and try again",                          \
	    ABOUT_X)
#define UNVERSIONED                                                          \
	FAILURE(422, "Invalid",                                              \
	    "sealedsecrets.bitnami.com ~x~ is invalid: "                     \
	    "metadata.resourceVersion: Invalid value: 0: must be specified " \
	    "for an update",                                                 \
	    "{'name':'x','group':'bitnami.com','kind':'sealedsecrets',"      \
	    "'causes':[" CAUSE("metadata.resourceVersion",                   \
		"FieldValueInvalid",                                         \
		"Invalid value: 0: must be specified for an update") "]}")
#define GONE                                                                \
	FAILURE(404, "NotFound", "sealedsecrets.bitnami.com ~x~ not found", \
	    ABOUT_X)
	/* clang-format off */
	static const struct step steps[] = {
		{ "PUT", "{X}/x", AT("1", SPEC("")), 404, GONE },
		{ "PUT", "{X}/x/status", AT("1", SPEC("")), 404, GONE },
		{ "GET", "{X}/x", NULL, 404, GONE },
		{ "DELETE", "{X}/x", NULL, 404, GONE },
		{ "POST", "{X}", BODY("x", SPEC("")), 201, NULL },
		{ "PUT", "{X}/x", AT("1", SPEC("'a':'b'")), 409, STALE },
		{ "PUT", "{X}/x/status", AT("1", SPEC("")
		    ",'status':{'observedGeneration':1}"), 409, STALE },
		{ "PUT", "{X}/x", BODY("x", SPEC("'a':'b'")), 422, UNVERSIONED },
		{ "PUT", "{X}/x/status", BODY("x", SPEC("")
		    ",'status':{'observedGeneration':1}"), 422, UNVERSIONED },
		{ "PATCH", "{X}/x", "{'spec':{}}", 415, PLAIN_FAILURE(415,
		    "UnsupportedMediaType",
		    "^the body of the request was in an unknown format - "
		    "accepted media types include: "
		    "application/json-patch+json, "
		    "application/merge-patch+json, "
		    "application/apply-patch+yaml"), NULL, API_STRATEGIC },
	};
	/* clang-format on */

	RUN(steps);
}

static void
lists_of_custom_objects_keep_their_kind(void **state UNUSED)
{
	/* clang-format off */
	static const struct step steps[] = {
		{ "POST", "{X}", BODY("x", SPEC("")), 201, NULL },
		{ "GET", "{X}", NULL, 200, "{'apiVersion':'" API
		    "','kind':'SealedSecretList','metadata':{'continue':'',"
		    "'resourceVersion':'<rv>'},'items':[{'*':1," HEAD "}]}" },
		{ "GET", "{X}", NULL, 200, "{'apiVersion':'meta.k8s.io/v1',"
		    "'kind':'PartialObjectMetadataList',"
		    "'metadata':{'resourceVersion':'<rv>'},"
		    "'items':[{'apiVersion':'meta.k8s.io/v1',"
		    "'kind':'PartialObjectMetadata','metadata':{'*':1,"
		    "'name':'x'}}]}", API_PARTIAL_LIST },
		{ "POST", "{X}", BODY("y", SPEC("")), 201, NULL },
		{ "GET", "{X}?limit=1", NULL, 200,
		    "{'*':1,'metadata':{'resourceVersion':'<rv>',"
		    "'continue':'<any=token>','remainingItemCount':1},"
		    "'items':[{'*':1,'metadata':{'*':1,'name':'x'}}]}" },
		{ "GET", "{X}?limit=1&continue=<token>", NULL, 200,
		    "{'*':1,'metadata':{'continue':'',"
		    "'resourceVersion':'<rv>'},'items':[{'*':1,"
		    "'metadata':{'*':1,'name':'y'}}]}" },
	};
	/* clang-format on */

	RUN(steps);
}

static void
a_deleted_object_says_what_it_was(void **state UNUSED)
{
	/* clang-format off */
	static const struct step steps[] = {
		{ "POST", "{X}", BODY("x", SPEC("")), 201,
		    "{'*':1,'metadata':{'*':1,'uid':'<uid=uid>'}}" },
		{ "DELETE", "{X}/x", NULL, 200,
		    "{'kind':'Status','apiVersion':'v1','metadata':{},"
		    "'status':'Success','details':{'name':'x',"
		    "'group':'bitnami.com','kind':'sealedsecrets',"
		    "'uid':'<uid>'}}" },
	};
	/* clang-format on */

	RUN(steps);
}

static void
a_watch_tells_the_end_of_a_held_object_once(void **state UNUSED)
{
	/* clang-format off */
	static const struct step steps[] = {
		{ "POST", "{X}", "{" HEAD
		    ",'metadata':{'name':'x','finalizers':['test.io/x']}" SPEC(
		    "") "}", 201, "{'*':1,'metadata':{'*':1,"
		    "'resourceVersion':'<rv=from>'}}" },
		{ "DELETE", "{X}/x", NULL, 200,
		    "{'*':1,'metadata':{'*':1,'generation':2,"
		    "'deletionTimestamp':'<time>'}}" },
		{ "PATCH", "{X}/x", "{'metadata':{'finalizers':null}}", 200,
		    NULL, NULL, API_MERGE },
		{ "WATCH",
		    "{X}?watch=true&resourceVersion=<from>&timeoutSeconds=2",
		    NULL, 200, "[{'type':'MODIFIED','object':{'*':1," HEAD
		    ",'metadata':{'*':1,'deletionTimestamp':'<time>'}}},"
		    "{'type':'DELETED','object':{'*':1," HEAD
		    ",'metadata':{'*':1,'finalizers':['test.io/x']}}}]" },
	};
	/* clang-format on */

	RUN(steps);
}

int
conformance_sealed(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_created_object_is_pruned_and_numbered),
		cmocka_unit_test(nulls_that_are_not_allowed_vanish),
		cmocka_unit_test(objects_against_the_schema_are_invalid),
		cmocka_unit_test(bodies_that_are_no_sealed_secret_are_refused),
		cmocka_unit_test(the_generation_rises_with_the_spec_alone),
		cmocka_unit_test(the_status_is_written_by_its_own_path_only),
		cmocka_unit_test(a_status_must_fit_the_schema),
		cmocka_unit_test(writes_need_the_present_version),
		cmocka_unit_test(lists_of_custom_objects_keep_their_kind),
		cmocka_unit_test(a_deleted_object_says_what_it_was),
		cmocka_unit_test(a_watch_tells_the_end_of_a_held_object_once),
	};

	return cmocka_run_group_tests_name("SealedSecrets", tests, NULL, NULL);
}
