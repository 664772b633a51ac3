/*
 * Secrets and SealedSecrets as JSON.
 */
#include "objects.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/codec.h"
#include "base/jsonx.h"
#include "base/mem.h"
#include "keystore/seal.h"

#define VALUE_MAX (4u * 1024 * 1024)
#define PREFIX	  "sealedsecrets.bitnami.com/"

static void
must(int ret, const struct err *err)
{
	if (ret < 0) {
		fprintf(stderr, "%s\n", err->msg);
		abort();
	}
}

json_t *
object_secret(const char *ns, const char *name, ...)
{
	json_t *data = json_object();
	const char *key;
	va_list ap;

	va_start(ap, name);
	while ((key = va_arg(ap, const char *)) != NULL) {
		AUTO_RELEASE(buf) struct buf text = BUF_INIT(VALUE_MAX);
		const char *value = va_arg(ap, const char *);
		struct err err = ERR_INIT;

		must(base64_encode(value, strlen(value), &text, &err), &err);
		jsonx_set_str(data, key, buf_str(&text));
	}
	va_end(ap);
	return json_pack("{s:s, s:s, s:{s:s, s:s}, s:o}", "apiVersion", "v1",
	    "kind", "Secret", "metadata", "name", name, "namespace", ns, "data",
	    data);
}

json_t *
object_sealed(const char *ns, const char *name, enum object_scope scope)
{
	json_t *v = json_pack(
	    "{s:s, s:s, s:{s:s, s:s}, s:{s:{}, s:{s:{s:s, s:s}}}}",
	    "apiVersion", "bitnami.com/v1alpha1", "kind", "SealedSecret",
	    "metadata", "name", name, "namespace", ns, "spec", "encryptedData",
	    "template", "metadata", "name", name, "namespace", ns);
	json_t *annotations = json_object();

	if (scope == OBJECT_NAMESPACE_WIDE)
		jsonx_set_str(annotations, PREFIX "namespace-wide", "true");
	if (scope == OBJECT_CLUSTER_WIDE)
		jsonx_set_str(annotations, PREFIX "cluster-wide", "true");
	jsonx_set(
	    jsonx_object(v, "metadata", NULL), "annotations", annotations);
	return v;
}

static char *
label_of(const json_t *sealed)
{
	const char *ns = jsonx_str(sealed, "metadata", "namespace", NULL);
	const char *name = jsonx_str(sealed, "metadata", "name", NULL);

	if (jsonx_str(sealed, "metadata", "annotations", PREFIX "cluster-wide",
		NULL) != NULL)
		return xstrdup("");
	if (jsonx_str(sealed, "metadata", "annotations",
		PREFIX "namespace-wide", NULL) != NULL)
		return xstrdup(ns);
	return xasprintf("%s/%s", ns, name);
}

void
object_seal(
    json_t *sealed, const char *cert_pem, const char *key, const char *value)
{
	AUTO_RELEASE(buf) struct buf blob = BUF_INIT(VALUE_MAX);
	AUTO_RELEASE(buf) struct buf text = BUF_INIT(2 * VALUE_MAX);
	AUTO_STR char *label = label_of(sealed);
	struct err err = ERR_INIT;

	must(seal_encrypt_cert(cert_pem, label, strlen(label), value,
		 strlen(value), &blob, &err),
	    &err);
	must(base64_encode(blob.data, blob.len, &text, &err), &err);
	jsonx_set_str(jsonx_object(sealed, "spec", "encryptedData", NULL), key,
	    buf_str(&text));
}

char *
object_value(const json_t *secret, const char *key)
{
	AUTO_RELEASE(buf) struct buf raw = BUF_INIT(VALUE_MAX);
	const char *text = jsonx_str(secret, "data", key, NULL);
	struct err err = ERR_INIT;

	if (text == NULL)
		return NULL;
	must(base64_decode(text, strlen(text), &raw, &err), &err);
	return xstrdup(buf_str(&raw));
}

bool
object_has(const json_t *secret, const char *key, const char *value)
{
	AUTO_STR char *got = object_value(secret, key);

	return got != NULL && strcmp(got, value) == 0;
}

static const json_t *
synced(const json_t *sealed)
{
	size_t i;
	json_t *c;

	json_array_foreach(
	    jsonx_array(sealed, "status", "conditions", NULL), i, c)
	{
		const char *type = jsonx_str(c, "type", NULL);

		if (type != NULL && strcmp(type, "Synced") == 0)
			return c;
	}
	return NULL;
}

static const char *
or_empty(const char *s)
{
	return s == NULL ? "" : s;
}

const char *
object_synced(const json_t *sealed)
{
	return or_empty(jsonx_str(synced(sealed), "status", NULL));
}

const char *
object_synced_message(const json_t *sealed)
{
	return or_empty(jsonx_str(synced(sealed), "message", NULL));
}

const char *
object_uid(const json_t *obj)
{
	return or_empty(jsonx_str(obj, "metadata", "uid", NULL));
}

const char *
object_version(const json_t *obj)
{
	return or_empty(jsonx_str(obj, "metadata", "resourceVersion", NULL));
}
