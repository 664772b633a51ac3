/*
 * Runs the conformance cases against the server that CONFORMANCE_KUBECONFIG
 * names, or, without it, against tests/apiserver (APISERVER), which must
 * then also obey its fault rules.
 */
#include "conformance.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/jsonx.h"
#include "base/mem.h"
#include "lib/proc.h"
#include "lib/tempdir.h"

#define MAX_VARS 32
#define START_MS 20000

struct var {
	char *name;
	char *value;
};

static struct api *api;
static struct api *anonymous;
static struct api *stranger;
static struct proc *server;
static struct var vars[MAX_VARS];
static size_t nvars;
static char namespace[64];

struct api *
conformance_api(void)
{
	return api;
}

struct api *
conformance_fake(void)
{
	return server == NULL ? NULL : api;
}

const char *
conformance_namespace(void)
{
	return namespace;
}

/* -- what names stand for -- */

static void
forget(void)
{
	for (size_t i = 0; i < nvars; i++) {
		free(vars[i].name);
		free(vars[i].value);
	}
	nvars = 0;
}

static void
remember(const char *name, const char *value)
{
	for (size_t i = 0; i < nvars; i++) {
		if (strcmp(vars[i].name, name) == 0) {
			free(vars[i].value);
			vars[i].value = xstrdup(value);
			return;
		}
	}
	assert_true(nvars < MAX_VARS);
	vars[nvars].name = xstrdup(name);
	vars[nvars++].value = xstrdup(value);
}

static char *
replace_all(char *text, const char *from, const char *to)
{
	char *at;

	while ((at = strstr(text, from)) != NULL) {
		char *out = xasprintf(
		    "%.*s%s%s", (int)(at - text), text, to, at + strlen(from));

		free(text);
		text = out;
	}
	return text;
}

/* Steals text. */
static char *
expand(char *text)
{
	AUTO_STR char *secrets =
	    xasprintf("/api/v1/namespaces/%s/secrets", namespace);
	AUTO_STR char *events =
	    xasprintf("/api/v1/namespaces/%s/events", namespace);
	AUTO_STR char *sealed = xasprintf("/apis/bitnami.com/v1alpha1/"
					  "namespaces/%s/sealedsecrets",
	    namespace);

	text = replace_all(text, "{S}", secrets);
	text = replace_all(text, "{E}", events);
	text = replace_all(text, "{X}", sealed);
	text = replace_all(text, "{N}", namespace);
	for (size_t i = 0; i < nvars; i++) {
		AUTO_STR char *name = xasprintf("<%s>", vars[i].name);

		text = replace_all(text, name, vars[i].value);
	}
	return text;
}

static char *
from_quoted(const char *text)
{
	char *out = xcalloc(strlen(text) + 1, 2), *to = out;

	for (const char *p = text; *p != '\0'; p++) {
		if (*p == '~')
			*to++ = '\\';
		*to++ = *p == '\'' || *p == '~' ? '"' : *p;
	}
	return expand(out);
}

/* -- matching -- */

static bool
matches(const json_t *v, const json_t *want, char **where, const char *path);

static bool
differs(char **where, const char *path, const json_t *v, const json_t *want)
{
	AUTO_STR char *have = v == NULL
	    ? xstrdup("nothing")
	    : json_dumps(v, JSON_ENCODE_ANY | JSON_COMPACT);
	AUTO_STR char *text = want == NULL
	    ? xstrdup("nothing")
	    : json_dumps(want, JSON_ENCODE_ANY | JSON_COMPACT);

	free(*where);
	*where = xasprintf("%s: is %s, wanted %s", path, have, text);
	return false;
}

static bool
has_form(const char *form, size_t n, const char *value)
{
	size_t len = strlen(value);

	if (strncmp(form, "any", n) == 0)
		return true;
	if (strncmp(form, "rv", n) == 0)
		return len > 0 && strspn(value, "0123456789") == len;
	if (strncmp(form, "uid", n) == 0)
		return len == 36 && strspn(value, "0123456789abcdef-") == len;
	if (strncmp(form, "time", n) == 0)
		return len == 20 && value[10] == 'T' && value[19] == 'Z';
	return false;
}

