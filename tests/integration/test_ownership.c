/*
 * The table of ownership: whatever Secret is there when a SealedSecret is
 * made, changed or taken away; without an owner reference; of another type;
 * immutable; and with the old way of deleting.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/jsonx.h"
#include "base/mem.h"
#include "keyrig.h"

#define PREFIX	"sealedsecrets.bitnami.com/"
#define MANAGED PREFIX "managed"
#define PATCH	PREFIX "patch"
#define SKIP	PREFIX "skip-set-owner-references"
#define SECRETS "/api/v1/namespaces/a/secrets"
#define SEALED	"/apis/bitnami.com/v1alpha1/namespaces/a/sealedsecrets"
/* What the reference looks for a reappearing Secret. */
#define MOMENT_MS 500
/* Long enough for a write that should not come. */
#define QUIET_MS 1500

/* What is there before the SealedSecret comes to it. */
enum found { NOTHING, OWNED, OLD_UID, FOREIGN, GIVEN, PATCHED, BOTH };

enum back { AT_ONCE, LATER, NEVER };

static const struct row {
	const char *name;
	enum found found;
	bool applied; /* else refused, and the Secret stays as it was */
	bool merged;
	bool owned;
	enum back back; /* when somebody deletes the Secret */
	bool collected; /* when the SealedSecret is deleted */
	bool
	    old_gc_takes; /* the same with --old-gc-behavior and no collector */
} table[] = {
	{ "nothing", NOTHING, true, false, true, AT_ONCE, true, true },
	{ "owned", OWNED, true, false, true, AT_ONCE, true, true },
	{ "old-uid", OLD_UID, false, false, false, AT_ONCE, true, true },
	{ "foreign", FOREIGN, false, false, false, LATER, false, false },
	{ "managed", GIVEN, true, false, true, AT_ONCE, true, true },
	{ "patch", PATCHED, true, true, false, NEVER, false, false },
	{ "both", BOTH, true, true, true, AT_ONCE, true, true },
};

/* ---- objects ---- */

struct world {
	struct harness *h;
	struct keypair *kp;
};

static int
start_server(void **state)
{
	struct world *w = xcalloc(1, sizeof(*w));

	*state = w;
	w->h = harness_new(NULL);
	w->kp = keyrig_key(0);
	keyrig_put(w->h, keyrig_secret("mine", w->kp));
	/* So that the Secret of an old UID stays until the test says so. */
	control_post(w->h->api, "settings", json_pack("{s:b}", "gc", 0));
	return 0;
}

static int
start(void **state)
{
	start_server(state);
	harness_start_ready(((struct world *)*state)->h, NULL);
	return 0;
}

static int
stop(void **state)
{
	struct world *w = *state;
	int ret = harness_end(w->h);

	keypair_free(w->kp);
	free(w);
	return ret;
}

/* One item, a label and an annotation; owned by the caller. */
static json_t *
sealed(struct world *w, const char *name, const char *item, const char *value,
    const char *label)
{
	json_t *v = object_sealed("a", name, OBJECT_STRICT);
	json_t *meta = jsonx_object(v, "spec", "template", "metadata", NULL);

	object_seal(v, keypair_cert_pem(w->kp), item, value);
	jsonx_set(meta, "labels", json_pack("{s:s}", "ours", label));
	jsonx_set(meta, "annotations", json_pack("{s:s}", "ours", label));
	return v;
}

static void
create(struct world *w, json_t *v)
{
	harness_post(w->h, v);
	json_decref(v);
}

/* Another spec for the stored object; what it was about stays. */
static void
change(struct world *w, json_t *v)
{
	const char *name = jsonx_str(v, "metadata", "name", NULL);
	AUTO_JSON json_t *stored = harness_sealed(w->h, "a", name);

	jsonx_set(stored, "spec", json_incref(json_object_get(v, "spec")));
	assert_int_equal(
	    api_put(w->h->api, stored, NULL, SEALED "/%s", name), 200);
	json_decref(v);
}

static json_t *
template_of(json_t *v)
{
	return jsonx_object(v, "spec", "template", NULL);
}

static void
annotate_template(json_t *v, const char *key)
{
	jsonx_set_str(
	    jsonx_object(template_of(v), "metadata", "annotations", NULL), key,
	    "true");
}

