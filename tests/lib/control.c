/*
 * Client of the /_test/ endpoints.
 */
#include "control.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/jsonx.h"
#include "wait.h"

static json_t *
ask(struct api *a, const char *method, const char *endpoint, const json_t *body)
{
	char path[128];
	struct api_request req = {
		.method = method,
		.path = path,
		.body = body,
	};
	struct api_reply reply;
	json_t *out;

	snprintf(path, sizeof(path), "/_test/%s", endpoint);
	if (body == NULL && strcmp(method, "POST") == 0)
		req.raw = "{}";
	api_do(a, &req, &reply);
	if (reply.code != 200) {
		fprintf(stderr, "%s %s: %ld %s\n", method, path, reply.code,
		    reply.error == NULL ? "" : reply.error);
		abort();
	}
	out = json_incref(reply.json);
	api_reply_release(&reply);
	return out;
}

void
control_post(struct api *a, const char *endpoint, json_t *body)
{
	json_decref(ask(a, "POST", endpoint, body));
	json_decref(body);
}

int64_t
control_rule(struct api *a, json_t *rule)
{
	json_t *got = ask(a, "POST", "rules", rule);
	int64_t id = jsonx_int(got, "id", NULL);

	json_decref(got);
	json_decref(rule);
	return id;
}

void
control_clear_rules(struct api *a)
{
	json_decref(ask(a, "DELETE", "rules", NULL));
}

int64_t
control_fired(struct api *a, int64_t rule)
{
	json_t *got = ask(a, "GET", "rules", NULL);
	int64_t fired = 0;
	size_t i;
	json_t *r;

	json_array_foreach(json_object_get(got, "rules"), i, r)
	{
		if (jsonx_int(r, "id", NULL) == rule)
			fired = jsonx_int(r, "fired", NULL);
	}
	json_decref(got);
	return fired;
}

struct expectation {
	struct api *a;
	const char *resource;
	int64_t rule;
	int64_t n;
};

static bool
has_fired(void *ctx)
{
	const struct expectation *e = ctx;

	return control_fired(e->a, e->rule) >= e->n;
}

bool
control_wait_fired(struct api *a, int64_t rule, int64_t times, int64_t limit_ms)
{
	struct expectation e = { .a = a, .rule = rule, .n = times };

	return wait_until(has_fired, &e, limit_ms);
}

json_t *
control_requests(struct api *a)
{
	json_t *got = ask(a, "GET", "requests", NULL);
	json_t *out = json_incref(json_object_get(got, "requests"));

	json_decref(got);
	return out;
}

void
control_clear_requests(struct api *a)
{
	json_decref(ask(a, "DELETE", "requests", NULL));
}

int64_t
control_count(struct api *a, const char *what)
{
	json_t *got = ask(a, "GET", "requests", NULL);
	int64_t n = jsonx_int(got, "counts", what, NULL);

	json_decref(got);
	return n;
}

int64_t
control_writes(struct api *a)
{
	static const char *const verbs[] = { "create ", "update ", "patch ",
		"delete " };
	json_t *got = ask(a, "GET", "requests", NULL);
	int64_t n = 0;
	const char *what;
	json_t *count;

	json_object_foreach(json_object_get(got, "counts"), what, count)
	{
		for (size_t i = 0; i < ARRAY_SIZE(verbs); i++) {
			if (strncmp(what, verbs[i], strlen(verbs[i])) == 0)
				n += json_integer_value(count);
		}
	}
	json_decref(got);
	return n;
}

int64_t
control_open_watches(struct api *a, const char *resource)
{
	json_t *got = ask(a, "GET", "watches", NULL);
	int64_t n = jsonx_int(got, resource, NULL);

	json_decref(got);
	return n;
}

static bool
watches_are(void *ctx)
{
	const struct expectation *e = ctx;

	return control_open_watches(e->a, e->resource) == e->n;
}

bool
control_wait_watches(
    struct api *a, const char *resource, int64_t n, int64_t limit_ms)
{
	struct expectation e = { .a = a, .resource = resource, .n = n };

	return wait_until(watches_are, &e, limit_ms);
}
