/*
 * Get and list: selectors, pages of a consistent snapshot, versions.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "call.h"
#include "selector.h"
#include "settings.h"
#include "status.h"
#include "store.h"

#define EXPIRED_TEXT                                                          \
	"The provided continue parameter is too old to display a consistent " \
	"list result. You can start a new list without the continue "         \
	"parameter, or use the continue token in this response to retrieve "  \
	"the remainder of the results. Continuing with the provided token "   \
	"results in an inconsistent list - objects that were created, "       \
	"modified, or deleted between the time the first chunk was returned " \
	"and now may show up in the list."

/* What a list asks for. */
struct query {
	struct selector *labels;
	struct selector *fields;
	uint64_t limit;
	uint64_t rv; /* the state that is shown */
	char *start; /* first key that is wanted, or NULL */
	bool continued;
};

/* One page of it. */
struct page {
	json_t *items;
	char *next; /* first key of the next page, or NULL */
	uint64_t remaining;
};

void
read_get(struct call *c)
{
	const json_t *obj;

	store_lock();
	obj = store_get(c->res, c->ns, c->name);
	if (obj == NULL)
		call_fail(c, status_not_found(c->res, c->name));
	else if (c->partial)
		call_reply(c, 200, call_partial(obj));
	else
		call_reply(c, 200, json_deep_copy(obj));
	store_unlock();
}

/* -- continue tokens: hex of a small JSON object ------------------------------
 */

static char *
token_make(uint64_t rv, const char *start)
{
	json_t *v = json_pack("{s:s, s:I, s:I, s:s}", "v", "meta.k8s.io/v1",
	    "rv", (json_int_t)rv, "epoch",
	    (json_int_t)settings_get().continue_epoch, "start", start);
	char *text = json_text(v);
	size_t n = strlen(text);
	char *out = util_alloc(2 * n + 1);

	for (size_t i = 0; i < n; i++)
		snprintf(out + 2 * i, 3, "%02x", (unsigned char)text[i]);
	free(text);
	json_decref(v);
	return out;
}

static json_t *
token_read(const char *token)
{
	size_t n = strlen(token) / 2;
	char *text = util_alloc(n + 1);
	json_t *v = NULL;

	for (size_t i = 0; i < n; i++) {
		char hex[3] = { token[2 * i], token[2 * i + 1], '\0' };

		text[i] = (char)strtol(hex, NULL, 16);
	}
	if (n > 0)
		v = json_parse(text, n, NULL);
	free(text);
	return v;
}

static json_t *
token_expired(const char *start)
{
	json_t *s = status_new(410, "Expired", EXPIRED_TEXT, NULL);
	char *token = token_make(0, start);

	json_puts(json_child(s, "metadata"), "continue", token);
	free(token);
	return s;
}

static json_t *
apply_token(const char *text, struct query *q)
{
	json_t *v = token_read(text);
	const char *start = json_str(v, "start");
	uint64_t rv = (uint64_t)json_num(v, "rv", 0);
	json_t *fail = NULL;

	if (start == NULL) {
		json_decref(v);
		return status_bad_request("invalid continue token: continue "
					  "key is not valid: invalid "
					  "character");
	}
	/* Version 0 marks a token that goes on with what is there now. */
	if (rv != 0 &&
	    ((uint64_t)json_num(v, "epoch", 0) !=
		    settings_get().continue_epoch ||
		rv < store_floor()))
		fail = token_expired(start);
	q->rv = rv == 0 ? store_rv() : rv;
	q->start = util_strdup(start);
	q->continued = true;
	json_decref(v);
	return fail;
}

/* -- options -- */

static json_t *
options_invalid(const char *field, const char *message)
{
	static const struct resource options = {
		.group = "meta.k8s.io",
		.kind = "ListOptions",
	};
	json_t *causes = json_pack("[{s:s, s:s, s:s}]", "field", field,
	    "reason", "FieldValueForbidden", "message", message);
	json_t *s = status_invalid(&options, "", causes);

	json_decref(causes);
	return s;
}

static json_t *
bad_number(const char *text)
{
	char *msg = util_format("strconv.ParseInt: parsing \"%s\": invalid "
				"syntax",
	    text);
	json_t *s = status_bad_request(msg);

	free(msg);
	return s;
}

static json_t *
bad_version(const char *text)
{
	char *msg = util_format("invalid resource version: resourceVersion: "
				"Invalid value: \"%s\": strconv.ParseUint: "
				"parsing \"%s\": invalid syntax",
	    text, text);
	json_t *s = status_bad_request(msg);

	free(msg);
	return s;
}

static json_t *
apply_version(const char *rv, const char *match, bool limited, struct query *q)
{
	uint64_t v = 0;
	bool exact;

	q->rv = store_rv();
	if (rv == NULL || *rv == '\0') {
		if (match != NULL && *match != '\0')
			return options_invalid("resourceVersionMatch",
			    "Forbidden: resourceVersionMatch is forbidden "
			    "unless resourceVersion is provided");
		return NULL;
	}
	if (!util_parse_u64(rv, &v))
		return bad_version(rv);
	if (v > q->rv)
		return status_too_new(v, q->rv);
	exact = match != NULL && *match != '\0' ? strcmp(match, "Exact") == 0
						: limited;
	if (v == 0 || !exact)
		return NULL;
	if (v < store_floor())
		return status_new(410, "Expired",
		    "The resourceVersion for the provided list is too old.",
		    NULL);
	q->rv = v;
	return NULL;
}

