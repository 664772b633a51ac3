/*
 * The admin listener as a whole, over TLS.
 * layer: http
 */
#include "keystore_fixture.h"

#include "adminrig.h"
#include "base/jsonx.h"
#include "base/mem.h"
#include "certs.h"
#include "controller/http/routes.h"
#include "http/admin.h"
#include "lib/tlsclient.h"
#include "metrics/metrics.h"
#include "rawhttp.h"
#include "tmpfiles.h"

static struct adminrig rig;
static struct tmpfiles files;
static struct cert authority, leaf;
static struct registry *keys;
static struct metrics *metrics;
static struct http_server *server;
static struct admin_config cfg;
static struct tls_answer answer;

static int
setup(void **state UNUSED)
{
	adminrig_init(&rig);
	tmpfiles_init(&files);
	cert_authority(&authority, "tests");
	cert_issue(&leaf, &authority, "IP:127.0.0.1", 0);
	tmpfiles_write(&files, "ca.crt", authority.pem);
	tmpfiles_write(&files, "tls.crt", leaf.pem);
	tmpfiles_write(&files, "tls.key", leaf.key);
	keys = registry_new(&fixture_clock);
	metrics = metrics_new("test");
	cfg = (struct admin_config) {
		.listen_addr = "127.0.0.1:0",
		.cert_file = tmpfiles_path(&files, "tls.crt"),
		.key_file = tmpfiles_path(&files, "tls.key"),
		.recipients_file = "",
		.ns = ADMINRIG_NS,
		.keys = keys,
		.metrics = metrics,
		.backend = rig.backend,
	};
	return 0;
}

static int
teardown(void **state UNUSED)
{
	http_server_stop(server);
	server = NULL;
	registry_free(keys);
	metrics_free(metrics);
	cert_release(&leaf);
	cert_release(&authority);
	tmpfiles_release(&files);
	adminrig_release(&rig);
	return 0;
}

static void
start(void)
{
	struct err err = ERR_INIT;

	if (http_admin_start(&cfg, &server, &err) < 0)
		fail_msg("%s", err.msg);
}

static bool waits; /* with its body, until the server wants it */
static bool cuts;  /* at the first byte of the answer's body */

static void
ask_with(
    const char *method, const char *path, const char *token, const char *body)
{
	const struct tls_ask a = {
		.addr = http_server_addr(server),
		.ca = tmpfiles_path(&files, "ca.crt"),
		.method = method,
		.path = path,
		.token = token,
		.body = body,
		.waits = waits,
		.cuts = cuts,
	};

	tls_ask(&a, &answer);
}

static void
ask(const char *method, const char *path, const char *body)
{
	ask_with(method, path, ADMINRIG_TOKEN, body);
}

static void
add_key(unsigned i, const char *name, int64_t order_s)
{
	const struct registry_attrs attrs = {
		.order_s = order_s,
		.backed_up = i == 0,
		.backed_up_s = i == 0 ? NOW_S : 0,
	};
	struct err err = ERR_INIT;

	if (registry_put(keys, name, fixture_key(i), &attrs, &err) < 0)
		fail_msg("%s", err.msg);
}

static void
the_list_tells_all_but_what_is_private(void **state UNUSED)
{
	AUTO_JSON json_t *v = NULL;
	const json_t *k;
	struct err err = ERR_INIT;

	start();
	add_key(0, "older", NOW_S);
	add_key(1, "newer", NOW_S + 1);
	ask("GET", "/v1/keys", NULL);
	assert_int_equal(answer.status, 200);
	assert_true(tls_has(&answer, "Content-Type: application/json\r\n"));
	assert_true(tls_has(&answer, "Cache-Control: no-store\r\n"));
	assert_true(tls_has(&answer, "X-Request-Id: "));
	assert_null(strstr(answer.body, "PRIVATE"));
	assert_int_equal(
	    jsonx_parse(answer.body, answer.body_len, 0, &v, &err), 0);
	assert_string_equal(jsonx_str(v, "namespace", NULL), ADMINRIG_NS);
	assert_int_equal(jsonx_int(v, "unknownItems", NULL), 0);
	assert_int_equal(json_array_size(jsonx_array(v, "keys", NULL)), 2);
	k = json_array_get(jsonx_array(v, "keys", NULL), 0);
	assert_string_equal(jsonx_str(k, "name", NULL), "newer");
	assert_true(jsonx_is_true(k, "seals", NULL));
	assert_string_equal(jsonx_str(k, "state", NULL), "active");
	assert_string_equal(
	    jsonx_str(k, "order", NULL), "2027-01-15T08:00:01Z");
	assert_true(json_is_null(json_object_get(k, "backedUp")));
	assert_true(json_is_null(json_object_get(k, "namespaces")));
	assert_int_equal(jsonx_int(k, "opened", NULL), 0);
	k = json_array_get(jsonx_array(v, "keys", NULL), 1);
	assert_string_equal(
	    jsonx_str(k, "backedUp", NULL), "2027-01-15T08:00:00Z");
	assert_string_equal(jsonx_str(k, "fingerprint", NULL),
	    keypair_fingerprint(fixture_key(0)));
	assert_int_equal(rig.asked, ADMIN_LIST);
	assert_int_equal(rig.audits, 0);
}

