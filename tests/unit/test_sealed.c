/*
 * /v1/verify and /v1/rotate over raw sockets.
 * layer: http
 */
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/codec.h"
#include "base/jsonx.h"
#include "controller/http/sealed.h"
#include "http/server.h"
#include "keystore/nsrule.h"
#include "keystore/seal.h"
#include "keystore_fixture.h"
#include "quiet.h"
#include "rawhttp.h"
#include "tests/lib/keyring.h"
#include "textfile.h"
#include "vectors.h"

#define OUT_MAX	  ((size_t)1024 * 1024)
#define MINUTE_NS (INT64_C(60) * (int64_t)NS_PER_S)
#define CASES	  "tests/vectors/cases/"
#define TEXT	  "text/plain; charset=utf-8"

struct fixture {
	struct registry *keys;
	struct metrics *metrics;
	struct http_server *server;
	char *sealed; /* opens */
	char out[OUT_MAX];
};

static struct fixture f;

static bool
yes(void *ctx UNUSED)
{
	return true;
}

static void
start(unsigned rate, unsigned burst)
{
	struct http_public_config cfg = {
		.listen_addr = "127.0.0.1:0",
		.read_timeout_ns = MINUTE_NS,
		.write_timeout_ns = MINUTE_NS,
		.rate_limit = rate,
		.rate_limit_burst = burst,
		.accept_v1_data = true,
		.healthy = yes,
		.ready = yes,
		.keys = f.keys,
		.metrics = f.metrics,
	};
	struct err err = ERR_INIT;

	if (http_public_start(&cfg, &f.server, &err) < 0)
		fail_msg("%s", err.msg);
}

static int
setup_limited(void **state UNUSED)
{
	struct keypair *kp = vectors_key("rsa2048", "pkcs1");
	struct err err = ERR_INIT;

	quiet_log();
	memset(&f, 0, sizeof(f));
	f.keys = registry_new(&fixture_clock);
	f.metrics = metrics_new("test");
	f.sealed = textfile_read(CASES "strict/sealed.json");
	assert_int_equal(keyring_add(f.keys, "key", kp, 1, &err), 0);
	keypair_free(kp);
	return 0;
}

static int
setup(void **state)
{
	(void)setup_limited(state);
	start(0, 0);
	return 0;
}

static int
teardown(void **state UNUSED)
{
	http_server_stop(f.server);
	metrics_free(f.metrics);
	registry_free(f.keys);
	mem_free_wiped(f.sealed);
	return 0;
}

/* ---- requests ---- */

static void
send_head(int fd, const char *path, const char *fields, size_t len)
{
	char head[512];

	(void)snprintf(head, sizeof(head),
	    "POST %s HTTP/1.1\r\nHost: x\r\n%sContent-Length: %zu\r\n\r\n",
	    path, fields, len);
	raw_puts(fd, head);
}

static unsigned
post_on(int fd, const char *path, const char *fields, const char *body)
{
	send_head(fd, path, fields, strlen(body));
	raw_puts(fd, body);
	return raw_read_answer(fd, f.out, OUT_MAX, true);
}

static unsigned
post(const char *path, const char *body)
{
	int fd = raw_connect(http_server_addr(f.server));
	unsigned status = post_on(fd, path, "", body);

	(void)close(fd);
	return status;
}

static void
expect_header(const char *name, const char *value)
{
	char line[128];

	(void)snprintf(line, sizeof(line), "\r\n%s: %s\r\n", name, value);
	if (strstr(f.out, line) == NULL)
		fail_msg("no %s: %s in: %s", name, value, f.out);
}

static void
expect_empty(void)
{
	assert_string_equal(raw_body(f.out), "");
	expect_header("Content-Length", "0");
	assert_null(strstr(f.out, "\r\nContent-Type:"));
}

static char *
with(const char *text, const char *old, const char *new)
{
	const char *at = strstr(text, old);

	assert_non_null(at);
	return xasprintf(
	    "%.*s%s%s", (int)(at - text), text, new, at + strlen(old));
}

