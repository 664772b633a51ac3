/*
 * Tests of controller/keysecrets.c against a transport that answers from a
 * list of Secrets.
 * layer: main
 */
#include "keystore_fixture.h"

#include <stdio.h>
#include <string.h>

#include "base/jsonx.h"
#include "controller/keysecrets.h"
#include "quiet.h"
#include "tests/lib/keysecret.h"

#define NS     "kube-system"
#define NS_UID "0b5d5f6c-6d0e-4f0c-9f5a-2f1d3c4b5a69"
#define PREFIX "sealed-secrets-key"
#define LABEL  "sealedsecrets.bitnami.com/sealed-secrets-key"

/* What is "on the server", and what was asked of it. */
struct server {
	json_t *items;	/* array of Secrets */
	json_t *posted; /* the last POST */
	int list_status, get_status;
	bool selector_seen;
	unsigned events;    /* POSTs of events */
	unsigned conflicts; /* answers to the next PUTs */
	unsigned puts;
	bool may_write;
	int namespace_status; /* 0: read as it is */
};

struct fixture {
	struct server server;
	unsigned changes;
	unsigned versions;
	struct kube_transport transport;
	struct kube_client client;
	struct registry *keys;
	struct metrics *metrics;
	struct event_recorder *events;
	struct keysecrets *ks;
	struct keystore_backend backend;
};

static void
answer(struct kube_response *ret, int status, const json_t *body)
{
	struct err err = ERR_INIT;

	memset(ret, 0, sizeof(*ret));
	buf_init(&ret->body, 4u * 1024 * 1024);
	ret->status = status;
	ret->json = true;
	ret->retry_after_s = -1;
	assert_int_equal(jsonx_dump(body, &ret->body, &err), 0);
}

static void
answer_status(struct kube_response *ret, int status, const char *reason)
{
	AUTO_JSON json_t *body =
	    json_pack("{s:s, s:s, s:s, s:s, s:i}", "kind", "Status", "status",
		"Failure", "reason", reason, "message", reason, "code", status);

	answer(ret, status, body);
}

static const json_t *
find(const struct server *s, const char *name)
{
	json_t *item;
	size_t i;

	json_array_foreach(s->items, i,
	    item) if (strcmp(jsonx_str(item, "metadata", "name", NULL), name) ==
	    0) return item;
	return NULL;
}

/* The labelled ones, as the server's selector would give them. */
static void
answer_list(struct server *s, struct kube_response *ret)
{
	AUTO_JSON json_t *body = json_pack("{s:s, s:s, s:{s:s}, s:[]}", "kind",
	    "SecretList", "apiVersion", "v1", "metadata", "resourceVersion",
	    "7", "items");
	json_t *item;
	size_t i;

	json_array_foreach(s->items, i, item)
	{
		const char *v =
		    jsonx_str(item, "metadata", "labels", LABEL, NULL);

		if (v != NULL && strcmp(v, "active") == 0)
			json_array_append(json_object_get(body, "items"), item);
	}
	answer(ret, 200, body);
}

static void
answer_post(
    struct server *s, const struct kube_request *req, struct kube_response *ret)
{
	struct err err = ERR_INIT;

	json_decref(s->posted);
	s->posted = NULL;
	assert_int_equal(
	    jsonx_parse(req->body, req->body_len, 0, &s->posted, &err), 0);
	if (find(s, jsonx_str(s->posted, "metadata", "name", NULL)) != NULL) {
		answer_status(ret, 409, "AlreadyExists");
		return;
	}
	json_array_append(s->items, s->posted);
	answer(ret, 201, s->posted);
}

/* The last segment of a path, without a query. */
static const char *
name_of(const char *rest)
{
	static char name[256];

	(void)snprintf(
	    name, sizeof(name), "%.*s", (int)strcspn(rest, "?"), rest);
	return name;
}

static void
answer_put(struct server *s, const struct kube_request *req, const char *name,
    struct kube_response *ret)
{
	AUTO_JSON json_t *obj = NULL;
	struct err err = ERR_INIT;
	json_t *item;
	size_t i;

	s->puts++;
	if (s->conflicts > 0) {
		s->conflicts--;
		answer_status(ret, 409, "Conflict");
		return;
	}
	assert_int_equal(
	    jsonx_parse(req->body, req->body_len, 0, &obj, &err), 0);
	json_array_foreach(s->items, i, item)
	{
		if (strcmp(jsonx_str(item, "metadata", "name", NULL), name) ==
		    0)
			(void)json_array_set(s->items, i, obj);
	}
	answer(ret, 200, obj);
}

