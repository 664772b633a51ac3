/*
 * Encrypted backups: CMS AuthEnvelopedData to the certificates of those who
 * may open it. Written, never read: no parser of it is in this program.
 */
/* cms.h declares its PEM functions where pem.h came before it. */
#include <openssl/pem.h>

#include <openssl/cms.h>
#include <openssl/ec.h>
#include <openssl/rsa.h>

#include <limits.h>
#include <stdbool.h>

#include "base/mem.h"
#include "keystore/backup.h"
#include "private.h"

#define PEM_BYTES_MAX	   (256u * 1024)
#define RECIPIENT_BITS_MIN 2048
#define RECIPIENT_BITS_MAX 16384
#define GROUP_NAME_MAX	   64

struct backup_recipients {
	X509 *certs[BACKUP_RECIPIENTS_MAX];
	size_t count;
};

OSSL_AUTO(cms, CMS_ContentInfo, CMS_ContentInfo_free);
OSSL_AUTO(biochain, BIO, BIO_free_all);

/* ---- recipients ---- */

struct pem_block {
	char *name, *header;
	unsigned char *data;
	long len;
};

/* "Secure": somebody may have put a private key into the file. */
static void
pem_block_release(struct pem_block *b)
{
	OPENSSL_secure_free(b->name);
	OPENSSL_secure_free(b->header);
	OPENSSL_secure_clear_free(b->data, b->len > 0 ? (size_t)b->len : 0);
	*b = (struct pem_block) { 0 };
}

DEFINE_AUTO_RELEASE(pem_block);

static bool
is_known_curve(const EVP_PKEY *key)
{
	static const char *const curves[] = { "prime256v1", "secp384r1",
		"secp521r1" };
	char name[GROUP_NAME_MAX];
	size_t len;

	if (EVP_PKEY_get_group_name(key, name, sizeof(name), &len) != 1)
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(curves); i++)
		if (strcmp(name, curves[i]) == 0)
			return true;
	return false;
}

static int
check_recipient(X509 *cert, struct err *err)
{
	EVP_PKEY *key = X509_get0_pubkey(cert);
	int bits = key != NULL ? EVP_PKEY_get_bits(key) : 0;
	bool known = true;

	if (key != NULL && EVP_PKEY_is_a(key, "RSA")) {
		if (bits < RECIPIENT_BITS_MIN || bits > RECIPIENT_BITS_MAX)
			return err_set(err, ERR_INVALID,
			    "RSA key of %d bits, usable are %d to %d", bits,
			    RECIPIENT_BITS_MIN, RECIPIENT_BITS_MAX);
	} else if (key != NULL && EVP_PKEY_is_a(key, "EC")) {
		known = is_known_curve(key);
	} else {
		known = false;
	}
	ERR_clear_error();
	if (!known)
		return err_set(err, ERR_INVALID,
		    "its key is neither RSA nor EC on P-256, P-384 or P-521");
	return 0;
}

static int
add_recipient(
    struct backup_recipients *r, const struct pem_block *b, struct err *err)
{
	const unsigned char *p = b->data;
	AUTO(x509) X509 *cert = NULL;

	if (strcmp(b->name, PEM_STRING_X509) != 0)
		return err_set(
		    err, ERR_INVALID, "not a block of type CERTIFICATE");
	if (r->count == BACKUP_RECIPIENTS_MAX)
		return err_set(err, ERR_INVALID, "more than %d certificates",
		    BACKUP_RECIPIENTS_MAX);
	cert = d2i_X509(NULL, &p, b->len);
	ERR_clear_error();
	if (cert == NULL || p != b->data + b->len)
		return err_set(err, ERR_INVALID, "not an X.509 certificate");
	if (check_recipient(cert, err) < 0)
		return -1;
	r->certs[r->count++] = STEAL(cert);
	return 0;
}

/* 1: a block, 0: no more, -1: a damaged one. */
static int
next_block(BIO *bio, struct pem_block *b, struct err *err)
{
	unsigned long why;

	pem_block_release(b);
	if (PEM_read_bio_ex(bio, &b->name, &b->header, &b->data, &b->len,
		PEM_FLAG_SECURE) == 1)
		return 1;
	why = ERR_peek_last_error();
	ERR_clear_error();
	if (ERR_GET_LIB(why) == ERR_LIB_PEM &&
	    ERR_GET_REASON(why) == PEM_R_NO_START_LINE)
		return 0;
	return err_set(err, ERR_INVALID, "its PEM block is damaged");
}

int
backup_recipients_load(const char *pem, size_t len,
    struct backup_recipients **ret, struct err *err)
{
	AUTO(backup_recipients)
	struct backup_recipients *r = xcalloc(1, sizeof(*r));
	AUTO_RELEASE(pem_block) struct pem_block b = { 0 };
	AUTO(bio) BIO *bio = NULL;
	int rc;

