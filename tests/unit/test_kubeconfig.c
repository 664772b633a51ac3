/*
 * Tests of controller/kube/kubeconfig.c.
 * layer: kube
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <stdlib.h>

#include "kube/config.h"
#include "tmpfiles.h"

/* base64 of a text that looks like a certificate, and of "key". */
#define CERT_TEXT "-----BEGIN CERTIFICATE-----\n"
#define CERT_DATA "LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0tCg=="
#define KEY_DATA  "a2V5"

static int
setup(void **state)
{
	static struct tmpfiles files;

	tmpfiles_init(&files);
	unsetenv("POD_NAMESPACE");
	*state = &files;
	return 0;
}

static int
teardown(void **state)
{
	tmpfiles_release(*state);
	unsetenv("POD_NAMESPACE");
	return 0;
}

/* A file with one context; cluster and user are its members as JSON. */
static struct kube_config *
load_parts(const struct tmpfiles *files, const char *context,
    const char *cluster, const char *user, struct err *err)
{
	struct kube_config *cfg = NULL;
	char text[4096];

	(void)snprintf(text, sizeof(text),
	    "apiVersion: v1\nkind: Config\ncurrent-context: c\n"
	    "contexts:\n- name: other\n  context: {cluster: no, user: no}\n"
	    "- name: c\n  context: {cluster: k, user: u%s}\n"
	    "clusters:\n- name: k\n  cluster: {%s}\n"
	    "users:\n- name: u\n  user: {%s}\n",
	    context, cluster, user);
	tmpfiles_write(files, "config", text);
	err_clear(err);
	if (kube_config_file(
		tmpfiles_path(files, "config"), "v1.2", NULL, &cfg, err) < 0)
		return NULL;
	assert_non_null(cfg);
	return cfg;
}

#define HTTPS "server: 'https://h:6443', certificate-authority-data: " CERT_DATA

static void
the_current_context_is_read(void **state)
{
	struct err err = ERR_INIT;
	AUTO(kube_config)
	struct kube_config *cfg =
	    load_parts(*state, ", namespace: mine", HTTPS, "token: t0k", &err);
	AUTO(secret) struct secret *token = NULL;

	assert_non_null(cfg);
	assert_string_equal(cfg->server, "https://h:6443");
	assert_string_equal(cfg->ca_pem, CERT_TEXT);
	assert_null(cfg->ca_file);
	assert_string_equal(cfg->ns, "mine");
	assert_int_equal(
	    strncmp(cfg->user_agent, "controller/v1.2 (linux/", 23), 0);
	token = kube_token_get(cfg->token, &err);
	assert_non_null(token);
	assert_int_equal(secret_len(token), 3);
	assert_memory_equal(secret_bytes(token), "t0k", 3);
}

static void
json_is_read_too(void **state)
{
	struct err err = ERR_INIT;
	struct kube_config *cfg = NULL;

	tmpfiles_write(*state, "config",
	    "{\"current-context\":\"c\",\"contexts\":[{\"name\":\"c\","
	    "\"context\":{\"cluster\":\"k\"}}],\"clusters\":[{\"name\":"
	    "\"k\",\"cluster\":{\"server\":\"http://127.0.0.1:8001/\"}}]}");
	assert_int_equal(kube_config_file(tmpfiles_path(*state, "config"), "v",
			     NULL, &cfg, &err),
	    0);
	assert_string_equal(cfg->server, "http://127.0.0.1:8001");
	assert_null(cfg->token);
	assert_string_equal(cfg->ns, "default");
	kube_config_free(cfg);
}

static void
paths_are_relative_to_the_file(void **state)
{
	struct err err = ERR_INIT;
	AUTO(kube_config)
	struct kube_config *cfg = load_parts(*state, "",
	    "server: 'https://h', certificate-authority: pki/ca.crt",
	    "client-certificate: a.crt, client-key: /abs/a.key, "
	    "tokenFile: tok",
	    &err);
	AUTO(secret) struct secret *token = NULL;

	assert_non_null(cfg);
	assert_string_equal(cfg->ca_file, tmpfiles_path(*state, "pki/ca.crt"));
	assert_string_equal(cfg->cert_file, tmpfiles_path(*state, "a.crt"));
	assert_string_equal(cfg->key_file, "/abs/a.key");
	tmpfiles_write(*state, "tok", "from-file\n");
	token = kube_token_get(cfg->token, &err);
	assert_non_null(token);
	assert_memory_equal(secret_bytes(token), "from-file", 9);
}

static void
client_certificates_come_as_data_too(void **state)
{
	struct err err = ERR_INIT;
	AUTO(kube_config)
	struct kube_config *cfg = load_parts(*state, "",
	    HTTPS ", tls-server-name: kubernetes.default",
	    "client-certificate-data: " CERT_DATA ", client-key-data: " KEY_DATA
	    ", client-certificate: unused, client-key: unused",
	    &err);

	assert_non_null(cfg);
	assert_string_equal(cfg->cert_pem, CERT_TEXT);
	assert_int_equal(secret_len(cfg->key_pem), 3);
	assert_memory_equal(secret_bytes(cfg->key_pem), "key", 3);
	assert_null(cfg->cert_file);
	assert_null(cfg->key_file);
	assert_string_equal(cfg->tls_server_name, "kubernetes.default");
}

