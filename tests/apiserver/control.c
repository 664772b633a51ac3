/*
 * The /_test/ endpoints.
 */
#include "control.h"

#include <string.h>

#include "faults.h"
#include "proxy.h"
#include "reqlog.h"
#include "review.h"
#include "settings.h"
#include "status.h"
#include "store.h"
#include "watch.h"

static json_t *
done(void)
{
	return json_pack("{s:b}", "ok", 1);
}

static json_t *
rules_get(const json_t *body UNUSED)
{
	return json_pack("{s:o}", "rules", faults_list());
}

static json_t *
rules_add(const json_t *body)
{
	return json_pack("{s:I}", "id", (json_int_t)faults_add(body));
}

static json_t *
rules_clear(const json_t *body UNUSED)
{
	faults_clear();
	return done();
}

static json_t *
requests_get(const json_t *body UNUSED)
{
	return reqlog_dump();
}

static json_t *
requests_clear(const json_t *body UNUSED)
{
	reqlog_clear();
	return done();
}

static json_t *
watches_get(const json_t *body UNUSED)
{
	return watch_counts();
}

static json_t *
drop_watches(const json_t *body)
{
	settings_drop_watches(json_flag(body, "clean", false));
	return done();
}

static json_t *
expire_history(const json_t *body UNUSED)
{
	store_lock();
	store_expire_history();
	store_unlock();
	return done();
}

static json_t *
expire_continue(const json_t *body UNUSED)
{
	settings_expire_continue();
	return done();
}

static json_t *
bookmark(const json_t *body UNUSED)
{
	settings_bookmark();
	return done();
}

static json_t *
watch_line(const json_t *body)
{
	const char *resource = json_str(body, "resource");
	const char *line = json_str(body, "line");

	watch_inject(resource == NULL ? "*" : resource,
	    line == NULL ? "" : line, (size_t)json_num(body, "bytes", 0));
	return done();
}

static json_t *
apply_settings(const json_t *body)
{
	settings_apply(body);
	return done();
}

static json_t *
set_tokens(const json_t *body)
{
	settings_set_tokens(json_object_get(body, "tokens"));
	return done();
}

static json_t *
set_forbidden(const json_t *body)
{
	settings_set_forbidden(json_object_get(body, "rules"));
	return done();
}

static json_t *
set_grants(const json_t *body)
{
	review_set_grants(json_object_get(body, "rules"));
	return done();
}

static json_t *
set_proxy(const json_t *body)
{
	proxy_set_target(json_str(body, "target"));
	return done();
}

static json_t *
state_get(const json_t *body UNUSED)
{
	json_t *out;

	store_lock();
	out = store_dump();
	store_unlock();
	return out;
}

static const struct {
	const char *method;
	const char *name;
	json_t *(*run)(const json_t *body);
} endpoints[] = {
	{ "GET", "rules", rules_get },
	{ "POST", "rules", rules_add },
	{ "DELETE", "rules", rules_clear },
	{ "GET", "requests", requests_get },
	{ "DELETE", "requests", requests_clear },
	{ "GET", "watches", watches_get },
	{ "POST", "drop-watches", drop_watches },
	{ "POST", "expire-history", expire_history },
	{ "POST", "expire-continue", expire_continue },
	{ "POST", "bookmark", bookmark },
	{ "POST", "watch-line", watch_line },
	{ "POST", "settings", apply_settings },
	{ "POST", "tokens", set_tokens },
	{ "POST", "forbidden", set_forbidden },
	{ "POST", "grants", set_grants },
	{ "POST", "proxy", set_proxy },
	{ "GET", "state", state_get },
};

void
control_handle(struct call *c)
{
	const char *name = c->req->nseg > 1 ? c->req->seg[1] : "";
	json_t *body = NULL;

	if (c->req->body_len > 0) {
		body = json_parse(c->req->body, c->req->body_len, NULL);
		if (body == NULL) {
			call_fail(c, status_bad_request("body is not JSON"));
			return;
		}
	}
	for (size_t i = 0; i < ARRAY_SIZE(endpoints); i++) {
		if (strcmp(endpoints[i].method, c->req->method) == 0 &&
		    strcmp(endpoints[i].name, name) == 0) {
			call_reply(c, 200, endpoints[i].run(body));
			json_decref(body);
			return;
		}
	}
	json_decref(body);
	call_fail(c, status_no_such_path());
}
