/*
 * Checked namespace/name pairs: nothing but DNS-1123 names gets into URLs,
 * OAEP labels, log lines and index keys.
 */
#include "kube/objkey.h"

#include <stdio.h>
#include <string.h>

#include "base/dns.h"
#include "base/jsonx.h"

bool
objkey_valid_ns(const char *s, size_t len)
{
	return dns_is_label(s, len);
}

/* As the API server: only the whole has a limit. */
bool
objkey_valid_name(const char *s, size_t len)
{
	return dns_is_subdomain(s, len, DNS_SUBDOMAIN_MAX);
}

static int
set_parts(struct objkey *k, const char *ns, size_t ns_len, const char *name,
    size_t name_len, struct err *err)
{
	if (!objkey_valid_ns(ns, ns_len))
		return err_set(
		    err, ERR_INVALID, "namespace is not a valid DNS label");
	if (!objkey_valid_name(name, name_len))
		return err_set(
		    err, ERR_INVALID, "name is not a valid DNS subdomain");
	memset(k, 0, sizeof(*k));
	memcpy(k->ns, ns, ns_len);
	memcpy(k->name, name, name_len);
	return 0;
}

int
objkey_set(struct objkey *k, const char *ns, const char *name, struct err *err)
{
	if (ns == NULL)
		ns = "";
	if (name == NULL)
		name = "";
	return set_parts(k, ns, strlen(ns), name, strlen(name), err);
}

int
objkey_of(const json_t *obj, struct objkey *k, struct err *err)
{
	return objkey_set(k, jsonx_str(obj, "metadata", "namespace", NULL),
	    jsonx_str(obj, "metadata", "name", NULL), err);
}

void
objkey_text(const struct objkey *k, char out[static OBJKEY_TEXT_MAX])
{
	(void)snprintf(out, OBJKEY_TEXT_MAX, "%s/%s", k->ns, k->name);
}

int
objkey_parse(const char *text, struct objkey *k, struct err *err)
{
	const char *slash = strchr(text, '/');

	if (slash == NULL)
		return err_set(
		    err, ERR_INVALID, "object key is not namespace/name");
	return set_parts(
	    k, text, (size_t)(slash - text), slash + 1, strlen(slash + 1), err);
}

bool
objkey_equal(const struct objkey *a, const struct objkey *b)
{
	return strcmp(a->ns, b->ns) == 0 && strcmp(a->name, b->name) == 0;
}
