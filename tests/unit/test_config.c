/*
 * The program's flags and variables.
 */
/* layer: main */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/log.h"
#include "config.h"

#define WORDS_MAX 8
#define HOUR_NS	  (INT64_C(3600) * (int64_t)NS_PER_S)

struct run {
	struct config c;
	struct err err;
	char notices[512];
	int rc;
};

/* Up to a few words on the command line and variables, each list ended by
 * NULL. */
static void
parse(struct run *r, const char *const words[], const char *const vars[])
{
	char *argv[WORDS_MAX + 2] = { (char *)(uintptr_t) "controller" };
	char *envp[WORDS_MAX + 1] = { NULL };
	FILE *notices;
	int argc = 1;

	memset(r, 0, sizeof(*r));
	for (; words != NULL && words[argc - 1] != NULL; argc++)
		argv[argc] = (char *)(uintptr_t)words[argc - 1];
	for (size_t i = 0; vars != NULL && vars[i] != NULL; i++)
		envp[i] = (char *)(uintptr_t)vars[i];
	notices = fmemopen(r->notices, sizeof(r->notices), "w");
	assert_non_null(notices);
	r->rc = config_parse(argc, argv, envp, &r->c, notices, &r->err);
	assert_int_equal(fclose(notices), 0);
}

#define LIST(...)                               \
	(const char *const[])                   \
	{                                       \
		__VA_ARGS__ __VA_OPT__(, ) NULL \
	}

static void
has_the_reference_s_defaults(void **state UNUSED)
{
	struct run r;

	parse(&r, NULL, NULL);
	assert_int_equal(r.rc, 0);
	assert_true(r.c.accept_v1_data);
	assert_string_equal(r.c.additional_namespaces, "");
	assert_string_equal(r.c.admin_listen_addr, "");
	assert_string_equal(r.c.admin_tls_cert_file, "");
	assert_string_equal(r.c.admin_tls_key_file, "");
	assert_string_equal(r.c.admin_token_audience, "sealed-secrets-admin");
	assert_string_equal(r.c.backup_recipients_file, "");
	assert_true(r.c.all_namespaces);
	assert_string_equal(r.c.key_cutoff_time, "");
	assert_int_equal(r.c.key_cutoff_s, 0);
	assert_string_equal(r.c.key_order_priority, "CertNotBefore");
	assert_false(r.c.key_order_by_creation);
	assert_string_equal(r.c.key_prefix, "sealed-secrets-key");
	assert_int_equal(r.c.key_renew_period_ns, 720 * HOUR_NS);
	assert_int_equal(r.c.key_size, 4096);
	assert_int_equal(r.c.key_ttl_ns, 87600 * HOUR_NS);
	assert_string_equal(r.c.kubeconfig, "");
	assert_int_equal(r.c.kubeclient_burst, 10);
	assert_true(r.c.kubeclient_qps == 5.0);
	assert_false(r.c.kubeclient_limited);
	assert_string_equal(r.c.label_selector, "");
	assert_false(r.c.leader_elect);
	assert_int_equal(r.c.lease_duration_ns, HOUR_NS / 240);
	assert_int_equal(r.c.lease_renew_ns, HOUR_NS / 360);
	assert_int_equal(r.c.lease_retry_ns, HOUR_NS / 1800);
	assert_string_equal(r.c.lease_name, "sealed-secrets-controller");
	assert_string_equal(r.c.listen_addr, ":8080");
	assert_string_equal(r.c.listen_metrics_addr, ":8081");
	assert_string_equal(r.c.log_format, "text");
	assert_true(r.c.log_info_stdout);
	assert_string_equal(r.c.log_level, "INFO");
	assert_int_equal(r.c.max_unseal_retries, 5);
	assert_false(r.c.metrics_omit_secret_labels);
	assert_string_equal(r.c.my_cn, "");
	assert_false(r.c.old_gc_behavior);
	assert_string_equal(r.c.privatekey_annotations, "");
	assert_string_equal(r.c.privatekey_labels, "");
	assert_int_equal(r.c.rate_limit, 2);
	assert_int_equal(r.c.rate_limit_burst, 2);
	assert_int_equal(r.c.read_timeout_ns, HOUR_NS / 30);
	assert_false(r.c.skip_recreate);
	assert_true(r.c.update_status);
	assert_false(r.c.version);
	assert_false(r.c.watch_for_secrets);
	assert_int_equal(r.c.workers, 4);
	assert_int_equal(r.c.write_timeout_ns, HOUR_NS / 30);
	assert_false(r.c.help);
}

