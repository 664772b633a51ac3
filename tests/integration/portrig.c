/*
 * Starting controllers with the admin port, and what lets somebody in there.
 */
#include "portrig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/jsonx.h"
#include "base/mem.h"
#include "lib/certs.h"
#include "lib/tempdir.h"

#define ACCOUNTS "/api/v1/namespaces/kube-system/serviceaccounts"
#define START_MS 20000
#define ARGS_MAX 8

void
portrig_allow(struct portrig *r, const char *verbs)
{
	json_t *rules = json_array();
	AUTO_STR char *copy = xstrdup(verbs);
	char *rest = copy, *verb;

	while ((verb = strsep(&rest, " ")) != NULL && *verb != '\0')
		json_array_append_new(rules,
		    json_pack("{s:s,s:s,s:s,s:s}", "user", PORTRIG_USER, "verb",
			verb, "resource", "secrets", "namespace",
			"kube-system"));
	control_post(r->h->api, "grants", json_pack("{s:o}", "rules", rules));
}

char *
portrig_token(struct portrig *r, const char *audience)
{
	AUTO_JSON json_t *ask =
	    json_pack("{s:{s:[s]}}", "spec", "audiences", audience);
	AUTO_JSON json_t *got = NULL;

	assert_int_equal(
	    api_post(r->h->api, ask, &got, ACCOUNTS "/operator/token"), 201);
	return xstrdup(jsonx_str(got, "status", "token", NULL));
}

void
portrig_init(struct portrig *r)
{
	AUTO_JSON json_t *account =
	    json_pack("{s:{s:s}}", "metadata", "name", "operator");

	memset(r, 0, sizeof(*r));
	r->h = harness_new(NULL);
	assert_int_equal(api_post(r->h->api, account, NULL, ACCOUNTS), 201);
	r->ca = tempdir_path("admin-ca.crt");
	r->cert = tempdir_path("admin.crt");
	r->key = tempdir_path("admin.key");
	r->cert_flag = xasprintf("--admin-tls-cert-file=%s", r->cert);
	r->key_flag = xasprintf("--admin-tls-key-file=%s", r->key);
	certs_write(r->ca, r->cert, r->key);
	portrig_allow(r, "list get create");
}

int
portrig_end(struct portrig *r)
{
	int rc = harness_end(r->h);

	free(r->ca);
	free(r->cert);
	free(r->key);
	free(r->cert_flag);
	free(r->key_flag);
	free(r->addr);
	return rc;
}

static void
fill(struct portrig *r, const char *const more[], const char *args[ARGS_MAX])
{
	size_t n = 0;

	args[n++] = PORTRIG_ON;
	args[n++] = r->cert_flag;
	args[n++] = r->key_flag;
	for (; more != NULL && *more != NULL; more++) {
		assert_true(n < ARGS_MAX - 1);
		args[n++] = *more;
	}
	args[n] = NULL;
}

static void
await_port(struct portrig *r, struct proc *controller)
{
	free(r->addr);
	r->addr = proc_wait_word(controller, PORTRIG_SERVING, START_MS);
	assert_non_null(r->addr);
}

void
portrig_start(struct portrig *r, const char *const more[])
{
	const char *args[ARGS_MAX];

	fill(r, more, args);
	harness_start_ready(r->h, args);
	await_port(r, r->h->controller);
}

struct proc *
portrig_spawn(struct portrig *r, const char *const more[])
{
	const char *args[ARGS_MAX];
	struct proc *p;

	fill(r, more, args);
	p = harness_spawn(r->h, args);
	await_port(r, p);
	return p;
}
