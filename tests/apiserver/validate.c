/*
 * Object checks, in the words of the real server.
 */
#include "validate.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "settings.h"

#define SUBDOMAIN_MAX	253
#define LABEL_MAX	63
#define SECRET_MAX	1048576
#define ANNOTATIONS_MAX 262144

#define SUBDOMAIN_TEXT                                                        \
	"a lowercase RFC 1123 subdomain must consist of lower case "          \
	"alphanumeric characters, '-' or '.', and must start and end with "   \
	"an alphanumeric character (e.g. 'example.com', regex used for "      \
	"validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*" \
	"[a-z0-9])?)*')"
#define LABEL_TEXT                                                             \
	"a lowercase RFC 1123 label must consist of lower case alphanumeric "  \
	"characters or '-', and must start and end with an alphanumeric "      \
	"character (e.g. 'my-name',  or '123-abc', regex used for validation " \
	"is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')"
#define CONFIG_KEY_TEXT                                                       \
	"a valid config key must consist of alphanumeric characters, '-', "   \
	"'_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex " \
	"used for validation is '[-._a-zA-Z0-9]+')"
#define LABEL_VALUE_TEXT                                                      \
	"a valid label must be an empty string or consist of alphanumeric "   \
	"characters, '-', '_' or '.', and must start and end with an "        \
	"alphanumeric character (e.g. 'MyValue',  or 'my_value',  or "        \
	"'12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*" \
	")?[A-Za-z0-9])?')"
#define NAME_PART_TEXT                                                         \
	"name part must consist of alphanumeric characters, '-', '_' or '.', " \
	"and must start and end with an alphanumeric character (e.g. "         \
	"'MyName',  or 'my.name',  or '123-abc', regex used for validation "   \
	"is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')"

#define IMMUTABLE_TEXT "field is immutable when `immutable` is set"

void
validate_cause(
    json_t *causes, const char *field, const char *reason, const char *fmt, ...)
{
	va_list ap;
	char *msg = NULL;

	va_start(ap, fmt);
	if (vasprintf(&msg, fmt, ap) < 0)
		abort();
	va_end(ap);
	json_array_append_new(causes,
	    json_pack("{s:s, s:s, s:s}", "field", field, "reason", reason,
		"message", msg));
	free(msg);
}

static void
bad_value(
    json_t *causes, const char *field, const char *value, const char *text)
{
	validate_cause(causes, field, "FieldValueInvalid",
	    "Invalid value: \"%s\": %s", value, text);
}

