/*
 * A sealing key as a Secret: its label, its data, and what no sealing key may
 * be. Pure.
 */
#ifndef KEYSTORE_SECRETFORM_H
#define KEYSTORE_SECRETFORM_H

#include <jansson.h>
#include <stdbool.h>

#include "base/compiler.h"
#include "base/err.h"
#include "keystore/keypair.h"

/* Whatever its value, which says whether the key is in use. */
#define SECRETFORM_LABEL "sealedsecrets.bitnami.com/sealed-secrets-key"
/* Data items, PEM. */
#define SECRETFORM_KEY "tls.key"
#define SECRETFORM_CRT "tls.crt"

/* It has a SealedSecret as its owner: whoever sealed the key knows it. A backup
 * has no owners, so such a Secret must not get into one. */
bool secretform_is_produced(const json_t *secret);
/* The key in its data, checked by keypair_parse(); ret is owned by the caller.
 * Looks at nothing else. No error holds a value. */
int secretform_read(
    const json_t *secret, struct keypair **ret, struct err *err) MUST_CHECK;

#endif
