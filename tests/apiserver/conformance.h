/*
 * Conformance cases: requests and the answers that the real server gives,
 * field by field. A case is a table of steps; texts are JSON with single
 * quotes instead of double ones, and ~ for a double quote within a text.
 *
 * Patterns, in the wanted answer:
 *	'<any>' '<rv>' '<uid>' '<time>'	a value of that form
 *	'<rv=x>' '<uid=x>' '<any=x>'	... and x stands for it later on
 *	'^text'				a text that begins so
 *	{'<set>': [...]}		an array, in any order
 *	{'*': 1, ...}			an object that may have further members
 * Everything else must be equal, no member more and none less.
 *
 * In paths, {S}, {E} and {X} are the collections of Secrets, events and
 * SealedSecrets in the test's namespace, {N} is its name; <x> there and '<x>'
 * in bodies is what x stands for.
 */
#ifndef APISERVER_CONFORMANCE_H
#define APISERVER_CONFORMANCE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "lib/api.h"

/* Most steps leave the last members out. */
#pragma GCC diagnostic ignored "-Wmissing-field-initializers"

struct step {
	const char *method;
	const char *path;
	const char *body; /* NULL: none; "RAW..." is sent as it is */
	long code;
	const char *want;   /* NULL: not looked at; for streams: an array */
	const char *accept; /* NULL: JSON */
	const char *type;   /* of the body; NULL: JSON */
	const char *agent;  /* NULL: "conformance/1.0" */
};

/* A namespace of its own is made for each run of steps. */
void conformance_run(const struct step *steps, size_t n);
#define RUN(steps) conformance_run(steps, ARRAY_SIZE(steps))

/* The server under test; NULL unless it is tests/apiserver. */
struct api *conformance_api(void);
struct api *conformance_fake(void);
/* "/api/v1/namespaces/<made for this test>/secrets"; the name, borrowed. */
const char *conformance_namespace(void);
/* Fails the test unless v matches the pattern. */
void conformance_match(const json_t *v, const char *pattern);

/* The answers of the server, as patterns. */
#define FAILURE(code, reason, message, details)                        \
	"{'kind':'Status','apiVersion':'v1','metadata':{},"            \
	"'status':'Failure','message':'" message "','reason':'" reason \
	"','details':" details ",'code':" #code "}"
#define PLAIN_FAILURE(code, reason, message)                           \
	"{'kind':'Status','apiVersion':'v1','metadata':{},"            \
	"'status':'Failure','message':'" message "','reason':'" reason \
	"','code':" #code "}"
#define INVALID(name, kind, message, causes)                                  \
	FAILURE(422, "Invalid", "^" kind " ~" name "~ is invalid: " message,  \
	    "{'name':'" name "','kind':'" kind "','causes':{'<set>':[" causes \
	    "]}}")
#define CAUSE(field, reason, message) \
	"{'field':'" field "','reason':'" reason "','message':'" message "'}"
/* 'metadata' of a stored object; more: further members with a comma before. */
#define META(name, more)                                                 \
	"'metadata':{'name':'" name "','namespace':'{N}','uid':'<uid>'," \
	"'resourceVersion':'<rv>','creationTimestamp':'<time>'" more "}"
#define MANAGED(entries) ",'managedFields':{'<set>':[" entries "]}"
#define ENTRY(manager, version, fields)                                        \
	"{'manager':'" manager "','operation':'Update','apiVersion':'" version \
	"','time':'<time>','fieldsType':'FieldsV1','fieldsV1':{" fields "}}"
#define CORE_ENTRY(manager, fields) ENTRY(manager, "v1", fields)

int conformance_secrets(void);
int conformance_lists(void);
int conformance_sealed(void);
int conformance_events(void);
int conformance_paths(void);
int conformance_reviews(void);
int conformance_faults(void); /* tests/apiserver only */

#endif