static void
answer_namespace(const struct server *s, struct kube_response *ret)
{
	AUTO_JSON json_t *body =
	    json_pack("{s:s, s:s, s:{s:s, s:s}}", "kind", "Namespace",
		"apiVersion", "v1", "metadata", "name", NS, "uid", NS_UID);

	if (s->namespace_status != 0)
		answer_status(ret, s->namespace_status, "Refused");
	else
		answer(ret, 200, body);
}

static int
perform(void *ctx, const struct kube_request *req, struct kube_response *ret,
    struct err *err UNUSED)
{
	static const char collection[] = "/api/v1/namespaces/" NS "/secrets";
	struct server *s = ctx;
	const char *rest = req->path + strlen(collection);
	const json_t *item;

	if (strstr(req->path, "/events") != NULL) {
		AUTO_JSON json_t *empty = json_object();

		s->events++;
		answer(ret, 201, empty);
		return 0;
	}
	if (strcmp(req->path, "/api/v1/namespaces/" NS) == 0) {
		answer_namespace(s, ret);
		return 0;
	}
	assert_int_equal(strncmp(req->path, collection, strlen(collection)), 0);
	if (strcmp(req->method, "POST") == 0) {
		answer_post(s, req, ret);
	} else if (strcmp(req->method, "PUT") == 0) {
		answer_put(s, req, name_of(rest + 1), ret);
	} else if (*rest == '/') {
		item = find(s, rest + 1);
		if (s->get_status != 0)
			answer_status(ret, s->get_status,
			    s->get_status == 403 ? "Forbidden"
						 : "InternalError");
		else if (item == NULL)
			answer_status(ret, 404, "NotFound");
		else
			answer(ret, 200, item);
	} else if (s->list_status != 0) {
		answer_status(ret, s->list_status, "InternalError");
	} else {
		s->selector_seen = strstr(rest, "active") != NULL;
		answer_list(s, ret);
	}
	return 0;
}

static bool
may_write(void *ctx)
{
	const struct fixture *f = ctx;

	return f->server.may_write;
}

static void
note_change(void *ctx)
{
	struct fixture *f = ctx;

	f->changes++;
}

static int
setup(void **state)
{
	static struct fixture f;
	struct keysecrets_config cfg = {
		.client = &f.client,
		.ns = NS,
		.prefix = PREFIX,
		.labels = "team=a,example.com/x=y",
		.annotations = "note=k=v",
		.may_write = may_write,
		.changed = note_change,
		.ctx = &f,
	};

	quiet_log();
	memset(&f, 0, sizeof(f));
	f.server.items = json_array();
	f.transport.ctx = &f.server;
	f.transport.perform = perform;
	f.client.transport = &f.transport;
	f.server.may_write = true;
	f.keys = registry_new(&fixture_clock);
	f.metrics = metrics_new("test");
	f.events = event_recorder_new(
	    &f.client, "sealed-secrets", &fixture_clock, f.metrics);
	cfg.events = f.events;
	cfg.metrics = f.metrics;
	f.ks = keysecrets_new(&cfg);
	f.backend = keysecrets_backend(f.ks);
	*state = &f;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *f = *state;

	keysecrets_free(f->ks);
	registry_free(f->keys);
	event_recorder_free(f->events);
	metrics_free(f->metrics);
	json_decref(f->server.items);
	json_decref(f->server.posted);
	return 0;
}

/* As the server does after each write. */
static void
new_version(struct fixture *f, json_t *item)
{
	char rv[16];

	(void)snprintf(rv, sizeof(rv), "%u", ++f->versions);
	jsonx_set_str(jsonx_get(item, "metadata", NULL), "resourceVersion", rv);
}

/* A key Secret as the server stores it; stays the server's. */
static json_t *
add_key(struct fixture *f, const char *name, struct keypair *kp)
{
	json_t *item = json_pack("{s:{s:s, s:s, s:s, s:{s:s}}, s:o}",
	    "metadata", "name", name, "namespace", NS, "uid", name, "labels",
	    LABEL, "active", "data", keysecret_data(kp, kp));

	json_array_append_new(f->server.items, item);
	new_version(f, item);
	return item;
}