static json_t *
parse_selectors(const struct call *c, struct query *q)
{
	char *why = NULL;
	json_t *s;

	if (selector_parse_labels(
		http_param(c->req, "labelSelector"), &q->labels, &why) == 0 &&
	    selector_parse_fields(c->res, http_param(c->req, "fieldSelector"),
		&q->fields, &why) == 0)
		return NULL;
	s = status_bad_request(why);
	free(why);
	return s;
}

static json_t *
parse_options(const struct call *c, struct query *q)
{
	const char *limit = http_param(c->req, "limit");
	const char *token = http_param(c->req, "continue");
	const char *rv = http_param(c->req, "resourceVersion");
	uint64_t cap = settings_get().max_page;
	json_t *fail = parse_selectors(c, q);

	if (fail != NULL)
		return fail;
	if (http_param(c->req, "sendInitialEvents") != NULL)
		return options_invalid("sendInitialEvents",
		    "Forbidden: sendInitialEvents is forbidden for list");
	if (limit != NULL && !util_parse_u64(limit, &q->limit))
		return bad_number(limit);
	/* Any version: the cache answers, and it does not page. */
	if (rv != NULL && strcmp(rv, "0") == 0)
		q->limit = 0;
	if (token == NULL || *token == '\0')
		fail = apply_version(rv,
		    http_param(c->req, "resourceVersionMatch"), q->limit > 0,
		    q);
	else if (rv != NULL && *rv != '\0' && strcmp(rv, "0") != 0)
		fail = status_bad_request("specifying resource version is not "
					  "allowed when using continue");
	else
		fail = apply_token(token, q);
	if (cap > 0 && (q->limit == 0 || q->limit > cap))
		q->limit = cap;
	return fail;
}

/* -- the page -- */

static bool
wanted(const struct call *c, const struct query *q, const json_t *obj)
{
	const char *ns =
	    json_str(json_object_get(obj, "metadata"), "namespace");

	if (*c->ns != '\0' && (ns == NULL || strcmp(ns, c->ns) != 0))
		return false;
	return selector_matches(q->labels, obj) &&
	    selector_matches(q->fields, obj);
}

static json_t *
list_item(const struct call *c, json_t *obj)
{
	json_t *item;

	if (c->partial)
		return call_partial(obj);
	if (c->res->custom)
		return json_incref(obj);
	item = json_copy(obj);
	json_object_del(item, "kind");
	json_object_del(item, "apiVersion");
	return item;
}

static void
collect(const struct call *c, const struct query *q,
    const struct store_items *all, struct page *page)
{
	for (size_t i = 0; i < all->n; i++) {
		json_t *obj = all->items[i];
		const json_t *meta = json_object_get(obj, "metadata");
		char *key;

		store_key(
		    &key, json_str(meta, "namespace"), json_str(meta, "name"));
		if ((q->start != NULL && strcmp(key, q->start) < 0) ||
		    !wanted(c, q, obj)) {
			free(key);
			continue;
		}
		if (q->limit == 0 || json_array_size(page->items) < q->limit) {
			json_array_append_new(page->items, list_item(c, obj));
		} else {
			page->remaining++;
			if (page->next == NULL) {
				page->next = key;
				key = NULL;
			}
		}
		free(key);
	}
}

static json_t *
list_body(const struct call *c, const struct query *q, struct page *page)
{
	char rv[24], *kind = util_format("%sList", c->res->kind), *token;
	json_t *meta = json_object(), *out;

	snprintf(rv, sizeof(rv), "%llu", (unsigned long long)q->rv);
	json_puts(meta, "resourceVersion", rv);
	/* Lists of custom objects always have one. */
	if (c->res->custom && !c->partial)
		json_puts(meta, "continue", "");
	if (page->next != NULL) {
		token = token_make(q->rv, page->next);
		json_puts(meta, "continue", token);
		free(token);
		if (q->labels == NULL && q->fields == NULL)
			json_put(meta, "remainingItemCount",
			    json_integer((json_int_t)page->remaining));
	}
	out = json_pack("{s:s, s:s, s:o, s:O}", "kind",
	    c->partial ? "PartialObjectMetadataList" : kind, "apiVersion",
	    c->partial ? "meta.k8s.io/v1" : c->res->api_version, "metadata",
	    meta, "items", page->items);
	free(kind);
	return out;
}

static void
answer(struct call *c, const struct query *q)
{
	struct page page = { .items = json_array() };
	struct store_items all;

	if (store_snapshot(c->res, q->rv, &all) < 0) {
		call_fail(c, token_expired(q->start == NULL ? "" : q->start));
	} else {
		collect(c, q, &all, &page);
		call_reply(c, 200, list_body(c, q, &page));
		store_items_release(&all);
	}
	json_decref(page.items);
	free(page.next);
}

void
read_list(struct call *c)
{
	struct query q = { 0 };
	json_t *fail;

	store_lock();
	fail = parse_options(c, &q);
	if (fail != NULL)
		call_fail(c, fail);
	else
		answer(c, &q);
	store_unlock();
	selector_free(q.labels);
	selector_free(q.fields);
	free(q.start);
}