static void
command_line_beats_environment_beats_default(void **state UNUSED)
{
	struct run r;

	parse(&r, NULL, LIST("SEALED_SECRETS_WORKERS=7"));
	assert_int_equal(r.rc, 0);
	assert_int_equal(r.c.workers, 7);
	parse(&r, LIST("--workers=9"), LIST("SEALED_SECRETS_WORKERS=7"));
	assert_int_equal(r.rc, 0);
	assert_int_equal(r.c.workers, 9);
	parse(&r, NULL, LIST("SEALED_SECRETS_UPDATE_STATUS=0"));
	assert_int_equal(r.rc, 0);
	assert_false(r.c.update_status);
	parse(&r, NULL, LIST("SEALED_SECRETS_VERSION=true"));
	assert_int_equal(r.rc, 0);
	assert_true(r.c.version);
}

/* As the chart passes them: two words per flag. */
static void
takes_the_chart_s_arguments(void **state UNUSED)
{
	struct run r;

	parse(&r,
	    LIST("--key-prefix", "sealed-secrets-key", "--listen-addr", ":8080",
		"--update-status", "--log-format", "json"),
	    NULL);
	assert_int_equal(r.rc, 0);
	assert_true(r.c.update_status);
	assert_string_equal(r.c.log_format, "json");
}

/* Service links of a Service named sealed-secrets look like ours. */
static void
ignores_variables_that_are_no_flags(void **state UNUSED)
{
	struct run r;

	parse(&r, NULL,
	    LIST("SEALED_SECRETS_PORT=tcp://10.0.0.1:8080",
		"SEALED_SECRETS_SERVICE_HOST=10.0.0.1",
		"SEALED_SECRETS_KEY=x"));
	assert_int_equal(r.rc, 0);
}

static void
the_deprecated_period_wins_in_the_environment(void **state UNUSED)
{
	struct run r;

	parse(&r, NULL,
	    LIST("SEALED_SECRETS_ROTATE_PERIOD=2h",
		"SEALED_SECRETS_KEY_RENEW_PERIOD=1h"));
	assert_int_equal(r.rc, 0);
	assert_int_equal(r.c.key_renew_period_ns, 2 * HOUR_NS);
	assert_string_equal(r.notices, "");
	/* On the command line the last one does. */
	parse(&r, LIST("--rotate-period=2h", "--key-renew-period=1h"), NULL);
	assert_int_equal(r.rc, 0);
	assert_int_equal(r.c.key_renew_period_ns, HOUR_NS);
	assert_string_equal(r.notices,
	    "Flag --rotate-period has been deprecated, please use "
	    "key-renew-period instead\n");
}

static void
honours_client_limits_only_when_given(void **state UNUSED)
{
	struct run r;

	parse(&r, LIST("--kubeclient-burst=20"), NULL);
	assert_int_equal(r.rc, 0);
	assert_true(r.c.kubeclient_limited);
	assert_true(r.c.kubeclient_qps == 5.0);
	parse(&r, NULL, LIST("SEALED_SECRETS_KUBECLIENT_QPS=0"));
	assert_int_equal(r.rc, 0);
	assert_true(r.c.kubeclient_limited);
	assert_true(r.c.kubeclient_qps == 5.0);
	parse(&r, LIST("--kubeclient-qps=-1", "--kubeclient-burst=0"), NULL);
	assert_int_equal(r.rc, 0);
	assert_true(r.c.kubeclient_qps == -1.0);
	parse(&r, LIST("--kubeclient-burst=0"), NULL);
	assert_int_equal(r.rc, -1);
	assert_non_null(strstr(r.err.msg, "--kubeclient-burst"));
}

static void
reads_the_cutoff_time(void **state UNUSED)
{
	struct run r;

	parse(&r, LIST("--key-cutoff-time", "Thu, 01 Jan 1970 01:00:10 +0100"),
	    NULL);
	assert_int_equal(r.rc, 0);
	assert_int_equal(r.c.key_cutoff_s, 10);
}

static void
tells_key_order_by_name(void **state UNUSED)
{
	struct run r;

	parse(&r, LIST("--key-order-priority=SecretCreationTimestamp"), NULL);
	assert_int_equal(r.rc, 0);
	assert_true(r.c.key_order_by_creation);
}

