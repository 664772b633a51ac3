/*
 * Tests of controller/kube/incluster.c.
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

#define CA "-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n"

static int
setup(void **state)
{
	static struct tmpfiles files;

	tmpfiles_init(&files);
	tmpfiles_write(&files, "ca.crt", CA);
	tmpfiles_write(&files, "token", "t0k\n");
	tmpfiles_write(&files, "namespace", "from-file\n");
	setenv("KUBERNETES_SERVICE_HOST", "10.0.0.1", 1);
	setenv("KUBERNETES_SERVICE_PORT", "443", 1);
	unsetenv("POD_NAMESPACE");
	*state = &files;
	return 0;
}

static int
teardown(void **state)
{
	tmpfiles_release(*state);
	unsetenv("KUBERNETES_SERVICE_HOST");
	unsetenv("KUBERNETES_SERVICE_PORT");
	unsetenv("POD_NAMESPACE");
	return 0;
}

static struct kube_config *
load(const struct tmpfiles *files, struct err *err)
{
	struct kube_config *cfg = NULL;

	err_clear(err);
	if (kube_config_incluster(files->dir, "v1", NULL, &cfg, err) < 0)
		return NULL;
	assert_non_null(cfg);
	return cfg;
}

static void
reads_what_the_kubelet_provides(void **state)
{
	struct err err = ERR_INIT;
	AUTO(kube_config) struct kube_config *cfg = load(*state, &err);
	AUTO(secret) struct secret *token = NULL;

	assert_non_null(cfg);
	assert_string_equal(cfg->server, "https://10.0.0.1:443");
	assert_string_equal(cfg->ca_file, tmpfiles_path(*state, "ca.crt"));
	assert_string_equal(cfg->ns, "from-file");
	assert_int_equal(
	    strncmp(cfg->user_agent, "controller/v1 (linux/", 21), 0);
	assert_false(cfg->insecure);
	token = kube_token_get(cfg->token, &err);
	assert_non_null(token);
	assert_memory_equal(secret_bytes(token), "t0k", 3);
}

static void
an_ipv6_host_gets_brackets(void **state)
{
	struct err err = ERR_INIT;
	struct kube_config *cfg;

	setenv("KUBERNETES_SERVICE_HOST", "fd00::1", 1);
	setenv("KUBERNETES_SERVICE_PORT", "6443", 1);
	cfg = load(*state, &err);
	assert_non_null(cfg);
	assert_string_equal(cfg->server, "https://[fd00::1]:6443");
	kube_config_free(cfg);
}

static void
the_namespace_is_taken_from_env_then_file_then_default(void **state)
{
	static const struct {
		const char *env, *file, *want;
	} cases[] = {
		{ "from-env", "from-file", "from-env" },
		{ "", "from-file", "from-file" },
		{ "Not/Valid", "from-file", "from-file" },
		{ NULL, "from-file", "from-file" },
		{ NULL, "not valid", "default" },
		{ NULL, NULL, "default" },
	};
	const struct tmpfiles *files = *state;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct err err = ERR_INIT;
		struct kube_config *cfg;

		if (cases[i].env != NULL)
			setenv("POD_NAMESPACE", cases[i].env, 1);
		else
			unsetenv("POD_NAMESPACE");
		if (cases[i].file != NULL)
			tmpfiles_write(files, "namespace", cases[i].file);
		else
			tmpfiles_remove(files, "namespace");
		cfg = load(files, &err);
		assert_non_null(cfg);
		assert_string_equal(cfg->ns, cases[i].want);
		kube_config_free(cfg);
	}
}

static void
outside_of_a_cluster_it_says_so(void **state)
{
	struct err err = ERR_INIT;

	unsetenv("KUBERNETES_SERVICE_HOST");
	assert_null(load(*state, &err));
	assert_int_equal(err.code, ERR_NOTFOUND);
	assert_non_null(strstr(err.msg, "KUBERNETES_SERVICE_HOST"));
}

static void
odd_addresses_are_refused(void **state)
{
	static const struct {
		const char *host, *port;
	} cases[] = {
		{ "10.0.0.1/x", "443" },
		{ "a@b", "443" },
		{ "10.0.0.1", "443x" },
		{ "10.0.0.1", "-1" },
		{ "10.0.0.1", "123456" },
		{ "10.0.0.1", "" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct err err = ERR_INIT;

		setenv("KUBERNETES_SERVICE_HOST", cases[i].host, 1);
		setenv("KUBERNETES_SERVICE_PORT", cases[i].port, 1);
		assert_null(load(*state, &err));
	}
}

static void
without_a_certificate_authority_nothing_is_trusted(void **state)
{
	const struct tmpfiles *files = *state;
	struct err err = ERR_INIT;

	tmpfiles_remove(files, "ca.crt");
	assert_null(load(files, &err));
	assert_int_equal(err.code, ERR_NOTFOUND);
	tmpfiles_write(files, "ca.crt", "");
	assert_null(load(files, &err));
	assert_int_equal(err.code, ERR_INVALID);
	tmpfiles_write(files, "ca.crt", "nonsense");
	assert_null(load(files, &err));
	assert_int_equal(err.code, ERR_INVALID);
}

static void
a_missing_token_is_an_error(void **state)
{
	const struct tmpfiles *files = *state;
	struct err err = ERR_INIT;

	tmpfiles_remove(files, "token");
	assert_null(load(files, &err));
	assert_non_null(strstr(err.msg, "service account token"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(reads_what_the_kubelet_provides),
		TEST(an_ipv6_host_gets_brackets),
		TEST(the_namespace_is_taken_from_env_then_file_then_default),
		TEST(outside_of_a_cluster_it_says_so),
		TEST(odd_addresses_are_refused),
		TEST(without_a_certificate_authority_nothing_is_trusted),
		TEST(a_missing_token_is_an_error),
	};

	return cmocka_run_group_tests_name("incluster", tests, NULL, NULL);
}
