/*
 * The registry of keys for tests that need few of its inputs.
 */
#ifndef TESTS_KEYRING_H
#define TESTS_KEYRING_H

#include "keystore/registry.h"

/* registry_put() where there is nothing but the order time. */
static inline int
keyring_add(struct registry *r, const char *name, struct keypair *kp,
    int64_t order_s, struct err *err)
{
	const struct registry_attrs attrs = { .order_s = order_s };

	return registry_put(r, name, kp, &attrs, err);
}

/* registry_open() in a namespace that is not known. */
static inline int
keyring_open(struct registry *r, uint32_t *hint, const void *label,
    size_t label_len, const void *blob, size_t blob_len, struct secret **ret,
    struct err *err)
{
	const struct registry_sealed sealed = {
		.label = label,
		.label_len = label_len,
		.blob = blob,
		.blob_len = blob_len,
	};

	return registry_open(r, &sealed, hint, ret, err);
}

#endif