static void
help_stops_before_checks_over_several_flags(void **state UNUSED)
{
	struct run r;

	parse(&r, LIST("--kubeclient-burst=0", "--help", "--workers=0"), NULL);
	assert_int_equal(r.rc, 0);
	assert_true(r.c.help);
}

static void
accepts_every_good_value(void **state UNUSED)
{
	static const char *const good[] = {
		"--key-size=2048",
		"--key-size=0x2000",
		"--key-activation-delay=24h",
		"--key-usage-delay=0",
		"--key-renew-period=0",
		"--key-renew-period=1s",
		"--key-ttl=1s",
		"--listen-addr=127.0.0.1:0",
		"--listen-metrics-addr=[::1]:80",
		"--log-level=debug",
		"--log-level=WARN+2",
		"--max-unseal-retries=0",
		"--max-unseal-retries=-1",
		"--my-cn=controller.example.org",
		"--privatekey-annotations=a=b=c,d.io/e=",
		"--privatekey-labels=,a=b,,c.io/d=e,",
		"--rate-limit=0",
		"--workers=1",
		"--workers=64",
		"--read-timeout=1ns",
		"--key-cutoff-time=",
	};
	struct run r;

	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		parse(&r, LIST(good[i]), NULL);
		if (r.rc != 0)
			fail_msg("%s: %s", good[i], r.err.msg);
	}
}

static void
a_bad_value_names_flag_value_and_accepted_form(void **state UNUSED)
{
	static const struct {
		const char *flag, *value, *form;
	} bad[] = {
		{ "accept-deprecated-v1-data", "yes", "true or false" },
		{ "additional-namespaces", "a,B", "separated by commas" },
		{ "label-selector", "a in b", "a label selector such as" },
		{ "key-activation-delay", "1", "a duration from 1s on" },
		{ "key-cutoff-time", "2024-01-01", "Mon, 02 Jan 2006" },
		{ "key-order-priority", "newest", "CertNotBefore or" },
		{ "key-prefix", "", "name is empty" },
		{ "publish-cert-configmap", "A_b", "the name of a ConfigMap" },
		{ "publish-cert-configmap", "a/b", "the name of a ConfigMap" },
		{ "key-prefix", "Key", "illegal character K" },
		{ "key-renew-period", "30", "a duration from 1s on" },
		{ "key-renew-period", "30d", "a duration from 1s on" },
		{ "key-renew-period", "-1h", "0 (never) or a duration" },
		{ "admin-listen-addr", "8443", "an address such as :8080" },
		{ "admin-listen-addr", ":8443", "needs --admin-tls-cert-file" },
		{ "admin-token-audience", "", "a text of 1 to 253 bytes" },
		{ "key-renew-period", "999ms", "a duration from 1s on" },
		{ "key-size", "1024", "an integer from 2048 to 8192" },
		{ "key-size", "8193", "an integer from 2048 to 8192" },
		{ "key-size", "4096.0", "an integer from 2048 to 8192" },
		{ "key-ttl", "0", "a duration from 1s on" },
		{ "key-usage-delay", "-1s", "0 (never) or a duration" },
		{ "kubeclient-burst", "3000000000", "an integer" },
		{ "kubeclient-qps", "fast", "a number" },
		{ "kubeclient-qps", "inf", "a number" },
		{ "leader-elect", "on", "true or false" },
		{ "leader-elect-lease-duration", "1500ms", "whole seconds" },
		{ "leader-elect-lease-duration", "2h", "whole seconds" },
		{ "leader-elect-lease-duration", "10s", "must be over" },
		{ "leader-elect-renew-deadline", "0", "a duration from 100ms" },
		{ "leader-elect-renew-deadline", "15s", "must be under" },
		{ "leader-elect-renew-deadline", "2400ms", "must be over" },
		{ "leader-elect-resource-name", "A", "illegal character" },
		{ "leader-elect-retry-period", "9s", "1.2 times" },
		{ "listen-addr", "8080", "an address such as :8080" },
		{ "listen-metrics-addr", "::1:80", "an address such as" },
		{ "allow-secret-types", "Opaque", "a list of those two types" },
		{ "allow-secret-types", "bootstrap.kubernetes.io/token,x",
		    "a list of those two types" },
		{ "drift", "on", "repair, detect or off" },
		{ "log-format", "xml", "text or json" },
		{ "log-level", "loud", "DEBUG, INFO, WARN or ERROR" },
		{ "max-unseal-retries", "1e+06", "an integer up to" },
		{ "privatekey-annotations", "a", "without \"=\"" },
		{ "privatekey-labels", "a", "key=value pairs" },
		{ "privatekey-labels", "a=b c", "an invalid value" },
		{ "rate-limit", "-1", "an integer from 0" },
		{ "rate-limit-burst", "x", "an integer from 0" },
		{ "read-timeout", "0", "a duration over 0" },
		{ "rotate-period", "30d", "a duration from 1s on" },
		{ "workers", "0", "an integer from 1 to 64" },
		{ "workers", "65", "an integer from 1 to 64" },
		{ "write-timeout", "-1s", "a duration over 0" },
	};
	struct run r;

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		char word[256], var[256], quoted[256];

		(void)snprintf(
		    word, sizeof(word), "--%s=%s", bad[i].flag, bad[i].value);
		(void)snprintf(quoted, sizeof(quoted),
		    "invalid argument \"%s\" for \"--%s\" flag: ", bad[i].value,
		    bad[i].flag);
		parse(&r, LIST(word), NULL);
		if (r.rc != -1 || r.err.code != ERR_INVALID ||
		    strncmp(r.err.msg, quoted, strlen(quoted)) != 0 ||
		    strstr(r.err.msg, bad[i].form) == NULL)
			fail_msg("%s: %d %s", word, r.rc, r.err.msg);

		(void)snprintf(var, sizeof(var), "SEALED_SECRETS_%s=%s",
		    bad[i].flag, bad[i].value);
		for (char *p = var; *p != '='; p++)
			*p = *p == '-' ? '_' : *p >= 'a' ? (char)(*p - 32) : *p;
		(void)snprintf(quoted, sizeof(quoted),
		    "invalid value \"%s\" for %.*s: ", bad[i].value,
		    (int)strcspn(var, "="), var);
		parse(&r, NULL, LIST(var));
		if (r.rc != -1 ||
		    strncmp(r.err.msg, quoted, strlen(quoted)) != 0 ||
		    strstr(r.err.msg, bad[i].form) == NULL)
			fail_msg("%s: %d %s", var, r.rc, r.err.msg);
	}
}

