/*
 * Tests of controller/kube/client.c over a scripted transport.
 * layer: kube
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/jsonx.h"
#include "base/mem.h"
#include "cannedkube.h"
#include "kube/client.h"

static const struct objkey key = { .ns = "ns", .name = "x" };

struct fixture {
	struct cannedkube kube;
	struct kube_client client;
};

static int
setup(void **state)
{
	static struct fixture f;

	cannedkube_init(&f.kube);
	f.client = (struct kube_client) { .transport = &f.kube.transport };
	*state = &f;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *f = *state;

	cannedkube_release(&f->kube);
	return 0;
}

/* ---- single objects ---- */

static void
each_call_is_the_request_it_should_be(void **state)
{
	struct fixture *f = *state;
	AUTO_JSON json_t *obj = json_pack("{s:s}", "a", "b");
	struct kube_client *c = &f->client;
	struct err err = ERR_INIT;
	static const struct {
		const char *method, *path, *type, *body;
	} want[] = {
		{ "GET", "/api/v1/namespaces/ns/secrets/x", "", "" },
		{ "POST",
		    "/api/v1/namespaces/ns/secrets?fieldManager=controller", "",
		    "{\"a\":\"b\"}" },
		{ "PUT",
		    "/api/v1/namespaces/ns/secrets/x?fieldManager=controller",
		    "", "{\"a\":\"b\"}" },
		{ "PUT",
		    "/apis/bitnami.com/v1alpha1/namespaces/ns/sealedsecrets/"
		    "x/status",
		    "", "{\"a\":\"b\"}" },
		{ "PATCH", "/api/v1/namespaces/ns/events/x",
		    "application/strategic-merge-patch+json", "{\"a\":\"b\"}" },
		{ "DELETE", "/api/v1/namespaces/ns/secrets/x", "",
		    "{\"kind\":\"DeleteOptions\",\"apiVersion\":\"v1\","
		    "\"preconditions\":{\"uid\":\"u1\",\"resourceVersion\":"
		    "\"7\"}}" },
		{ "DELETE", "/api/v1/namespaces/ns/secrets/x", "",
		    "{\"kind\":\"DeleteOptions\",\"apiVersion\":\"v1\","
		    "\"preconditions\":{}}" },
		{ "GET", "/api/v1/namespaces/x", "", "" },
	};

	cannedkube_ok(&f->kube, "{}");
	assert_int_equal(kube_get(c, &KUBE_SECRETS, &key, NULL, &err), 0);
	assert_int_equal(
	    kube_create(c, &KUBE_SECRETS, "ns", obj, NULL, &err), 0);
	assert_int_equal(
	    kube_update(c, &KUBE_SECRETS, &key, obj, NULL, &err), 0);
	assert_int_equal(
	    kube_update_status(c, &KUBE_SEALEDSECRETS, &key, obj, NULL, &err),
	    0);
	assert_int_equal(kube_patch(c, &KUBE_EVENTS, &key, obj, NULL, &err), 0);
	assert_int_equal(
	    kube_delete(c, &KUBE_SECRETS, &key, "u1", "7", &err), 0);
	assert_int_equal(
	    kube_delete(c, &KUBE_SECRETS, &key, NULL, NULL, &err), 0);
	assert_int_equal(kube_get(c, &KUBE_NAMESPACES, &key, NULL, &err), 0);
	for (unsigned i = 0; i < ARRAY_SIZE(want); i++) {
		const struct canned_request *r =
		    cannedkube_request(&f->kube, i);

		assert_string_equal(r->method, want[i].method);
		assert_string_equal(r->path, want[i].path);
		assert_string_equal(r->type, want[i].type);
		assert_string_equal(r->body, want[i].body);
		assert_string_equal(r->accept, "application/json");
	}
}

static void
the_answer_is_handed_over(void **state)
{
	struct fixture *f = *state;
	AUTO_JSON json_t *got = NULL;
	struct err err = ERR_INIT;

	cannedkube_ok(&f->kube, "{\"metadata\":{\"name\":\"x\"}}");
	assert_int_equal(
	    kube_get(&f->client, &KUBE_SECRETS_META, &key, &got, &err), 0);
	assert_string_equal(jsonx_str(got, "metadata", "name", NULL), "x");
	assert_string_equal(cannedkube_request(&f->kube, 0)->accept,
	    "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1");
}

