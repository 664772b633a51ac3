/*
 * Conformance: Secrets.
 */
#include "conformance.h"

#define OWNER_UID "11111111-1111-4111-8111-111111111111"
#define OTHER_UID "22222222-2222-4222-8222-222222222222"
#define IMMUTABLE "field is immutable when `immutable` is set"
#define CHANGED                                                           \
	"the object has been modified; please apply your changes to the " \
	"latest version and try again"

/* It is gone in a moment where garbage is collected: its owner never was. */
static void
a_created_secret_has_every_field_the_server_sets(void **state UNUSED)
{
	/* clang-format off */
	static const struct step steps[] = {
		{ "POST", "{S}", "{'kind':'Secret','apiVersion':'v1','junk':1,"
		    "'metadata':{'name':'s','labels':{'x':'y'},"
		    "'annotations':{'q':''},'bogus':1,'finalizers':[],"
		    "'ownerReferences':[{'apiVersion':'v1',"
		    "'kind':'ConfigMap','name':'f','uid':'" OWNER_UID
		    "','controller':true}]},'data':{'k':'aGk='},"
		    "'stringData':{'z':'hello'}}", 201,
		    "{'kind':'Secret','apiVersion':'v1'," META("s",
		    ",'labels':{'x':'y'},'annotations':{'q':''},"
		    "'ownerReferences':[{'apiVersion':'v1',"
		    "'kind':'ConfigMap','name':'f','uid':'" OWNER_UID
		    "','controller':true}]" MANAGED(CORE_ENTRY("conformance",
		    "'f:data':{'.':{},'f:k':{},'f:z':{}},"
		    "'f:metadata':{'f:annotations':{'.':{},'f:q':{}},"
		    "'f:labels':{'.':{},'f:x':{}},"
		    "'f:ownerReferences':{'.':{},'k:{~uid~:~" OWNER_UID
		    "~}':{}}},'f:type':{}")))
		    ",'type':'Opaque','data':{'k':'aGk=','z':'aGVsbG8='}}" },
	};
	/* clang-format on */

	RUN(steps);
}

static void
a_name_is_taken_once(void **state UNUSED)
{
	/* clang-format off */
	static const struct step steps[] = {
		{ "POST", "{S}", "{'metadata':{'name':'s'}}", 201, NULL },
		{ "POST", "{S}", "{'metadata':{'name':'s'}}", 409, FAILURE(409,
		    "AlreadyExists", "secrets ~s~ already exists",
		    "{'name':'s','kind':'secrets'}") },
		{ "GET", "{S}/s", NULL, 200, "{'*':1,'type':'Opaque'}" },
	};
	/* clang-format on */

	RUN(steps);
}

static void
bad_names_and_keys_are_invalid(void **state UNUSED)
{
	/* clang-format off */
	static const struct step steps[] = {
		{ "POST", "{S}",
		    "{'metadata':{'name':'S_1'},'data':{'a b':'aGk=',"
		    "'ok':'eA==','..x':'','.':''}}", 422, INVALID("S_1",
		    "Secret", "[metadata.name: Invalid value: ", CAUSE(
		    "metadata.name", "FieldValueInvalid",
		    "^Invalid value: ~S_1~: a lowercase RFC 1123 subdomain "
		    "must consist of lower case alphanumeric characters, ") ","
		    CAUSE("data[a b]", "FieldValueInvalid",
		    "^Invalid value: ~a b~: a valid config key must consist "
		    "of alphanumeric characters, ") "," CAUSE("data[..x]",
		    "FieldValueInvalid",
		    "^Invalid value: ~..x~: must not start with") "," CAUSE(
		    "data[.]", "FieldValueInvalid",
		    "^Invalid value: ~.~: must not be")) },
		{ "POST", "{S}", "{'metadata':{}}", 422, FAILURE(422, "Invalid",
		    "Secret ~~ is invalid: metadata.name: Required value: "
		    "name or generateName is required",
		    "{'kind':'Secret','causes':[" CAUSE("metadata.name",
		    "FieldValueRequired",
		    "Required value: name or generateName is required") "]}") },
		{ "POST", "{S}",
		    "{'metadata':{'name':'s','labels':{'a':'b c'},"
		    "'annotations':{'x y':'ok'}}}", 422, INVALID("s", "Secret",
		    "[metadata.labels: ", CAUSE("metadata.labels",
		    "FieldValueInvalid",
		    "^Invalid value: ~b c~: a valid label must be an empty "
		    "string or consist of alphanumeric characters, ") "," CAUSE(
		    "metadata.annotations", "FieldValueInvalid",
		    "^Invalid value: ~x y~: name part must consist of "
		    "alphanumeric characters, ")) },
		{ "POST", "{S}",
		    "{'metadata':{'name':'s','ownerReferences':[{}]}}", 422,
		    INVALID("s", "Secret", "[metadata.ownerReferences", CAUSE(
		    "metadata.ownerReferences.apiVersion", "FieldValueInvalid",
		    "Invalid value: ~~: version must not be empty") "," CAUSE(
		    "metadata.ownerReferences.kind", "FieldValueInvalid",
		    "Invalid value: ~~: must not be empty") "," CAUSE(
		    "metadata.ownerReferences.name", "FieldValueInvalid",
		    "Invalid value: ~~: must not be empty") "," CAUSE(
		    "metadata.ownerReferences.uid", "FieldValueInvalid",
		    "Invalid value: ~~: must not be empty")) },
	};
	/* clang-format on */

	RUN(steps);
}