static void
delete_secret(struct world *w, const char *name)
{
	assert_int_equal(
	    api_delete(w->h->api, NULL, NULL, SECRETS "/%s", name), 200);
}

static void
delete_sealed(struct world *w, const char *name)
{
	assert_int_equal(
	    api_delete(w->h->api, NULL, NULL, SEALED "/%s", name), 200);
}

/* The Secret that row->found stands for. */
static void
place(struct world *w, const struct row *row)
{
	AUTO_JSON json_t *s = object_secret(
	    "a", row->name, "theirs", "t", HARNESS_KEY, "theirs too", NULL);
	AUTO_JSON json_t *owner = harness_sealed(w->h, "a", row->name);
	json_t *meta = json_object_get(s, "metadata");
	json_t *notes = json_pack("{s:s}", "theirs", "yes");

	if (row->found == NOTHING) {
		json_decref(notes);
		return;
	}
	if (row->found == GIVEN || row->found == BOTH)
		jsonx_set_str(notes, MANAGED, "true");
	if (row->found == PATCHED || row->found == BOTH)
		jsonx_set_str(notes, PATCH, "true");
	jsonx_set(meta, "labels", json_pack("{s:s}", "theirs", "yes"));
	jsonx_set(meta, "annotations", notes);
	if (row->found == OWNED || row->found == OLD_UID)
		jsonx_set(meta, "ownerReferences",
		    json_pack("[{s:s, s:s, s:s, s:s, s:b}]", "apiVersion",
			"bitnami.com/v1alpha1", "kind", "SealedSecret", "name",
			row->name, "uid",
			row->found == OWNED ? object_uid(owner)
					    : "5c1f3a52-old-uid",
			"controller", 1));
	harness_post(w->h, s);
}

/* ---- what came of it ---- */

static bool
member_is(
    const json_t *v, const char *member, const char *key, const char *want)
{
	const char *s = jsonx_str(v, "metadata", member, key, NULL);

	return want == NULL ? s == NULL : s != NULL && strcmp(s, want) == 0;
}

/* Exactly our controller reference, or none. */
static bool
owners_are(struct world *w, const json_t *s, bool owned)
{
	const char *name = jsonx_str(s, "metadata", "name", NULL);
	AUTO_JSON json_t *v = harness_sealed(w->h, "a", name);
	const json_t *refs =
	    jsonx_array(s, "metadata", "ownerReferences", NULL);
	AUTO_JSON json_t *want = json_pack("[{s:s, s:s, s:s, s:s, s:b}]",
	    "apiVersion", "bitnami.com/v1alpha1", "kind", "SealedSecret",
	    "name", name, "uid", object_uid(v), "controller", 1);

	return owned ? json_equal(refs, want) : json_array_size(refs) == 0;
}

static void
fail_row(struct world *w, const char *name, const char *when)
{
	AUTO_JSON json_t *s = harness_secret(w->h, "a", name);
	AUTO_JSON json_t *v = harness_sealed(w->h, "a", name);
	AUTO_STR char *st =
	    s == NULL ? xstrdup("no Secret") : json_dumps(s, JSON_SORT_KEYS);
	AUTO_STR char *vt = v == NULL ? xstrdup("no SealedSecret")
				      : json_dumps(v, JSON_SORT_KEYS);

	proc_show(w->h->controller);
	fail_msg("%s, %s:\n%s\n%s", name, when, st, vt);
}

/* Applied: item has value, and nothing or everything of theirs is there. */
static bool
looks_applied(struct world *w, const struct row *row, const json_t *s,
    const char *item, const char *label)
{
	const char *theirs = row->merged ? "yes" : NULL;
	const char *kept = row->found == GIVEN || !row->merged ? NULL : "true";

	return object_has(s, item, "v") &&
	    object_has(s, "theirs", "t") == row->merged &&
	    member_is(s, "labels", "ours", label) &&
	    member_is(s, "annotations", "ours", label) &&
	    member_is(s, "labels", "theirs", theirs) &&
	    member_is(s, "annotations", "theirs", theirs) &&
	    member_is(s, "annotations", PATCH, kept) &&
	    member_is(
		s, "annotations", MANAGED, row->found == BOTH ? kept : NULL) &&
	    owners_are(w, s, row->owned);
}

