/*
 * Typed requests over a transport. Refusals of the server are passed on as it
 * worded them; objects' contents never get into a text.
 */
#include "kube/client.h"

#include <stdio.h>
#include <string.h>

#include "base/jsonx.h"
#include "base/mem.h"
#include "kube/watch.h"

/* The API server takes no larger bodies. */
#define REQUEST_BODY_MAX (3u * 1024 * 1024)
#define LIST_TIMEOUT_MS	 60000u
#define PAGE_LIMIT	 "500"
#define PATH_BYTES_MAX	 (16u * 1024)
#define SELECTOR_MAX	 1024

static int
exchange(struct kube_client *c, struct kube_request *req,
    struct kube_response *resp, struct err *err)
{
	struct kube_transport *t = c->transport;

	req->abort = c->abort;
	if (req->timeout_ms == 0 || c->timeout_ms != 0)
		req->timeout_ms = c->timeout_ms;
	if (kube_limiter_wait(c->limiter, c->stop, err) < 0)
		return -1;
	/* After the wait, which may be long. */
	if (c->may_write != NULL && strcmp(req->method, "GET") != 0 &&
	    !c->may_write(c->may_write_ctx))
		return err_set(
		    err, ERR_CANCELLED, "this replica does not lead");
	if (t->perform(t->ctx, req, resp, err) < 0)
		return -1;
	if (resp->status / 100 != 2)
		return kube_status_error(resp, err);
	return 0;
}

static int
parse_answer(const struct kube_response *resp, json_t **ret, struct err *err)
{
	json_t *v = NULL;

	if (!resp->json)
		return err_set(err, ERR_SERVER, "answer is not JSON");
	if (jsonx_parse(buf_str(&resp->body), resp->body.len, JSONX_CUT_DEEP,
		&v, err) < 0) {
		err->code = ERR_SERVER;
		return err_wrap(err, "answer");
	}
	if (!json_is_object(v)) {
		json_decref(v);
		return err_set(err, ERR_SERVER, "answer is not an object");
	}
	*ret = v;
	return 0;
}

static int
call(struct kube_client *c, struct kube_request *req, const json_t *body,
    json_t **ret, struct err *err)
{
	AUTO_RELEASE(kube_response) struct kube_response resp = { 0 };
	AUTO_RELEASE(buf) struct buf text = BUF_INIT(REQUEST_BODY_MAX);

	if (body != NULL) {
		if (jsonx_dump(body, &text, err) < 0)
			return err_wrap(err, "request");
		req->body = buf_str(&text);
		req->body_len = text.len;
	}
	if (exchange(c, req, &resp, err) < 0)
		return -1;
	return ret != NULL ? parse_answer(&resp, ret, err) : 0;
}

static void
name_manager(const struct kube_resource *res, struct buf *path)
{
	if (res->manager != NULL)
		kube_path_query(path, "fieldManager", res->manager);
}

struct verb {
	const char *method;
	const char *subresource; /* NULL: the object itself */
	const json_t *body;	 /* NULL: none */
};

static int
call_object(struct kube_client *c, const struct kube_resource *res,
    const struct objkey *key, const struct verb *verb, json_t **ret,
    struct err *err)
{
	AUTO_RELEASE(buf) struct buf path = BUF_INIT(PATH_BYTES_MAX);
	struct kube_request req = {
		.method = verb->method,
		.accept = kube_accept(res, false),
	};

	kube_path_object(res, key, verb->subresource, &path);
	if (strcmp(verb->method, "PUT") == 0)
		name_manager(res, &path);
	req.path = buf_str(&path);
	if (strcmp(verb->method, "PATCH") == 0)
		req.content_type = "application/strategic-merge-patch+json";
	return call(c, &req, verb->body, ret, err);
}

int
kube_get(struct kube_client *c, const struct kube_resource *res,
    const struct objkey *key, json_t **ret, struct err *err)
{
	struct verb get = { .method = "GET" };

	return call_object(c, res, key, &get, ret, err);
}