static void
two_controllers_of_one_secret_are_invalid(void **state UNUSED)
{
	/* clang-format off */
	static const struct step steps[] = {
		{ "POST", "{S}", "{'metadata':{'name':'s',"
		    "'ownerReferences':[{'apiVersion':'v1','kind':'A',"
		    "'name':'n','uid':'u','controller':true},"
		    "{'apiVersion':'v1','kind':'A','name':'m','uid':'v',"
		    "'controller':true}]}}", 422, INVALID("s", "Secret",
		    "metadata.ownerReferences: Invalid value: ", CAUSE(
		    "metadata.ownerReferences", "FieldValueInvalid",
		    "Invalid value: [{~apiVersion~:~v1~,~kind~:~A~,"
		    "~name~:~n~,~uid~:~u~,~controller~:true},"
		    "{~apiVersion~:~v1~,~kind~:~A~,~name~:~m~,~uid~:~v~,"
		    "~controller~:true}]: Only one reference can have "
		    "Controller set to true. Found ~true~ in references for "
		    "A/n and A/m")) },
	};
	/* clang-format on */

	RUN(steps);
}

static void
bodies_that_are_no_secret_are_bad_requests(void **state UNUSED)
{
#define NO_SECRET(text)                  \
	PLAIN_FAILURE(400, "BadRequest", \
	    "Secret in version ~v1~ cannot be handled as a Secret: " text)
	/* clang-format off */
	static const struct step steps[] = {
		{ "POST", "{S}",
		    "{'metadata':{'name':'s'},'data':{'a':'aGk!='}}", 400,
		    NO_SECRET("illegal base64 data at input byte 3") },
		{ "POST", "{S}", "{'metadata':{'name':'s'},'data':{'a':'aGk'}}",
		    400, NO_SECRET("illegal base64 data at input byte 0") },
		{ "POST", "{S}", "{'metadata':{'name':'s'},'data':{'a':5}}",
		    400, NO_SECRET(
		    "json: cannot unmarshal number into Go struct field "
		    "Secret.data of type []uint8") },
		{ "POST", "{S}", "{'metadata':{'name':'s','labels':{'a':1}}}",
		    400, NO_SECRET(
		    "json: cannot unmarshal number into Go struct field "
		    "ObjectMeta.metadata.labels of type string") },
		{ "POST", "{S}", "{'metadata':'x'}", 400, NO_SECRET(
		    "json: cannot unmarshal string into Go struct field "
		    "Secret.metadata of type v1.ObjectMeta") },
		{ "POST", "{S}", "RAW{\"a\":", 400, PLAIN_FAILURE(400,
		    "BadRequest",
		    "^the object provided is unrecognized (must be of type "
		    "Secret): couldn") },
		{ "POST", "{S}", "RAW[]", 400, PLAIN_FAILURE(400, "BadRequest",
		    "^the object provided is unrecognized (must be of type "
		    "Secret): couldn") },
		{ "POST", "{S}", "{'apiVersion':'v1','kind':'ConfigMap',"
		    "'metadata':{'name':'s'}}", 400, PLAIN_FAILURE(400,
		    "BadRequest",
		    "^ConfigMap in version ~v1~ cannot be handled as a "
		    "Secret: ") },
		{ "POST", "{S}", "{'apiVersion':'v2','kind':'Secret',"
		    "'metadata':{'name':'s'}}", 400, PLAIN_FAILURE(400,
		    "BadRequest",
		    "^Secret in version ~v2~ cannot be handled as a Secret: "
		    "no kind ~Secret~ is registered for version ~v2~ in "
		    "scheme ") },
		{ "POST", "{S}",
		    "{'metadata':{'name':'s','namespace':'other'}}", 400,
		    PLAIN_FAILURE(400, "BadRequest",
		    "the namespace of the provided object does not match "
		    "the namespace sent on the request") },
		{ "POST", "{S}",
		    "{'metadata':{'name':'s','resourceVersion':'5'}}", 500,
		    "{'kind':'Status','apiVersion':'v1','metadata':{},"
		    "'status':'Failure','message':'resourceVersion should "
		    "not be set on objects to be created','code':500}" },
	};
	/* clang-format on */

	RUN(steps);
}

