/*
 * The service proxy: a Service object for kubeseal to look at, and requests
 * passed on to the controller.
 */
#ifndef APISERVER_PROXY_H
#define APISERVER_PROXY_H

#include "call.h"

/* HOST:PORT of the controller; NULL: no service exists. */
void proxy_set_target(const char *addr);

/* Answers for .../namespaces/NS/services/NAME[/proxy/...]. */
void proxy_handle(struct call *c);

#endif
