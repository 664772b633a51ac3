/*
 * One admin call with everything it needs, for tests of what it does.
 */
#ifndef TESTS_UNIT_CALLRIG_H
#define TESTS_UNIT_CALLRIG_H

#include <string.h>

#include "adminrig.h"
#include "controller/http/routes.h"
#include "fakeclock.h"

struct callrig {
	struct adminrig rig;
	struct fakeclock fake;
	struct clock clock;
	struct registry *keys;
	struct admin_config cfg;
	struct admin_user user;
	struct head head;
	struct http_reply reply;
	struct call call;
};

static inline void
callrig_init(struct callrig *c)
{
	memset(c, 0, sizeof(*c));
	adminrig_init(&c->rig);
	fakeclock_init(&c->fake);
	c->clock = fakeclock_clock(&c->fake);
	c->keys = registry_new(&clock_system);
	c->cfg.ns = ADMINRIG_NS;
	c->cfg.keys = c->keys;
	c->cfg.backend = c->rig.backend;
	c->user.name = "anna";
	c->user.uid = "u-1";
	adminrig_head(&c->head, ADMINRIG_TOKEN, "10.0.0.9");
	buf_init(&c->reply.body, HTTP_TASK_REPLY_MAX);
	c->call = (struct call) {
		.cfg = &c->cfg,
		.limit = limit_new(&c->clock),
		.head = &c->head,
		.user = &c->user,
		.id = "0123",
		.reply = &c->reply,
	};
}

/* The answer has gone out, or has not. */
static inline void
callrig_sent(struct callrig *c, bool whole)
{
	struct pool_job *after = STEAL(c->reply.after);

	if (after != NULL)
		after->run(after, !whole);
}

static inline void
callrig_release(struct callrig *c)
{
	callrig_sent(c, false);
	limit_free(c->call.limit);
	registry_free(c->keys);
	http_reply_release(&c->reply);
	adminrig_head_release(&c->head);
	adminrig_release(&c->rig);
}

/* A text field of the answer; NULL: not there. */
static inline const char *
callrig_field(const struct callrig *c, const char *name)
{
	for (unsigned i = 0; i < c->reply.nfields; i++)
		if (strcmp(c->reply.fields[i].name, name) == 0)
			return c->reply.fields[i].text;
	return NULL;
}

#endif