static void
types_want_their_keys(void **state UNUSED)
{
#define NEEDS(type, message, causes)                                          \
	{                                                                     \
		"POST", "{S}", "{'metadata':{'name':'s'},'type':'" type "'}", \
		    422, INVALID("s", "Secret", message, causes)              \
	}
#define REQUIRED(field) CAUSE(field, "FieldValueRequired", "Required value")
	/* clang-format off */
	static const struct step steps[] = {
		NEEDS("kubernetes.io/tls", "[data[tls.", REQUIRED(
		    "data[tls.crt]") "," REQUIRED("data[tls.key]")),
		NEEDS("kubernetes.io/dockerconfigjson",
		    "data[.dockerconfigjson]: Required value", REQUIRED(
		    "data[.dockerconfigjson]")),
		NEEDS("kubernetes.io/basic-auth", "[data[", REQUIRED(
		    "data[username]") "," REQUIRED("data[password]")),
		NEEDS("kubernetes.io/ssh-auth",
		    "data[ssh-privatekey]: Required value", REQUIRED(
		    "data[ssh-privatekey]")),
		NEEDS("kubernetes.io/service-account-token",
		    "metadata.annotations[kubernetes.io/service-account.name]: "
		    "Required value", REQUIRED(
		    "metadata.annotations[kubernetes.io/service-account.name]")),
		{ "POST", "{S}", "{'metadata':{'name':'s'},"
		    "'type':'kubernetes.io/dockerconfigjson',"
		    "'data':{'.dockerconfigjson':'eA=='}}", 422, INVALID("s",
		    "Secret", "data[.dockerconfigjson]: ", CAUSE(
		    "data[.dockerconfigjson]", "FieldValueInvalid",
		    "^Invalid value: ~<secret contents redacted>~: invalid "
		    "character")) },
		{ "POST", "{S}", "{'metadata':{'name':'s'},'type':'any/one'}",
		    201, "{'*':1,'type':'any/one'}" },
	};
	/* clang-format on */

	RUN(steps);
}

static void
null_and_empty_values_are_empty(void **state UNUSED)
{
	/* clang-format off */
	static const struct step steps[] = {
		{ "POST", "{S}",
		    "{'metadata':{'name':'s'},'data':{'a':null,'b':''}}", 201,
		    "{'*':1,'data':{'a':'','b':''}}" },
	};
	/* clang-format on */

	RUN(steps);
}

