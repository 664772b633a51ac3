/*
 * A start that is refused: exit code and the one line that says why.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "base/mem.h"
#include "lib/proc.h"

#define START_MS 10000

/* Each flag with values that it must not take, as flag and as variable. */
static const struct {
	const char *flag, *value, *form;
} bad[] = {
	{ "accept-deprecated-v1-data", "yes", "true or false" },
	{ "additional-namespaces", "a,B_c", "names of namespaces" },
	{ "admin-listen-addr", "8443", "an address such as" },
	{ "admin-token-audience", "", "1 to 253 bytes" },
	{ "all-namespaces", "all", "true or false" },
	{ "allow-secret-types", "Opaque", "a list of those two" },
	{ "drift", "maybe", "repair, detect or off" },
	{ "key-activation-delay", "1", "or a duration" },
	{ "key-cutoff-time", "tomorrow", "a time such as" },
	{ "key-order-priority", "Newest", "CertNotBefore or" },
	{ "key-prefix", "my_key", "a name of 1 to 245" },
	{ "key-renew-period", "30d", "or a duration" },
	{ "key-renew-period", "-1h", "or a duration" },
	{ "key-size", "1024", "2048 to 8192" },
	{ "key-ttl", "never", "a duration" },
	{ "key-usage-delay", "1", "or a duration" },
	{ "kubeclient-burst", "1.5", "an integer" },
	{ "kubeclient-qps", "fast", "a number" },
	{ "label-selector", "team in x", "a label selector such as" },
	{ "leader-elect", "2", "true or false" },
	{ "leader-elect-lease-duration", "1ms", "whole seconds" },
	{ "leader-elect-renew-deadline", "1h1s", "a duration" },
	{ "leader-elect-resource-name", "", "a name of" },
	{ "leader-elect-retry-period", "x", "a duration" },
	{ "listen-addr", "8080", "an address such as" },
	{ "listen-metrics-addr", "x:y:z", "an address such as" },
	{ "log-format", "xml", "text or json" },
	{ "log-info-stdout", "", "true or false" },
	{ "log-level", "verbose", "DEBUG, INFO" },
	{ "max-unseal-retries", "many", "an integer" },
	{ "metrics-omit-secret-labels", "x", "true or false" },
	{ "my-cn",
	    "a-common-name-that-is-longer-than-the-sixty-four-bytes-of-X.509-"
	    "allow",
	    "at most 64 bytes" },
	{ "old-gc-behavior", "x", "true or false" },
	{ "privatekey-annotations", "a", "key=value" },
	{ "privatekey-labels", "a", "key=value" },
	{ "publish-cert-configmap", "A_b", "the name of a ConfigMap" },
	{ "rate-limit", "-1", "an integer" },
	{ "rate-limit-burst", "-1", "an integer" },
	{ "read-timeout", "0", "a duration" },
	{ "rotate-period", "1", "or a duration" },
	{ "skip-recreate", "x", "true or false" },
	{ "update-status", "x", "true or false" },
	{ "version", "x", "true or false" },
	{ "watch-for-secrets", "x", "true or false" },
	{ "workers", "0", "1 to 64" },
	{ "write-timeout", "-1s", "a duration" },
};

static void
expect_refusal(
    const char *const args[], const char *env, const char *const words[3])
{
	const char *path = getenv("CONTROLLER");
	const char *argv[8] = { path == NULL ? "build/controller" : path };
	const char *const envp[] = { env, NULL };
	AUTO(proc) struct proc *p = NULL;
	AUTO_STR char *said = NULL;
	int status = -1;

	for (size_t i = 0; args != NULL && args[i] != NULL; i++)
		argv[i + 1] = args[i];
	p = proc_start("controller", argv, env == NULL ? NULL : envp);
	if (!proc_wait(p, START_MS, &status))
		fail_msg("%s: goes on", words[0]);
	said = proc_output(p);
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 2)
		fail_msg("%s: status %d: %s", words[0], status, said);
	for (size_t i = 0; i < 3; i++)
		if (strstr(said, words[i]) == NULL)
			fail_msg("no \"%s\" in: %s", words[i], said);
	if (strchr(said, '\n') == NULL || strcmp(strchr(said, '\n'), "\n") != 0)
		fail_msg("not one line: %s", said);
}

static void
a_bad_flag_ends_the_start_with_one_line(void **state UNUSED)
{
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		AUTO_STR char *arg =
		    xasprintf("--%s=%s", bad[i].flag, bad[i].value);
		AUTO_STR char *name = xasprintf("\"--%s\"", bad[i].flag);
		AUTO_STR char *value = xasprintf("\"%s\"", bad[i].value);
		const char *const args[] = { arg, NULL };
		const char *const words[] = { name, value, bad[i].form };

		/* A deprecated flag has a notice of its own. */
		if (strcmp(bad[i].flag, "rotate-period") != 0)
			expect_refusal(args, NULL, words);
	}
}

static void
a_bad_variable_ends_the_start_with_one_line(void **state UNUSED)
{
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		AUTO_STR char *name =
		    xasprintf("SEALED_SECRETS_%s", bad[i].flag);
		AUTO_STR char *env = NULL;
		AUTO_STR char *value = xasprintf("\"%s\"", bad[i].value);
		const char *const words[] = { name, value, bad[i].form };

		for (char *p = name; *p != '\0'; p++)
			*p = *p == '-'		     ? '_'
			    : *p >= 'a' && *p <= 'z' ? (char)(*p - 'a' + 'A')
						     : *p;
		env = xasprintf("%s=%s", name, bad[i].value);
		expect_refusal(NULL, env, words);
	}
}

static void
values_that_do_not_fit_together_are_refused(void **state UNUSED)
{
	static const struct {
		const char *args[3];
		const char *words[3];
	} cases[] = {
		{ { "--kubeclient-qps=5", "--kubeclient-burst=0" },
		    { "--kubeclient-burst", "\"0\"", "must be over 0" } },
		{ { "--leader-elect-lease-duration=5s" },
		    { "--leader-elect-lease-duration", "\"5s\"",
			"--leader-elect-renew-deadline" } },
		{ { "--leader-elect-renew-deadline=15s" },
		    { "--leader-elect-renew-deadline", "\"15s\"",
			"--leader-elect-lease-duration" } },
		{ { "--leader-elect-retry-period=9s" },
		    { "--leader-elect-retry-period", "\"9s\"", "1.2 times" } },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		expect_refusal(cases[i].args, NULL, cases[i].words);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_bad_flag_ends_the_start_with_one_line),
		cmocka_unit_test(a_bad_variable_ends_the_start_with_one_line),
		cmocka_unit_test(values_that_do_not_fit_together_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