	if (len > PEM_BYTES_MAX)
		return err_set(err, ERR_TOOBIG,
		    "recipients: larger than %u bytes", PEM_BYTES_MAX);
	bio = BIO_new_mem_buf(pem, (int)len);
	if (bio == NULL)
		return ossl_fail(err, "recipients");
	while ((rc = next_block(bio, &b, err)) > 0) {
		rc = add_recipient(r, &b, err);
		if (rc < 0)
			break;
	}
	if (rc < 0)
		return err_wrap(err, "recipient %zu", r->count + 1);
	if (r->count == 0)
		return err_set(
		    err, ERR_INVALID, "recipients: no certificate in it");
	*ret = STEAL(r);
	return 0;
}

void
backup_recipients_free(struct backup_recipients *r)
{
	if (r == NULL)
		return;
	for (size_t i = 0; i < r->count; i++)
		X509_free(r->certs[i]);
	free(r);
}

size_t
backup_recipients_count(const struct backup_recipients *r)
{
	return r->count;
}

/* ---- encryption ---- */

/* The defaults of OpenSSL are PKCS#1 v1.5 and SHA-1. */
static int
set_key_transport(EVP_PKEY_CTX *ctx)
{
	return EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_OAEP_PADDING) == 1 &&
		EVP_PKEY_CTX_set_rsa_oaep_md(ctx, EVP_sha256()) == 1 &&
		EVP_PKEY_CTX_set_rsa_mgf1_md(ctx, EVP_sha256()) == 1
	    ? 0
	    : -1;
}

/* The X9.63 KDF is the only one here; OpenSSL refuses to be told so. */
static int
set_key_agreement(EVP_PKEY_CTX *ctx)
{
	return EVP_PKEY_CTX_set_ecdh_kdf_md(ctx, EVP_sha256()) == 1 ? 0 : -1;
}

static int
add_to_message(CMS_ContentInfo *cms, X509 *cert, struct err *err)
{
	CMS_RecipientInfo *ri =
	    CMS_add1_recipient_cert(cms, cert, CMS_KEY_PARAM);
	EVP_PKEY_CTX *ctx =
	    ri != NULL ? CMS_RecipientInfo_get0_pkey_ctx(ri) : NULL;
	int rc = -1;

	if (ctx != NULL)
		rc = CMS_RecipientInfo_type(ri) == CMS_RECIPINFO_AGREE
		    ? set_key_agreement(ctx)
		    : set_key_transport(ctx);
	return rc == 0 ? 0 : ossl_fail(err, "add recipient");
}

/* Not CMS_final(): it copies the text through a buffer on the stack. */
static int
encrypt_content(
    CMS_ContentInfo *cms, const struct secret *plain, struct err *err)
{
	AUTO(biochain) BIO *bio = CMS_dataInit(cms, NULL);
	int len = (int)secret_len(plain);

	if (bio == NULL || BIO_write(bio, secret_bytes(plain), len) != len ||
	    BIO_flush(bio) != 1 || CMS_dataFinal(cms, bio) != 1)
		return ossl_fail(err, "encrypt");
	return 0;
}

static int
write_pem(CMS_ContentInfo *cms, struct buf *out, struct err *err)
{
	AUTO(bio) BIO *bio = BIO_new(BIO_s_mem());
	char *text;
	long len;

	if (bio == NULL || PEM_write_bio_CMS(bio, cms) != 1)
		return ossl_fail(err, "write");
	len = BIO_get_mem_data(bio, &text);
	return buf_append(out, text, (size_t)len, err);
}

int
backup_encrypt(const struct backup_recipients *r, const struct secret *plain,
    struct buf *out, struct err *err)
{
	AUTO(cms) CMS_ContentInfo *cms = NULL;

	if (secret_len(plain) > BACKUP_BYTES_MAX)
		return err_set(err, ERR_TOOBIG,
		    "encrypt backup: larger than %u bytes", BACKUP_BYTES_MAX);
	cms = CMS_AuthEnvelopedData_create(EVP_aes_256_gcm());
	if (cms == NULL || CMS_set_detached(cms, 0) != 1)
		return ossl_fail(err, "encrypt backup");
	for (size_t i = 0; i < r->count; i++)
		if (add_to_message(cms, r->certs[i], err) < 0)
			return err_wrap(err, "encrypt backup");
	if (encrypt_content(cms, plain, err) < 0 ||
	    write_pem(cms, out, err) < 0)
		return err_wrap(err, "encrypt backup");
	return 0;
}