static void
a_namespace_must_exist_and_not_end(void **state UNUSED)
{
	/* clang-format off */
	static const struct step steps[] = {
		{ "POST", "/api/v1/namespaces/no-such-namespace/secrets",
		    "{'metadata':{'name':'s'}}", 404, FAILURE(404, "NotFound",
		    "namespaces ~no-such-namespace~ not found",
		    "{'name':'no-such-namespace','kind':'namespaces'}") },
		{ "POST", "{S}",
		    "{'metadata':{'name':'s','finalizers':['test.io/hold']}}",
		    201, NULL },
		{ "DELETE", "/api/v1/namespaces/{N}", NULL, 200,
		    "{'*':1,'status':{'*':1,'phase':'Terminating'}}" },
		{ "POST", "{S}", "{'metadata':{'name':'late'}}", 403, FAILURE(403,
		    "Forbidden",
		    "secrets ~late~ is forbidden: unable to create new "
		    "content in namespace {N} because it is being terminated",
		    "{'name':'late','kind':'secrets','causes':[" CAUSE(
		    "metadata.namespace", "NamespaceTerminating",
		    "namespace {N} is being terminated") "]}") },
		{ "PATCH", "{S}/s", "{'metadata':{'finalizers':null}}", 200,
		    NULL, NULL, API_MERGE },
	};
	/* clang-format on */

	RUN(steps);
}

static void
a_name_can_be_generated(void **state UNUSED)
{
	/* clang-format off */
	static const struct step steps[] = {
		{ "POST", "{S}", "{'metadata':{'generateName':'gen-'}}", 201,
		    "{'kind':'Secret','apiVersion':'v1','type':'Opaque',"
		    "'metadata':{'name':'^gen-','generateName':'gen-',"
		    "'namespace':'{N}','uid':'<uid>',"
		    "'resourceVersion':'<rv>','creationTimestamp':'<time>'"
		    MANAGED(CORE_ENTRY("conformance",
		    "'f:metadata':{'f:generateName':{}},'f:type':{}")) "}}" },
	};
	/* clang-format on */

	RUN(steps);
}

static void
a_missing_secret_is_not_found(void **state UNUSED)
{
#define MISSING                                           \
	FAILURE(404, "NotFound", "secrets ~s~ not found", \
	    "{'name':'s','kind':'secrets'}")
	/* clang-format off */
	static const struct step steps[] = {
		{ "GET", "{S}/s", NULL, 404, MISSING },
		{ "PUT", "{S}/s", "{'metadata':{'name':'s'}}", 404, MISSING },
		{ "DELETE", "{S}/s", NULL, 404, MISSING },
		{ "PATCH", "{S}/s", "{'metadata':{}}", 404, MISSING, NULL,
		    API_MERGE },
	};
	/* clang-format on */

	RUN(steps);
}

static void
an_update_moves_what_it_changes_to_its_manager(void **state UNUSED)
{
	/* clang-format off */
	static const struct step steps[] = {
		{ "POST", "{S}", "{'metadata':{'name':'s','labels':{'x':'y'}},"
		    "'data':{'k':'aGk=','z':'eA=='}}", 201, "{'*':1," META("s",
		    ",'*':1") "}" },
		{ "PUT", "{S}/s",
		    "{'metadata':{'name':'s'},'data':{'k':'aGkh'}}", 200,
		    "{'kind':'Secret','apiVersion':'v1','type':'Opaque',"
		    "'data':{'k':'aGkh'},'metadata':{'name':'s',"
		    "'namespace':'{N}','uid':'<uid>',"
		    "'resourceVersion':'<rv=changed>',"
		    "'creationTimestamp':'<time>'" MANAGED(CORE_ENTRY(
		    "conformance", "'f:data':{},'f:type':{}") "," CORE_ENTRY(
		    "other", "'f:data':{'f:k':{}}")) "}}", NULL, NULL,
		    "other/2 (linux)" },
		/* Nothing changes: not even the version. */
		{ "PUT", "{S}/s",
		    "{'metadata':{'name':'s'},'data':{'k':'aGkh'}}", 200,
		    "{'*':1,'metadata':{'*':1,"
		    "'resourceVersion':'<changed>'}}", NULL, NULL, "third/3" },
		{ "PUT", "{S}/s?fieldManager=named",
		    "{'metadata':{'name':'s','annotations':{'n':'1'}},"
		    "'data':{'k':'aGkh'}}", 200, "{'*':1,'metadata':{'*':1"
		    MANAGED(CORE_ENTRY("conformance", "'f:data':{},'f:type':{}")
		    "," CORE_ENTRY("other", "'f:data':{'f:k':{}}") ","
		    CORE_ENTRY("named",
		    "'f:metadata':{'f:annotations':{'.':{},'f:n':{}}}")) "}}" },
	};
	/* clang-format on */

	RUN(steps);
}

