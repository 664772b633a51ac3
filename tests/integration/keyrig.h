/*
 * Key Secrets for whole-program tests: good ones and all sorts of bad ones, and
 * SealedSecrets that are sealed under them.
 */
#ifndef INTEGRATION_KEYRIG_H
#define INTEGRATION_KEYRIG_H

#include "harness.h"
#include "keystore/keypair.h"

#define KEYRIG_LABEL "sealedsecrets.bitnami.com/sealed-secrets-key"
/* What the program promises about key Secrets. */
#define KEYRIG_LIMIT_MS 5000

/* A key dated so many seconds from now, owned by the caller. */
struct keypair *keyrig_key(int64_t ahead_s);
/* The Secret of a key, labelled active; owned by the caller. */
json_t *keyrig_secret(const char *name, const struct keypair *kp);
/* The same of PEM texts. */
json_t *
keyrig_secret_of(const char *name, const char *key_pem, const char *crt_pem);
/* Key and certificate PEM of 1024 bits RSA, or EC; owned by the caller. */
void keyrig_odd_pem(bool ec, char **key_pem, char **crt_pem);

/* Applies it to kube-system; fails the test when refused. */
void keyrig_put(struct harness *h, json_t *secret);
void keyrig_label(struct harness *h, const char *name, const char *value);
void keyrig_delete(struct harness *h, const char *name);

/* Creates a SealedSecret under this key. */
void keyrig_seal(struct harness *h, const char *ns, const char *name,
    const struct keypair *kp, const char *value);
/* Until a controller at this address serves the certificate of kp. */
bool keyrig_wait_served(
    const char *http, const struct keypair *kp, int64_t limit_ms);
/* Until it serves none. */
bool keyrig_wait_none(const char *http, int64_t limit_ms);

#endif