/* ---- verify ---- */

static void
what_opens_is_200_and_what_does_not_is_409_both_without_a_body(
    void **state UNUSED)
{
	static const struct {
		const char *vector;
		unsigned status;
	} cases[] = {
		{ "strict", 200 },
		{ "namespace-wide-other-name", 200 },
		{ "cluster-wide-elsewhere", 200 },
		{ "strict-other-name", 409 },
		{ "strict-said-cluster-wide", 409 },
		{ "bad-base64", 409 },
		{ "truncated", 409 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO_STR char *path =
		    xasprintf(CASES "%s/sealed.json", cases[i].vector);
		AUTO_STR char *body = textfile_read(path);

		assert_int_equal(post("/v1/verify", body), cases[i].status);
		expect_empty();
	}
}

static void
a_body_that_is_no_sealedsecret_is_500_and_says_why(void **state UNUSED)
{
	static const struct {
		const char *body, *want;
	} cases[] = {
		{ "", "bad-body: expected a SealedSecret, got nothing\n" },
		{ "{}", "bad-body: apiVersion or kind is missing\n" },
		{ "{\"apiVersion\":\"v1\",\"kind\":\"Secret\"}",
		    "bad-body: expected kind SealedSecret of apiVersion "
		    "bitnami.com/v1alpha1\n" },
		{ "{\"kind\":\"List\",\"kind\":\"List\"}", "bad-body: " },
		{ "[[[", "bad-body: " },
	};
	static const char *const paths[] = { "/v1/verify", "/v1/rotate" };

	for (size_t p = 0; p < ARRAY_SIZE(paths); p++)
		for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
			assert_int_equal(post(paths[p], cases[i].body), 500);
			expect_header("Content-Type", TEXT);
			assert_int_equal(strncmp(raw_body(f.out), cases[i].want,
					     strlen(cases[i].want)),
			    0);
		}
}

static void
yaml_is_read_too_but_one_document_only(void **state UNUSED)
{
	AUTO_STR char *one = xasprintf("---\n%s", f.sealed);
	AUTO_STR char *two = xasprintf("%s\n---\n%s", f.sealed, f.sealed);

	assert_int_equal(post("/v1/verify", one), 200);
	assert_int_equal(post("/v1/verify", two), 500);
	assert_non_null(strstr(raw_body(f.out), "Multistream YAML"));
	assert_int_equal(post("/v1/rotate", two), 200);
}

static void
any_method_type_and_transfer_coding_will_do(void **state UNUSED)
{
	AUTO_STR char *chunked =
	    xasprintf("%zx\r\n%s\r\n0\r\n\r\n", strlen(f.sealed), f.sealed);
	int fd = raw_connect(http_server_addr(f.server));

	assert_int_equal(
	    post_on(fd, "/v1/verify", "Content-Type: image/png\r\n", f.sealed),
	    200);
	raw_puts(fd,
	    "PUT /v1/verify HTTP/1.1\r\nHost: x\r\n"
	    "Transfer-Encoding: chunked\r\n\r\n");
	raw_puts(fd, chunked);
	assert_int_equal(raw_read_answer(fd, f.out, OUT_MAX, true), 200);
	raw_puts(fd, "GET /v1/verify HTTP/1.1\r\nHost: x\r\n\r\n");
	assert_int_equal(raw_read_answer(fd, f.out, OUT_MAX, true), 500);
	/* The same connection all the time. */
	assert_int_equal(post_on(fd, "/v1/rotate", "", f.sealed), 200);
	(void)close(fd);
}

/* ---- rotate ---- */