static void
a_context_without_a_namespace_takes_the_pods_or_default(void **state)
{
	struct err err = ERR_INIT;
	struct kube_config *cfg = load_parts(*state, "", HTTPS, "", &err);

	assert_non_null(cfg);
	assert_string_equal(cfg->ns, "default");
	kube_config_free(cfg);
	setenv("POD_NAMESPACE", "pod-ns", 1);
	cfg = load_parts(*state, "", HTTPS, "", &err);
	assert_non_null(cfg);
	assert_string_equal(cfg->ns, "pod-ns");
	kube_config_free(cfg);
	cfg = load_parts(*state, ", namespace: ctx", HTTPS, "", &err);
	assert_non_null(cfg);
	assert_string_equal(cfg->ns, "ctx");
	kube_config_free(cfg);
}

static void
plain_http_is_for_loopback_only(void **state)
{
	static const struct {
		const char *server;
		bool want;
	} cases[] = {
		{ "http://127.0.0.1:8080", true },
		{ "http://127.1.2.3", true },
		{ "http://localhost:8080", true },
		{ "http://[::1]:8080", true },
		{ "http://10.0.0.1", false },
		{ "http://127.0.0.1.evil.org", false },
		{ "http://localhost.evil.org", false },
		{ "http://127.evil.org", false },
		{ "http://[::2]:80", false },
		{ "http://", false },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct err err = ERR_INIT;
		struct kube_config *cfg;
		char cluster[128];

		(void)snprintf(
		    cluster, sizeof(cluster), "server: '%s'", cases[i].server);
		cfg = load_parts(*state, "", cluster, "", &err);
		assert_int_equal(cfg != NULL, cases[i].want);
		kube_config_free(cfg);
	}
}