static bool
lower_alnum(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

static bool
is_label(const char *s, size_t n)
{
	if (n == 0 || !lower_alnum(s[0]) || !lower_alnum(s[n - 1]))
		return false;
	for (size_t i = 0; i < n; i++) {
		if (!lower_alnum(s[i]) && s[i] != '-')
			return false;
	}
	return true;
}

static bool
is_subdomain(const char *s)
{
	for (;;) {
		size_t n = strcspn(s, ".");

		if (!is_label(s, n))
			return false;
		if (s[n] == '\0')
			return true;
		s += n + 1;
	}
}

static bool
name_char(char c)
{
	return isalnum((unsigned char)c) || c == '-' || c == '_' || c == '.';
}

static bool
is_name_part(const char *s)
{
	size_t n = strlen(s);

	if (n == 0 || !isalnum((unsigned char)s[0]) ||
	    !isalnum((unsigned char)s[n - 1]))
		return false;
	for (size_t i = 0; i < n; i++) {
		if (!name_char(s[i]))
			return false;
	}
	return true;
}

static void
check_name(const struct resource *r, const char *name, json_t *causes)
{
	bool label = r == TYPES_NAMESPACES;

	if (label ? is_label(name, strlen(name)) : is_subdomain(name)) {
		if (strlen(name) > (label ? LABEL_MAX : SUBDOMAIN_MAX))
			validate_cause(causes, "metadata.name",
			    "FieldValueInvalid",
			    "Invalid value: \"%s\": must be no more than %d "
			    "characters",
			    name, label ? LABEL_MAX : SUBDOMAIN_MAX);
		return;
	}
	bad_value(
	    causes, "metadata.name", name, label ? LABEL_TEXT : SUBDOMAIN_TEXT);
}

static void
check_qualified(const char *key, const char *field, json_t *causes)
{
	const char *slash = strchr(key, '/');
	const char *part = slash == NULL ? key : slash + 1;
	char *prefix;

	if (slash != NULL) {
		prefix = util_strndup(key, (size_t)(slash - key));
		if (*prefix == '\0')
			bad_value(causes, field, key,
			    "prefix part must be non-empty");
		else if (!is_subdomain(prefix))
			bad_value(
			    causes, field, key, "prefix part " SUBDOMAIN_TEXT);
		free(prefix);
	}
	if (*part == '\0')
		bad_value(causes, field, key, "name part must be non-empty");
	else if (strlen(part) > LABEL_MAX)
		bad_value(causes, field, key,
		    "name part must be no more than 63 bytes");
	if (!is_name_part(part))
		bad_value(causes, field, key, NAME_PART_TEXT);
}

static void
check_labels(const json_t *labels, json_t *causes)
{
	const char *k;
	json_t *v;

	json_object_foreach((json_t *)labels, k, v)
	{
		const char *s = json_string_value(v);

		check_qualified(k, "metadata.labels", causes);
		if (s == NULL || *s == '\0')
			continue;
		if (strlen(s) > LABEL_MAX)
			bad_value(causes, "metadata.labels", s,
			    "must be no more than 63 bytes");
		if (!is_name_part(s))
			bad_value(
			    causes, "metadata.labels", s, LABEL_VALUE_TEXT);
	}
}

static char *
lower_case(const char *s)
{
	char *out = util_strdup(s);

	for (char *p = out; *p != '\0'; p++)
		*p = (char)tolower((unsigned char)*p);
	return out;
}

static void
check_annotations(const json_t *annotations, json_t *causes)
{
	size_t total = 0;
	const char *k;
	json_t *v;

	json_object_foreach((json_t *)annotations, k, v)
	{
		char *lower = lower_case(k);

		check_qualified(lower, "metadata.annotations", causes);
		free(lower);
		total += strlen(k) + json_string_length(v);
	}
	if (total > ANNOTATIONS_MAX)
		validate_cause(causes, "metadata.annotations",
		    "FieldValueTooLong",
		    "Too long: may not be more than %d bytes", ANNOTATIONS_MAX);
}

static void
check_owner(const json_t *owner, json_t *causes)
{
	static const struct {
		const char *key;
		const char *text;
	} words[] = {
		{ "kind", "must not be empty" },
		{ "name", "must not be empty" },
		{ "uid", "must not be empty" },
	};
	const char *version = json_str(owner, "apiVersion");

	if (version == NULL || *version == '\0')
		bad_value(causes, "metadata.ownerReferences.apiVersion", "",
		    "version must not be empty");
	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		const char *v = json_str(owner, words[i].key);
		char *field;

		if (v != NULL && *v != '\0')
			continue;
		field =
		    util_format("metadata.ownerReferences.%s", words[i].key);
		bad_value(causes, field, "", words[i].text);
		free(field);
	}
}

static void
check_owners(const json_t *owners, json_t *causes)
{
	char *first = NULL;
	size_t i;
	json_t *o;

	json_array_foreach((json_t *)owners, i, o)
	{
		char *name, *all;

		check_owner(o, causes);
		if (!json_flag(o, "controller", false))
			continue;
		name = util_format(
		    "%s/%s", json_str(o, "kind"), json_str(o, "name"));
		if (first == NULL) {
			first = name;
			continue;
		}
		all = json_text(owners);
		validate_cause(causes, "metadata.ownerReferences",
		    "FieldValueInvalid",
		    "Invalid value: %s: Only one reference can have "
		    "Controller set to true. Found \"true\" in references "
		    "for %s and %s",
		    all, first, name);
		free(all);
		free(name);
	}
	free(first);
}