static void
an_outdated_or_misdirected_update_is_refused(void **state UNUSED)
{
	/* clang-format off */
	static const struct step steps[] = {
		{ "POST", "{S}", "{'metadata':{'name':'s'}}", 201,
		    "{'*':1,'metadata':{'*':1,'uid':'<uid=uid>'}}" },
		{ "PUT", "{S}/s",
		    "{'metadata':{'name':'s','resourceVersion':'1'}}", 409,
		    FAILURE(409, "Conflict",
		    "Operation cannot be fulfilled on secrets ~s~: " CHANGED,
		    "{'name':'s','kind':'secrets'}") },
		{ "PUT", "{S}/s", "{'metadata':{'name':'s','uid':'" OTHER_UID
		    "'}}", 409, FAILURE(409, "Conflict",
		    "Operation cannot be fulfilled on secrets ~s~: "
		    "StorageError: invalid object, Code: 4, Key: "
		    "/registry/secrets/{N}/s, ResourceVersion: 0, "
		    "AdditionalErrorMsg: Precondition failed: UID in "
		    "precondition: " OTHER_UID ", UID in object meta: <uid>",
		    "{'name':'s','kind':'secrets'}") },
		{ "PUT", "{S}/s", "{'metadata':{'name':'t'}}", 400,
		    PLAIN_FAILURE(400, "BadRequest",
		    "the name of the object (t) does not match the name on "
		    "the URL (s)") },
		{ "PUT", "{S}/s", "{'metadata':{}}", 400, PLAIN_FAILURE(400,
		    "BadRequest",
		    "the name of the object (s based on URL) was "
		    "undeterminable: name must be provided") },
	};
	/* clang-format on */

	RUN(steps);
}

static void
type_and_immutable_data_cannot_change(void **state UNUSED)
{
	/* clang-format off */
	static const struct step steps[] = {
		{ "POST", "{S}",
		    "{'metadata':{'name':'s'},'data':{'k':'aGk='},"
		    "'immutable':true}", 201, "{'*':1,'immutable':true}" },
		{ "PUT", "{S}/s",
		    "{'metadata':{'name':'s'},'data':{'k':'aGk='},"
		    "'immutable':true,'type':'x/y'}", 422, INVALID("s",
		    "Secret", "type: Invalid value: ~x/y~: field is immutable",
		    CAUSE("type", "FieldValueInvalid",
		    "Invalid value: ~x/y~: field is immutable")) },
		{ "PUT", "{S}/s",
		    "{'metadata':{'name':'s'},'data':{'k':'eA=='},"
		    "'immutable':true}", 422, INVALID("s", "Secret",
		    "data: Forbidden: " IMMUTABLE, CAUSE("data",
		    "FieldValueForbidden", "Forbidden: " IMMUTABLE)) },
		{ "PUT", "{S}/s",
		    "{'metadata':{'name':'s'},'data':{'k':'aGk='}}", 422,
		    INVALID("s", "Secret", "immutable: Forbidden: " IMMUTABLE,
		    CAUSE("immutable", "FieldValueForbidden", "Forbidden: "
		    IMMUTABLE)) },
		/* Metadata of an immutable Secret may change. */
		{ "PUT", "{S}/s",
		    "{'metadata':{'name':'s','labels':{'a':'b'}},"
		    "'data':{'k':'aGk='},'immutable':true}", 200,
		    "{'*':1,'metadata':{'*':1,'labels':{'a':'b'}}}" },
	};
	/* clang-format on */

	RUN(steps);
}

