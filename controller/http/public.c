/*
 * The public listener: sealing certificate and health.
 */
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "http/server.h"
#include "routes.h"

#define THREADS	 2
#define BODY_MAX ((size_t)1024 * 1024)
/* Enough for an API server's proxy, probes and an Ingress. */
#define CONNECTIONS_MAX 128

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
	const struct http_public_config *cfg = ctx;

	serve_health(cfg->healthy(cfg->ctx), "not healthy\n", reply);
}

static void
serve_readyz(void *ctx, struct http_reply *reply)
{
	const struct http_public_config *cfg = ctx;

	serve_health(cfg->ready(cfg->ctx), "not ready\n", reply);
}

static void
serve_cert(void *ctx, struct http_reply *reply)
{
	const struct http_public_config *cfg = ctx;
	struct err err = ERR_INIT;

	reply->status = 200;
	reply->content_type = "application/x-pem-file";
	if (registry_cert_pem(cfg->keys, &reply->body, &err) == 0)
		return;
	log_error("cannot get certificates", "error", err.msg);
	http_reply_text(reply, 500, "cannot get certificate\n");
}

static const struct http_route routes[] = {
	{ "/healthz", serve_healthz, false },
	{ "/readyz", serve_readyz, false },
	{ "/v1/cert.pem", serve_cert, true },
};

int
http_public_start(const struct http_public_config *cfg,
    struct http_server **ret, struct err *err)
{
	struct http_public_config *ctx = xmalloc(sizeof(*ctx));
	uint64_t read_ms = http_server_timeout_ms(cfg->read_timeout_ns);
	struct http_listener_config lc = {
		.listen_addr = cfg->listen_addr,
		.routes = routes,
		.nroutes = ARRAY_SIZE(routes),
		.ctx = ctx,
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

	*ctx = *cfg;
	return http_server_start(&lc, ret, err);
}
