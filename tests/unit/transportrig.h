/*
 * What the tests of controller/kube/transport.c share.
 */
#ifndef TESTS_UNIT_TRANSPORTRIG_H
#define TESTS_UNIT_TRANSPORTRIG_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "httpd.h"
#include "kube/transport.h"

#define AGENT "controller/v1 (linux/test)"

static inline struct kube_config
config_of(const struct httpd *h)
{
	return (struct kube_config) {
		.server = (char *)httpd_url(h),
		.user_agent = (char *)AGENT,
	};
}

/* One GET of this path on a transport of its own. */
static inline int
get_once(const struct kube_config *cfg, const char *path,
    struct kube_response *resp, struct err *err)
{
	AUTO(kube_transport)
	struct kube_transport *t = kube_transport_new(cfg, NULL, NULL);
	struct kube_request req = { .method = "GET", .path = path };

	err_clear(err);
	return t->perform(t->ctx, &req, resp, err);
}

static inline int
get_on(struct kube_transport *t, const char *path, struct err *err)
{
	AUTO_RELEASE(kube_response) struct kube_response resp = { 0 };
	struct kube_request req = { .method = "GET", .path = path };

	err_clear(err);
	return t->perform(t->ctx, &req, &resp, err) < 0 ? -1 : resp.status;
}

#endif
