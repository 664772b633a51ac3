/*
 * The /_test/ endpoints, by which a test steers the server.
 */
#ifndef APISERVER_CONTROL_H
#define APISERVER_CONTROL_H

#include "call.h"

void control_handle(struct call *c);

#endif
