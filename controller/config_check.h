/*
 * Checks of single values beyond their type. Pure. Each returns false and a
 * short reason (or none where the accepted form says it all).
 */
#ifndef CONTROLLER_CONFIG_CHECK_H
#define CONTROLLER_CONFIG_CHECK_H

#include <stdbool.h>

#include "base/err.h"

/* Longest key prefix: a generated name adds characters and must stay a valid
 * object name. */
#define CONFIG_CHECK_PREFIX_MAX 245
/* Longest common name of a certificate (ub-common-name of RFC 5280). */
#define CONFIG_CHECK_CN_MAX 64
/* Longest label selector: it becomes part of a URL. */
#define CONFIG_CHECK_SELECTOR_MAX 1024

/* Beginning of the names of key Secrets: a-z, 0-9 and "-". */
bool config_check_key_prefix(const char *s, struct err *why);
/* Comma-separated k=v with Kubernetes' label syntax; empty elements are fine,
 * "" is an empty list. */
bool config_check_labels(const char *s, struct err *why);
/* The same for annotations: any value, "=" included; only keys are checked. */
bool config_check_annotations(const char *s, struct err *why);
/* Names of namespaces separated by commas; blanks and empty ones do not count.
 */
bool config_check_namespaces(const char *s, struct err *why);
/* A name as of a ConfigMap: a DNS subdomain. */
bool config_check_object_name(const char *s, struct err *why);
/* A label selector as kubectl takes it: "a=b,c!=d,e,!f,g in (h,i)". */
bool config_check_selector(const char *s, struct err *why);
/* One printable line of UTF-8 or ASCII, short enough for a certificate. */
bool config_check_common_name(const char *s, struct err *why);

#endif