static void
each_path_asks_for_its_own_right(void **state UNUSED)
{
	static const struct {
		const char *method, *path;
		enum admin_action want;
	} cases[] = {
		{ "GET", "/v1/keys", ADMIN_LIST },
		{ "POST", "/v1/keys/export", ADMIN_EXPORT },
		{ "POST", "/v1/keys/restore", ADMIN_RESTORE },
		{ "POST", "/v1/keys/restore?dryRun=true", ADMIN_RESTORE },
	};

	start();
	rig.access_fails = ERR_FORBIDDEN;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		ask(cases[i].method, cases[i].path, NULL);
		assert_int_equal(answer.status, 403);
		assert_string_equal(answer.body, "{\"error\":\"forbidden\"}\n");
		assert_int_equal(rig.asked, cases[i].want);
	}
	assert_string_equal(rig.story, "");
}

static void
refused_sources_are_locked_out(void **state UNUSED)
{
	start();
	for (unsigned i = 0; i < LIMIT_REFUSALS; i++) {
		ask_with("GET", "/v1/keys", i % 2 == 0 ? NULL : "bad", NULL);
		assert_int_equal(answer.status, 401);
		assert_string_equal(
		    answer.body, "{\"error\":\"unauthorized\"}\n");
		assert_true(tls_has(&answer, "WWW-Authenticate: Bearer\r\n"));
	}
	ask("GET", "/v1/keys", NULL);
	assert_int_equal(answer.status, 429);
	assert_true(tls_has(&answer, "Retry-After: 300\r\n"));
	assert_int_equal(rig.accesses, 0);
}

static void
methods_and_paths_are_those_and_no_others(void **state UNUSED)
{
	static const struct {
		const char *method, *path;
		long want;
	} cases[] = {
		{ "POST", "/v1/keys", 405 },
		{ "GET", "/v1/keys/export", 405 },
		{ "PUT", "/v1/keys/restore", 405 },
		{ "GET", "/v1/keys/", 404 },
		{ "GET", "/v1/cert.pem", 404 },
		{ "GET", "/metrics", 404 },
		{ "GET", "/", 404 },
	};

	start();
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		ask(cases[i].method, cases[i].path, NULL);
		assert_int_equal(answer.status, cases[i].want);
		assert_int_equal(
		    tls_has(&answer, "Allow: "), cases[i].want == 405);
	}
	assert_int_equal(rig.reviews, 0);
}

static void
an_export_comes_with_all_that_is_announced(void **state UNUSED)
{
	AUTO_STR char *prints = xasprintf(
	    "X-Key-Fingerprints: %s\r\n", keypair_fingerprint(fixture_key(0)));
	AUTO_STR char *length = NULL;

	adminrig_put(&rig, "k0", fixture_key(0));
	start();
	ask("POST", "/v1/keys/export", NULL);
	assert_int_equal(answer.status, 200);
	length = xasprintf("Content-Length: %zu\r\n", answer.body_len);
	assert_true(tls_has(&answer, length));
	assert_true(tls_has(&answer, prints));
	assert_true(tls_has(&answer, "Content-Digest: sha-256=:"));
	assert_true(tls_has(&answer, "Cache-Control: no-store\r\n"));
	assert_non_null(strstr(answer.body, "tls.key: "));
	/* The note comes behind the answer; the stop waits for it. */
	http_server_stop(server);
	server = NULL;
	assert_memory_equal(rig.story, "audit", 5);
}

/* More than the buffers of a connection hold. */
#define LARGE ((size_t)7 * 1024 * 1024)

static void
an_export_that_did_not_arrive_whole_is_no_backup(void **state UNUSED)
{
	char *large = xmalloc(LARGE + 1);
	json_t *secret = adminrig_secret("k0", fixture_key(0));

	memset(large, 'A', LARGE);
	large[LARGE] = '\0';
	jsonx_set_str(json_object_get(secret, "data"), "more", large);
	json_array_append_new(rig.live,
	    json_pack("{s:s,s:s,s:o}", "name", "k0", "fingerprint",
		keypair_fingerprint(fixture_key(0)), "secret", secret));
	start();
	cuts = true;
	ask("POST", "/v1/keys/export", NULL);
	cuts = false;
	assert_int_equal(answer.status, 200);
	assert_int_equal(answer.body_len, 0);
	/* On the same threads: what came of the export comes before this. */
	ask("GET", "/v1/keys", NULL);
	assert_int_equal(answer.status, 200);
	assert_string_equal(rig.story, "audit");
	mem_free_wiped(large);
}

