/*
 * From the texts of a key Secret to a key and its certificate.
 *
 * A key Secret is outside data: whoever may write Secrets in the key namespace
 * chooses its bytes. So sizes are bounded before any arithmetic, and the
 * numbers are checked without primality tests, whose cost the writer of the
 * numbers would choose; one encryption and decryption shows that they work.
 */
#include "keystore/keypair.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/decoder.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <openssl/sha.h>

#include "private.h"

/* Go's crypto/x509, and so kubeseal, reads no larger exponent. */
#define EXPONENT_BITS_MAX 31
/* Blocks looked at in one text. */
#define PEM_BLOCKS_MAX 64

OSSL_AUTO(bnctx, BN_CTX, BN_CTX_free);
OSSL_AUTO(decoderctx, OSSL_DECODER_CTX, OSSL_DECODER_CTX_free);

/* PEM, block by block. */

struct pem {
	const char *p;
	size_t left;
	unsigned tries;
};

struct block {
	char *name, *header;
	unsigned char *data;
	long len;
};

static void
block_release(struct block *b)
{
	OPENSSL_secure_free(b->name);
	OPENSSL_secure_free(b->header);
	OPENSSL_secure_clear_free(b->data, b->len > 0 ? (size_t)b->len : 0);
	*b = (struct block) { 0 };
}

DEFINE_AUTO_RELEASE(block);

static const char begin[] = "-----BEGIN ";

/* Moves to the next line that begins a block. */
static bool
find_begin(struct pem *pem)
{
	const char *end = pem->p + pem->left, *p = pem->p;

	while ((p = memmem(p, (size_t)(end - p), begin, sizeof(begin) - 1)) !=
	    NULL) {
		if (p == pem->p || p[-1] == '\n') {
			pem->left = (size_t)(end - p);
			pem->p = p;
			return true;
		}
		p++;
	}
	return false;
}

static void
skip(struct pem *pem, size_t n)
{
	pem->p += n;
	pem->left -= n;
}

/*
 * The next block that is whole. A broken one is passed over as Go does it: the
 * search goes on behind its first line, so that it cannot swallow the next.
 */
static bool
next_block(struct pem *pem, struct block *b)
{
	while (pem->tries++ < PEM_BLOCKS_MAX && find_begin(pem)) {
		AUTO(bio) BIO *bio = BIO_new_mem_buf(pem->p, (int)pem->left);

		block_release(b);
		/* "Secure" also means: buffers are wiped before the free. */
		if (bio != NULL &&
		    PEM_read_bio_ex(bio, &b->name, &b->header, &b->data,
			&b->len,
			PEM_FLAG_SECURE | PEM_FLAG_EAY_COMPATIBLE) == 1) {
			skip(pem, pem->left - BIO_ctrl_pending(bio));
			return true;
		}
		ERR_clear_error();
		skip(pem, sizeof(begin) - 1);
	}
	return false;
}

static int
check_pem_size(size_t len, struct err *err)
{
	if (len == 0)
		return err_set(err, ERR_INVALID, "empty");
	if (len > KEYPAIR_PEM_MAX)
		return err_set(
		    err, ERR_TOOBIG, "larger than %u bytes", KEYPAIR_PEM_MAX);
	return 0;
}

/* The certificate. */

int
keypair_read_cert(const char *pem, size_t len, X509 **ret, struct err *err)
{
	AUTO_RELEASE(block) struct block b = { 0 };
	AUTO(x509) X509 *cert = NULL;
	struct pem in = { pem, len, 0 };
	const unsigned char *p;
	EVP_PKEY *key;

	if (check_pem_size(len, err) < 0)
		return -1;
	do {
		if (!next_block(&in, &b))
			return err_set(
			    err, ERR_INVALID, "no CERTIFICATE block in it");
	} while (strcmp(b.name, PEM_STRING_X509) != 0 || b.header[0] != '\0');
	p = b.data;
	cert = d2i_X509(NULL, &p, b.len);
	key = cert != NULL ? X509_get0_pubkey(cert) : NULL;
	ERR_clear_error();
	if (cert == NULL || p != b.data + b.len)
		return err_set(err, ERR_INVALID, "not a certificate");
	if (key == NULL || !EVP_PKEY_is_a(key, "RSA"))
		return err_set(err, ERR_INVALID, "not for an RSA key");
	*ret = STEAL(cert);
	return 0;
}

/* The private key: what its blocks are, and which one is taken. */

enum block_kind {
	BLOCK_OTHER,
	BLOCK_PKCS1,
	BLOCK_PKCS8,
	BLOCK_EC,
	BLOCK_ENCRYPTED,
};