static int
load(struct fixture *f)
{
	struct err err = ERR_INIT;

	return f->backend.load(f->backend.ctx, f->keys, &err);
}

static void
loads_labelled_keys_and_the_legacy_one(void **state)
{
	struct fixture *f = *state;
	json_t *legacy;

	add_key(f, "one", fixture_key(0));
	add_key(f, "two", fixture_key(1));
	legacy = add_key(f, PREFIX, fixture_key(2));
	json_object_del(jsonx_get(legacy, "metadata", NULL), "labels");
	assert_int_equal(load(f), 0);
	assert_true(f->server.selector_seen);
	assert_int_equal(registry_count(f->keys), 3);
	assert_true(registry_knows(f->keys, PREFIX));
}

static void
forgets_a_key_that_was_relabelled_or_deleted(void **state)
{
	struct fixture *f = *state;
	json_t *one = add_key(f, "one", fixture_key(0));

	add_key(f, "two", fixture_key(1));
	assert_int_equal(load(f), 0);
	jsonx_set_str(
	    jsonx_get(one, "metadata", "labels", NULL), LABEL, "compromised");
	assert_int_equal(load(f), 0);
	assert_int_equal(registry_count(f->keys), 1);
	assert_false(registry_knows(f->keys, "one"));
	json_array_clear(f->server.items);
	assert_int_equal(load(f), 0);
	assert_int_equal(registry_count(f->keys), 0);
}

/* Each breaks one key Secret; the good one beside it must load all the same. */
static void
break_no_key(json_t *s)
{
	json_object_del(jsonx_get(s, "data", NULL), "tls.key");
}

static void
break_no_certificate(json_t *s)
{
	json_object_del(jsonx_get(s, "data", NULL), "tls.crt");
}

static void
break_base64(json_t *s)
{
	jsonx_set_str(jsonx_get(s, "data", NULL), "tls.key", "%%%%");
}

static void
break_pem(json_t *s)
{
	jsonx_set_str(jsonx_get(s, "data", NULL), "tls.crt", "aGVsbG8=");
}

static void
break_type(json_t *s)
{
	jsonx_set(jsonx_get(s, "data", NULL), "tls.key", json_integer(7));
}

static void
break_data(json_t *s)
{
	jsonx_set(s, "data", json_null());
}

static void
break_mismatch(json_t *s)
{
	const char *crt = keypair_cert_pem(fixture_key(3));

	keysecret_set(jsonx_get(s, "data", NULL), "tls.crt", crt, strlen(crt));
}

static void
break_owned(json_t *s)
{
	jsonx_set(jsonx_get(s, "metadata", NULL), "ownerReferences",
	    json_pack("[{s:s, s:s, s:s}]", "kind", "SealedSecret", "name", "x",
		"uid", "u"));
}

static void
skips_a_malformed_key_secret_and_loads_the_rest(void **state)
{
	static void (*const breakers[])(json_t *) = { break_no_key,
		break_no_certificate, break_base64, break_pem, break_type,
		break_data, break_mismatch, break_owned };
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_SIZE(breakers); i++) {
		json_array_clear(f->server.items);
		breakers[i](add_key(f, "bad", fixture_key(0)));
		add_key(f, "good", fixture_key(1));
		assert_int_equal(load(f), 0);
		assert_int_equal(registry_count(f->keys), 1);
		assert_true(registry_knows(f->keys, "good"));
	}
}

static void
a_bad_key_secret_is_told_once_for_each_version_of_it(void **state)
{
	struct fixture *f = *state;
	json_t *bad = add_key(f, "bad", fixture_key(0));

	add_key(f, "good", fixture_key(1));
	break_pem(bad);
	for (int i = 0; i < 3; i++)
		assert_int_equal(load(f), 0);
	(void)event_recorder_pump(f->events);
	assert_int_equal(f->server.events, 1);
	assert_true(metrics_value(f->metrics, METRIC_KEY_SECRETS_SKIPPED) == 1);
	new_version(f, bad);
	assert_int_equal(load(f), 0);
	(void)event_recorder_pump(f->events);
	assert_int_equal(f->server.events, 2);
	/* Repaired. */
	json_array_clear(f->server.items);
	add_key(f, "bad", fixture_key(0));
	assert_int_equal(load(f), 0);
	assert_true(registry_knows(f->keys, "bad"));
	assert_true(metrics_value(f->metrics, METRIC_KEY_SECRETS_SKIPPED) == 0);
}

