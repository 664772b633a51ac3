/*
 * The metrics listener: one route for a scraper.
 */
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "http/server.h"
#include "routes.h"

#define THREADS 1
/* Scrapers only: an answer may be large, so few at a time. */
#define CONNECTIONS_MAX 16
#define BODY_MAX	((size_t)64 * 1024)
#define READ_MS		30000
#define WRITE_MS	120000

struct scrape {
	struct metrics *metrics;
};

static void
serve_metrics(void *ctx, struct http_reply *reply)
{
	const struct scrape *scrape = ctx;
	struct err err = ERR_INIT;

	reply->status = 200;
	reply->content_type = "text/plain; version=0.0.4; charset=utf-8";
	if (metrics_render(scrape->metrics, &reply->body, &err) == 0)
		return;
	log_error("cannot render metrics", "error", err.msg);
	http_reply_text(reply, 500, "cannot render metrics\n");
}

static const struct http_route routes[] = {
	{ "/metrics", serve_metrics, false },
};

int
http_metrics_start(const char *listen_addr, struct metrics *metrics,
    struct http_server **ret, struct err *err)
{
	struct scrape *scrape = xmalloc(sizeof(*scrape));
	struct http_listener_config lc = {
		.listen_addr = listen_addr,
		.routes = routes,
		.nroutes = ARRAY_SIZE(routes),
		.ctx = scrape,
		.metrics = metrics,
		.clock = &clock_system,
		.threads = THREADS,
		.body_max = BODY_MAX,
		.conns = {
			.max = CONNECTIONS_MAX,
			.idle_ms = WRITE_MS,
			.read_ms = READ_MS,
			.write_ms = WRITE_MS,
		},
	};

	scrape->metrics = metrics;
	return http_server_start(&lc, ret, err);
}