static int
post(struct kube_client *c, const struct kube_resource *res,
    const struct buf *path, const json_t *obj, json_t **ret, struct err *err)
{
	struct kube_request req = {
		.method = "POST",
		.accept = kube_accept(res, false),
		.path = buf_str(path),
	};

	return call(c, &req, obj, ret, err);
}

static int
create_path(const struct kube_resource *res, const char *ns, struct buf *path,
    struct err *err)
{
	if (ns != NULL && !res->cluster_scoped &&
	    !objkey_valid_ns(ns, strlen(ns)))
		return err_set(
		    err, ERR_INVALID, "namespace is not a valid DNS label");
	kube_path_collection(res, ns, path);
	name_manager(res, path);
	return 0;
}

int
kube_create(struct kube_client *c, const struct kube_resource *res,
    const char *ns, const json_t *obj, json_t **ret, struct err *err)
{
	AUTO_RELEASE(buf) struct buf path = BUF_INIT(PATH_BYTES_MAX);

	if (create_path(res, ns, &path, err) < 0)
		return -1;
	return post(c, res, &path, obj, ret, err);
}

int
kube_create_dry_run(struct kube_client *c, const struct kube_resource *res,
    const char *ns, const json_t *obj, struct err *err)
{
	AUTO_RELEASE(buf) struct buf path = BUF_INIT(PATH_BYTES_MAX);

	if (create_path(res, ns, &path, err) < 0)
		return -1;
	kube_path_query(&path, "dryRun", "All");
	return post(c, res, &path, obj, NULL, err);
}

int
kube_update(struct kube_client *c, const struct kube_resource *res,
    const struct objkey *key, const json_t *obj, json_t **ret, struct err *err)
{
	struct verb put = { .method = "PUT", .body = obj };

	return call_object(c, res, key, &put, ret, err);
}

int
kube_update_status(struct kube_client *c, const struct kube_resource *res,
    const struct objkey *key, const json_t *obj, json_t **ret, struct err *err)
{
	struct verb put = {
		.method = "PUT",
		.subresource = "status",
		.body = obj,
	};

	return call_object(c, res, key, &put, ret, err);
}

int
kube_patch(struct kube_client *c, const struct kube_resource *res,
    const struct objkey *key, const json_t *patch, json_t **ret,
    struct err *err)
{
	struct verb verb = { .method = "PATCH", .body = patch };

	return call_object(c, res, key, &verb, ret, err);
}

int
kube_delete(struct kube_client *c, const struct kube_resource *res,
    const struct objkey *key, const char *uid, const char *rv, struct err *err)
{
	AUTO_JSON json_t *options = json_object();
	json_t *preconditions = json_object();
	struct verb verb = { .method = "DELETE", .body = options };

	jsonx_set_str(options, "kind", "DeleteOptions");
	jsonx_set_str(options, "apiVersion", "v1");
	if (uid != NULL)
		jsonx_set_str(preconditions, "uid", uid);
	if (rv != NULL)
		jsonx_set_str(preconditions, "resourceVersion", rv);
	jsonx_set(options, "preconditions", preconditions);
	return call_object(c, res, key, &verb, NULL, err);
}

/* ---- lists ---- */

struct listing {
	struct kube_client *c;
	const struct kube_resource *res;
	const char *ns, *selector;
	int (*each)(void *ctx, json_t *item, struct err *err);
	void *ctx;
	struct list_decoder *decoder; /* of this page */
	struct err err;		      /* of each() or of the decoder */
	char rv[LIST_TOKEN_MAX + 1];
	char next[LIST_TOKEN_MAX + 1];
};

static bool
on_item(void *ctx, json_t *item)
{
	struct listing *l = ctx;

	return l->each(l->ctx, item, &l->err) == 0;
}