static enum block_kind
kind_of(const struct block *b)
{
	static const struct {
		const char *name;
		enum block_kind kind;
	} kinds[] = {
		{ PEM_STRING_RSA, BLOCK_PKCS1 },
		{ PEM_STRING_PKCS8INF, BLOCK_PKCS8 },
		{ PEM_STRING_PKCS8, BLOCK_ENCRYPTED },
		{ PEM_STRING_ECPRIVATEKEY, BLOCK_EC },
	};

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		if (strcmp(b->name, kinds[i].name) != 0)
			continue;
		if (strstr(b->header, "ENCRYPTED") != NULL)
			return BLOCK_ENCRYPTED;
		return kinds[i].kind;
	}
	return BLOCK_OTHER;
}

static EVP_PKEY *
decode(const struct block *b, enum block_kind kind)
{
	AUTO(pkey) EVP_PKEY *pkey = NULL;
	AUTO(decoderctx) OSSL_DECODER_CTX *ctx = NULL;
	const unsigned char *p = b->data;
	size_t left = (size_t)b->len;
	bool pkcs1 = kind == BLOCK_PKCS1;

	ctx = OSSL_DECODER_CTX_new_for_pkey(&pkey, "DER",
	    pkcs1 ? "type-specific" : "PrivateKeyInfo", pkcs1 ? "RSA" : NULL,
	    EVP_PKEY_KEYPAIR, NULL, NULL);
	if (ctx == NULL || OSSL_DECODER_from_data(ctx, &p, &left) != 1 ||
	    left != 0) {
		ERR_clear_error();
		return NULL;
	}
	return STEAL(pkey);
}

static int
no_key(bool seen[static BLOCK_ENCRYPTED + 1], struct err *err)
{
	if (seen[BLOCK_ENCRYPTED])
		return err_set(err, ERR_INVALID, "it is encrypted");
	if (seen[BLOCK_EC])
		return err_set(err, ERR_INVALID, "not an RSA key");
	if (seen[BLOCK_PKCS1] || seen[BLOCK_PKCS8])
		return err_set(err, ERR_INVALID, "its PEM block is damaged");
	return err_set(err, ERR_INVALID, "no PEM block of a private key in it");
}

static int
read_key(const char *pem, size_t len, EVP_PKEY **ret, struct err *err)
{
	AUTO_RELEASE(block) struct block b = { 0 };
	AUTO(pkey) EVP_PKEY *pkey = NULL;
	struct pem in = { pem, len, 0 };
	bool seen[BLOCK_ENCRYPTED + 1] = { false };
	enum block_kind kind;

	if (check_pem_size(len, err) < 0)
		return -1;
	while (pkey == NULL && next_block(&in, &b)) {
		kind = kind_of(&b);
		seen[kind] = true;
		if (kind == BLOCK_PKCS1 || kind == BLOCK_PKCS8)
			pkey = decode(&b, kind);
	}
	if (pkey == NULL)
		return no_key(seen, err);
	if (!EVP_PKEY_is_a(pkey, "RSA"))
		return err_set(err, ERR_INVALID, "not an RSA key");
	*ret = STEAL(pkey);
	return 0;
}

/* Do the numbers of a private key belong together? */

enum number { N, E, D, P, Q, DP, DQ, QI, NUMBERS };

struct numbers {
	BIGNUM *bn[NUMBERS];
};

static void
numbers_release(struct numbers *k)
{
	for (size_t i = 0; i < NUMBERS; i++)
		BN_clear_free(k->bn[i]);
}

DEFINE_AUTO_RELEASE(numbers);

static int
load_numbers(const EVP_PKEY *pkey, struct numbers *k)
{
	static const char *const params[NUMBERS] = {
		[N] = OSSL_PKEY_PARAM_RSA_N,
		[E] = OSSL_PKEY_PARAM_RSA_E,
		[D] = OSSL_PKEY_PARAM_RSA_D,
		[P] = OSSL_PKEY_PARAM_RSA_FACTOR1,
		[Q] = OSSL_PKEY_PARAM_RSA_FACTOR2,
		[DP] = OSSL_PKEY_PARAM_RSA_EXPONENT1,
		[DQ] = OSSL_PKEY_PARAM_RSA_EXPONENT2,
		[QI] = OSSL_PKEY_PARAM_RSA_COEFFICIENT1,
	};

	for (size_t i = 0; i < NUMBERS; i++)
		if (EVP_PKEY_get_bn_param(pkey, params[i], &k->bn[i]) != 1 ||
		    BN_is_zero(k->bn[i]))
			return -1;
	/* All are below the modulus: the arithmetic below is bounded. */
	for (size_t i = E; i < NUMBERS; i++)
		if (BN_ucmp(k->bn[i], k->bn[N]) >= 0)
			return -1;
	return 0;
}