static void
leaves_the_result_alone_on_failure(void **state UNUSED)
{
	char *argv[] = { (char *)(uintptr_t) "controller",
		(char *)(uintptr_t) "--workers=0", NULL };
	char *envp[] = { NULL };
	struct config c = { .workers = 42 };
	struct err err = ERR_INIT;

	assert_int_equal(config_parse(2, argv, envp, &c, NULL, &err), -1);
	assert_int_equal(c.workers, 42);
}

static void
usage_lists_every_flag_sorted_and_aligned(void **state UNUSED)
{
	char text[16384] = "", *line, *save, last[64] = "";
	FILE *out = fmemopen(text, sizeof(text), "w");
	size_t column = 0, n = 0;

	assert_non_null(out);
	config_usage("controller", out);
	assert_int_equal(fclose(out), 0);
	assert_null(strstr(text, "rotate-period"));
	assert_non_null(strstr(text,
	    "      --key-size int                           Bits of a new RSA "
	    "key (default 4096)\n"));
	line = strtok_r(text, "\n", &save);
	assert_string_equal(line, "Usage of controller:");
	for (line = strtok_r(NULL, "\n", &save);
	     line != NULL && strncmp(line, "      --", 8) == 0;
	     line = strtok_r(NULL, "\n", &save), n++) {
		char name[64];
		size_t at;

		assert_int_equal(sscanf(line, " --%63s", name), 1);
		assert_true(strcmp(last, name) < 0);
		memcpy(last, name, sizeof(last));
		/* The text begins behind the last run of three spaces. */
		at = strlen(line);
		while (at >= 3 && strncmp(line + at - 3, "   ", 3) != 0)
			at--;
		if (column == 0)
			column = at;
		assert_int_equal(at, column);
	}
	assert_true(n > 40);
}

/* A good value of each flag that is not its default, and what it reads as. */
enum kind { BOOL, NUMBER, REAL, TEXT };