static int
feed(struct listing *l, const char *p, size_t len)
{
	struct err err = ERR_INIT;

	if (list_decoder_feed(l->decoder, p, len, &err) == 0)
		return 0;
	/* What each() said counts more than that the decoder was stopped. */
	if (l->err.code == ERR_NONE)
		l->err = err;
	return -1;
}

static bool
on_bytes(void *ctx, const char *p, size_t len)
{
	return feed(ctx, p, len) == 0;
}

static void
page_path(const struct listing *l, bool paged, struct buf *path)
{
	kube_path_collection(l->res, l->ns, path);
	if (l->selector != NULL)
		kube_path_query(path, "labelSelector", l->selector);
	if (paged)
		kube_path_query(path, "limit", PAGE_LIMIT);
	if (l->next[0] != '\0')
		kube_path_query(path, "continue", l->next);
}

/* An answer that is not a list may be one the next time. */
static int
fail_decoding(const struct listing *l, struct err *err)
{
	*err = l->err;
	if (err->code == ERR_INVALID)
		err->code = ERR_SERVER;
	return -1;
}

static int
decode_page(struct listing *l, struct kube_request *req, struct err *err)
{
	AUTO_RELEASE(kube_response) struct kube_response resp = { 0 };
	int rc = exchange(l->c, req, &resp, err);

	if (rc < 0 && err->code == ERR_CANCELLED && l->err.code != ERR_NONE)
		return fail_decoding(l, err);
	if (rc < 0)
		return -1;
	if (!resp.json)
		return err_set(err, ERR_SERVER, "answer is not JSON");
	if (resp.body.len > 0 && feed(l, resp.body.data, resp.body.len) < 0)
		return fail_decoding(l, err);
	if (list_decoder_end(l->decoder, &l->err) < 0)
		return fail_decoding(l, err);
	(void)snprintf(l->rv, sizeof(l->rv), "%s",
	    list_decoder_resource_version(l->decoder));
	(void)snprintf(
	    l->next, sizeof(l->next), "%s", list_decoder_continue(l->decoder));
	return 0;
}

static int
read_page(struct listing *l, bool paged, struct err *err)
{
	AUTO_RELEASE(buf) struct buf path = BUF_INIT(PATH_BYTES_MAX);
	AUTO(list_decoder)
	struct list_decoder *d = list_decoder_new(KUBE_ITEM_MAX, on_item, l);
	struct kube_request req = {
		.method = "GET",
		.accept = kube_accept(l->res, true),
		.timeout_ms = LIST_TIMEOUT_MS,
		.sink = on_bytes,
		.sink_ctx = l,
	};

	l->decoder = d;
	l->err = (struct err)ERR_INIT;
	page_path(l, paged, &path);
	req.path = buf_str(&path);
	return decode_page(l, &req, err);
}

static int
read_pages(struct listing *l, struct err *err)
{
	bool paged = true;

	for (;;) {
		bool continued = l->next[0] != '\0';

		if (read_page(l, paged, err) < 0) {
			if (err->code != ERR_GONE || !continued || !paged)
				return -1;
			/* The token expired; once more, in one piece. */
			paged = false;
			l->next[0] = '\0';
			continue;
		}
		if (l->next[0] == '\0')
			return 0;
	}
}

int
kube_list(struct kube_client *c, const struct kube_resource *res,
    const char *ns, const char *selector,
    int (*each)(void *ctx, json_t *item, struct err *err), void *ctx, char **rv,
    struct err *err)
{
	struct listing l = {
		.c = c,
		.res = res,
		.ns = ns,
		.selector = selector,
		.each = each,
		.ctx = ctx,
	};

	if (ns != NULL && !objkey_valid_ns(ns, strlen(ns)))
		return err_set(
		    err, ERR_INVALID, "namespace is not a valid DNS label");
	if (selector != NULL && strlen(selector) > SELECTOR_MAX)
		return err_set(err, ERR_TOOBIG, "label selector is too long");
	if (read_pages(&l, err) < 0)
		return -1;
	if (rv != NULL)
		*rv = xstrdup(l.rv);
	return 0;
}