static void
rotating_gives_the_object_as_json(void **state UNUSED)
{
	AUTO_JSON json_t *obj = NULL;
	struct err err = ERR_INIT;
	AUTO_STR char *again = NULL;

	assert_int_equal(post("/v1/rotate", f.sealed), 200);
	expect_header("Content-Type", "application/json");
	again = xstrdup(raw_body(f.out));
	assert_int_equal(jsonx_parse(again, strlen(again), 0, &obj, &err), 0);
	assert_string_equal(jsonx_str(obj, "kind", NULL), "SealedSecret");
	assert_int_equal(post("/v1/verify", again), 200);
}

static void
what_cannot_be_rotated_is_500_with_a_reason(void **state UNUSED)
{
	static const struct {
		const char *old, *new, *want;
	} cases[] = {
		{ "\"name\": \"", "\"name\": \"other-",
		    "decrypt-failed: no key could decrypt secret: sealed for "
		    "another cluster, name, namespace or scope, or damaged\n" },
		{ "\"name\": \"", "\"name\": \"a/",
		    "bad-object: name is not a valid DNS subdomain\n" },
		{ "\"encryptedData\": {", "\"encryptedData\": {\"x\": \"!\",",
		    "bad-object: x: illegal base64 data at input byte 0\n" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO_STR char *body =
		    with(f.sealed, cases[i].old, cases[i].new);

		assert_int_equal(post("/v1/rotate", body), 500);
		expect_header("Content-Type", TEXT);
		assert_string_equal(raw_body(f.out), cases[i].want);
	}
}

static void
every_failure_that_depends_on_a_key_looks_the_same(void **state UNUSED)
{
	static const char *const vectors[] = { "strict-other-name",
		"strict-other-namespace", "strict-said-cluster-wide",
		"truncated", "cluster-wide-said-strict" };
	AUTO_STR char *first = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(vectors); i++) {
		AUTO_STR char *path =
		    xasprintf(CASES "%s/sealed.json", vectors[i]);
		AUTO_STR char *body = textfile_read(path);
		char *date;

		assert_int_equal(post("/v1/rotate", body), 500);
		date = strstr(f.out, "Date: ");
		assert_non_null(date);
		memset(date, '-', strcspn(date, "\r"));
		if (first == NULL)
			first = xstrdup(f.out);
		assert_string_equal(f.out, first);
	}
}

/* ---- scopes ---- */

#define WIDE "sealedsecrets.bitnami.com/"

static const char *const labels[] = { "demo/foo", "demo", "" };
static const char *const claims[] = { NULL, WIDE "namespace-wide",
	WIDE "cluster-wide" };

static const struct {
	const char *ns, *name;
	bool opens[3];
} moves[] = {
	{ "demo", "foo", { true, true, true } },
	{ "demo", "other", { false, true, true } },
	{ "other", "foo", { false, false, true } },
};

static json_t *
metadata(const char *ns, const char *name, const char *claim)
{
	json_t *v = json_pack(
	    "{s:s,s:s,s:{}}", "namespace", ns, "name", name, "annotations");

	if (claim != NULL)
		jsonx_set_str(json_object_get(v, "annotations"), claim, "true");
	return v;
}

/* demo/foo, or wherever it was put; says and says_inside: a scope's number. */
static char *
sealed_as(const char *label, const char *ns, const char *name, int says,
    int says_inside)
{
	AUTO(keypair)
	struct keypair *kp = vectors_key("rsa2048", "pkcs1");
	AUTO_RELEASE(buf) struct buf blob = BUF_INIT(SEAL_BLOB_MAX);
	AUTO_RELEASE(buf) struct buf text = BUF_INIT(2 * SEAL_BLOB_MAX);
	AUTO_JSON json_t *v = NULL;
	struct err err = ERR_INIT;

	assert_int_equal(
	    seal_encrypt(kp, label, strlen(label), "v", 1, &blob, &err), 0);
	assert_int_equal(
	    base64_encode(buf_str(&blob), blob.len, &text, &err), 0);
	v = json_pack("{s:s,s:s,s:o,s:{s:{s:s},s:{s:o}}}", "apiVersion",
	    "bitnami.com/v1alpha1", "kind", "SealedSecret", "metadata",
	    metadata(ns, name, claims[says]), "spec", "encryptedData", "k",
	    buf_str(&text), "template", "metadata",
	    metadata(ns, name, claims[says_inside]));
	assert_non_null(v);
	return json_dumps(v, JSON_COMPACT);
}

