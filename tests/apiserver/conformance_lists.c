/*
 * Conformance: lists, pages, selectors and watches.
 */
#include "conformance.h"

#define LABELLED(name, labels)                                                \
	{                                                                     \
		"POST", "{S}",                                                \
		    "{'metadata':{'name':'" name "','labels':{" labels "}}}", \
		    201, NULL                                                 \
	}
#define FIVE                                     \
	LABELLED("l0", "'n':'0','odd':'0'"),     \
	    LABELLED("l1", "'n':'1','odd':'1'"), \
	    LABELLED("l2", "'n':'2','odd':'0'"), \
	    LABELLED("l3", "'n':'3','odd':'1'"), LABELLED("l4", "'n':'4'")
#define NAMED(name)  "{'*':1,'metadata':{'*':1,'name':'" name "'}}"
#define ITEMS(items) "{'*':1,'kind':'SecretList','items':[" items "]}"
#define SELECTS(query, items)                                \
	{                                                    \
		"GET", "{S}?" query, NULL, 200, ITEMS(items) \
	}

static void
a_list_shows_items_without_their_kind(void **state UNUSED)
{
	/* clang-format off */
	static const struct step steps[] = {
		{ "GET", "{S}", NULL, 200,
		    "{'kind':'SecretList','apiVersion':'v1',"
		    "'metadata':{'resourceVersion':'<rv>'},'items':[]}" },
		LABELLED("s", "'a':'b'"),
		{ "GET", "{S}", NULL, 200,
		    "{'kind':'SecretList','apiVersion':'v1',"
		    "'metadata':{'resourceVersion':'<rv>'},'items':[{" META(
		    "s", ",'labels':{'a':'b'}" MANAGED(CORE_ENTRY(
		    "conformance",
		    "'f:metadata':{'f:labels':{'.':{},'f:a':{}}},'f:type':{}")))
		    ",'type':'Opaque'}]}" },
		{ "GET", "{S}", NULL, 200,
		    "{'kind':'PartialObjectMetadataList',"
		    "'apiVersion':'meta.k8s.io/v1',"
		    "'metadata':{'resourceVersion':'<rv>'},"
		    "'items':[{'kind':'PartialObjectMetadata',"
		    "'apiVersion':'meta.k8s.io/v1'," META("s",
		    ",'labels':{'a':'b'}" MANAGED(CORE_ENTRY("conformance",
		    "'f:metadata':{'f:labels':{'.':{},'f:a':{}}},'f:type':{}")))
		    "}]}", API_PARTIAL_LIST },
		{ "GET", "/api/v1/namespaces/no-such-namespace/secrets", NULL,
		    200, ITEMS("") },
	};
	/* clang-format on */

	RUN(steps);
}

static void
label_selectors_choose(void **state UNUSED)
{
	/* clang-format off */
	static const struct step steps[] = {
		FIVE,
		SELECTS("labelSelector=odd%3D0", NAMED("l0") "," NAMED("l2")),
		SELECTS("labelSelector=odd%3D%3D1", NAMED("l1") "," NAMED("l3")),
		SELECTS("labelSelector=odd%21%3D0", NAMED("l1") "," NAMED("l3")
		    "," NAMED("l4")),
		SELECTS("labelSelector=odd%20in%20(0%2C2)", NAMED("l0") ","
		    NAMED("l2")),
		SELECTS("labelSelector=n%20notin%20(0%2C1%2C2)", NAMED("l3")
		    "," NAMED("l4")),
		SELECTS("labelSelector=odd", NAMED("l0") "," NAMED("l1") ","
		    NAMED("l2") "," NAMED("l3")),
		SELECTS("labelSelector=%21odd", NAMED("l4")),
		SELECTS("labelSelector=odd%3D1%2Cn%3D3", NAMED("l3")),
		SELECTS("labelSelector=n%3E2", NAMED("l3") "," NAMED("l4")),
		{ "GET", "{S}?labelSelector=a%20b", NULL, 400, PLAIN_FAILURE(400,
		    "BadRequest", "^unable to parse requirement: ") },
	};
	/* clang-format on */

	RUN(steps);
}