static void
patches_merge(void **state UNUSED)
{
	/* clang-format off */
	static const struct step steps[] = {
		{ "POST", "{S}",
		    "{'metadata':{'name':'s','labels':{'a':'1','b':'2'}}}", 201,
		    NULL },
		{ "PATCH", "{S}/s", "{'metadata':{'labels':{'a':null}}}", 200,
		    "{'*':1,'metadata':{'*':1,'labels':{'b':'2'}}}", NULL,
		    API_MERGE },
		{ "PATCH", "{S}/s", "{'metadata':{'labels':{'c':'3'}}}", 200,
		    "{'*':1,'metadata':{'*':1,'labels':{'b':'2','c':'3'}}}",
		    NULL, API_STRATEGIC },
		{ "PATCH", "{S}/s", "{'metadata':{'name':'t'}}", 400,
		    PLAIN_FAILURE(400, "BadRequest",
		    "the name of the object (t) does not match the name on "
		    "the URL (s)"), NULL, API_MERGE },
		{ "PATCH", "{S}/s", "{'metadata':{}}", 415, FAILURE(415,
		    "UnsupportedMediaType", "415: Unsupported Media Type", "{}") },
	};
	/* clang-format on */

	RUN(steps);
}

static void
a_delete_obeys_its_preconditions(void **state UNUSED)
{
	/* clang-format off */
	static const struct step steps[] = {
		{ "POST", "{S}", "{'metadata':{'name':'s'}}", 201,
		    "{'*':1,'metadata':{'*':1,'uid':'<uid=uid>',"
		    "'resourceVersion':'<rv=rv>'}}" },
		{ "DELETE", "{S}/s", "{'preconditions':{'uid':'" OTHER_UID
		    "'}}", 409, FAILURE(409, "Conflict",
		    "Operation cannot be fulfilled on Secret ~s~: the UID "
		    "in the precondition (" OTHER_UID
		    ") does not match the UID in record (<uid>). The object "
		    "might have been deleted and then recreated",
		    "{'name':'s','kind':'Secret'}") },
		{ "DELETE", "{S}/s",
		    "{'preconditions':{'resourceVersion':'1'}}", 409, FAILURE(409,
		    "Conflict",
		    "Operation cannot be fulfilled on Secret ~s~: the "
		    "ResourceVersion in the precondition (1) does not match "
		    "the ResourceVersion in record (<rv>). The object might "
		    "have been modified", "{'name':'s','kind':'Secret'}") },
		{ "DELETE", "{S}/s", "{'preconditions':{'uid':'<uid>'}}", 200,
		    "{'kind':'Status','apiVersion':'v1','metadata':{},"
		    "'status':'Success','details':{'name':'s',"
		    "'kind':'secrets','uid':'<uid>'}}" },
		{ "GET", "{S}/s", NULL, 404, NULL },
	};
	/* clang-format on */

	RUN(steps);
}

static void
a_finalizer_holds_a_deleted_secret(void **state UNUSED)
{
	/* clang-format off */
	static const struct step steps[] = {
		{ "POST", "{S}",
		    "{'metadata':{'name':'s','finalizers':['test.io/x']}}", 201,
		    "{'*':1,'metadata':{'*':1" MANAGED(CORE_ENTRY(
		    "conformance", "'f:metadata':{'f:finalizers':{'.':{},"
		    "'v:~test.io/x~':{}}},'f:type':{}")) "}}" },
		{ "DELETE", "{S}/s", NULL, 200,
		    "{'*':1,'kind':'Secret','metadata':{'*':1,"
		    "'deletionTimestamp':'<time>',"
		    "'deletionGracePeriodSeconds':0,"
		    "'finalizers':['test.io/x']}}" },
		{ "GET", "{S}/s", NULL, 200, NULL },
		{ "PATCH", "{S}/s", "{'metadata':{'finalizers':null}}", 200,
		    NULL, NULL, API_MERGE },
		{ "GET", "{S}/s", NULL, 404, NULL },
	};
	/* clang-format on */

	RUN(steps);
}

static void
a_dry_run_changes_nothing(void **state UNUSED)
{
	/* clang-format off */
	static const struct step steps[] = {
		{ "POST", "{S}?dryRun=All", "{'metadata':{'name':'s'}}", 201,
		    "{'*':1,'kind':'Secret'}" },
		{ "GET", "{S}/s", NULL, 404, NULL },
	};
	/* clang-format on */

	RUN(steps);
}