static void
check_finalizers(const json_t *finalizers, json_t *causes)
{
	size_t i;
	json_t *v;

	json_array_foreach((json_t *)finalizers, i, v)
	{
		const char *name = json_string_value(v);
		char *field = util_format("metadata.finalizers[%zu]", i);

		if (strchr(name, '/') == NULL &&
		    strcmp(name, "kubernetes") != 0 &&
		    strcmp(name, "orphan") != 0 &&
		    strcmp(name, "foregroundDeletion") != 0)
			bad_value(causes, field, name,
			    "name is neither a standard finalizer name nor "
			    "is it fully qualified");
		free(field);
	}
}

static void
check_meta(const struct resource *r, const json_t *obj, json_t *causes)
{
	const json_t *meta = json_object_get(obj, "metadata");
	const char *name = json_str(meta, "name");

	if (name == NULL || *name == '\0')
		validate_cause(causes, "metadata.name", "FieldValueRequired",
		    "Required value: name or generateName is required");
	else
		check_name(r, name, causes);
	check_labels(json_object_get(meta, "labels"), causes);
	check_annotations(json_object_get(meta, "annotations"), causes);
	check_owners(json_object_get(meta, "ownerReferences"), causes);
	check_finalizers(json_object_get(meta, "finalizers"), causes);
}

static void
check_data_key(const char *key, json_t *causes)
{
	char *field = util_format("data[%s]", key);
	bool fine = *key != '\0';

	if (strlen(key) > SUBDOMAIN_MAX)
		bad_value(
		    causes, field, key, "must be no more than 253 characters");
	for (const char *p = key; *p != '\0'; p++)
		fine = fine && name_char(*p);
	if (!fine)
		bad_value(causes, field, key, CONFIG_KEY_TEXT);
	else if (strcmp(key, ".") == 0)
		bad_value(causes, field, key, "must not be '.'");
	else if (strcmp(key, "..") == 0)
		bad_value(causes, field, key, "must not be '..'");
	else if (strncmp(key, "..", 2) == 0)
		bad_value(causes, field, key, "must not start with '..'");
	free(field);
}

static void
need_key(const json_t *data, const char *key, json_t *causes)
{
	char *field;

	if (json_object_get(data, key) != NULL)
		return;
	field = util_format("data[%s]", key);
	validate_cause(causes, field, "FieldValueRequired", "Required value");
	free(field);
}

/* Docker's configuration must be JSON, whatever is in it. */
static void
check_docker(const json_t *data, const char *key, json_t *causes)
{
	const json_t *v = json_object_get(data, key);
	json_t *parsed = NULL;
	char *field, *text;
	size_t len = 0;

	if (v == NULL)
		return;
	text = schema_base64_decode(
	    json_string_value(v), json_string_length(v), &len);
	parsed = json_parse(text, len, NULL);
	free(text);
	if (parsed != NULL) {
		json_decref(parsed);
		return;
	}
	field = util_format("data[%s]", key);
	validate_cause(causes, field, "FieldValueInvalid",
	    "Invalid value: \"<secret contents redacted>\": invalid "
	    "character");
	free(field);
}

static void
check_secret_type(const json_t *obj, json_t *causes)
{
	static const struct {
		const char *type;
		const char *keys[2];
	} rules[] = {
		{ "kubernetes.io/tls", { "tls.crt", "tls.key" } },
		{ "kubernetes.io/ssh-auth", { "ssh-privatekey", NULL } },
		{ "kubernetes.io/dockercfg", { ".dockercfg", NULL } },
		{ "kubernetes.io/dockerconfigjson",
		    { ".dockerconfigjson", NULL } },
	};
	const json_t *data = json_object_get(obj, "data");
	const char *type = json_str(obj, "type");

	for (size_t i = 0; i < ARRAY_SIZE(rules); i++) {
		if (strcmp(type, rules[i].type) != 0)
			continue;
		need_key(data, rules[i].keys[0], causes);
		if (rules[i].keys[1] != NULL)
			need_key(data, rules[i].keys[1], causes);
	}
	if (strcmp(type, "kubernetes.io/dockercfg") == 0)
		check_docker(data, ".dockercfg", causes);
	if (strcmp(type, "kubernetes.io/dockerconfigjson") == 0)
		check_docker(data, ".dockerconfigjson", causes);
	if (strcmp(type, "kubernetes.io/basic-auth") == 0 &&
	    json_object_get(data, "username") == NULL &&
	    json_object_get(data, "password") == NULL) {
		need_key(data, "username", causes);
		need_key(data, "password", causes);
	}
	if (strcmp(type, "kubernetes.io/service-account-token") == 0 &&
	    json_at(obj, "metadata", "annotations",
		"kubernetes.io/service-account.name", NULL) == NULL)
		validate_cause(causes,
		    "metadata.annotations[kubernetes.io/service-account.name]",
		    "FieldValueRequired", "Required value");
}