static void
expect_event(struct world *w, const struct row *row)
{
	AUTO_JSON json_t *all = NULL;
	AUTO_STR char *unmanaged = xasprintf(
	    "Resource \"%s\" already exists and is not managed by SealedSecret",
	    row->name);
	const json_t *e;
	const char *reason = row->applied ? "Unsealed" : "ErrUpdateFailed";

	harness_expect(w->h,
	    harness_wait_event(w->h, "a", row->name, reason, HARNESS_SOON_MS));
	assert_int_equal(api_get(w->h->api, &all,
			     "/api/v1/namespaces/a/events?fieldSelector="
			     "involvedObject.name%%3D%s%%2Creason%%3D%s",
			     row->name, reason),
	    200);
	e = json_array_get(json_object_get(all, "items"), 0);
	assert_string_equal(
	    jsonx_str(e, "type", NULL), row->applied ? "Normal" : "Warning");
	assert_string_equal(jsonx_str(e, "message", NULL),
	    row->applied ? "SealedSecret unsealed successfully" : unmanaged);
}

/* After a generation: status, Secret, and what it holds. `before` is the
 * version of a Secret that must not be touched. */
static void
expect_row(struct world *w, const struct row *row, const char *item,
    const char *label, const char *before, const char *when)
{
	AUTO_JSON json_t *s = NULL;
	AUTO_JSON json_t *v = NULL;
	AUTO_STR char *refused = xasprintf("failed update: Resource \"%s\" "
					   "already exists and is not managed "
					   "by SealedSecret",
	    row->name);

	if (!harness_wait_synced(w->h, "a", row->name,
		row->applied ? "True" : "False", HARNESS_SOON_MS))
		fail_row(w, row->name, when);
	s = harness_secret(w->h, "a", row->name);
	v = harness_sealed(w->h, "a", row->name);
	if (row->applied
		? !looks_applied(w, row, s, item, label)
		: before != NULL && strcmp(object_version(s), before) != 0)
		fail_row(w, row->name, when);
	if (strcmp(object_synced_message(v), row->applied ? "" : refused) != 0)
		fail_row(w, row->name, when);
}

/* ---- create, update, delete the Secret ---- */

struct missing {
	struct world *w;
	const char *name;
};

static bool
is_missing(void *ctx)
{
	const struct missing *m = ctx;
	AUTO_JSON json_t *s = harness_secret(m->w->h, "a", m->name);

	return s == NULL;
}

/* Made anew from the second specification. */
static bool
is_all_ours(void *ctx)
{
	const struct missing *m = ctx;
	const struct row fresh = { .name = m->name, .owned = true };
	AUTO_JSON json_t *s = harness_secret(m->w->h, "a", m->name);

	return s != NULL && looks_applied(m->w, &fresh, s, "fresh", "two");
}

static void
expect_back(struct world *w, const struct row *row)
{
	struct missing m = { w, row->name };

	delete_secret(w, row->name);
	if (row->back != AT_ONCE &&
	    !wait_stays(
		is_missing, &m, row->back == LATER ? MOMENT_MS : QUIET_MS))
		fail_row(w, row->name, "back too soon");
	if (row->back == NEVER)
		return;
	if (!wait_until(is_all_ours, &m, HARNESS_LATE_MS))
		fail_row(w, row->name, "not back");
	harness_expect(w->h,
	    harness_wait_synced(w->h, "a", row->name, "True", HARNESS_SOON_MS));
}

static void
create_all(struct world *w)
{
	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		create(w, sealed(w, table[i].name, HARNESS_KEY, "v", "one"));
		place(w, &table[i]);
	}
}

static void
the_table_of_ownership_holds(void **state)
{
	struct world *w = *state;
	char *before[ARRAY_SIZE(table)];

	create_all(w);
	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		AUTO_JSON json_t *s = harness_secret(w->h, "a", table[i].name);

		before[i] = xstrdup(object_version(s));
	}
	harness_start_ready(w->h, NULL);
	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		expect_row(
		    w, &table[i], HARNESS_KEY, "one", before[i], "create");
		expect_event(w, &table[i]);
	}
	for (size_t i = 0; i < ARRAY_SIZE(table); i++)
		change(w, sealed(w, table[i].name, "fresh", "v", "two"));
	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		AUTO_JSON json_t *s = NULL;

		expect_row(w, &table[i], "fresh", "two", before[i], "update");
		/* Items that the specification dropped stay under patch. */
		s = harness_secret(w->h, "a", table[i].name);
		if (table[i].applied &&
		    (jsonx_str(s, "data", HARNESS_KEY, NULL) != NULL) !=
			table[i].merged)
			fail_row(w, table[i].name, "dropped item");
	}
	for (size_t i = 0; i < ARRAY_SIZE(table); i++)
		expect_back(w, &table[i]);
	for (size_t i = 0; i < ARRAY_SIZE(table); i++)
		free(before[i]);
}