/* All nine pairs of what it is and what it says, in three places. */
static void
only_the_true_scope_in_its_place_is_verified_and_rotated(void **state UNUSED)
{
	for (int was = 0; was < 3; was++)
		for (int says = 0; says < 3; says++)
			for (size_t m = 0; m < ARRAY_SIZE(moves); m++) {
				AUTO_STR char *body = sealed_as(labels[was],
				    moves[m].ns, moves[m].name, says, says);
				bool want = was == says && moves[m].opens[was];

				assert_int_equal(
				    post("/v1/verify", body), want ? 200 : 409);
				expect_empty();
				assert_int_equal(
				    post("/v1/rotate", body), want ? 200 : 500);
			}
}

/* CVE-2026-22728: a scope that the template claims came back as the object's.
 */
static void
what_comes_back_opens_where_it_opened_before_and_nowhere_else(
    void **state UNUSED)
{
	for (int was = 0; was < 3; was++)
		for (int inside = 0; inside < 3; inside++)
			for (size_t m = 0; m < ARRAY_SIZE(moves); m++) {
				AUTO_STR char *body = sealed_as(
				    labels[was], "demo", "foo", was, inside);
				AUTO_STR char *moved = NULL;
				AUTO_JSON json_t *v = NULL;
				json_t *meta;

				assert_int_equal(post("/v1/rotate", body), 200);
				v = json_loads(raw_body(f.out), 0, NULL);
				meta = json_object_get(v, "metadata");
				jsonx_set_str(meta, "namespace", moves[m].ns);
				jsonx_set_str(meta, "name", moves[m].name);
				moved = json_dumps(v, JSON_COMPACT);
				assert_int_equal(post("/v1/verify", moved),
				    moves[m].opens[was] ? 200 : 409);
			}
}

/* An answer without its date, owned by the caller. */
static char *
answer_to(const char *path, const char *body)
{
	char *date;

	(void)post(path, body);
	date = strstr(f.out, "Date: ");
	assert_non_null(date);
	memset(date, '-', strcspn(date, "\r"));
	return xstrdup(f.out);
}

/* Whether a key is there, but for others, is nobody's to know. */
static void
a_key_for_other_namespaces_looks_like_none(void **state UNUSED)
{
	static const char *const paths[] = { "/v1/verify", "/v1/rotate" };
	struct keypair *kp = vectors_key("rsa2048", "pkcs1");
	AUTO_STR char *body = sealed_as("", "demo", "foo", 2, 2);
	AUTO_STR char *wrong = sealed_as("x", "demo", "foo", 2, 2);
	struct registry_attrs attrs = { .order_s = 1 };
	struct err err = ERR_INIT;

	assert_int_equal(nsrule_parse("team-a", &attrs.rule, &err), 0);
	assert_int_equal(registry_put(f.keys, "key", kp, &attrs, &err), 0);
	for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
		AUTO_STR char *a = answer_to(paths[i], body);
		AUTO_STR char *b = answer_to(paths[i], wrong);

		assert_string_equal(a, b);
		assert_non_null(strstr(a, i == 0 ? " 409 " : " 500 "));
	}
	nsrule_free(attrs.rule);
	keypair_free(kp);
}

/* ---- limits ---- */