static void
check_secret(const json_t *obj, json_t *causes)
{
	const char *k;
	json_t *v;
	long total = 0;

	json_object_foreach(json_object_get(obj, "data"), k, v)
	{
		size_t bad;

		check_data_key(k, causes);
		total += schema_base64_len(
		    json_string_value(v), json_string_length(v), &bad);
	}
	if (total > SECRET_MAX)
		validate_cause(causes, "data", "FieldValueTooLong",
		    "Too long: may not be more than %d bytes", SECRET_MAX);
	check_secret_type(obj, causes);
}

static void
check_event(const json_t *obj, json_t *causes)
{
	const char *ns =
	    json_str(json_object_get(obj, "metadata"), "namespace");
	const char *other =
	    json_str(json_object_get(obj, "involvedObject"), "namespace");

	if (other == NULL)
		other = "";
	if (strcmp(ns, other) != 0 &&
	    !(*other == '\0' && strcmp(ns, "default") == 0))
		bad_value(causes, "involvedObject.namespace", other,
		    "does not match event.namespace");
}

static void
check_custom(const struct resource *r, const json_t *obj, json_t *causes)
{
	json_t *rest;

	if (!settings_get().schema)
		return;
	rest = json_copy((json_t *)obj);
	/* Metadata has been checked by its own rules. */
	json_object_del(rest, "metadata");
	schema_validate(r->schema, rest, "", 0, causes);
	json_decref(rest);
}

void
validate_status(const struct resource *r, const json_t *obj, json_t *causes)
{
	const json_t *status = json_object_get(obj, "status");

	if (status != NULL)
		schema_validate(schema_field(r->schema, "status")->type, status,
		    "status", strlen("status."), causes);
}

static void
check_content(const struct resource *r, const json_t *obj, json_t *causes)
{
	if (r == TYPES_SECRETS)
		check_secret(obj, causes);
	else if (r == TYPES_EVENTS)
		check_event(obj, causes);
	else if (r->custom)
		check_custom(r, obj, causes);
}

void
validate_create(const struct resource *r, const json_t *obj, json_t *causes)
{
	check_meta(r, obj, causes);
	check_content(r, obj, causes);
}

static void
check_secret_update(const json_t *obj, const json_t *old, json_t *causes)
{
	const json_t *data = json_object_get(obj, "data");
	const json_t *before = json_object_get(old, "data");
	const char *type = json_str(obj, "type");

	if (strcmp(type, json_str(old, "type")) != 0)
		bad_value(causes, "type", type, "field is immutable");
	if (!json_flag(old, "immutable", false))
		return;
	if (!json_flag(obj, "immutable", false))
		validate_cause(causes, "immutable", "FieldValueForbidden",
		    "Forbidden: " IMMUTABLE_TEXT);
	if (data != before && !json_equal(data, before))
		validate_cause(causes, "data", "FieldValueForbidden",
		    "Forbidden: " IMMUTABLE_TEXT);
}

void
validate_update(const struct resource *r, const json_t *obj, const json_t *old,
    json_t *causes)
{
	check_meta(r, obj, causes);
	if (r == TYPES_SECRETS)
		check_secret_update(obj, old, causes);
	check_content(r, obj, causes);
}