static void
field_selectors_choose(void **state UNUSED)
{
	/* clang-format off */
	static const struct step steps[] = {
		FIVE,
		SELECTS("fieldSelector=metadata.name%3Dl1", NAMED("l1")),
		SELECTS("fieldSelector=metadata.name%21%3Dl1", NAMED("l0") ","
		    NAMED("l2") "," NAMED("l3") "," NAMED("l4")),
		SELECTS("fieldSelector=type%3Dother", ""),
		{ "GET", "{S}?fieldSelector=data.x%3D1", NULL, 400,
		    PLAIN_FAILURE(400, "BadRequest",
		    "field label not supported: data.x") },
	};
	/* clang-format on */

	RUN(steps);
}

static void
pages_show_one_moment(void **state UNUSED)
{
	/* clang-format off */
	static const struct step steps[] = {
		FIVE,
		{ "GET", "{S}?limit=2", NULL, 200,
		    "{'kind':'SecretList','apiVersion':'v1',"
		    "'metadata':{'resourceVersion':'<rv=moment>',"
		    "'continue':'<any=token>','remainingItemCount':3},"
		    "'items':[" NAMED("l0") "," NAMED("l1") "]}" },
		/* What happens now does not show on the later pages. */
		{ "DELETE", "{S}/l3", NULL, 200, NULL },
		LABELLED("l5", ""),
		{ "GET", "{S}?limit=2&continue=<token>", NULL, 200,
		    "{'kind':'SecretList','apiVersion':'v1',"
		    "'metadata':{'resourceVersion':'<moment>',"
		    "'continue':'<any=token>','remainingItemCount':1},"
		    "'items':[" NAMED("l2") "," NAMED("l3") "]}" },
		{ "GET", "{S}?limit=2&continue=<token>", NULL, 200,
		    "{'kind':'SecretList','apiVersion':'v1',"
		    "'metadata':{'resourceVersion':'<moment>'},'items':[" NAMED(
		    "l4") "]}" },
		/* With a selector nobody counts the rest. */
		{ "GET", "{S}?limit=1&labelSelector=odd%3D0", NULL, 200,
		    "{'kind':'SecretList','apiVersion':'v1',"
		    "'metadata':{'resourceVersion':'<rv>',"
		    "'continue':'<any>'},'items':[" NAMED("l0") "]}" },
	};
	/* clang-format on */

	RUN(steps);
}

static void
versions_of_lists_are_checked(void **state UNUSED)
{
#define BAD_OPTION(field, reason, message)                                  \
	FAILURE(422, "Invalid",                                             \
	    "ListOptions.meta.k8s.io ~~ is invalid: " field ": " message,   \
	    "{'group':'meta.k8s.io','kind':'ListOptions','causes':[" CAUSE( \
		field, reason, message) "]}")
	/* clang-format off */
	static const struct step steps[] = {
		FIVE,
		{ "GET", "{S}?limit=1", NULL, 200,
		    "{'*':1,'metadata':{'*':1,'resourceVersion':'<rv=old>'}}" },
		{ "DELETE", "{S}/l0", NULL, 200, NULL },
		SELECTS("resourceVersion=<old>&resourceVersionMatch=Exact",
		    NAMED("l0") "," NAMED("l1") "," NAMED("l2") "," NAMED("l3")
		    "," NAMED("l4")),
		SELECTS(
		    "resourceVersion=<old>&resourceVersionMatch=NotOlderThan",
		    NAMED("l1") "," NAMED("l2") "," NAMED("l3") "," NAMED("l4")),
		{ "GET", "{S}?resourceVersionMatch=Exact", NULL, 422,
		    BAD_OPTION("resourceVersionMatch", "FieldValueForbidden",
		    "Forbidden: resourceVersionMatch is forbidden unless "
		    "resourceVersion is provided") },
		{ "GET", "{S}?sendInitialEvents=true", NULL, 422, BAD_OPTION(
		    "sendInitialEvents", "FieldValueForbidden",
		    "Forbidden: sendInitialEvents is forbidden for list") },
		{ "GET", "{S}?resourceVersion=9999999999", NULL, 504, FAILURE(504,
		    "Timeout",
		    "^Timeout: Too large resource version: 9999999999, "
		    "current: ",
		    "{'causes':[{'reason':'ResourceVersionTooLarge',"
		    "'message':'Too large resource version'}],"
		    "'retryAfterSeconds':1}") },
		{ "GET", "{S}?resourceVersion=x", NULL, 400, PLAIN_FAILURE(400,
		    "BadRequest",
		    "invalid resource version: resourceVersion: Invalid "
		    "value: ~x~: strconv.ParseUint: parsing ~x~: invalid "
		    "syntax") },
		{ "GET", "{S}?limit=x", NULL, 400, PLAIN_FAILURE(400,
		    "BadRequest",
		    "strconv.ParseInt: parsing ~x~: invalid syntax") },
		{ "GET", "{S}?limit=2&continue=abc", NULL, 400, PLAIN_FAILURE(400,
		    "BadRequest",
		    "^invalid continue token: continue key is not valid: ") },
	};
	/* clang-format on */

	RUN(steps);
}