#define AT(member) offsetof(struct config, member)
static const struct spelled {
	const char *flag, *value;
	enum kind kind;
	size_t at;
	int64_t want; /* of BOOL, NUMBER and REAL */
} spelled[] = {
	{ "accept-deprecated-v1-data", "false", BOOL, AT(accept_v1_data), 0 },
	{ "additional-namespaces", "a,b", TEXT, AT(additional_namespaces), 0 },
	{ "admin-listen-addr", ":8443", TEXT, AT(admin_listen_addr), 0 },
	{ "admin-tls-cert-file", "/c", TEXT, AT(admin_tls_cert_file), 0 },
	{ "admin-tls-key-file", "/k", TEXT, AT(admin_tls_key_file), 0 },
	{ "admin-token-audience", "x", TEXT, AT(admin_token_audience), 0 },
	{ "all-namespaces", "F", BOOL, AT(all_namespaces), 0 },
	{ "allow-secret-types", "bootstrap.kubernetes.io/token", TEXT,
	    AT(allow_secret_types), 0 },
	{ "backup-recipients-file", "/r", TEXT, AT(backup_recipients_file), 0 },
	{ "drift", "detect", TEXT, AT(drift), 0 },
	{ "key-activation-delay", "24h", NUMBER, AT(key_activation_delay_ns),
	    24 * HOUR_NS },
	{ "key-cutoff-time", "Mon, 02 Jan 2006 15:04:05 -0700", TEXT,
	    AT(key_cutoff_time), 0 },
	{ "key-order-priority", "SecretCreationTimestamp", TEXT,
	    AT(key_order_priority), 0 },
	{ "key-prefix", "mine", TEXT, AT(key_prefix), 0 },
	{ "key-renew-period", "1.5h", NUMBER, AT(key_renew_period_ns),
	    HOUR_NS + HOUR_NS / 2 },
	{ "key-size", "2048", NUMBER, AT(key_size), 2048 },
	{ "key-ttl", "1h", NUMBER, AT(key_ttl_ns), HOUR_NS },
	{ "key-usage-delay", "1h", NUMBER, AT(key_usage_delay_ns), HOUR_NS },
	{ "kubeclient-burst", "0x14", NUMBER, AT(kubeclient_burst), 20 },
	{ "kubeclient-qps", "2e1", REAL, AT(kubeclient_qps), 20 },
	{ "kubeconfig", "/f", TEXT, AT(kubeconfig), 0 },
	{ "label-selector", "a=b", TEXT, AT(label_selector), 0 },
	{ "leader-elect", "1", BOOL, AT(leader_elect), 1 },
	{ "leader-elect-lease-duration", "20s", NUMBER, AT(lease_duration_ns),
	    HOUR_NS / 180 },
	{ "leader-elect-renew-deadline", "12s", NUMBER, AT(lease_renew_ns),
	    HOUR_NS / 300 },
	{ "leader-elect-resource-name", "l", TEXT, AT(lease_name), 0 },
	{ "leader-elect-retry-period", "3s", NUMBER, AT(lease_retry_ns),
	    HOUR_NS / 1200 },
	{ "listen-addr", ":80", TEXT, AT(listen_addr), 0 },
	{ "listen-metrics-addr", ":81", TEXT, AT(listen_metrics_addr), 0 },
	{ "log-format", "json", TEXT, AT(log_format), 0 },
	{ "log-info-stdout", "False", BOOL, AT(log_info_stdout), 0 },
	{ "log-level", "WARN", TEXT, AT(log_level), 0 },
	{ "max-unseal-retries", "1_0", NUMBER, AT(max_unseal_retries), 10 },
	{ "metrics-omit-secret-labels", "t", BOOL,
	    AT(metrics_omit_secret_labels), 1 },
	{ "my-cn", "cn", TEXT, AT(my_cn), 0 },
	{ "old-gc-behavior", "TRUE", BOOL, AT(old_gc_behavior), 1 },
	{ "privatekey-annotations", "a=b", TEXT, AT(privatekey_annotations),
	    0 },
	{ "privatekey-labels", "a=b", TEXT, AT(privatekey_labels), 0 },
	{ "publish-cert-configmap", "cm", TEXT, AT(publish_cert_configmap), 0 },
	{ "rate-limit", "7", NUMBER, AT(rate_limit), 7 },
	{ "rate-limit-burst", "7", NUMBER, AT(rate_limit_burst), 7 },
	{ "read-timeout", "1h", NUMBER, AT(read_timeout_ns), HOUR_NS },
	{ "rotate-period", "1h", NUMBER, AT(key_renew_period_ns), HOUR_NS },
	{ "skip-recreate", "true", BOOL, AT(skip_recreate), 1 },
	{ "update-status", "0", BOOL, AT(update_status), 0 },
	{ "version", "true", BOOL, AT(version), 1 },
	{ "watch-for-secrets", "true", BOOL, AT(watch_for_secrets), 1 },
	{ "workers", "9", NUMBER, AT(workers), 9 },
	{ "write-timeout", "1h", NUMBER, AT(write_timeout_ns), HOUR_NS },
};

