/*
 * namespace/name: how the work queue, the index and log lines name an object.
 */
#ifndef KUBE_OBJKEY_H
#define KUBE_OBJKEY_H

#include <jansson.h>
#include <stdbool.h>

#include "base/compiler.h"
#include "base/dns.h"
#include "base/err.h"

#define OBJKEY_NS_MAX	(DNS_LABEL_MAX + 1)
#define OBJKEY_NAME_MAX (DNS_SUBDOMAIN_MAX + 1)
#define OBJKEY_TEXT_MAX (OBJKEY_NS_MAX + OBJKEY_NAME_MAX)

/* Of cluster-scoped objects only the name counts. */
struct objkey {
	char ns[OBJKEY_NS_MAX];
	char name[OBJKEY_NAME_MAX];
};

/* Checked: DNS-1123 label and subdomain, so that nothing else ever gets into a
 * URL, an OAEP label or a log line. ERR_INVALID otherwise. */
int objkey_set(struct objkey *k, const char *ns, const char *name,
    struct err *err) MUST_CHECK;
/* From metadata.namespace and metadata.name. */
int objkey_of(const json_t *obj, struct objkey *k, struct err *err) MUST_CHECK;
/* "ns/name" */
void objkey_text(const struct objkey *k, char out[static OBJKEY_TEXT_MAX]);
int
objkey_parse(const char *text, struct objkey *k, struct err *err) MUST_CHECK;
bool objkey_equal(const struct objkey *a, const struct objkey *b);
bool objkey_valid_ns(const char *s, size_t len);   /* DNS-1123 label */
bool objkey_valid_name(const char *s, size_t len); /* subdomain */

#endif