static void
a_key_secret_that_turns_bad_is_forgotten(void **state)
{
	struct fixture *f = *state;
	json_t *one = add_key(f, "one", fixture_key(0));

	add_key(f, "two", fixture_key(1));
	assert_int_equal(load(f), 0);
	break_mismatch(one);
	new_version(f, one);
	assert_int_equal(load(f), 0);
	assert_false(registry_knows(f->keys, "one"));
	assert_true(registry_knows(f->keys, "two"));
}

static void
a_key_secret_that_holds_another_key_replaces_the_first(void **state)
{
	struct fixture *f = *state;
	struct registry_current cur;

	add_key(f, "one", fixture_key(0));
	assert_int_equal(load(f), 0);
	json_array_clear(f->server.items);
	add_key(f, "one", fixture_key(1));
	assert_int_equal(load(f), 0);
	assert_true(registry_current(f->keys, &cur));
	assert_string_equal(
	    cur.fingerprint, keypair_fingerprint(fixture_key(1)));
	assert_int_equal(registry_count(f->keys), 1);
}

static void
writes_no_event_while_another_replica_leads(void **state)
{
	struct fixture *f = *state;

	f->server.may_write = false;
	break_pem(add_key(f, "bad", fixture_key(0)));
	assert_int_equal(load(f), 0);
	(void)event_recorder_pump(f->events);
	assert_int_equal(f->server.events, 0);
}

static void
fails_and_forgets_nothing_when_the_list_fails(void **state)
{
	struct fixture *f = *state;

	add_key(f, "one", fixture_key(0));
	assert_int_equal(load(f), 0);
	f->server.list_status = 500;
	assert_int_equal(load(f), -1);
	assert_int_equal(registry_count(f->keys), 1);
}

static void
does_without_the_legacy_key_where_reading_it_is_refused(void **state)
{
	struct fixture *f = *state;

	add_key(f, "one", fixture_key(0));
	f->server.get_status = 403;
	assert_int_equal(load(f), 0);
	assert_int_equal(registry_count(f->keys), 1);
	f->server.get_status = 500;
	assert_int_equal(load(f), -1);
}

static void
writes_a_key_that_it_can_load_again(void **state)
{
	struct fixture *f = *state;
	struct err err = ERR_INIT;
	const json_t *p;

	assert_int_equal(f->backend.create(f->backend.ctx, PREFIX "abcde",
			     fixture_key(0), &err),
	    0);
	p = f->server.posted;
	assert_string_equal(jsonx_str(p, "type", NULL), "kubernetes.io/tls");
	assert_string_equal(
	    jsonx_str(p, "metadata", "name", NULL), PREFIX "abcde");
	assert_null(jsonx_get(p, "metadata", "generateName", NULL));
	assert_string_equal(
	    jsonx_str(p, "metadata", "labels", LABEL, NULL), "active");
	assert_string_equal(
	    jsonx_str(p, "metadata", "labels", "example.com/x", NULL), "y");
	assert_string_equal(
	    jsonx_str(p, "metadata", "annotations", "note", NULL), "k=v");
	assert_int_equal(load(f), 0);
	assert_true(registry_knows(f->keys, PREFIX "abcde"));
	/* A second POST of the name is told apart from other failures. */
	assert_int_equal(f->backend.create(f->backend.ctx, PREFIX "abcde",
			     fixture_key(0), &err),
	    -1);
	assert_int_equal(err.code, ERR_EXISTS);
}

static void
tells_what_occupies_a_name(void **state)
{
	struct fixture *f = *state;
	struct rotation_occupant o;
	struct err err = ERR_INIT;
	json_t *one = add_key(f, "one", fixture_key(0));

	assert_int_equal(
	    f->backend.occupant(f->backend.ctx, "none", &o, &err), -1);
	assert_int_equal(err.code, ERR_NOTFOUND);
	assert_int_equal(
	    f->backend.occupant(f->backend.ctx, "one", &o, &err), 0);
	assert_true(o.usable);
	assert_string_equal(
	    keypair_fingerprint(o.kp), keypair_fingerprint(fixture_key(0)));
	keypair_free(o.kp);
	jsonx_set_str(
	    jsonx_get(one, "metadata", "labels", NULL), LABEL, "retired");
	assert_int_equal(
	    f->backend.occupant(f->backend.ctx, "one", &o, &err), 0);
	assert_false(o.usable);
	assert_null(o.kp);
	assert_string_equal(o.uid, "one");
	break_pem(one);
	jsonx_set_str(
	    jsonx_get(one, "metadata", "labels", NULL), LABEL, "active");
	assert_int_equal(
	    f->backend.occupant(f->backend.ctx, "one", &o, &err), 0);
	assert_false(o.usable);
}

