/*
 * Status objects, in the words of the real server.
 */
#include "status.h"

#include <stdlib.h>
#include <string.h>

#define MODIFIED                                                          \
	"the object has been modified; please apply your changes to the " \
	"latest version and try again"

json_t *
status_new(int code, const char *reason, const char *message, json_t *details)
{
	json_t *s = json_pack("{s:s, s:s, s:{}, s:s, s:s}", "kind", "Status",
	    "apiVersion", "v1", "metadata", "status", "Failure", "message",
	    message);

	if (*reason != '\0')
		json_puts(s, "reason", reason);
	if (details != NULL)
		json_put(s, "details", details);
	json_put(s, "code", json_integer(code));
	return s;
}

int
status_code(const json_t *status)
{
	return (int)json_num(status, "code", 200);
}

json_t *
status_details(const struct resource *r, const char *name)
{
	json_t *d = json_object();

	if (name != NULL && *name != '\0')
		json_puts(d, "name", name);
	if (r == NULL)
		return d;
	if (*r->group != '\0')
		json_puts(d, "group", r->group);
	json_puts(d, "kind", r->plural);
	return d;
}

/* Steals message. */
static json_t *
worded(int code, const char *reason, char *message, json_t *details)
{
	json_t *s = status_new(code, reason, message, details);

	free(message);
	return s;
}

json_t *
status_bad_request(const char *message)
{
	return status_new(400, "BadRequest", message, NULL);
}

json_t *
status_not_found(const struct resource *r, const char *name)
{
	return worded(404, "NotFound",
	    util_format("%s \"%s\" not found", r->full_name, name),
	    status_details(r, name));
}

json_t *
status_no_such_path(void)
{
	return status_new(404, "NotFound",
	    "the server could not find the requested resource", json_object());
}

json_t *
status_exists(const struct resource *r, const char *name)
{
	return worded(409, "AlreadyExists",
	    util_format("%s \"%s\" already exists", r->full_name, name),
	    status_details(r, name));
}

json_t *
status_conflict(const struct resource *r, const char *name, const char *why)
{
	return worded(409, "Conflict",
	    util_format("Operation cannot be fulfilled on %s \"%s\": %s",
		r->full_name, name, why == NULL ? MODIFIED : why),
	    status_details(r, name));
}

json_t *
status_conflict_by_kind(
    const struct resource *r, const char *name, const char *why)
{
	json_t *details = status_details(r, name);

	json_puts(details, "kind", r->kind);
	return worded(409, "Conflict",
	    util_format("Operation cannot be fulfilled on %s%s%s \"%s\": %s",
		r->kind, *r->group == '\0' ? "" : ".", r->group, name, why),
	    details);
}

static char *
join_causes(const json_t *causes)
{
	struct sbuf sb = { 0 };
	size_t i, n = json_array_size(causes);
	json_t *c;

	if (n > 1)
		sbuf_adds(&sb, "[");
	json_array_foreach((json_t *)causes, i, c) sbuf_addf(&sb, "%s%s: %s",
	    i == 0 ? "" : ", ", json_str(c, "field"), json_str(c, "message"));
	if (n > 1)
		sbuf_adds(&sb, "]");
	return sb.data == NULL ? util_strdup("") : sb.data;
}

json_t *
status_invalid(const struct resource *r, const char *name, const json_t *causes)
{
	json_t *details = json_object();
	char *joined = join_causes(causes);
	char *message = util_format("%s%s%s \"%s\" is invalid: %s", r->kind,
	    *r->group == '\0' ? "" : ".", r->group, name, joined);

	if (*name != '\0')
		json_puts(details, "name", name);
	if (*r->group != '\0')
		json_puts(details, "group", r->group);
	json_puts(details, "kind", r->kind);
	json_put(details, "causes", json_deep_copy(causes));
	free(joined);
	return worded(422, "Invalid", message, details);
}

json_t *
status_method(void)
{
	return status_new(405, "MethodNotAllowed",
	    "the server does not allow this method on the requested resource",
	    json_object());
}

json_t *
status_too_old(uint64_t asked, uint64_t oldest)
{
	return worded(410, "Expired",
	    util_format("too old resource version: %llu (%llu)",
		(unsigned long long)asked, (unsigned long long)oldest),
	    NULL);
}

json_t *
status_too_new(uint64_t asked, uint64_t current)
{
	json_t *details = json_pack("{s:[{s:s, s:s}], s:i}", "causes", "reason",
	    "ResourceVersionTooLarge", "message", "Too large resource version",
	    "retryAfterSeconds", 1);

	return worded(504, "Timeout",
	    util_format("Timeout: Too large resource version: %llu, current: "
			"%llu",
		(unsigned long long)asked, (unsigned long long)current),
	    details);
}

json_t *
status_deleted(const struct resource *r, const char *name, const char *uid)
{
	json_t *details = status_details(r, name);

	json_puts(details, "uid", uid);
	return json_pack("{s:s, s:s, s:{}, s:s, s:o}", "kind", "Status",
	    "apiVersion", "v1", "metadata", "status", "Success", "details",
	    details);
}

json_t *
status_terminating(const struct resource *r, const char *name, const char *ns)
{
	json_t *details = status_details(r, name);
	char *cause = util_format("namespace %s is being terminated", ns);

	json_put(details, "causes",
	    json_pack("[{s:s, s:s, s:s}]", "reason", "NamespaceTerminating",
		"message", cause, "field", "metadata.namespace"));
	free(cause);
	return worded(403, "Forbidden",
	    util_format("%s \"%s\" is forbidden: unable to create new content "
			"in namespace %s because it is being terminated",
		r->full_name, name, ns),
	    details);
}
