/*
 * A listener of http/ with limits that no test reaches unless it sets others.
 */
#ifndef TESTS_UNIT_LISTENRIG_H
#define TESTS_UNIT_LISTENRIG_H

#include "base/clock.h"
#include "controller/http/routes.h"

#define LISTENRIG_LONG_MS 60000

/* On a free port, one thread; routes and tasks are the caller's to add. */
static inline struct http_listener_config
listenrig_config(void)
{
	return (struct http_listener_config) {
		.listen_addr = "127.0.0.1:0",
		.task_threads = 1,
		.clock = &clock_system,
		.threads = 1,
		.body_max = 1000,
		.conns = { .max = 64,
		    .idle_ms = LISTENRIG_LONG_MS,
		    .read_ms = LISTENRIG_LONG_MS,
		    .write_ms = LISTENRIG_LONG_MS },
	};
}

/* Fails the test where it does not start. */
static inline struct http_server *
listenrig_start(const struct http_listener_config *cfg)
{
	struct http_server *server = NULL;
	struct err err = ERR_INIT;

	if (http_server_start(cfg, &server, &err) < 0)
		fail_msg("%s", err.msg);
	return server;
}

#endif
