/*
 * The public listener: sealing certificate, verify and rotate, health.
 */
#include <stdatomic.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "http/server.h"
#include "routes.h"
#include "sealed.h"

#define THREADS	 2
#define BODY_MAX ((size_t)1024 * 1024)
/* Enough for an API server's proxy, probes and an Ingress. */
#define CONNECTIONS_MAX 128
/* Most threads for verify and rotate; see pool_threads(). */
#define TASK_THREADS_MAX 2

struct public
{
	struct http_public_config cfg;
	struct sealed *sealed;
	atomic_bool keyless; /* and said so */
};

static void
serve_health(bool good, const char *bad, struct http_reply *reply)
{
	if (good)
		http_reply_text(reply, 200, "ok\n");
	else
		http_reply_text(reply, 503, bad);
}

static void
serve_healthz(void *ctx, struct http_reply *reply)
{
	const struct public *p = ctx;

	serve_health(p->cfg.healthy(p->cfg.ctx), "not healthy\n", reply);
}

static void
serve_readyz(void *ctx, struct http_reply *reply)
{
	const struct public *p = ctx;

	serve_health(p->cfg.ready(p->cfg.ctx), "not ready\n", reply);
}

static void
serve_cert(void *ctx, struct http_reply *reply)
{
	struct public *p = ctx;
	struct err err = ERR_INIT;

	reply->status = 200;
	reply->content_type = "application/x-pem-file";
	if (registry_cert_pem(p->cfg.keys, &reply->body, &err) == 0) {
		/* Written only where it changes: threads share it. */
		if (atomic_load(&p->keyless))
			atomic_store(&p->keyless, false);
		return;
	}
	/* Once, however many ask until there is a key. */
	if (!atomic_exchange(&p->keyless, true))
		log_error("cannot get certificates", "error", err.msg);
	http_reply_text(reply, 500, "cannot get certificate\n");
}

static bool
admit_verify(void *ctx, const struct head *head, struct http_reply *reply)
{
	const struct public *p = ctx;

	return sealed_admit_verify(p->sealed, head->forwarded_for, reply);
}

static bool
admit_rotate(void *ctx, const struct head *head, struct http_reply *reply)
{
	const struct public *p = ctx;

	return sealed_admit_rotate(p->sealed, head->forwarded_for, reply);
}

static void
verify(void *ctx, const struct head *head UNUSED, struct buf *body,
    const struct pool *pool, struct http_reply *reply)
{
	const struct public *p = ctx;

	sealed_verify(p->sealed, body, pool, reply);
}

static void
rotate(void *ctx, const struct head *head UNUSED, struct buf *body,
    const struct pool *pool, struct http_reply *reply)
{
	const struct public *p = ctx;

	sealed_rotate(p->sealed, body, pool, reply);
}

static void
release(void *ctx)
{
	struct public *p = ctx;

	sealed_free(p->sealed);
}

static const struct http_route routes[] = {
	{ "/healthz", serve_healthz, false },
	{ "/readyz", serve_readyz, false },
	{ "/v1/cert.pem", serve_cert, true },
};

static const struct http_task tasks[] = {
	{ .path = "/v1/verify", .admit = admit_verify, .work = verify },
	{ .path = "/v1/rotate", .admit = admit_rotate, .work = rotate },
};

int
http_public_start(const struct http_public_config *cfg,
    struct http_server **ret, struct err *err)
{
	struct public *ctx = xcalloc(1, sizeof(*ctx));
	const struct sealed_config sc = {
		.keys = cfg->keys,
		.accept_v1_data = cfg->accept_v1_data,
		.rate = cfg->rate_limit,
		.burst = cfg->rate_limit_burst,
		.clock = &clock_system,
	};
	uint64_t read_ms = http_server_timeout_ms(cfg->read_timeout_ns);
	struct http_listener_config lc = {
		.listen_addr = cfg->listen_addr,
		.routes = routes,
		.nroutes = ARRAY_SIZE(routes),
		.tasks = tasks,
		.ntasks = ARRAY_SIZE(tasks),
		.task_threads = pool_threads(TASK_THREADS_MAX),
		.ctx = ctx,
		.release = release,
		.metrics = cfg->metrics,
		.clock = &clock_system,
		.threads = THREADS,
		.body_max = BODY_MAX,
		.conns = {
			.max = CONNECTIONS_MAX,
			/* As the reference's server: idle as long as read. */
			.idle_ms = read_ms,
			.read_ms = read_ms,
			.write_ms = http_server_timeout_ms(
			    cfg->write_timeout_ns),
		},
	};

	ctx->cfg = *cfg;
	ctx->sealed = sealed_new(&sc);
	return http_server_start(&lc, ret, err);
}