#define EVENT(type, object) "{'type':'" type "','object':" object "}"
#define ONE(name, more)                                               \
	"{'*':1,'kind':'Secret','apiVersion':'v1','metadata':{'*':1," \
	"'name':'" name "'" more "}}"

static void
a_watch_tells_every_change_from_a_version_on(void **state UNUSED)
{
	/* clang-format off */
	static const struct step steps[] = {
		LABELLED("old", ""),
		{ "GET", "{S}", NULL, 200, "{'*':1,'metadata':{'*':1,"
		    "'resourceVersion':'<rv=from>'}}" },
		{ "POST", "{S}", "{'metadata':{'name':'s'}}", 201,
		    "{'*':1,'metadata':{'*':1,"
		    "'resourceVersion':'<rv=made>'}}" },
		{ "PUT", "{S}/s",
		    "{'metadata':{'name':'s'},'data':{'k':'aGk='}}", 200,
		    "{'*':1,'metadata':{'*':1,"
		    "'resourceVersion':'<rv=changed>'}}" },
		{ "DELETE", "{S}/s", NULL, 200, NULL },
		{ "WATCH",
		    "{S}?watch=true&resourceVersion=<from>&timeoutSeconds=2",
		    NULL, 200, "[" EVENT("ADDED", ONE("s",
		    ",'resourceVersion':'<made>'")) "," EVENT("MODIFIED",
		    "{'*':1,'data':{'k':'aGk='},'metadata':{'*':1,"
		    "'resourceVersion':'<changed>'}}") "," EVENT("DELETED",
		    "{'*':1,'data':{'k':'aGk='},'metadata':{'*':1,"
		    "'name':'s','resourceVersion':'<rv=gone>'}}") "]" },
		{ "WATCH",
		    "{S}?watch=true&resourceVersion=<gone>&timeoutSeconds=2",
		    NULL, 200, "[]" },
		/* The same as metadata. */
		{ "WATCH",
		    "{S}?watch=true&resourceVersion=<changed>&timeoutSeconds=2",
		    NULL, 200, "[" EVENT("DELETED",
		    "{'kind':'PartialObjectMetadata',"
		    "'apiVersion':'meta.k8s.io/v1','metadata':{'name':'s',"
		    "'namespace':'{N}','uid':'<uid>',"
		    "'resourceVersion':'<gone>','creationTimestamp':'<time>'"
		    MANAGED(CORE_ENTRY("conformance",
		    "'f:data':{'.':{},'f:k':{}},'f:type':{}")) "}}") "]",
		    API_PARTIAL },
	};
	/* clang-format on */

	RUN(steps);
}