static void
refusals_pass_as_the_server_worded_them(void **state)
{
	static const struct {
		int status;
		const char *reason;
		enum err_code want;
	} cases[] = {
		{ 404, "NotFound", ERR_NOTFOUND },
		{ 409, "AlreadyExists", ERR_EXISTS },
		{ 409, "Conflict", ERR_CONFLICT },
		{ 403, "Forbidden", ERR_FORBIDDEN },
		{ 500, "InternalError", ERR_SERVER },
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		json_t *got = NULL;
		struct err err = ERR_INIT;

		cannedkube_reset(&f->kube);
		cannedkube_refuse(&f->kube, cases[i].status, cases[i].reason,
		    "secrets is forbidden");
		assert_int_equal(
		    kube_get(&f->client, &KUBE_SECRETS, &key, &got, &err), -1);
		assert_int_equal(err.code, cases[i].want);
		assert_string_equal(err.msg, "secrets is forbidden");
		assert_null(got);
	}
}

static void
a_good_status_with_a_bad_body_is_the_servers_fault(void **state)
{
	static const struct canned_answer cases[] = {
		{ .status = 200, .body = "{\"sesame\":" },
		{ .status = 200, .body = "" },
		{ .status = 200, .body = "[]" },
		{ .status = 200, .body = "{} {}" },
		{ .status = 200, .body = "{\"sesame\":1}", .no_json = true },
		{ .status = 302, .body = "{}" },
		{ .status = 101, .body = "{}" },
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		json_t *got = NULL;
		struct err err = ERR_INIT;

		cannedkube_reset(&f->kube);
		cannedkube_answer(&f->kube, cases[i]);
		assert_int_equal(
		    kube_get(&f->client, &KUBE_SECRETS, &key, &got, &err), -1);
		assert_int_equal(err.code, ERR_SERVER);
		assert_true(err_retryable(&err));
		assert_null(strstr(err.msg, "sesame"));
		assert_null(got);
	}
}

static void
what_the_server_would_not_take_is_not_sent(void **state)
{
	struct fixture *f = *state;
	AUTO_JSON json_t *obj = json_object();
	size_t len = 3u * 1024 * 1024;
	AUTO_STR char *big = xmalloc(len + 1);
	struct err err = ERR_INIT;

	cannedkube_ok(&f->kube, "{}");
	memset(big, 'x', len);
	big[len] = '\0';
	jsonx_set_str(obj, "a", big);
	assert_int_equal(
	    kube_update(&f->client, &KUBE_SECRETS, &key, obj, NULL, &err), -1);
	assert_int_equal(err.code, ERR_TOOBIG);
	assert_int_equal(
	    kube_create(&f->client, &KUBE_SECRETS, "a/b", obj, NULL, &err), -1);
	assert_int_equal(err.code, ERR_INVALID);
	assert_int_equal(cannedkube_count(&f->kube), 0);
}

static void
a_stopped_client_does_not_wait_for_the_limiter(void **state)
{
	struct fixture *f = *state;
	struct kube_limiter *l = kube_limiter_new(0.0001, 1, NULL);
	struct err err = ERR_INIT;
	struct stop stop;

	stop_init(&stop);
	cannedkube_ok(&f->kube, "{}");
	f->client.limiter = l;
	f->client.stop = &stop;
	assert_int_equal(
	    kube_get(&f->client, &KUBE_SECRETS, &key, NULL, &err), 0);
	stop_request(&stop);
	assert_int_equal(
	    kube_get(&f->client, &KUBE_SECRETS, &key, NULL, &err), -1);
	assert_int_equal(err.code, ERR_CANCELLED);
	assert_int_equal(cannedkube_count(&f->kube), 1);
	stop_release(&stop);
	kube_limiter_free(l);
}

/* ---- lists ---- */

struct items {
	char names[256]; /* "a;b;" */
	unsigned n, fail_at;
};

static int
each(void *ctx, json_t *item, struct err *err)
{
	struct items *it = ctx;
	size_t len = strlen(it->names);

	(void)snprintf(it->names + len, sizeof(it->names) - len, "%s;",
	    jsonx_str(item, "name", NULL));
	if (++it->n == it->fail_at)
		return err_set(err, ERR_IMMUTABLE, "enough");
	return 0;
}

static int
list(struct fixture *f, struct items *it, char **rv, struct err *err)
{
	memset(it->names, 0, sizeof(it->names));
	it->n = 0;
	err_clear(err);
	return kube_list(
	    &f->client, &KUBE_SECRETS, "ns", "a=b", each, it, rv, err);
}

#define PAGE1                                                             \
	"{\"metadata\":{\"resourceVersion\":\"5\",\"continue\":\"t/1\"}," \
	"\"items\":[{\"name\":\"a\"},{\"name\":\"b\"}]}"
