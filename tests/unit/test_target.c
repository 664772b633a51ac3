/*
 * Tests of controller/kube/target.c: where requests go, whom we trust there,
 * heads of answers.
 * layer: kube
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "controller/kube/target.h"
#include "tmpfiles.h"

static bool
feed(struct target_head *h, const char *line)
{
	return target_head_line(h, line, strlen(line));
}

static void
the_head_of_an_answer_is_read(void **state UNUSED)
{
	struct target_head h;

	target_head_reset(&h);
	assert_true(feed(&h, "HTTP/1.1 429 Too Many Requests\r\n"));
	assert_true(feed(&h, "content-type:  application/json; x=y \r\n"));
	assert_true(feed(&h, "RETRY-AFTER: 7\r\n"));
	assert_false(h.complete);
	assert_true(feed(&h, "\r\n"));
	assert_int_equal(h.status, 429);
	assert_true(h.json);
	assert_int_equal(h.retry_after_s, 7);
	assert_true(h.complete);
}

static void
an_interim_answer_does_not_count(void **state UNUSED)
{
	struct target_head h;

	target_head_reset(&h);
	assert_true(feed(&h, "HTTP/1.1 100 Continue\r\n"));
	assert_true(feed(&h, "Retry-After: 3\r\n"));
	assert_true(feed(&h, "\r\n"));
	assert_false(h.complete);
	assert_true(feed(&h, "HTTP/1.1 200 OK\r\n"));
	assert_true(feed(&h, "\r\n"));
	assert_int_equal(h.status, 200);
	assert_int_equal(h.retry_after_s, -1);
	assert_true(h.complete);
}

static void
retry_after_is_an_integer_or_nothing(void **state UNUSED)
{
	static const struct {
		const char *line;
		int want;
	} cases[] = {
		{ "Retry-After: 0\r\n", 0 },
		{ "Retry-After: 32\r\n", 32 },
		{ "Retry-After: 3600\r\n", 3600 },
		{ "Retry-After: 3601\r\n", 3600 },
		{ "Retry-After: 1000000000\r\n", 3600 },
		{ "Retry-After: 99999999999999999999999\r\n", 3600 },
		{ "Retry-After: -5\r\n", -1 },
		{ "Retry-After: 1.5\r\n", -1 },
		{ "Retry-After: 5 s\r\n", -1 },
		{ "Retry-After:\r\n", -1 },
		{ "Retry-After: Wed, 21 Oct 2026 07:28:00 GMT\r\n", -1 },
		{ "X-Retry-After: 5\r\n", -1 },
		{ "Retry-Afterx: 5\r\n", -1 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct target_head h;

		target_head_reset(&h);
		assert_true(feed(&h, cases[i].line));
		assert_int_equal(h.retry_after_s, cases[i].want);
	}
}

static void
only_json_is_json(void **state UNUSED)
{
	static const struct {
		const char *line;
		bool want;
	} cases[] = {
		{ "Content-Type: application/json\r\n", true },
		{ "Content-Type: Application/JSON;charset=utf-8\r\n", true },
		{ "Content-Type: application/jsonp\r\n", false },
		{ "Content-Type: text/plain\r\n", false },
		{ "Content-Type: text/html; application/json\r\n", false },
		{ "Content-Type:\r\n", false },
		{ "Content-Type\r\n", false },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct target_head h;

		target_head_reset(&h);
		assert_true(feed(&h, cases[i].line));
		assert_int_equal(h.json, cases[i].want);
	}
}

static void
an_endless_head_is_refused(void **state UNUSED)
{
	struct target_head h;
	char line[1024];
	unsigned n = 0;

	memset(line, 'x', sizeof(line));
	target_head_reset(&h);
	while (n < 1000 && target_head_line(&h, line, sizeof(line)))
		n++;
	assert_int_equal(n, 64);
	/* Beginning again, as after a 100, gives no new allowance. */
	assert_false(feed(&h, "HTTP/1.1 200 OK\r\n"));
}