static bool
reads_as(const struct config *c, const struct spelled *f)
{
	const char *p = (const char *)c + f->at;

	switch (f->kind) {
	case BOOL:
		return *(const bool *)(const void *)p == (f->want == 1);
	case NUMBER:
		return *(const int64_t *)(const void *)p == f->want;
	case REAL:
		return *(const double *)(const void *)p == (double)f->want;
	case TEXT:
		return strcmp(*(const char *const *)(const void *)p,
			   f->value) == 0;
	}
	return false;
}

static bool
needs_companions(const struct spelled *f)
{
	return strcmp(f->flag, "admin-listen-addr") == 0;
}

/* What a flag needs beside it; the last occurrence of a word wins. */
#define COMPANIONS "--admin-tls-cert-file=/x", "--admin-tls-key-file=/y"

static void
expect_read(const struct run *r, const struct spelled *f, const char *how)
{
	if (r->rc != 0 || !reads_as(&r->c, f))
		fail_msg("--%s %s: %s", f->flag, how, r->err.msg);
}

static void
every_flag_is_read_in_both_spellings_and_from_the_environment(
    void **state UNUSED)
{
	struct run r;

	for (size_t i = 0; i < ARRAY_SIZE(spelled); i++) {
		const struct spelled *f = &spelled[i];
		struct spelled bare = *f;
		char word[256], var[256], name[128];

		parse(&r, NULL, NULL);
		if (reads_as(&r.c, f))
			fail_msg("--%s: the default", f->flag);
		(void)snprintf(
		    word, sizeof(word), "--%s=%s", f->flag, f->value);
		parse(&r, LIST(COMPANIONS, word), NULL);
		expect_read(&r, f, "in one word");
		/* A boolean never takes the next word. */
		(void)snprintf(name, sizeof(name), "--%s", f->flag);
		bare.want = 1;
		parse(&r, LIST(COMPANIONS, name, f->value), NULL);
		expect_read(&r, f->kind == BOOL ? &bare : f, "in two words");
		(void)snprintf(var, sizeof(var), "SEALED_SECRETS_%s=%s",
		    f->flag, f->value);
		for (char *p = var; *p != '='; p++)
			*p = *p == '-' ? '_' : *p >= 'a' ? (char)(*p - 32) : *p;
		parse(&r, needs_companions(f) ? LIST(COMPANIONS) : NULL,
		    LIST(var));
		expect_read(&r, f, "in the environment");
		/* Single dashes are for letters. */
		parse(&r, LIST(word + 1), NULL);
		if (r.rc != -1)
			fail_msg("%s: taken", word + 1);
	}
}

static bool
is_spelled(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(spelled); i++)
		if (strcmp(spelled[i].flag, name) == 0)
			return true;
	return false;
}

/* So that the table above stays complete. */
static void
no_flag_is_missing_from_these_tests(void **state UNUSED)
{
	char text[16384] = "", *line, *save, name[64];
	FILE *out = fmemopen(text, sizeof(text), "w");

	assert_non_null(out);
	config_usage("controller", out);
	assert_int_equal(fclose(out), 0);
	for (line = strtok_r(text, "\n", &save); line != NULL;
	     line = strtok_r(NULL, "\n", &save))
		if (sscanf(line, " --%63s", name) == 1 && !is_spelled(name))
			fail_msg("--%s", name);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(has_the_reference_s_defaults),
		cmocka_unit_test(command_line_beats_environment_beats_default),
		cmocka_unit_test(takes_the_chart_s_arguments),
		cmocka_unit_test(ignores_variables_that_are_no_flags),
		cmocka_unit_test(the_deprecated_period_wins_in_the_environment),
		cmocka_unit_test(honours_client_limits_only_when_given),
		cmocka_unit_test(reads_the_cutoff_time),
		cmocka_unit_test(tells_key_order_by_name),
		cmocka_unit_test(help_stops_before_checks_over_several_flags),
		cmocka_unit_test(
		    every_flag_is_read_in_both_spellings_and_from_the_environment),
		cmocka_unit_test(no_flag_is_missing_from_these_tests),
		cmocka_unit_test(accepts_every_good_value),
		cmocka_unit_test(
		    a_bad_value_names_flag_value_and_accepted_form),
		cmocka_unit_test(leaves_the_result_alone_on_failure),
		cmocka_unit_test(usage_lists_every_flag_sorted_and_aligned),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