/* ---- delete the SealedSecret ---- */

static void
delete_all(struct world *w)
{
	for (size_t i = 0; i < ARRAY_SIZE(table); i++)
		expect_row(w, &table[i], HARNESS_KEY, "one", NULL, "before");
	for (size_t i = 0; i < ARRAY_SIZE(table); i++)
		delete_sealed(w, table[i].name);
}

static void
expect_left(struct world *w, const struct row *row, bool taken)
{
	struct missing m = { w, row->name };

	if (taken
		? !harness_wait_no_secret(w->h, "a", row->name, HARNESS_SOON_MS)
		: is_missing(&m))
		fail_row(w, row->name, "after the SealedSecret");
}

static void
the_collector_takes_what_is_owned_and_nothing_else(void **state)
{
	struct world *w = *state;

	create_all(w);
	harness_start_ready(w->h, NULL);
	delete_all(w);
	/* The controller itself deletes nothing. */
	for (size_t i = 0; i < ARRAY_SIZE(table); i++)
		expect_left(w, &table[i], false);
	control_post(w->h->api, "settings", json_pack("{s:b}", "gc", 1));
	for (size_t i = 0; i < ARRAY_SIZE(table); i++)
		expect_left(w, &table[i], table[i].collected);
	for (size_t i = 0; i < ARRAY_SIZE(table); i++)
		expect_left(w, &table[i], table[i].collected);
	harness_expect(w->h, control_count(w->h->api, "delete secrets") == 0);
}

static void
the_old_way_of_deleting_takes_only_what_is_ours(void **state)
{
	static const char *const args[] = { "--old-gc-behavior", NULL };
	struct world *w = *state;

	create_all(w);
	harness_start_ready(w->h, args);
	delete_all(w);
	for (size_t i = 0; i < ARRAY_SIZE(table); i++)
		expect_left(w, &table[i], table[i].old_gc_takes);
	for (size_t i = 0; i < ARRAY_SIZE(table); i++)
		expect_left(w, &table[i], table[i].old_gc_takes);
}

/* ---- without an owner reference ---- */

static json_t *
unowned(struct world *w, const char *name, const char *item, const char *also)
{
	json_t *v = sealed(w, name, item, "v", "one");

	annotate_template(v, SKIP);
	if (also != NULL)
		annotate_template(v, also);
	return v;
}

static bool
is_there(void *ctx)
{
	return !is_missing(ctx);
}

static void
expect_unowned(struct world *w, const char *name, const char *item)
{
	AUTO_JSON json_t *s = NULL;

	if (!harness_wait_synced(w->h, "a", name, "True", HARNESS_SOON_MS))
		fail_row(w, name, "unowned");
	s = harness_secret(w->h, "a", name);
	if (!object_has(s, item, "v") || !owners_are(w, s, false))
		fail_row(w, name, "unowned");
}

static void
an_owner_reference_can_be_left_out(void **state)
{
	static const struct {
		const char *name, *also;
		bool written_later;
		bool comes_back;
	} cases[] = {
		{ "alone", NULL, false, false },
		{ "and-managed", MANAGED, true, true },
		{ "and-patch", PATCH, true, false },
	};
	struct world *w = *state;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		create(
		    w, unowned(w, cases[i].name, HARNESS_KEY, cases[i].also));
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		expect_unowned(w, cases[i].name, HARNESS_KEY);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		change(w, unowned(w, cases[i].name, "fresh", cases[i].also));
		if (!cases[i].written_later)
			harness_expect(w->h,
			    harness_wait_synced(w->h, "a", cases[i].name,
				"False", HARNESS_SOON_MS));
		else
			expect_unowned(w, cases[i].name, "fresh");
	}
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct missing m = { w, cases[i].name };
		AUTO_JSON json_t *s = harness_secret(w->h, "a", m.name);

		/* Left as it was where nothing gives the right. */
		if (!cases[i].written_later && !object_has(s, HARNESS_KEY, "v"))
			fail_row(w, m.name, "touched");
		delete_secret(w, m.name);
		if (cases[i].comes_back) {
			(void)wait_until(is_there, &m, HARNESS_SOON_MS);
			expect_unowned(w, m.name, "fresh");
		} else if (!wait_stays(is_missing, &m, MOMENT_MS))
			fail_row(w, m.name, "came back");
	}
}

