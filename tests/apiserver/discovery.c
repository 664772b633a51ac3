/*
 * Discovery documents and health.
 */
#include "discovery.h"

#include <stdlib.h>
#include <string.h>

static const char *const health[] = { "/healthz", "/livez", "/readyz" };

static json_t *
resource_entry(const struct resource *r, const char *sub)
{
	char *name =
	    util_format("%s%s%s", r->plural, *sub == '\0' ? "" : "/", sub);
	json_t *verbs = *sub == '\0'
	    ? json_pack("[s,s,s,s,s,s,s]", "create", "delete", "get", "list",
		  "patch", "update", "watch")
	    : json_pack("[s,s,s]", "get", "patch", "update");
	json_t *e = json_pack("{s:s, s:s, s:b, s:s, s:o}", "name", name,
	    "singularName", *sub == '\0' ? r->singular : "", "namespaced",
	    r->namespaced, "kind", r->kind, "verbs", verbs);

	free(name);
	return e;
}

static json_t *
resource_list(const char *group, const char *version)
{
	json_t *list = json_array();
	char *gv =
	    util_format("%s%s%s", group, *group == '\0' ? "" : "/", version);
	json_t *out;

	for (size_t i = 0; i < TYPES_COUNT; i++) {
		const struct resource *r = &types_all[i];

		if (strcmp(r->group, group) != 0 ||
		    strcmp(r->version, version) != 0)
			continue;
		json_array_append_new(list, resource_entry(r, ""));
		if (r->status)
			json_array_append_new(
			    list, resource_entry(r, "status"));
	}
	out = json_pack("{s:s, s:s, s:s, s:o}", "kind", "APIResourceList",
	    "apiVersion", "v1", "groupVersion", gv, "resources", list);
	free(gv);
	return out;
}

static json_t *
group_entry(const char *group, const char *version)
{
	char *gv = util_format("%s/%s", group, version);
	json_t *e = json_pack("{s:s, s:[{s:s, s:s}], s:{s:s, s:s}}", "name",
	    group, "versions", "groupVersion", gv, "version", version,
	    "preferredVersion", "groupVersion", gv, "version", version);

	free(gv);
	return e;
}

static json_t *
document(const char *path)
{
	if (strcmp(path, "/api") == 0)
		return json_pack(
		    "{s:s, s:[s]}", "kind", "APIVersions", "versions", "v1");
	if (strcmp(path, "/apis") == 0)
		return json_pack("{s:s, s:s, s:[o, o]}", "kind", "APIGroupList",
		    "apiVersion", "v1", "groups",
		    group_entry("coordination.k8s.io", "v1"),
		    group_entry("bitnami.com", "v1alpha1"));
	if (strcmp(path, "/api/v1") == 0)
		return resource_list("", "v1");
	if (strcmp(path, "/apis/coordination.k8s.io/v1") == 0)
		return resource_list("coordination.k8s.io", "v1");
	if (strcmp(path, "/apis/bitnami.com/v1alpha1") == 0)
		return resource_list("bitnami.com", "v1alpha1");
	if (strcmp(path, "/version") == 0)
		return json_pack("{s:s, s:s, s:s}", "major", "1", "minor", "34",
		    "gitVersion", "v1.34.0+test-apiserver");
	return NULL;
}

bool
discovery_public(const struct call *c)
{
	return util_str_in(c->req->path, health, ARRAY_SIZE(health)) ||
	    strcmp(c->req->path, "/version") == 0;
}

bool
discovery_handle(struct call *c)
{
	json_t *v;

	if (util_str_in(c->req->path, health, ARRAY_SIZE(health))) {
		c->code = 200;
		c->type = "text/plain; charset=utf-8";
		c->body = util_strdup("ok");
		return true;
	}
	v = document(c->req->path);
	if (v == NULL)
		return false;
	call_reply(c, 200, v);
	return true;
}
