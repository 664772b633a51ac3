/*
 * Fuzz target: reading the two texts of a key Secret. Input: tls.key, a NUL,
 * tls.crt; without a NUL the fixed certificate stands in.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "fuzz.h"
#include "keystore/keypair.h"
#include "keystore/seal.h"
#include "tests/fuzz/testkey.h"

/* What was read can be written, read again, and is the same key. */
static void
write_and_read(const struct keypair *kp)
{
	AUTO(secret) struct secret *pem = NULL;
	AUTO(keypair) struct keypair *again = NULL;
	AUTO_RELEASE(buf) struct buf blob = BUF_INIT(SEAL_BLOB_MAX);
	struct err err = ERR_INIT;
	const char *cert = keypair_cert_pem(kp);

	if (keypair_private_pem(kp, &pem, &err) < 0 ||
	    keypair_parse((const char *)secret_bytes(pem), secret_len(pem),
		cert, strlen(cert), &again, &err) < 0)
		abort();
	if (strcmp(keypair_fingerprint(kp), keypair_fingerprint(again)) != 0 ||
	    strcmp(cert, keypair_cert_pem(again)) != 0 ||
	    keypair_not_after(kp) != keypair_not_after(again))
		abort();
	if (seal_encrypt_cert(cert, "", 0, "x", 1, &blob, &err) < 0)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char fixed[] = TESTKEY_CERT;
	AUTO(keypair) struct keypair *kp = NULL;
	struct err err = ERR_INIT;
	const uint8_t *nul = size > 0 ? memchr(data, '\0', size) : NULL;
	const char *cert = fixed;
	size_t key_len = size, cert_len = sizeof(fixed) - 1;

	if (nul != NULL) {
		key_len = (size_t)(nul - data);
		cert = (const char *)nul + 1;
		cert_len = size - key_len - 1;
	}
	if (keypair_parse(
		(const char *)data, key_len, cert, cert_len, &kp, &err) == 0)
		write_and_read(kp);
	else if (kp != NULL || err.msg[0] == '\0')
		abort();
	return 0;
}