/* The template says whose the Secret is; the object's own annotation says
 * nothing. */
static void
references_of_the_template_count_only_without_ours(void **state)
{
	struct world *w = *state;
	AUTO_JSON json_t *ns = NULL;
	json_t *v = unowned(w, "theirs", HARNESS_KEY, NULL);
	json_t *own = sealed(w, "own", HARNESS_KEY, "v", "one");
	AUTO_JSON json_t *refs = NULL;
	AUTO_JSON json_t *s = NULL;

	assert_int_equal(api_get(w->h->api, &ns, "/api/v1/namespaces/a"), 200);
	refs = json_pack("[{s:s, s:s, s:s, s:s}]", "apiVersion", "v1", "kind",
	    "Namespace", "name", "a", "uid", object_uid(ns));
	jsonx_set(jsonx_object(template_of(v), "metadata", NULL),
	    "ownerReferences", json_incref(refs));
	jsonx_set(jsonx_object(template_of(own), "metadata", NULL),
	    "ownerReferences", json_incref(refs));
	jsonx_set(jsonx_object(own, "metadata", NULL), "annotations",
	    json_pack("{s:s, s:s, s:s}", SKIP, "true", MANAGED, "true", PATCH,
		"true"));
	create(w, v);
	create(w, own);
	harness_expect(w->h,
	    harness_wait_synced(w->h, "a", "theirs", "True", HARNESS_SOON_MS));
	harness_expect(w->h,
	    harness_wait_synced(w->h, "a", "own", "True", HARNESS_SOON_MS));
	s = harness_secret(w->h, "a", "theirs");
	harness_expect(w->h,
	    json_equal(
		jsonx_array(s, "metadata", "ownerReferences", NULL), refs));
	json_decref(s);
	s = harness_secret(w->h, "a", "own");
	harness_expect(w->h, owners_are(w, s, true));
	harness_expect(w->h, member_is(s, "annotations", MANAGED, NULL));
}

/* ---- type and immutability ---- */

static json_t *
typed(struct world *w, const char *item, const char *type)
{
	json_t *v = sealed(w, "typed", item, "v", "one");

	if (type != NULL)
		jsonx_set_str(template_of(v), "type", type);
	return v;
}

static const char *
type_of(json_t **s, struct world *w)
{
	json_decref(*s);
	*s = harness_secret(w->h, "a", "typed");
	return jsonx_str(*s, "type", NULL);
}

static void
another_type_is_told_and_waits_for_the_secret_to_go(void **state)
{
	struct world *w = *state;
	AUTO_JSON json_t *s = NULL;
	AUTO_JSON json_t *v = NULL;

	create(w, typed(w, HARNESS_KEY, "example.com/one"));
	harness_expect(w->h,
	    harness_wait_synced(w->h, "a", "typed", "True", HARNESS_SOON_MS));
	assert_string_equal(type_of(&s, w), "example.com/one");
	/* No type asks for none. */
	change(w, typed(w, "fresh", NULL));
	harness_expect(w->h,
	    harness_wait_synced(w->h, "a", "typed", "True", HARNESS_SOON_MS));
	assert_string_equal(type_of(&s, w), "example.com/one");
	harness_expect(w->h, object_has(s, "fresh", "v"));
	change(w, typed(w, HARNESS_KEY, "example.com/two"));
	harness_expect(w->h,
	    harness_wait_synced(w->h, "a", "typed", "False", HARNESS_SOON_MS));
	v = harness_sealed(w->h, "a", "typed");
	harness_expect(w->h,
	    strstr(object_synced_message(v), "field is immutable") != NULL);
	assert_string_equal(type_of(&s, w), "example.com/one");
	harness_expect(w->h, object_has(s, "fresh", "v"));
	delete_secret(w, "typed");
	harness_expect(w->h,
	    harness_wait_synced(w->h, "a", "typed", "True", HARNESS_LATE_MS));
	assert_string_equal(type_of(&s, w), "example.com/two");
}