static void
a_watch_without_a_version_starts_with_what_is_there(void **state UNUSED)
{
	/* clang-format off */
	static const struct step steps[] = {
		LABELLED("a", ""),
		LABELLED("b", ""),
		{ "WATCH", "{S}?watch=true&resourceVersion=0&timeoutSeconds=2",
		    NULL, 200, "{'<set>':[" EVENT("ADDED", ONE("a", "")) ","
		    EVENT("ADDED", ONE("b", "")) "]}" },
		{ "WATCH", "{S}?watch=true&timeoutSeconds=2", NULL, 200,
		    "{'<set>':[" EVENT("ADDED", ONE("a", "")) "," EVENT(
		    "ADDED", ONE("b", "")) "]}" },
		{ "WATCH",
		    "{S}?watch=true&resourceVersion=0&timeoutSeconds=2&fieldSelector=metadata.name%3Db",
		    NULL, 200, "[" EVENT("ADDED", ONE("b", "")) "]" },
	};
	/* clang-format on */

	RUN(steps);
}

static void
a_selector_turns_changes_into_comings_and_goings(void **state UNUSED)
{
#define RELABEL(name, labels)                                                  \
	{                                                                      \
		"PUT", "{S}/" name,                                            \
		    "{'metadata':{'name':'" name "','labels':{" labels "}}}",  \
		    200,                                                       \
		    "{'*':1,'metadata':{'*':1,'resourceVersion':'<rv=left>'}}" \
	}
	/* clang-format off */
	static const struct step steps[] = {
		LABELLED("s", "'in':'no'"),
		{ "GET", "{S}", NULL, 200, "{'*':1,'metadata':{'*':1,"
		    "'resourceVersion':'<rv=from>'}}" },
		RELABEL("s", "'in':'yes'"),
		RELABEL("s", "'in':'yes','more':'x'"),
		RELABEL("s", "'in':'no'"),
		LABELLED("t", "'in':'no'"),
		{ "DELETE", "{S}/s", NULL, 200, NULL },
		{ "WATCH",
		    "{S}?watch=true&resourceVersion=<from>&timeoutSeconds=2&labelSelector=in%3Dyes",
		    NULL, 200, "[" EVENT("ADDED", ONE("s",
		    ",'labels':{'in':'yes'}")) "," EVENT("MODIFIED", ONE("s",
		    ",'labels':{'in':'yes','more':'x'}")) "," EVENT("DELETED",
		    ONE("s", ",'labels':{'in':'yes','more':'x'},"
		    "'resourceVersion':'<left>'")) "]" },
	};
	/* clang-format on */

	RUN(steps);
}

static void
options_of_watches_are_checked(void **state UNUSED)
{
	/* clang-format off */
	static const struct step steps[] = {
		{ "GET", "{S}?watch=true&resourceVersion=x", NULL, 500,
		    "{'kind':'Status','apiVersion':'v1','metadata':{},"
		    "'status':'Failure','message':'resourceVersion: Invalid "
		    "value: ~x~: strconv.ParseUint: parsing ~x~: invalid "
		    "syntax','code':500}" },
		{ "GET", "{S}?watch=true&labelSelector=a%20b", NULL, 400,
		    PLAIN_FAILURE(400, "BadRequest",
		    "^unable to parse requirement: ") },
		{ "GET",
		    "{S}?watch=true&resourceVersion=1&resourceVersionMatch=NotOlderThan",
		    NULL, 422, BAD_OPTION("resourceVersionMatch",
		    "FieldValueForbidden",
		    "Forbidden: resourceVersionMatch is forbidden for watch "
		    "unless sendInitialEvents is provided") },
		/* The path of one object knows no watch. */
		LABELLED("s", ""),
		{ "GET", "{S}/s?watch=true", NULL, 200,
		    "{'*':1,'kind':'Secret'}" },
	};
	/* clang-format on */

	RUN(steps);
}

int
conformance_lists(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_list_shows_items_without_their_kind),
		cmocka_unit_test(label_selectors_choose),
		cmocka_unit_test(field_selectors_choose),
		cmocka_unit_test(pages_show_one_moment),
		cmocka_unit_test(versions_of_lists_are_checked),
		cmocka_unit_test(a_watch_tells_every_change_from_a_version_on),
		cmocka_unit_test(
		    a_watch_without_a_version_starts_with_what_is_there),
		cmocka_unit_test(
		    a_selector_turns_changes_into_comings_and_goings),
		cmocka_unit_test(options_of_watches_are_checked),
	};

	return cmocka_run_group_tests_name(
	    "lists and watches", tests, NULL, NULL);
}