static void
what_is_not_supported_is_refused_by_name(void **state)
{
	static const struct {
		const char *cluster, *user, *want;
	} cases[] = {
		{ HTTPS, "exec: {command: x}", "exec" },
		{ HTTPS, "auth-provider: {name: x}", "auth-provider" },
		{ HTTPS, "username: x, password: y", "username" },
		{ HTTPS, "as: admin", "as" },
		{ HTTPS, "as-groups: [a]", "as-groups" },
		{ HTTPS ", proxy-url: 'http://p'", "", "proxy-url" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct err err = ERR_INIT;

		assert_null(load_parts(
		    *state, "", cases[i].cluster, cases[i].user, &err));
		assert_int_equal(err.code, ERR_UNSUPPORTED);
		assert_non_null(strstr(err.msg, cases[i].want));
	}
}

static void
bad_clusters_and_users_are_refused(void **state)
{
	static const struct {
		const char *cluster, *user;
	} cases[] = {
		{ "server: 'https://h'", "" },
		{ "certificate-authority-data: " CERT_DATA, "" },
		{ "server: 'https://h', certificate-authority-data: '!'", "" },
		{ "server: 'https://h', certificate-authority-data: " KEY_DATA,
		    "" },
		{ HTTPS ", insecure-skip-tls-verify: true", "" },
		{ HTTPS ", tls-server-name: 'a/b'", "" },
		{ "server: 'ftp://h', certificate-authority: x", "" },
		{ "server: 'https://u:p@h', certificate-authority: x", "" },
		{ "server: 'https://h?x', certificate-authority: x", "" },
		{ "server: 'https://h x', certificate-authority: x", "" },
		{ "server: 'https://', certificate-authority: x", "" },
		{ "server: 'https://:1', certificate-authority: x", "" },
		{ HTTPS, "token: 'a b'" },
		{ HTTPS, "token: \"a\\r\\nb\"" },
		{ HTTPS, "client-certificate: x" },
		{ HTTPS, "client-key-data: " KEY_DATA },
		{ HTTPS, "client-key-data: '='" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct err err = ERR_INIT;

		assert_null(load_parts(
		    *state, "", cases[i].cluster, cases[i].user, &err));
		assert_int_equal(err.code, ERR_INVALID);
	}
}

static void
skipping_verification_needs_no_authority(void **state)
{
	struct err err = ERR_INIT;
	AUTO(kube_config)
	struct kube_config *cfg = load_parts(*state, "",
	    "server: 'https://h', insecure-skip-tls-verify: true", "", &err);

	assert_non_null(cfg);
	assert_true(cfg->insecure);
}

static void
an_incomplete_file_says_what_is_missing(void **state)
{
	static const struct {
		const char *text, *want;
	} cases[] = {
		{ "", "current-context" },
		{ "[]", "current-context" },
		{ "current-context: c", "context \"c\"" },
		{ "current-context: c\ncontexts: [{name: c}]",
		    "context \"c\"" },
		{ "current-context: c\ncontexts: [{name: c, context: {}}]",
		    "without a cluster" },
		{ "current-context: c\n"
		  "contexts: [{name: c, context: {cluster: k}}]",
		    "cluster \"k\"" },
		{ "current-context: c\n"
		  "contexts: [{name: c, context: {cluster: k, user: u}}]\n"
		  "clusters: [{name: k, cluster: {server: 'http://[::1]'}}]",
		    "user \"u\"" },
		{ "a: [", "kubeconfig" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct err err = ERR_INIT;
		struct kube_config *cfg = NULL;

		tmpfiles_write(*state, "config", cases[i].text);
		assert_int_equal(
		    kube_config_file(
			tmpfiles_path(*state, "config"), "v", NULL, &cfg, &err),
		    -1);
		assert_null(cfg);
		assert_non_null(strstr(err.msg, cases[i].want));
	}
}

static void
a_missing_file_is_told_by_its_path(void **state)
{
	struct err err = ERR_INIT;
	struct kube_config *cfg = NULL;

	assert_int_equal(kube_config_file(tmpfiles_path(*state, "none"), "v",
			     NULL, &cfg, &err),
	    -1);
	assert_int_equal(err.code, ERR_NOTFOUND);
	assert_non_null(strstr(err.msg, "/none"));
}

static void
no_text_of_the_file_gets_into_errors_but_names(void **state)
{
	struct err err = ERR_INIT;

	assert_null(load_parts(*state, "", HTTPS,
	    "token: 'sesame open', client-key-data: c2VzYW1l", &err));
	assert_null(strstr(err.msg, "sesame"));
	assert_null(
	    load_parts(*state, "", HTTPS, "client-key-data: 'sesame!'", &err));
	assert_null(strstr(err.msg, "sesame"));
}

static void
an_endpoint_is_named_in_full(void **state)
{
	const struct tmpfiles *files = *state;
	struct kube_endpoint e = { .server = "https://h:8443/",
		.tls_server_name = "name",
		.version = "v1" };
	AUTO(kube_config) struct kube_config *cfg = NULL;
	AUTO(secret) struct secret *token = NULL;
	struct err err = ERR_INIT;

	tmpfiles_write(files, "ca", CERT_TEXT);
	tmpfiles_write(files, "token", "t0k\n");
	e.ca_file = tmpfiles_path(files, "ca");
	e.token_file = tmpfiles_path(files, "token");
	assert_int_equal(kube_config_endpoint(&e, NULL, &cfg, &err), 0);
	assert_string_equal(cfg->server, "https://h:8443");
	assert_string_equal(cfg->ca_file, e.ca_file);
	assert_string_equal(cfg->tls_server_name, "name");
	assert_false(cfg->insecure);
	token = kube_token_get(cfg->token, &err);
	assert_int_equal(secret_len(token), 3);
}

static void
an_endpoint_without_tls_or_with_unfit_files_is_refused(void **state)
{
	const struct tmpfiles *files = *state;
	static const struct {
		const char *server, *ca, *token, *want;
	} cases[] = {
		{ "http://127.0.0.1:1", "ca", "token", "not an https://" },
		{ "https://u@h", "ca", "token", "not a plain address" },
		{ "https://h", "none", "token", "certificate authority: " },
		{ "https://h", "token", "token", "holds no certificate" },
		{ "https://h", "ca", "none", "token: " },
		{ "https://h", "ca", "words", "does not hold a token" },
	};

	tmpfiles_write(files, "ca", CERT_TEXT);
	tmpfiles_write(files, "token", "t0k\n");
	tmpfiles_write(files, "words", "two words");
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct kube_endpoint e = { .server = cases[i].server,
			.ca_file = tmpfiles_path(files, cases[i].ca),
			.token_file = tmpfiles_path(files, cases[i].token),
			.version = "v1" };
		struct kube_config *cfg = NULL;
		struct err err = ERR_INIT;

		assert_int_equal(
		    kube_config_endpoint(&e, NULL, &cfg, &err), -1);
		assert_null(cfg);
		assert_non_null(strstr(err.msg, cases[i].want));
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_current_context_is_read),
		TEST(json_is_read_too),
		TEST(paths_are_relative_to_the_file),
		TEST(client_certificates_come_as_data_too),
		TEST(a_context_without_a_namespace_takes_the_pods_or_default),
		TEST(plain_http_is_for_loopback_only),
		TEST(what_is_not_supported_is_refused_by_name),
		TEST(bad_clusters_and_users_are_refused),
		TEST(skipping_verification_needs_no_authority),
		TEST(an_incomplete_file_says_what_is_missing),
		TEST(a_missing_file_is_told_by_its_path),
		TEST(no_text_of_the_file_gets_into_errors_but_names),
		TEST(an_endpoint_is_named_in_full),
		TEST(an_endpoint_without_tls_or_with_unfit_files_is_refused),
	};

	return cmocka_run_group_tests_name("kubeconfig", tests, NULL, NULL);
}
