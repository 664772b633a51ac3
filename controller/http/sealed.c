/*
 * /v1/verify and /v1/rotate; see sealed.h.
 *
 * Answers are those of the reference, with a reason where it has an empty 500.
 * The reason is a fixed word and, for what anybody can see in the body, a
 * text; all that depends on a private key has one answer.
 */
#include "sealed.h"

#include <time.h>

#include "base/clock.h"
#include "base/jsonx.h"
#include "base/log.h"
#include "base/mem.h"
#include "body.h"
#include "gcra.h"
#include "pool.h"
#include "sealedsecret/reseal.h"

enum { PATH_VERIFY, PATH_ROTATE };

struct sealed {
	struct sealed_config cfg;
	struct gcra *limiter;
};

/* One request's means. */
struct gauge {
	const struct sealed *s;
	const struct pool *pool;
	uint64_t begin_ns;
};

struct sealed *
sealed_new(const struct sealed_config *cfg)
{
	struct sealed *s = xcalloc(1, sizeof(*s));
	const struct gcra_config limits = {
		.rate = cfg->rate,
		.burst = cfg->burst,
		.clock = cfg->clock,
	};

	s->cfg = *cfg;
	s->limiter = gcra_new(&limits);
	return s;
}

void
sealed_free(struct sealed *s)
{
	if (s == NULL)
		return;
	gcra_free(s->limiter);
	mem_free_wiped(s);
}

/* ---- limits ---- */

static bool
admit(struct sealed *s, unsigned path, const char *client,
    struct http_reply *reply)
{
	struct gcra_verdict v;

	if (gcra_unlimited(s->limiter))
		return true;
	v = gcra_take(s->limiter, path, client);
	http_reply_field(reply, "X-Ratelimit-Limit", v.limit);
	http_reply_field(reply, "X-Ratelimit-Remaining", v.remaining);
	http_reply_field(reply, "X-Ratelimit-Reset", v.reset_s);
	if (v.allowed)
		return true;
	http_reply_field(reply, "Retry-After", v.retry_after_s);
	http_reply_text(reply, 429, "limit exceeded\n");
	return false;
}

bool
sealed_admit_verify(
    struct sealed *s, const char *client, struct http_reply *reply)
{
	return admit(s, PATH_VERIFY, client, reply);
}

bool
sealed_admit_rotate(
    struct sealed *s, const char *client, struct http_reply *reply)
{
	return admit(s, PATH_ROTATE, client, reply);
}

static uint64_t
cpu_ns(const struct sealed *s)
{
	struct timespec ts = { 0 };

	if (s->cfg.cpu_ns != NULL)
		return s->cfg.cpu_ns();
	(void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
	return (uint64_t)ts.tv_sec * NS_PER_S + (uint64_t)ts.tv_nsec;
}

static int
go_on(void *ctx, struct err *err)
{
	const struct gauge *g = ctx;

	if (g->pool != NULL && pool_stopping(g->pool))
		return err_set(err, ERR_CANCELLED, "shutting down");
	if (cpu_ns(g->s) - g->begin_ns > SEALED_CPU_NS)
		return err_set(err, ERR_TIMEOUT,
		    "took over %u s of CPU time: send fewer items at once",
		    (unsigned)(SEALED_CPU_NS / NS_PER_S));
	return 0;
}

/* ---- answers ---- */

static void
reply_empty(struct http_reply *reply, unsigned status)
{
	buf_clear(&reply->body);
	reply->status = status;
	reply->content_type = NULL;
}

static void
reply_reason(struct http_reply *reply, unsigned status, const char *slug,
    const char *text)
{
	http_reply_text(reply, status, slug);
	buf_printf(&reply->body, ": %s\n", text);
}

/* Body that could not be read as a SealedSecret. */
static void
refuse_body(struct http_reply *reply, const struct err *err)
{
	if (err->code == ERR_TOOBIG)
		reply_reason(reply, 413, "too-large", err->msg);
	else
		reply_reason(reply, 500, "bad-body", err->msg);
}

/* What has nothing to do with the keys. False: it has. */
static bool
refuse_work(struct http_reply *reply, const struct err *err)
{
	switch ((int)err->code) {
	case ERR_TOOBIG:
		reply_reason(reply, 413, "too-large", err->msg);
		return true;
	case ERR_TIMEOUT:
		reply_reason(reply, 503, "cpu-budget", err->msg);
		return true;
	case ERR_CANCELLED:
		reply_reason(reply, 503, "stopping", err->msg);
		return true;
	default:
		return false;
	}
}

static void
refuse_rotation(struct http_reply *reply, const struct err *err)
{
	if (refuse_work(reply, err))
		return;
	if (err->code == ERR_NOKEY)
		reply_reason(reply, 500, "decrypt-failed",
		    "no key could decrypt secret: sealed for another cluster, "
		    "name, namespace or scope, or damaged");
	else if (err->code == ERR_NOTFOUND)
		reply_reason(reply, 500, "no-key", err->msg);
	else
		reply_reason(reply, 500, "bad-object", err->msg);
}

/* ---- work ---- */

static void
begin(struct gauge *g, struct reseal_options *opt, const struct sealed *s,
    const struct pool *pool)
{
	*g = (struct gauge) { s, pool, cpu_ns(s) };
	*opt = (struct reseal_options) {
		.accept_v1_data = s->cfg.accept_v1_data,
		.go_on = go_on,
		.ctx = g,
	};
}

/* Frees the text as soon as there is a tree. */
static int
read_body(struct buf *body, enum body_documents documents, json_t **obj,
    struct err *err)
{
	int rc = body_parse(buf_str(body), body->len, documents, obj, err);

	buf_release(body);
	return rc;
}

void
sealed_verify(struct sealed *s, struct buf *body, const struct pool *pool,
    struct http_reply *reply)
{
	AUTO_JSON json_t *obj = NULL;
	struct reseal_options opt;
	struct gauge g;
	struct err err = ERR_INIT;

	begin(&g, &opt, s, pool);
	if (read_body(body, BODY_ONE_DOCUMENT, &obj, &err) < 0) {
		log_info("Error handling /v1/verify request", "error", err.msg);
		refuse_body(reply, &err);
		return;
	}
	if (reseal_verify(s->cfg.keys, obj, &opt, &err) == 0) {
		reply_empty(reply, 200);
		return;
	}
	log_info("Error validating secret", "error", err.msg);
	if (!refuse_work(reply, &err))
		reply_empty(reply, 409);
}

static int
rotate(struct sealed *s, const json_t *obj, const struct reseal_options *opt,
    struct http_reply *reply, struct err *err)
{
	AUTO_JSON json_t *out = NULL;

	if (reseal_rotate(s->cfg.keys, obj, opt, &out, err) < 0 ||
	    jsonx_dump(out, &reply->body, err) < 0)
		return -1;
	reply->status = 200;
	reply->content_type = "application/json";
	return 0;
}

void
sealed_rotate(struct sealed *s, struct buf *body, const struct pool *pool,
    struct http_reply *reply)
{
	AUTO_JSON json_t *obj = NULL;
	struct reseal_options opt;
	struct gauge g;
	struct err err = ERR_INIT;

	begin(&g, &opt, s, pool);
	if (read_body(body, BODY_FIRST_DOCUMENT, &obj, &err) < 0) {
		log_info("Error handling /v1/rotate request", "error", err.msg);
		refuse_body(reply, &err);
		return;
	}
	if (rotate(s, obj, &opt, reply, &err) < 0) {
		log_info("Error rotating secret", "error", err.msg);
		refuse_rotation(reply, &err);
	}
}