static bool
matches_text(const json_t *v, const char *want)
{
	const char *value = json_string_value(v);
	size_t n = strlen(want);

	if (*want == '^')
		return value != NULL && strncmp(value, want + 1, n - 1) == 0;
	if (*want != '<' || want[n - 1] != '>')
		return value != NULL && strcmp(value, want) == 0;
	if (strcmp(want, "<any>") == 0)
		return true;
	if (value == NULL ||
	    !has_form(want + 1, strcspn(want + 1, "=>"), value))
		return false;
	if (strchr(want, '=') != NULL) {
		AUTO_STR char *name = xstrndup(
		    strchr(want, '=') + 1, strcspn(strchr(want, '=') + 1, ">"));

		remember(name, value);
	}
	return true;
}

static bool
matches_set(const json_t *v, const json_t *want, char **where, const char *path)
{
	json_t *left, *w, *e;
	size_t i, k;
	bool fine = true;

	if (!json_is_array(v) || json_array_size(v) != json_array_size(want))
		return differs(where, path, v, want);
	left = json_copy((json_t *)(uintptr_t)v);
	json_array_foreach((json_t *)(uintptr_t)want, i, w)
	{
		bool found = false;

		json_array_foreach(left, k, e)
		{
			if (matches(e, w, where, path)) {
				json_array_remove(left, k);
				found = true;
				break;
			}
		}
		fine = fine && found;
	}
	json_decref(left);
	return fine || differs(where, path, v, want);
}

static bool
matches_object(
    const json_t *v, const json_t *want, char **where, const char *path)
{
	bool open = json_object_get(want, "*") != NULL;
	const char *k;
	json_t *w, *e;

	if (!json_is_object(v))
		return differs(where, path, v, want);
	json_object_foreach((json_t *)(uintptr_t)want, k, w)
	{
		AUTO_STR char *at = xasprintf("%s.%s", path, k);

		if (strcmp(k, "*") != 0 &&
		    !matches(json_object_get(v, k), w, where, at))
			return false;
	}
	json_object_foreach((json_t *)(uintptr_t)v, k, e)
	{
		AUTO_STR char *at = xasprintf("%s.%s", path, k);

		if (!open && json_object_get(want, k) == NULL)
			return differs(where, at, e, NULL);
	}
	return true;
}

static bool
matches_array(
    const json_t *v, const json_t *want, char **where, const char *path)
{
	size_t i;
	json_t *w;

	if (!json_is_array(v) || json_array_size(v) != json_array_size(want))
		return differs(where, path, v, want);
	json_array_foreach((json_t *)(uintptr_t)want, i, w)
	{
		AUTO_STR char *at = xasprintf("%s[%zu]", path, i);

		if (!matches(json_array_get(v, i), w, where, at))
			return false;
	}
	return true;
}

static bool
matches(const json_t *v, const json_t *want, char **where, const char *path)
{
	if (v == NULL)
		return differs(where, path, v, want);
	if (json_is_string(want))
		return matches_text(v, json_string_value(want)) ||
		    differs(where, path, v, want);
	if (json_object_get(want, "<set>") != NULL)
		return matches_set(
		    v, json_object_get(want, "<set>"), where, path);
	if (json_is_object(want))
		return matches_object(v, want, where, path);
	if (json_is_array(want))
		return matches_array(v, want, where, path);
	return json_equal(v, want) || differs(where, path, v, want);
}

static bool
check(const json_t *v, const char *pattern)
{
	AUTO_STR char *text = from_quoted(pattern);
	AUTO_STR char *where = NULL;
	AUTO_JSON json_t *want = json_loads(text, JSON_DECODE_ANY, NULL);
	bool fine;

	if (want == NULL) {
		print_error("bad pattern: %s\n", text);
		return false;
	}
	fine = matches(v, want, &where, "answer");
	if (!fine)
		print_error("%s\n", where);
	return fine;
}

void
conformance_match(const json_t *v, const char *pattern)
{
	assert_true(check(v, pattern));
}

/* -- steps -- */

static json_t *
lines_of(const char *text)
{
	json_t *out = json_array();

	while (*text != '\0') {
		size_t n = strcspn(text, "\n");
		json_t *v = json_loadb(text, n, 0, NULL);

		if (v != NULL)
			json_array_append_new(out, v);
		text += n + (text[n] == '\n');
	}
	return out;
}