/* exp is d reduced, and exp * e is 1, both modulo prime - 1. */
static bool
exponent_fits(
    const struct numbers *k, enum number prime, enum number exp, BN_CTX *ctx)
{
	AUTO(bignum) BIGNUM *order = BN_dup(k->bn[prime]);
	AUTO(bignum) BIGNUM *r = BN_new();

	if (order == NULL || r == NULL || BN_sub_word(order, 1) != 1 ||
	    BN_is_zero(order))
		return false;
	if (BN_nnmod(r, k->bn[D], order, ctx) != 1 ||
	    BN_cmp(r, k->bn[exp]) != 0)
		return false;
	return BN_mod_mul(r, k->bn[exp], k->bn[E], order, ctx) == 1 &&
	    BN_is_one(r);
}

static bool
consistent(const EVP_PKEY *pkey)
{
	AUTO_RELEASE(numbers) struct numbers k = { 0 };
	AUTO(bnctx) BN_CTX *ctx = BN_CTX_secure_new();
	AUTO(bignum) BIGNUM *r = BN_new();

	if (ctx == NULL || r == NULL || load_numbers(pkey, &k) < 0)
		return false;
	if (!BN_is_odd(k.bn[E]) || BN_is_one(k.bn[E]) ||
	    BN_num_bits(k.bn[E]) > EXPONENT_BITS_MAX)
		return false;
	if (!BN_is_odd(k.bn[P]) || !BN_is_odd(k.bn[Q]))
		return false;
	if (BN_mul(r, k.bn[P], k.bn[Q], ctx) != 1 || BN_cmp(r, k.bn[N]) != 0)
		return false;
	if (!exponent_fits(&k, P, DP, ctx) || !exponent_fits(&k, Q, DQ, ctx))
		return false;
	/* No such coefficient exists where p is q. */
	return BN_mod_mul(r, k.bn[QI], k.bn[Q], k.bn[P], ctx) == 1 &&
	    BN_is_one(r);
}

static EVP_PKEY_CTX *
oaep_new(EVP_PKEY *pkey, int (*init)(EVP_PKEY_CTX *ctx))
{
	AUTO(pkeyctx)
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, pkey, NULL);

	if (ctx == NULL || init(ctx) != 1 ||
	    EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_OAEP_PADDING) != 1 ||
	    EVP_PKEY_CTX_set_rsa_oaep_md(ctx, EVP_sha256()) != 1)
		return NULL;
	return STEAL(ctx);
}

/* What the public numbers lock, the private ones open: primes are prime. */
static bool
works(EVP_PKEY *pkey)
{
	AUTO(pkeyctx) EVP_PKEY_CTX *enc = oaep_new(pkey, EVP_PKEY_encrypt_init);
	AUTO(pkeyctx) EVP_PKEY_CTX *dec = oaep_new(pkey, EVP_PKEY_decrypt_init);
	unsigned char in[SHA256_DIGEST_LENGTH];
	unsigned char locked[KEYPAIR_BITS_MAX / 8], out[KEYPAIR_BITS_MAX / 8];
	size_t locked_len = sizeof(locked), out_len = sizeof(out);

	return enc != NULL && dec != NULL && RAND_bytes(in, sizeof(in)) == 1 &&
	    EVP_PKEY_encrypt(enc, locked, &locked_len, in, sizeof(in)) == 1 &&
	    EVP_PKEY_decrypt(dec, out, &out_len, locked, locked_len) == 1 &&
	    out_len == sizeof(in) && CRYPTO_memcmp(in, out, out_len) == 0;
}

static int
check_key(EVP_PKEY *pkey, struct err *err)
{
	int bits = EVP_PKEY_get_bits(pkey);
	bool good;

	if (bits < KEYPAIR_BITS_MIN || bits > KEYPAIR_BITS_MAX)
		return err_set(err, ERR_INVALID,
		    "RSA key of %d bits, usable are %d to %d", bits,
		    KEYPAIR_BITS_MIN, KEYPAIR_BITS_MAX);
	good = consistent(pkey) && works(pkey);
	ERR_clear_error();
	if (!good)
		return err_set(err, ERR_INVALID,
		    "the numbers of the RSA key do not belong together");
	return 0;
}

int
keypair_parse(const char *key_pem, size_t key_len, const char *cert_pem,
    size_t cert_len, struct keypair **ret, struct err *err)
{
	AUTO(pkey) EVP_PKEY *pkey = NULL;
	AUTO(x509) X509 *cert = NULL;
	int same;

	if (read_key(key_pem, key_len, &pkey, err) < 0 ||
	    check_key(pkey, err) < 0)
		return err_wrap(err, "private key");
	if (keypair_read_cert(cert_pem, cert_len, &cert, err) < 0)
		return err_wrap(err, "certificate");
	same = EVP_PKEY_eq(X509_get0_pubkey(cert), pkey);
	ERR_clear_error();
	if (same != 1)
		return err_set(err, ERR_INVALID,
		    "the certificate does not match the private key");
	return keypair_assemble(&pkey, cert, ret, err);
}
