/*
 * What a request is in the words of Kubernetes: its verb and resource, read
 * from method and path. For the metric of requests.
 */
#ifndef CONTROLLER_KUBE_VERB_H
#define CONTROLLER_KUBE_VERB_H

#include <stddef.h>

/* Longest name of a resource with its subresource; a longer one is cut. */
#define VERB_RESOURCE_MAX 64

struct verb {
	const char *name;		  /* static: "get", "list", ... */
	char resource[VERB_RESOURCE_MAX]; /* "" where the path names none */
};

void verb_of(const char *method, const char *path, struct verb *ret);

#endif
