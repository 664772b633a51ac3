/*
 * Conformance: events.
 */
#include "conformance.h"

#define ABOUT                                                        \
	"'involvedObject':{'kind':'SealedSecret','namespace':'{N}'," \
	"'name':'x','uid':'u','apiVersion':'bitnami.com/v1alpha1',"  \
	"'resourceVersion':'5'}"
#define FIRST	 "'firstTimestamp':'2026-01-01T00:00:00Z'"
#define SAID	 "'reason':'Unsealed','type':'Normal'," FIRST
#define BY	 "'source':{'component':'sealed-secrets'}"
#define REPORTED "'reportingComponent':'sealed-secrets'"
#define EVENT(name)                                                   \
	"{'kind':'Event','apiVersion':'v1','metadata':{'name':'" name \
	"','namespace':'{N}'}," ABOUT "," SAID "," BY "," REPORTED    \
	",'reportingInstance':'','message':'ok','count':1,"           \
	"'lastTimestamp':'2026-01-01T00:00:00Z'}"
#define OWNED                                                           \
	CORE_ENTRY("controller",                                        \
	    "'f:count':{},'f:firstTimestamp':{},'f:involvedObject':{}," \
	    "'f:lastTimestamp':{},'f:message':{},'f:reason':{},"        \
	    "'f:reportingComponent':{},'f:source':{'f:component':{}},"  \
	    "'f:type':{}")

static void
an_event_is_stored_with_what_it_leaves_empty(void **state UNUSED)
{
	/* clang-format off */
	static const struct step steps[] = {
		{ "POST", "{E}", EVENT("x.1"), 201,
		    "{'kind':'Event','apiVersion':'v1'," META("x.1", MANAGED(OWNED))
		    "," ABOUT "," SAID "," BY "," REPORTED
		    ",'reportingInstance':'','message':'ok','count':1,"
		    "'lastTimestamp':'2026-01-01T00:00:00Z',"
		    "'eventTime':null}", NULL, NULL, "controller/1" },
		{ "POST", "{E}", "{'metadata':{'name':'m'},"
		    "'involvedObject':{'namespace':'{N}'}}", 201,
		    "{'kind':'Event','apiVersion':'v1'," META("m", MANAGED(CORE_ENTRY(
		    "conformance", "'f:involvedObject':{}")))
		    ",'involvedObject':{'namespace':'{N}'},'source':{},"
		    "'firstTimestamp':null,'lastTimestamp':null,"
		    "'eventTime':null,'reportingComponent':'',"
		    "'reportingInstance':''}" },
	};
	/* clang-format on */

	RUN(steps);
}

static void
a_repeated_event_is_patched(void **state UNUSED)
{
	/* clang-format off */
	static const struct step steps[] = {
		{ "POST", "{E}", EVENT("x.1"), 201, NULL, NULL, NULL,
		    "controller/1" },
		{ "PATCH", "{E}/x.1",
		    "{'count':2,'lastTimestamp':'2026-01-01T00:01:00Z',"
		    "'message':'again'}", 200,
		    "{'kind':'Event','apiVersion':'v1'," META("x.1", MANAGED(OWNED))
		    "," ABOUT "," SAID "," BY "," REPORTED
		    ",'reportingInstance':'','message':'again','count':2,"
		    "'lastTimestamp':'2026-01-01T00:01:00Z',"
		    "'eventTime':null}", NULL, API_STRATEGIC, "controller/1" },
		{ "PATCH", "{E}/y", "{'count':2}", 404, FAILURE(404, "NotFound",
		    "events ~y~ not found", "{'name':'y','kind':'events'}"),
		    NULL, API_STRATEGIC },
	};
	/* clang-format on */

	RUN(steps);
}

static void
an_event_stays_in_the_namespace_of_its_object(void **state UNUSED)
{
	/* clang-format off */
	static const struct step steps[] = {
		{ "POST", "{E}", "{'metadata':{'name':'x'},"
		    "'involvedObject':{'namespace':'other'}}", 422, INVALID(
		    "x", "Event", "involvedObject.namespace: Invalid value: ",
		    CAUSE("involvedObject.namespace", "FieldValueInvalid",
		    "Invalid value: ~other~: does not match event.namespace")) },
	};
	/* clang-format on */

	RUN(steps);
}

static void
events_are_found_by_their_object(void **state UNUSED)
{
	/* clang-format off */
	static const struct step steps[] = {
		{ "POST", "{E}", EVENT("x.1"), 201, NULL },
		{ "POST", "{E}", "{'metadata':{'name':'m'},"
		    "'involvedObject':{'namespace':'{N}','name':'m'}}", 201,
		    NULL },
		{ "GET",
		    "{E}?fieldSelector=involvedObject.name%3Dx%2Creason%3DUnsealed%2CinvolvedObject.kind%3DSealedSecret",
		    NULL, 200, "{'*':1,'kind':'EventList','items':[{'*':1,"
		    "'metadata':{'*':1,'name':'x.1'}}]}" },
		{ "GET", "{E}?fieldSelector=involvedObject.uid%3Du", NULL, 200,
		    "{'*':1,'items':[{'*':1,'metadata':{'*':1,"
		    "'name':'x.1'}}]}" },
	};
	/* clang-format on */

	RUN(steps);
}

int
conformance_events(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_event_is_stored_with_what_it_leaves_empty),
		cmocka_unit_test(a_repeated_event_is_patched),
		cmocka_unit_test(an_event_stays_in_the_namespace_of_its_object),
		cmocka_unit_test(events_are_found_by_their_object),
	};

	return cmocka_run_group_tests_name("events", tests, NULL, NULL);
}