static void
the_store_is_known_by_the_uid_of_its_namespace(void **state)
{
	static const struct {
		int status, want;
		enum err_code code;
		const char *identity;
	} cases[] = {
		{ 0, 0, ERR_NONE, NS_UID },
		/* Under the reference's namespaced roles. */
		{ 403, 0, ERR_NONE, "" },
		{ 500, -1, ERR_SERVER, "" },
		{ 404, -1, ERR_NOTFOUND, "" },
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char identity[ROTATION_IDENTITY_MAX] = "before";
		struct err err = ERR_INIT;

		f->server.namespace_status = cases[i].status;
		assert_int_equal(
		    f->backend.identity(f->backend.ctx, identity, &err),
		    cases[i].want);
		assert_int_equal(err.code, cases[i].code);
		assert_string_equal(identity, cases[i].identity);
	}
}

static void
finds_an_occupant_in_the_list_where_reading_one_is_refused(void **state)
{
	struct fixture *f = *state;
	struct rotation_occupant o;
	struct err err = ERR_INIT;
	json_t *taken;

	add_key(f, "one", fixture_key(0));
	f->server.get_status = 403;
	assert_int_equal(
	    f->backend.occupant(f->backend.ctx, "one", &o, &err), 0);
	assert_true(o.usable);
	keypair_free(o.kp);
	/* Neither in the list nor known to be taken: free. */
	taken = add_key(f, PREFIX "bcdfg", fixture_key(1));
	json_object_del(jsonx_get(taken, "metadata", NULL), "labels");
	assert_int_equal(
	    f->backend.occupant(f->backend.ctx, PREFIX "bcdfg", &o, &err), -1);
	assert_int_equal(err.code, ERR_NOTFOUND);
	err_clear(&err);
	assert_int_equal(f->backend.create(f->backend.ctx, PREFIX "bcdfg",
			     fixture_key(2), &err),
	    -1);
	assert_int_equal(err.code, ERR_EXISTS);
	/* Taken, so it is something else. */
	assert_int_equal(
	    f->backend.occupant(f->backend.ctx, PREFIX "bcdfg", &o, &err), 0);
	assert_false(o.usable);
	assert_string_not_equal(o.uid, "");
	f->server.list_status = 500;
	assert_int_equal(
	    f->backend.occupant(f->backend.ctx, "one", &o, &err), -1);
	assert_int_equal(err.code, ERR_SERVER);
}

static void
its_stream_tells_of_changes_and_keeps_no_contents(void **state)
{
	struct fixture *f = *state;
	struct reflector_handler h = keysecrets_handler(f->ks);
	AUTO_JSON json_t *obj = json_pack(
	    "{s:{s:s, s:s}}", "metadata", "uid", "u", "resourceVersion", "1");
	struct index_record one = { 0 }, two = { 0 };
	struct objkey key = { .ns = NS, .name = "one" };

	assert_true(h.reduce(h.ctx, obj, &one));
	h.changed(h.ctx, &key, NULL, &one, obj, REFLECTOR_LIST);
	assert_int_equal(f->changes, 1);
	h.changed(h.ctx, &key, &one, &one, obj, REFLECTOR_LIST);
	assert_int_equal(f->changes, 1);
	jsonx_set_str(jsonx_get(obj, "metadata", NULL), "resourceVersion", "2");
	assert_true(h.reduce(h.ctx, obj, &two));
	h.changed(h.ctx, &key, &one, &two, obj, REFLECTOR_WATCH);
	assert_int_equal(f->changes, 2);
	h.gone(h.ctx, &key, &two, NULL);
	assert_int_equal(f->changes, 3);
}

static void
annotate(struct fixture *f, json_t *secret, const char *name, json_t *value)
{
	json_t *meta = json_object_get(secret, "metadata");

	if (json_object_get(meta, "annotations") == NULL)
		jsonx_set(meta, "annotations", json_object());
	jsonx_set(json_object_get(meta, "annotations"), name, value);
	new_version(f, secret);
}