static void
a_server_name_goes_into_the_url_and_the_address_elsewhere(void **state UNUSED)
{
	static const struct {
		const char *server, *name, *base, *to;
	} cases[] = {
		{ "https://10.0.0.1:6443", NULL, "https://10.0.0.1:6443",
		    NULL },
		{ "https://10.0.0.1:6443", "kube", "https://kube:6443",
		    "::10.0.0.1:6443" },
		{ "https://10.0.0.1", "kube", "https://kube",
		    "::10.0.0.1:443" },
		{ "https://10.0.0.1/k8s/c", "kube", "https://kube/k8s/c",
		    "::10.0.0.1:443" },
		{ "https://[fd00::1]:6443/a:b", "kube", "https://kube:6443/a:b",
		    "::[fd00::1]:6443" },
		{ "https://[fd00::1]", "kube", "https://kube",
		    "::[fd00::1]:443" },
		{ "https://h/a:b", "kube", "https://kube/a:b", "::h:443" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct kube_config cfg = {
			.server = (char *)cases[i].server,
			.tls_server_name = (char *)cases[i].name,
		};
		struct target t;

		target_init(&t, &cfg);
		assert_string_equal(t.base, cases[i].base);
		if (cases[i].to == NULL)
			assert_null(t.connect_to);
		else
			assert_string_equal(t.connect_to, cases[i].to);
		target_release(&t);
	}
}

static void
trust_follows_its_file(void **state UNUSED)
{
	struct tmpfiles files;
	struct kube_config cfg = { .server = (char *)"https://h" };
	struct err err = ERR_INIT;
	struct target t;
	bool changed;

	tmpfiles_init(&files);
	cfg.ca_file = (char *)tmpfiles_path(&files, "ca.crt");
	target_init(&t, &cfg);
	/* Nothing to trust yet: nothing works. */
	assert_int_equal(target_refresh(&t, &changed, &err), -1);
	assert_int_equal(err.code, ERR_TRANSPORT);
	tmpfiles_write(&files, "ca.crt", "");
	assert_int_equal(target_refresh(&t, &changed, &err), -1);

	tmpfiles_swap(&files, "ca.crt", "one");
	assert_int_equal(target_refresh(&t, &changed, &err), 0);
	assert_false(changed);
	assert_string_equal(t.ca.data, "one");
	assert_int_equal(target_refresh(&t, &changed, &err), 0);
	assert_false(changed);
	/* Another file with the same text is no change. */
	tmpfiles_swap(&files, "ca.crt", "one");
	assert_int_equal(target_refresh(&t, &changed, &err), 0);
	assert_false(changed);
	tmpfiles_swap(&files, "ca.crt", "two");
	assert_int_equal(target_refresh(&t, &changed, &err), 0);
	assert_true(changed);
	assert_string_equal(t.ca.data, "two");
	/* A rewrite in place, of another length. */
	tmpfiles_write(&files, "ca.crt", "three");
	assert_int_equal(target_refresh(&t, &changed, &err), 0);
	assert_true(changed);
	assert_string_equal(t.ca.data, "three");
	/* A file that is away keeps what we know. */
	tmpfiles_remove(&files, "ca.crt");
	assert_int_equal(target_refresh(&t, &changed, &err), 0);
	assert_false(changed);
	assert_string_equal(t.ca.data, "three");
	target_release(&t);
	tmpfiles_release(&files);
}

/* As where two changes have one time stamp: what we remember of the file is
 * what it looks like now. */
static void
a_change_that_only_contents_tell_is_seen_at_first(void **state UNUSED)
{
	struct tmpfiles files;
	struct kube_config cfg = { .server = (char *)"https://h" };
	struct err err = ERR_INIT;
	struct target t;
	bool changed;

	tmpfiles_init(&files);
	cfg.ca_file = (char *)tmpfiles_path(&files, "ca.crt");
	target_init(&t, &cfg);
	tmpfiles_write(&files, "ca.crt", "aaa");
	assert_int_equal(target_refresh(&t, &changed, &err), 0);
	tmpfiles_write(&files, "ca.crt", "bbb");
	assert_int_equal(stat(cfg.ca_file, &t.ca_stat), 0);
	assert_int_equal(target_refresh(&t, &changed, &err), 0);
	assert_true(changed);
	assert_string_equal(t.ca.data, "bbb");
	/* Read again a while later, the file need not be read any more. */
	t.ca_seen_ms -= 3000;
	tmpfiles_write(&files, "ca.crt", "ccc");
	assert_int_equal(stat(cfg.ca_file, &t.ca_stat), 0);
	assert_int_equal(target_refresh(&t, &changed, &err), 0);
	assert_false(changed);
	assert_string_equal(t.ca.data, "bbb");
	target_release(&t);
	tmpfiles_release(&files);
}

static void
without_an_authority_nothing_is_trusted(void **state UNUSED)
{
	static const struct {
		const char *server, *pem;
		bool insecure;
		int want;
	} cases[] = {
		{ "https://h", NULL, false, -1 },
		{ "https://h", "pem", false, 0 },
		{ "https://h", NULL, true, 0 },
		{ "http://127.0.0.1", NULL, false, 0 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct kube_config cfg = {
			.server = (char *)cases[i].server,
			.ca_pem = (char *)cases[i].pem,
			.insecure = cases[i].insecure,
		};
		struct err err = ERR_INIT;
		struct target t;
		bool changed;

		target_init(&t, &cfg);
		assert_int_equal(
		    target_refresh(&t, &changed, &err), cases[i].want);
		assert_false(changed);
		target_release(&t);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_head_of_an_answer_is_read),
		cmocka_unit_test(an_interim_answer_does_not_count),
		cmocka_unit_test(retry_after_is_an_integer_or_nothing),
		cmocka_unit_test(only_json_is_json),
		cmocka_unit_test(an_endless_head_is_refused),
		cmocka_unit_test(
		    a_server_name_goes_into_the_url_and_the_address_elsewhere),
		cmocka_unit_test(trust_follows_its_file),
		cmocka_unit_test(
		    a_change_that_only_contents_tell_is_seen_at_first),
		cmocka_unit_test(without_an_authority_nothing_is_trusted),
	};

	return cmocka_run_group_tests_name("target", tests, NULL, NULL);
}
