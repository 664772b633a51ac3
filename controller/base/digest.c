/*
 * SHA-256. OpenSSL's one call for it can only fail for want of memory.
 */
#include "base/digest.h"

#include <openssl/evp.h>

#include "base/codec.h"

void
digest_sha256(
    const void *p, size_t len, unsigned char out[static DIGEST_SHA256_LEN])
{
	if (EVP_Digest(p, len, out, NULL, EVP_sha256(), NULL) != 1)
		abort();
}

void
digest_put_field(const void *p, size_t len, struct buf *out)
{
	unsigned char md[DIGEST_SHA256_LEN];
	struct err err = ERR_INIT;

	digest_sha256(p, len, md);
	buf_puts(out, "sha-256=:");
	if (base64_encode(md, sizeof(md), out, &err) < 0)
		abort();
	buf_putc(out, ':');
}