static json_t *
frozen(struct world *w, const char *item, const char *label, bool immutable)
{
	json_t *v = sealed(w, "frozen", item, "v", label);

	jsonx_set(template_of(v), "immutable", json_boolean(immutable));
	return v;
}

static void
expect_frozen(
    struct world *w, const char *status, const char *item, const char *label)
{
	AUTO_JSON json_t *s = NULL;

	if (!harness_wait_synced(w->h, "a", "frozen", status, HARNESS_SOON_MS))
		fail_row(w, "frozen", status);
	s = harness_secret(w->h, "a", "frozen");
	if (!jsonx_is_true(s, "immutable", NULL) || !object_has(s, item, "v") ||
	    !member_is(s, "labels", "ours", label))
		fail_row(w, "frozen", label);
}

/* The one attempt, the one event, and nothing behind them. */
static bool
tried_once(void *ctx)
{
	struct world *w = ctx;

	return control_count(w->h->api, "update secrets") == 1 &&
	    control_count(w->h->api, "create events") <= 1 &&
	    control_count(w->h->api, "patch events") == 0;
}

static void
immutability_goes_one_way_and_is_told_once(void **state)
{
	static const char formatted[] =
	    "Error updating a/frozen: the target Secret is immutable. Once a "
	    "Secret is marked as immutable, it is not possible to revert this "
	    "change nor to mutate the contents of the data field. You can only "
	    "delete and recreate the Secret.";
	struct world *w = *state;
	AUTO_JSON json_t *events = NULL;
	AUTO_JSON json_t *v = NULL;
	const json_t *e;

	create(w, frozen(w, "item", "one", false));
	harness_expect(w->h,
	    harness_wait_synced(w->h, "a", "frozen", "True", HARNESS_SOON_MS));
	change(w, frozen(w, "item", "two", true));
	expect_frozen(w, "True", "item", "two");
	/* Metadata may still change; the mark is never taken back. */
	change(w, frozen(w, "item", "three", false));
	expect_frozen(w, "True", "item", "three");
	control_clear_requests(w->h->api);
	change(w, frozen(w, "other", "four", true));
	expect_frozen(w, "False", "item", "three");
	v = harness_sealed(w->h, "a", "frozen");
	assert_string_equal(object_synced_message(v),
	    "Secret \"frozen\" is invalid: data: Forbidden: field is immutable "
	    "when `immutable` is set");
	harness_expect(w->h,
	    harness_wait_event(
		w->h, "a", "frozen", "ErrUpdateFailed", HARNESS_SOON_MS));
	harness_expect(w->h, wait_stays(tried_once, w, 2 * QUIET_MS));
	assert_int_equal(api_get(w->h->api, &events,
			     "/api/v1/namespaces/a/events?fieldSelector="
			     "involvedObject.name%%3Dfrozen%%2Creason%%3D"
			     "ErrUpdateFailed"),
	    200);
	assert_int_equal(json_array_size(json_object_get(events, "items")), 1);
	e = json_array_get(json_object_get(events, "items"), 0);
	assert_int_equal(jsonx_int(e, "count", NULL), 1);
	assert_string_equal(jsonx_str(e, "message", NULL), formatted);
	harness_expect(w->h, proc_said_times(w->h->controller, formatted) >= 1);
	/* As the text advises. */
	delete_secret(w, "frozen");
	expect_frozen(w, "True", "other", "four");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    the_table_of_ownership_holds, start_server, stop),
		cmocka_unit_test_setup_teardown(
		    the_collector_takes_what_is_owned_and_nothing_else,
		    start_server, stop),
		cmocka_unit_test_setup_teardown(
		    the_old_way_of_deleting_takes_only_what_is_ours,
		    start_server, stop),
		cmocka_unit_test_setup_teardown(
		    an_owner_reference_can_be_left_out, start, stop),
		cmocka_unit_test_setup_teardown(
		    references_of_the_template_count_only_without_ours, start,
		    stop),
		cmocka_unit_test_setup_teardown(
		    another_type_is_told_and_waits_for_the_secret_to_go, start,
		    stop),
		cmocka_unit_test_setup_teardown(
		    immutability_goes_one_way_and_is_told_once, start, stop),
	};

	return cmocka_run_group_tests_name("ownership", tests, NULL, NULL);
}