#define PAGE2                                          \
	"{\"items\":[{\"name\":\"c\"}],\"metadata\":{" \
	"\"resourceVersion\":\"5\"}}"

static const struct canned_answer pages[2][2] = {
	{ { .status = 200, .body = PAGE1 }, { .status = 200, .body = PAGE2 } },
	{ { .status = 200, .body = PAGE1, .piece = 3 },
	    { .status = 200, .body = PAGE2, .piece = 1 } },
};

static void
pages_are_followed_to_the_end(void **state)
{
	struct fixture *f = *state;

	/* Buffered and streamed. */
	for (size_t i = 0; i < 2; i++) {
		struct items it = { .n = 0 };
		struct err err = ERR_INIT;
		AUTO_STR char *rv = NULL;

		cannedkube_reset(&f->kube);
		cannedkube_answer(&f->kube, pages[i][0]);
		cannedkube_answer(&f->kube, pages[i][1]);
		assert_int_equal(list(f, &it, &rv, &err), 0);
		assert_string_equal(it.names, "a;b;c;");
		assert_string_equal(rv, "5");
		assert_int_equal(cannedkube_count(&f->kube), 2);
		assert_string_equal(cannedkube_request(&f->kube, 0)->path,
		    "/api/v1/namespaces/ns/secrets?labelSelector=a%3Db"
		    "&limit=500");
		assert_string_equal(cannedkube_request(&f->kube, 1)->path,
		    "/api/v1/namespaces/ns/secrets?labelSelector=a%3Db"
		    "&limit=500&continue=t%2F1");
	}
}

static void
an_expired_token_begins_again_once_without_pages(void **state)
{
	struct fixture *f = *state;
	struct items it = { .n = 0 };
	struct err err = ERR_INIT;
	AUTO_STR char *rv = NULL;

	cannedkube_answer(&f->kube, pages[1][0]);
	cannedkube_refuse(&f->kube, 410, "Expired", "too old");
	cannedkube_ok(&f->kube,
	    "{\"items\":[{\"name\":\"a\"},{\"name\":\"d\"}],"
	    "\"metadata\":{\"resourceVersion\":\"6\"}}");
	assert_int_equal(list(f, &it, &rv, &err), 0);
	assert_string_equal(it.names, "a;b;a;d;");
	assert_string_equal(rv, "6");
	assert_string_equal(cannedkube_request(&f->kube, 2)->path,
	    "/api/v1/namespaces/ns/secrets?labelSelector=a%3Db");

	/* A 410 of the first page, or a second one, is passed on. */
	cannedkube_reset(&f->kube);
	cannedkube_refuse(&f->kube, 410, "Expired", "too old");
	assert_int_equal(list(f, &it, NULL, &err), -1);
	assert_int_equal(err.code, ERR_GONE);
	assert_int_equal(cannedkube_count(&f->kube), 1);
	cannedkube_reset(&f->kube);
	cannedkube_answer(&f->kube, pages[1][0]);
	cannedkube_refuse(&f->kube, 410, "Expired", "too old");
	assert_int_equal(list(f, &it, NULL, &err), -1);
	assert_int_equal(err.code, ERR_GONE);
	assert_int_equal(cannedkube_count(&f->kube), 3);
}

static void
a_server_that_pages_unasked_cannot_keep_us_for_ever(void **state)
{
	struct fixture *f = *state;
	struct items it = { .n = 0 };
	struct err err = ERR_INIT;

	cannedkube_answer(&f->kube, pages[1][0]);
	cannedkube_refuse(&f->kube, 410, "Expired", "too old");
	cannedkube_answer(&f->kube, pages[1][0]);
	cannedkube_refuse(&f->kube, 410, "Expired", "too old");
	cannedkube_answer(&f->kube, pages[1][1]);
	assert_int_equal(list(f, &it, NULL, &err), -1);
	assert_int_equal(err.code, ERR_GONE);
	assert_int_equal(cannedkube_count(&f->kube), 4);
}