static void
over_the_rate_limit_is_429_with_the_time_to_wait(void **state UNUSED)
{
	static const char client[] = "X-Forwarded-For: 10.0.0.1, 10.0.0.2\r\n";
	static const char *const remaining[] = { "2", "1", "0" };
	int fd;

	start(1, 2);
	fd = raw_connect(http_server_addr(f.server));
	for (size_t i = 0; i < ARRAY_SIZE(remaining); i++) {
		assert_int_equal(
		    post_on(fd, "/v1/verify", client, f.sealed), 200);
		expect_header("X-Ratelimit-Limit", "3");
		expect_header("X-Ratelimit-Remaining", remaining[i]);
		assert_null(strstr(f.out, "Retry-After"));
	}
	assert_int_equal(post_on(fd, "/v1/verify", client, f.sealed), 429);
	expect_header("Retry-After", "1");
	expect_header("X-Ratelimit-Limit", "3");
	expect_header("X-Ratelimit-Remaining", "0");
	expect_header("X-Ratelimit-Reset", "3");
	expect_header("Content-Type", TEXT);
	expect_header("X-Content-Type-Options", "nosniff");
	assert_string_equal(raw_body(f.out), "limit exceeded\n");
	/* Its body was read; the connection goes on. */
	assert_int_equal(post_on(fd, "/v1/rotate", client, f.sealed), 200);
	assert_int_equal(
	    post_on(fd, "/v1/verify", "X-Forwarded-For: b\r\n", f.sealed), 200);
	(void)close(fd);
}

static void
forged_client_names_end_at_the_shared_limit(void **state UNUSED)
{
	unsigned passed = 0, denied = 0;
	uint64_t begin = clock_mono_ms(&clock_system), took_ms;
	char fields[64];
	int fd;

	start(1, 0);
	fd = raw_connect(http_server_addr(f.server));
	for (unsigned i = 0; i < 50; i++) {
		unsigned status;

		(void)snprintf(
		    fields, sizeof(fields), "X-Forwarded-For: %u\r\n", i);
		status = post_on(fd, "/v1/verify", fields, "{}");
		passed += status == 500;
		denied += status == 429;
	}
	(void)close(fd);
	took_ms = clock_mono_ms(&clock_system) - begin;
	assert_int_equal(passed + denied, 50);
	/* Four at once, and four a second. */
	assert_in_range(passed, 4, 4 + 4 * took_ms / MS_PER_S + 1);
}

static void
send_zeros(int fd, size_t n)
{
	static const char zeros[65536];

	for (size_t part; n > 0; n -= part) {
		part = n < sizeof(zeros) ? n : sizeof(zeros);
		raw_send(fd, zeros, part);
	}
}

static void
a_body_of_over_4_mib_is_413(void **state UNUSED)
{
	int fd = raw_connect(http_server_addr(f.server));

	send_head(fd, "/v1/verify", "", HTTP_TASK_BODY_MAX + 1);
	assert_int_equal(raw_read_answer(fd, f.out, OUT_MAX, true), 413);
	(void)close(fd);
	/* Without a length it is seen on the way. */
	fd = raw_connect(http_server_addr(f.server));
	raw_puts(fd,
	    "POST /v1/rotate HTTP/1.1\r\nHost: x\r\n"
	    "Transfer-Encoding: chunked\r\n\r\nffffff\r\n");
	send_zeros(fd, HTTP_TASK_BODY_MAX + 1);
	assert_int_equal(raw_read_answer(fd, f.out, OUT_MAX, true), 413);
	(void)close(fd);
}

/* Of three bodies of almost the limit two fit at most; which of them do is a
 * matter of chance. */