static struct keysecrets *
with_delay(struct fixture *f, int64_t delay_s)
{
	struct keysecrets_config cfg = {
		.client = &f->client,
		.metrics = f->metrics,
		.ns = NS,
		.prefix = PREFIX,
		.labels = "",
		.annotations = "",
		.activation_delay_s = delay_s,
		.events = f->events,
		.may_write = may_write,
		.changed = note_change,
		.ctx = f,
	};

	return keysecrets_new(&cfg);
}

/* The only key of a list. */
static void
is_pending_until(struct fixture *f, int64_t want_s)
{
	AUTO(keysecrets) struct keysecrets *ks = with_delay(f, 600);
	AUTO(registry) struct registry *keys = registry_new(&fixture_clock);
	AUTO_RELEASE(registry_listing) struct registry_listing l = { .n = 0 };
	struct keystore_backend b = keysecrets_backend(ks);
	struct err err = ERR_INIT;

	assert_int_equal(b.load(b.ctx, keys, &err), 0);
	registry_list(keys, &l);
	assert_int_equal(l.n, 1);
	assert_int_equal(l.key[0].active_from_s, want_s);
}

static void
a_key_is_pending_from_the_earlier_of_its_two_dates_on(void **state)
{
	struct fixture *f = *state;
	json_t *one = add_key(f, "one", fixture_key(0));
	json_t *meta = json_object_get(one, "metadata");
	static const struct {
		const char *backed_up;
		int64_t want_s;
	} cases[] = { { "2027-01-15T08:00:00Z", 0 }, { "yes", 0 },
		{ "false", NOW_S + 600 }, { "", NOW_S + 600 } };

	is_pending_until(f, NOW_S + 600);
	/* 1 hour after the certificate's: a restored key. */
	jsonx_set_str(meta, "creationTimestamp", "2027-01-15T09:00:00Z");
	is_pending_until(f, NOW_S + 600);
	jsonx_set_str(meta, "creationTimestamp", "2027-01-15T07:59:00Z");
	is_pending_until(f, NOW_S - 60 + 600);
	jsonx_set_str(meta, "creationTimestamp", "2027-01-15T08:00:00Z");
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		annotate(f, one, KEYSECRETS_BACKED_UP,
		    json_string(cases[i].backed_up));
		is_pending_until(f, cases[i].want_s);
	}
}

static void
nothing_is_pending_unless_asked_for(void **state)
{
	struct fixture *f = *state;
	AUTO_RELEASE(registry_listing) struct registry_listing l = { .n = 0 };

	annotate(f, add_key(f, "one", fixture_key(0)), KEYSECRETS_BACKED_UP,
	    json_string("2027-01-15T08:00:01Z"));
	assert_int_equal(load(f), 0);
	registry_list(f->keys, &l);
	assert_int_equal(l.key[0].active_from_s, 0);
	assert_true(l.key[0].backed_up);
	assert_int_equal(l.key[0].backed_up_s, NOW_S + 1);
	assert_null(l.key[0].namespaces);
}

static void
the_annotation_restricts_a_key_and_a_bad_one_closes_it(void **state)
{
	struct fixture *f = *state;
	AUTO_RELEASE(registry_listing) struct registry_listing l = { .n = 0 };
	AUTO_RELEASE(registry_listing) struct registry_listing m = { .n = 0 };
	json_t *one = add_key(f, "one", fixture_key(0));
	struct rotation_occupant o;
	struct err err = ERR_INIT;

	annotate(f, one, KEYSECRETS_NAMESPACES, json_string("team-a,team-b"));
	assert_int_equal(load(f), 0);
	registry_list(f->keys, &l);
	assert_string_equal(l.key[0].namespaces, "team-a,team-b");
	assert_null(registry_sealing_key(f->keys));
	assert_true(metrics_value(f->metrics, METRIC_KEY_SECRETS_SKIPPED) == 0);
	assert_int_equal(
	    f->backend.occupant(f->backend.ctx, "one", &o, &err), 0);
	assert_false(o.usable);
	keypair_free(o.kp);
	annotate(f, one, KEYSECRETS_NAMESPACES, json_string("Team A"));
	for (int i = 0; i < 3; i++)
		assert_int_equal(load(f), 0);
	(void)event_recorder_pump(f->events);
	assert_int_equal(f->server.events, 1);
	assert_true(metrics_value(f->metrics, METRIC_KEY_SECRETS_SKIPPED) == 1);
	registry_list(f->keys, &m);
	assert_int_equal(m.n, 1);
	assert_string_equal(m.key[0].namespaces, "Team A");
	assert_null(registry_sealing_key(f->keys));
	annotate(f, one, KEYSECRETS_NAMESPACES, json_integer(5));
	assert_int_equal(load(f), 0);
	assert_null(registry_sealing_key(f->keys));
	annotate(f, one, KEYSECRETS_NAMESPACES, json_null());
	assert_int_equal(load(f), 0);
	assert_true(metrics_value(f->metrics, METRIC_KEY_SECRETS_SKIPPED) == 0);
}

