/*
 * One sealing key: an RSA private key and its X.509 certificate. Immutable,
 * reference-counted (atomic). The private half never leaves keystore/ except
 * as the PEM text that is stored in a key Secret.
 */
#ifndef KEYSTORE_KEYPAIR_H
#define KEYSTORE_KEYPAIR_H

#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/err.h"
#include "base/secret.h"
#include "base/thread.h"

struct keypair;

struct keypair_params {
	unsigned bits;	   /* RSA modulus, 2048 to 8192 */
	int64_t ttl_s;	   /* validity of the certificate */
	int64_t now_s;	   /* notBefore, unix seconds */
	const char *cn;	   /* common name, "" for an empty DN */
	struct stop *stop; /* aborts a running generation; may be NULL */
};

#define KEYPAIR_FINGERPRINT_MAX 64 /* "SHA256:" + 43 characters + NUL */

/* Takes up to seconds of CPU. ERR_CANCELLED where stop was requested. */
int keypair_generate(const struct keypair_params *params, struct keypair **ret,
    struct err *err) MUST_CHECK;

/*
 * From PEM texts (tls.key, tls.crt of a key Secret). Key: the first PKCS#1 or
 * unencrypted PKCS#8 block that parses. Certificate: the first CERTIFICATE
 * block. Refused, with a text that says why: no usable block, not RSA, under
 * 2048 or over 8192 bits, inconsistent numbers, a certificate that does not
 * match the key, texts over 64 KiB.
 */
int keypair_parse(const char *key_pem, size_t key_len, const char *cert_pem,
    size_t cert_len, struct keypair **ret, struct err *err) MUST_CHECK;

struct keypair *keypair_ref(struct keypair *kp);
void keypair_free(struct keypair *kp); /* drops one reference */

/* OpenSSH form: "SHA256:" and unpadded base64. Borrowed. */
const char *keypair_fingerprint(const struct keypair *kp);
/* The certificate alone, one PEM block with a final newline. Borrowed. */
const char *keypair_cert_pem(const struct keypair *kp);
int64_t keypair_not_before(const struct keypair *kp);
int64_t keypair_not_after(const struct keypair *kp);
size_t keypair_modulus_len(const struct keypair *kp); /* bytes */
/* PKCS#1 PEM, "RSA PRIVATE KEY". Owned by the caller. */
int keypair_private_pem(
    const struct keypair *kp, struct secret **ret, struct err *err) MUST_CHECK;

DEFINE_AUTO(keypair);

#endif