static void
a_secret_too_large_is_refused(void **state UNUSED)
{
	/* 1 MiB and one byte of data, then a body over 3 MiB. */
	static char large[4 * 1024 * 1024];
	/* clang-format off */
	const struct step steps[] = {
		{ "POST", "{S}", large, 422, INVALID("s", "Secret",
		    "data: Too long", CAUSE("data", "FieldValueTooLong",
		    "Too long: may not be more than 1048576 bytes")) },
	};
	/* clang-format on */
	/* clang-format off */
	const struct step larger[] = {
		{ "POST", "{S}", large, 413, PLAIN_FAILURE(413,
		    "RequestEntityTooLarge",
		    "Request entity too large: limit is 3145728") },
	};
	/* clang-format on */
	static const char head[] =
	    "RAW{\"metadata\":{\"name\":\"s\"},\"data\":{\"a\":\"";
	size_t at = sizeof(head) - 1, n = (1048576 / 3 + 1) * 4;

	memcpy(large, head, at);
	memset(large + at, 'A', n);
	memcpy(large + at + n, "\"}}", 4);
	RUN(steps);
	n = 3 * 1024 * 1024;
	memset(large + at, 'A', n);
	memcpy(large + at + n, "\"}}", 4);
	RUN(larger);
}

static void
metadata_alone_can_be_asked_for(void **state UNUSED)
{
	/* clang-format off */
	static const struct step steps[] = {
		{ "POST", "{S}", "{'metadata':{'name':'s','labels':{'a':'b'}},"
		    "'data':{'k':'aGk='}}", 201, NULL },
		{ "GET", "{S}/s", NULL, 200, "{'kind':'PartialObjectMetadata',"
		    "'apiVersion':'meta.k8s.io/v1'," META("s",
		    ",'labels':{'a':'b'}" MANAGED(CORE_ENTRY("conformance",
		    "'f:data':{'.':{},'f:k':{}},"
		    "'f:metadata':{'f:labels':{'.':{},'f:a':{}}},'f:type':{}")))
		    "}", API_PARTIAL },
		{ "GET", "{S}/s", NULL, 406, PLAIN_FAILURE(406, "NotAcceptable",
		    "you requested PartialObjectMetadataList, but the "
		    "requested object is not a list (*core.Secret)"),
		    API_PARTIAL_LIST },
		{ "GET", "{S}", NULL, 406, PLAIN_FAILURE(406, "NotAcceptable",
		    "you requested PartialObjectMetadata, but the requested "
		    "object is a list (*core.SecretList)"), API_PARTIAL },
	};
	/* clang-format on */

	RUN(steps);
}

int
conformance_secrets(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    a_created_secret_has_every_field_the_server_sets),
		cmocka_unit_test(a_name_is_taken_once),
		cmocka_unit_test(bad_names_and_keys_are_invalid),
		cmocka_unit_test(two_controllers_of_one_secret_are_invalid),
		cmocka_unit_test(bodies_that_are_no_secret_are_bad_requests),
		cmocka_unit_test(types_want_their_keys),
		cmocka_unit_test(null_and_empty_values_are_empty),
		cmocka_unit_test(a_namespace_must_exist_and_not_end),
		cmocka_unit_test(a_name_can_be_generated),
		cmocka_unit_test(a_missing_secret_is_not_found),
		cmocka_unit_test(
		    an_update_moves_what_it_changes_to_its_manager),
		cmocka_unit_test(an_outdated_or_misdirected_update_is_refused),
		cmocka_unit_test(type_and_immutable_data_cannot_change),
		cmocka_unit_test(patches_merge),
		cmocka_unit_test(a_delete_obeys_its_preconditions),
		cmocka_unit_test(a_finalizer_holds_a_deleted_secret),
		cmocka_unit_test(a_dry_run_changes_nothing),
		cmocka_unit_test(a_secret_too_large_is_refused),
		cmocka_unit_test(metadata_alone_can_be_asked_for),
	};

	return cmocka_run_group_tests_name("secrets", tests, NULL, NULL);
}