static void
tells_of_expiry_once_for_each_key_where_it_may_write(void **state)
{
	struct fixture *f = *state;
	struct registry_current key = {
		.name = "one", .fingerprint = "SHA256:a", .not_after = NOW_S
	};

	f->server.may_write = false;
	keysecrets_tell_expiry(f->ks, &key, NOW_S);
	f->server.may_write = true;
	for (int i = 0; i < 3; i++)
		keysecrets_tell_expiry(f->ks, &key, NOW_S);
	(void)event_recorder_pump(f->events);
	assert_int_equal(f->server.events, 1);
	(void)snprintf(key.fingerprint, sizeof(key.fingerprint), "SHA256:b");
	key.name[0] = 'x';
	keysecrets_tell_expiry(f->ks, &key, NOW_S + 1);
	(void)event_recorder_pump(f->events);
	assert_int_equal(f->server.events, 2);
}

static void
marks_what_was_backed_up_and_nothing_else(void **state)
{
	struct fixture *f = *state;
	const char *print = keypair_fingerprint(fixture_key(0));
	const struct keysecrets_copy copies[] = { { "gone", print },
		{ "one", print }, { "changed", print } };
	AUTO_RELEASE(registry_listing) struct registry_listing l = { .n = 0 };
	struct err err = ERR_INIT;

	add_key(f, "one", fixture_key(0));
	add_key(f, "changed", fixture_key(1));
	f->server.conflicts = 2;
	assert_int_equal(keysecrets_mark_backed_up(
			     &f->client, NS, copies, 3, NOW_S + 7, &err),
	    0);
	assert_int_equal(f->server.puts, 3);
	assert_int_equal(load(f), 0);
	registry_list(f->keys, &l);
	for (size_t i = 0; i < l.n; i++)
		assert_int_equal(l.key[i].backed_up_s,
		    strcmp(l.key[i].names[0], "one") == 0 ? NOW_S + 7 : 0);
	f->server.conflicts = 3;
	assert_int_equal(
	    keysecrets_mark_backed_up(&f->client, NS, copies, 3, NOW_S, &err),
	    -1);
	assert_int_equal(err.code, ERR_CONFLICT);
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(loads_labelled_keys_and_the_legacy_one),
		TEST(forgets_a_key_that_was_relabelled_or_deleted),
		TEST(skips_a_malformed_key_secret_and_loads_the_rest),
		TEST(a_bad_key_secret_is_told_once_for_each_version_of_it),
		TEST(a_key_secret_that_turns_bad_is_forgotten),
		TEST(a_key_secret_that_holds_another_key_replaces_the_first),
		TEST(writes_no_event_while_another_replica_leads),
		TEST(fails_and_forgets_nothing_when_the_list_fails),
		TEST(does_without_the_legacy_key_where_reading_it_is_refused),
		TEST(writes_a_key_that_it_can_load_again),
		TEST(tells_what_occupies_a_name),
		TEST(the_store_is_known_by_the_uid_of_its_namespace),
		TEST(
		    finds_an_occupant_in_the_list_where_reading_one_is_refused),
		TEST(a_key_is_pending_from_the_earlier_of_its_two_dates_on),
		TEST(nothing_is_pending_unless_asked_for),
		TEST(the_annotation_restricts_a_key_and_a_bad_one_closes_it),
		TEST(tells_of_expiry_once_for_each_key_where_it_may_write),
		TEST(marks_what_was_backed_up_and_nothing_else),
		TEST(its_stream_tells_of_changes_and_keeps_no_contents),
	};

	return cmocka_run_group_tests(tests, NULL, fixture_forget);
}
