/*
 * SHA-256. OpenSSL's one call for it can only fail for want of memory.
 */
#include "base/digest.h"

#include <openssl/evp.h>

void
digest_sha256(
    const void *p, size_t len, unsigned char out[static DIGEST_SHA256_LEN])
{
	if (EVP_Digest(p, len, out, NULL, EVP_sha256(), NULL) != 1)
		abort();
}