static void
all_bodies_together_are_bounded(void **state UNUSED)
{
	const char *addr = http_server_addr(f.server);
	struct pollfd fds[3];
	unsigned refused = 0, served = 0;

	for (size_t i = 0; i < ARRAY_SIZE(fds); i++) {
		fds[i].fd = raw_connect(addr);
		fds[i].events = POLLIN;
		send_head(fds[i].fd, "/v1/verify", "", HTTP_TASK_BODY_MAX);
		send_zeros(fds[i].fd, HTTP_TASK_BODY_MAX - 16);
	}
	assert_true(poll(fds, ARRAY_SIZE(fds), 10000) >= 1);
	/* Others are served meanwhile. */
	assert_int_equal(post("/healthz", ""), 200);
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++) {
		unsigned status;

		if (fds[i].revents == 0)
			send_zeros(fds[i].fd, 16);
		status = raw_read_answer(fds[i].fd, f.out, OUT_MAX, true);
		assert_true(fds[i].revents == 0 || status == 503);
		refused += status == 503;
		served += status == 500;
		(void)close(fds[i].fd);
	}
	assert_true(refused >= 1);
	assert_true(served >= 1);
	assert_int_equal(refused + served, ARRAY_SIZE(fds));
	/* What was held came back. */
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(post("/v1/verify", f.sealed), 200);
}

static uint64_t
always_later(void)
{
	static uint64_t now;

	return now += SEALED_CPU_NS + 1;
}

static void
work_over_its_budget_of_cpu_time_is_503(void **state UNUSED)
{
	const struct sealed_config cfg = {
		.keys = f.keys, .clock = &clock_system, .cpu_ns = always_later
	};
	struct sealed *s = sealed_new(&cfg);
	void (*const work[])(struct sealed *, struct buf *, const struct pool *,
	    struct http_reply *) = { sealed_verify, sealed_rotate };

	for (size_t i = 0; i < ARRAY_SIZE(work); i++) {
		struct http_reply reply = { .body = BUF_INIT(65536) };
		AUTO_RELEASE(buf) struct buf body = BUF_INIT(65536);

		buf_puts(&body, f.sealed);
		work[i](s, &body, NULL, &reply);
		assert_int_equal(reply.status, 503);
		assert_int_equal(strncmp(buf_str(&reply.body),
				     "cpu-budget: took over 5 s", 25),
		    0);
		buf_release(&reply.body);
	}
	sealed_free(s);
	start(0, 0);
}

static void
requests_are_counted_by_path_code_and_method(void **state UNUSED)
{
	(void)post("/v1/verify", f.sealed);
	(void)post("/v1/verify", "{}");
	(void)post("/v1/rotate", f.sealed);
	assert_true(metrics_value(f.metrics, METRIC_HTTP_REQUESTS, "/v1/verify",
			"200", "post") == 1);
	assert_true(metrics_value(f.metrics, METRIC_HTTP_REQUESTS, "/v1/verify",
			"500", "post") == 1);
	assert_true(metrics_value(f.metrics, METRIC_HTTP_REQUESTS, "/v1/rotate",
			"200", "post") == 1);
}

int
main(void)
{
#define SERVED(t) cmocka_unit_test_setup_teardown(t, setup, teardown)
#define STARTS(t) cmocka_unit_test_setup_teardown(t, setup_limited, teardown)
	const struct CMUnitTest tests[] = {
		SERVED(
		    what_opens_is_200_and_what_does_not_is_409_both_without_a_body),
		SERVED(a_body_that_is_no_sealedsecret_is_500_and_says_why),
		SERVED(yaml_is_read_too_but_one_document_only),
		SERVED(any_method_type_and_transfer_coding_will_do),
		SERVED(rotating_gives_the_object_as_json),
		SERVED(what_cannot_be_rotated_is_500_with_a_reason),
		SERVED(every_failure_that_depends_on_a_key_looks_the_same),
		SERVED(
		    only_the_true_scope_in_its_place_is_verified_and_rotated),
		SERVED(
		    what_comes_back_opens_where_it_opened_before_and_nowhere_else),
		SERVED(a_key_for_other_namespaces_looks_like_none),
		STARTS(over_the_rate_limit_is_429_with_the_time_to_wait),
		STARTS(forged_client_names_end_at_the_shared_limit),
		SERVED(a_body_of_over_4_mib_is_413),
		SERVED(all_bodies_together_are_bounded),
		STARTS(work_over_its_budget_of_cpu_time_is_503),
		SERVED(requests_are_counted_by_path_code_and_method),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