static void
what_was_exported_can_be_restored(void **state UNUSED)
{
	AUTO_STR char *backup = NULL;

	rig.keys = keys;
	adminrig_put(&rig, "k0", fixture_key(0));
	start();
	ask("POST", "/v1/keys/export", NULL);
	backup = xstrdup(answer.body);
	json_array_clear(rig.live);
	ask("POST", "/v1/keys/restore?dryRun=true", backup);
	assert_int_equal(answer.status, 200);
	assert_non_null(strstr(answer.body, "\"dryRun\":true"));
	assert_int_equal(rig.creates, 0);
	ask("POST", "/v1/keys/restore", backup);
	assert_int_equal(answer.status, 200);
	assert_non_null(strstr(answer.body, "\"result\":\"created\""));
	assert_non_null(strstr(answer.body, "\"seals\":{\"name\":\"k0\""));
	assert_int_equal(rig.creates, 1);
}

static void
an_argument_that_is_not_understood_writes_nothing(void **state UNUSED)
{
	static const char *const queries[] = { "?dryrun=true", "?dryRun",
		"?dryRun=yes", "?dryRun=true&dryRun=false", "?x=1",
		"?dryRun=%74rue" };

	start();
	for (size_t i = 0; i < ARRAY_SIZE(queries); i++) {
		AUTO_STR char *path =
		    xasprintf("/v1/keys/restore%s", queries[i]);

		ask("POST", path, "{}");
		assert_int_equal(answer.status, 400);
	}
	ask("POST", "/v1/keys/restore?dryRun=false", "{}");
	assert_int_equal(answer.status, 400);
	assert_null(strstr(answer.body, "dryRun"));
	assert_string_equal(rig.story, "");
}

/* Over TLS too an answer before the body was read arrives. */
static void
bodies_are_bounded(void **state UNUSED)
{
	size_t n = HTTP_TASK_BODY_MAX + 1;
	char *big = xmalloc(n + 1);

	memset(big, ' ', n);
	big[n] = '\0';
	start();
	waits = true;
	ask("POST", "/v1/keys/restore", big);
	assert_int_equal(answer.status, 413);
	big[65537] = '\0';
	ask("POST", "/v1/keys/export", big);
	assert_int_equal(answer.status, 413);
	assert_int_equal(rig.reviews, 0);
	waits = false;
	mem_free_wiped(big);
}

static void
the_configured_recipients_encrypt_every_export(void **state UNUSED)
{
	tmpfiles_write(&files, "to.pem", leaf.pem);
	cfg.recipients_file = tmpfiles_path(&files, "to.pem");
	adminrig_put(&rig, "k0", fixture_key(0));
	start();
	ask("POST", "/v1/keys/export", NULL);
	assert_int_equal(answer.status, 200);
	assert_true(tls_has(&answer, "Content-Type: application/cms\r\n"));
	assert_memory_equal(answer.body, "-----BEGIN CMS-----", 19);
	ask("POST", "/v1/keys/export?plain=true", "plain");
	assert_true(tls_has(&answer, "Content-Type: application/cms\r\n"));
}

static void
bad_files_refuse_the_start_with_the_file_named(void **state UNUSED)
{
	static const struct {
		const char *name, *text, *want;
	} cases[] = {
		{ "tls.crt", "x", "tls.crt" },
		{ "to.pem", "x", "to.pem" },
		{ "to.pem", NULL, "to.pem" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct err err = ERR_INIT;

		tmpfiles_write(&files, "tls.crt", leaf.pem);
		if (cases[i].text != NULL)
			tmpfiles_write(&files, cases[i].name, cases[i].text);
		else
			tmpfiles_remove(&files, cases[i].name);
		cfg.recipients_file = tmpfiles_path(&files, "to.pem");
		assert_int_equal(http_admin_start(&cfg, &server, &err), -1);
		assert_int_equal(err.code, ERR_INVALID);
		assert_non_null(strstr(err.msg, cases[i].want));
	}
}

static void
an_address_in_use_refuses_the_start(void **state UNUSED)
{
	struct http_server *twice = NULL;
	struct err err = ERR_INIT;

	start();
	cfg.listen_addr = http_server_addr(server);
	assert_int_equal(http_admin_start(&cfg, &twice, &err), -1);
	assert_int_equal(err.code, ERR_IO);
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(the_list_tells_all_but_what_is_private),
		T(each_path_asks_for_its_own_right),
		T(refused_sources_are_locked_out),
		T(methods_and_paths_are_those_and_no_others),
		T(an_export_comes_with_all_that_is_announced),
		T(an_export_that_did_not_arrive_whole_is_no_backup),
		T(what_was_exported_can_be_restored),
		T(an_argument_that_is_not_understood_writes_nothing),
		T(bodies_are_bounded),
		T(the_configured_recipients_encrypt_every_export),
		T(bad_files_refuse_the_start_with_the_file_named),
		T(an_address_in_use_refuses_the_start),
	};

	return cmocka_run_group_tests(tests, NULL, fixture_forget);
}
