/*
 * Objects that the measuring programs make, as texts.
 */
#ifndef BENCH_OBJECTS_H
#define BENCH_OBJECTS_H

#include <stddef.h>

#include "base/buf.h"

#define OBJECTS_MAX	(8u * 1024 * 1024)
#define OBJECTS_API	"/apis/bitnami.com/v1alpha1/namespaces/%s/sealedsecrets"
#define OBJECTS_SECRETS "/api/v1/namespaces/%s/secrets"
#define OBJECTS_EVENTS	"/api/v1/namespaces/%s/events"

/* The text of a file that holds a certificate; freed with free(). */
char *objects_certificate(const char *path);
/* A strictly scoped SealedSecret of so many items, in out. */
void objects_sealed(const char *cert, const char *ns, const char *name,
    unsigned long items, struct buf *out);

#endif