static bool
judge(const struct step *s, const struct api_reply *reply)
{
	AUTO_JSON json_t *v = NULL;

	if (reply->code != s->code) {
		print_error("code %ld, wanted %ld: %s\n", reply->code, s->code,
		    reply->text);
		return false;
	}
	if (s->want == NULL)
		return true;
	if (strcmp(s->method, "WATCH") == 0)
		v = lines_of(reply->text);
	else if (reply->json == NULL)
		v = json_string(reply->text);
	else
		v = json_incref(reply->json);
	return check(v, s->want);
}

/* ANON: no credentials at all. BAD: a token that nobody knows. */
static struct api *
client_for(const struct step *s)
{
	if (s->agent != NULL && strcmp(s->agent, "ANON") == 0)
		return anonymous;
	if (s->agent != NULL && strcmp(s->agent, "BAD") == 0)
		return stranger;
	return api;
}

static void
run_step(const struct step *s)
{
	AUTO_STR char *path = expand(xstrdup(s->path));
	AUTO_STR char *body = NULL;
	struct api_request req = {
		.method = strcmp(s->method, "WATCH") == 0 ? "GET" : s->method,
		.path = path,
		.accept = s->accept,
		.type = s->type,
		.agent = s->agent == NULL ? "conformance/1.0" : s->agent,
	};
	struct api_reply reply;
	bool fine;

	if (s->body != NULL && strncmp(s->body, "RAW", 3) == 0)
		req.raw = s->body + 3;
	else if (s->body != NULL)
		req.raw = body = from_quoted(s->body);
	api_do(client_for(s), &req, &reply);
	fine = judge(s, &reply);
	if (!fine)
		print_error("in %s %s %s\nwhich gave %s\n", s->method, path,
		    req.raw == NULL ? "" : req.raw,
		    reply.text == NULL ? "" : reply.text);
	api_reply_release(&reply);
	assert_true(fine);
}

static void
make_namespace(void)
{
	static unsigned serial;
	json_t *v;

	snprintf(namespace, sizeof(namespace), "conformance-%d-%u",
	    (int)getpid(), ++serial);
	v = json_pack("{s:{s:s}}", "metadata", "name", namespace);
	assert_int_equal(api_post(api, v, NULL, "/api/v1/namespaces"), 201);
	json_decref(v);
}

void
conformance_run(const struct step *steps, size_t n)
{
	forget();
	make_namespace();
	for (size_t i = 0; i < n; i++)
		run_step(&steps[i]);
	(void)api_delete(api, NULL, NULL, "/api/v1/namespaces/%s", namespace);
}

/* -- the server -- */

static char *
start_fake(void)
{
	const char *program = getenv("APISERVER");
	char *config = tempdir_path("kubeconfig");
	const char *argv[] = {
		program == NULL ? "build/release/tests/apiserver" : program,
		"--write-kubeconfig", config, "--token", "good", "--no-gc", NULL
	};

	server = proc_start("apiserver", argv, NULL);
	if (!proc_wait_said(server, "listening on", START_MS)) {
		proc_show(server);
		exit(1);
	}
	return config;
}

int
main(void)
{
	const char *given = getenv("CONFORMANCE_KUBECONFIG");
	char *config;
	int failed = 0;

	curl_global_init(CURL_GLOBAL_DEFAULT);
	config =
	    given == NULL || *given == '\0' ? start_fake() : xstrdup(given);
	api = api_from_kubeconfig(config);
	anonymous = api_from_kubeconfig(config);
	api_set_credentials(anonymous, NULL);
	stranger = api_from_kubeconfig(config);
	api_set_credentials(stranger, "nobody-knows-this");
	failed += conformance_secrets();
	failed += conformance_lists();
	failed += conformance_sealed();
	failed += conformance_events();
	failed += conformance_paths();
	failed += conformance_reviews();
	if (server != NULL)
		failed += conformance_faults();
	forget();
	free(config);
	api_free(api);
	api_free(anonymous);
	api_free(stranger);
	proc_free(server);
	curl_global_cleanup();
	return failed == 0 ? 0 : 1;
}