static void
a_part_of_a_list_is_never_the_whole(void **state)
{
	static const struct {
		struct canned_answer second;
		enum err_code want;
	} cases[] = {
		{ { .status = 500, .body = "{}" }, ERR_SERVER },
		{ { .fail = ERR_TIMEOUT }, ERR_TIMEOUT },
		{ { .status = 200, .body = PAGE2, .piece = 4, .cut = true },
		    ERR_TRANSPORT },
		{ { .status = 200, .body = "{\"items\":[{\"name\":\"c\"}" },
		    ERR_SERVER },
		{ { .status = 200,
		      .body = "{\"items\":[{\"name\":\"c\"}",
		      .piece = 5 },
		    ERR_SERVER },
		{ { .status = 200, .body = "<html>", .piece = 2 }, ERR_SERVER },
		{ { .status = 200, .body = PAGE2, .no_json = true },
		    ERR_SERVER },
		{ { .status = 200, .body = "{\"kind\":\"Status\"}" },
		    ERR_SERVER },
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct items it = { .n = 0 };
		struct err err = ERR_INIT;
		char *rv = NULL;

		cannedkube_reset(&f->kube);
		cannedkube_answer(&f->kube, pages[0][0]);
		cannedkube_answer(&f->kube, cases[i].second);
		assert_int_equal(list(f, &it, &rv, &err), -1);
		assert_int_equal(err.code, cases[i].want);
		assert_true(err_retryable(&err));
		assert_null(rv);
	}
}

static void
the_reader_ends_a_list_with_its_own_error(void **state)
{
	struct fixture *f = *state;

	for (size_t i = 0; i < 2; i++) {
		struct items it = { .fail_at = 1 };
		struct err err = ERR_INIT;

		cannedkube_reset(&f->kube);
		cannedkube_answer(&f->kube, pages[i][0]);
		cannedkube_answer(&f->kube, pages[i][1]);
		assert_int_equal(list(f, &it, NULL, &err), -1);
		assert_int_equal(err.code, ERR_IMMUTABLE);
		assert_string_equal(err.msg, "enough");
		assert_string_equal(it.names, "a;");
		assert_int_equal(cannedkube_count(&f->kube), 1);
	}
}

static void
lists_of_all_namespaces_and_metadata_have_their_paths(void **state)
{
	struct fixture *f = *state;
	struct items it = { .n = 0 };
	struct err err = ERR_INIT;

	cannedkube_ok(&f->kube, "{\"items\":null}");
	assert_int_equal(kube_list(&f->client, &KUBE_SECRETS_META, NULL, NULL,
			     each, &it, NULL, &err),
	    0);
	assert_string_equal(
	    cannedkube_request(&f->kube, 0)->path, "/api/v1/secrets?limit=500");
	assert_string_equal(cannedkube_request(&f->kube, 0)->accept,
	    "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1");
	assert_int_equal(kube_list(&f->client, &KUBE_SECRETS, "a/b", NULL, each,
			     &it, NULL, &err),
	    -1);
	assert_int_equal(err.code, ERR_INVALID);
}

static void
time_limits_reach_the_transport(void **state)
{
	struct fixture *f = *state;
	struct items it = { .n = 0 };
	struct err err = ERR_INIT;

	cannedkube_ok(&f->kube, "{\"items\":[]}");
	assert_int_equal(
	    kube_get(&f->client, &KUBE_SECRETS, &key, NULL, &err), 0);
	assert_int_equal(list(f, &it, NULL, &err), 0);
	f->client.timeout_ms = 7000;
	assert_int_equal(
	    kube_get(&f->client, &KUBE_SECRETS, &key, NULL, &err), 0);
	assert_int_equal(list(f, &it, NULL, &err), 0);
	assert_int_equal(cannedkube_request(&f->kube, 0)->timeout_ms, 0);
	assert_int_equal(cannedkube_request(&f->kube, 1)->timeout_ms, 60000);
	assert_int_equal(cannedkube_request(&f->kube, 2)->timeout_ms, 7000);
	assert_int_equal(cannedkube_request(&f->kube, 3)->timeout_ms, 7000);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(each_call_is_the_request_it_should_be),
		TEST(the_answer_is_handed_over),
		TEST(refusals_pass_as_the_server_worded_them),
		TEST(a_good_status_with_a_bad_body_is_the_servers_fault),
		TEST(what_the_server_would_not_take_is_not_sent),
		TEST(a_stopped_client_does_not_wait_for_the_limiter),
		TEST(pages_are_followed_to_the_end),
		TEST(an_expired_token_begins_again_once_without_pages),
		TEST(a_server_that_pages_unasked_cannot_keep_us_for_ever),
		TEST(a_part_of_a_list_is_never_the_whole),
		TEST(the_reader_ends_a_list_with_its_own_error),
		TEST(lists_of_all_namespaces_and_metadata_have_their_paths),
		TEST(time_limits_reach_the_transport),
	};

	return cmocka_run_group_tests_name("client", tests, NULL, NULL);
}
