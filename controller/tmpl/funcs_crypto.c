/*
 * Hashes, passwords, AES and single keys.
 */
#include "func.h"

#include <limits.h>
#include <string.h>

#include <crypt.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <zlib.h>

#include "base/buf.h"
#include "base/codec.h"
#include "base/mem.h"
#include "privkey.h"

#define BCRYPT_COST    10
#define BCRYPT_MAX     72
#define BCRYPT_SALT    16
#define BCRYPT_CREDITS 2
#define DERIVE_CREDITS 4
#define DERIVE_N       32768
#define DERIVE_R       8
#define DERIVE_P       2
#define DERIVE_KEY     64
#define DERIVE_SEED    "com.lyndir.masterpassword"
#define DERIVE_MEMORY  ((uint64_t)64 * 1024 * 1024)
#define AES_KEY	       32
#define AES_BLOCK      16
#define BASE64_MAX     ((size_t)64 * 1024 * 1024)

static int
charge(struct call *c, size_t len)
{
	return env_step(c->env, 1 + len / ENV_BYTES_PER_STEP);
}

static int
hash(struct call *c, const EVP_MD *md, struct value *ret)
{
	const struct value *s = &c->args[0];
	unsigned char digest[EVP_MAX_MD_SIZE];
	char hex[2 * EVP_MAX_MD_SIZE + 1];
	unsigned n;

	if (charge(c, s->u.s.len) < 0)
		return -1;
	if (EVP_Digest(s->u.s.p, s->u.s.len, digest, &n, md, NULL) != 1) {
		ERR_clear_error();
		return call_fail(c, "hashing failed");
	}
	hex_encode(digest, n, hex);
	return ret_str(c, hex, 2 * (size_t)n, ret);
}

static int
fn_sha1sum(struct call *c, struct value *ret)
{
	return hash(c, EVP_sha1(), ret);
}

static int
fn_sha256sum(struct call *c, struct value *ret)
{
	return hash(c, EVP_sha256(), ret);
}

static int
fn_sha512sum(struct call *c, struct value *ret)
{
	return hash(c, EVP_sha512(), ret);
}

static int
fn_adler32sum(struct call *c, struct value *ret)
{
	const struct value *s = &c->args[0];
	struct text out;
	uLong sum;

	if (charge(c, s->u.s.len) < 0)
		return -1;
	sum = adler32_z(1, (const Bytef *)s->u.s.p, s->u.s.len);
	text_init(&out, c->env);
	text_printf(&out, "%lu", sum);
	return text_done(&out, ret);
}

/* crypt(3) of a password that it takes as it is. */
static int
bcrypt_hash(struct call *c, const char *password, struct text *out)
{
	char salt[BCRYPT_SALT], setting[CRYPT_GENSALT_OUTPUT_SIZE];
	struct crypt_data *data;
	const char *hashed;

	if (RAND_bytes((unsigned char *)salt, sizeof(salt)) != 1)
		return call_fail(c, "no random bytes");
	if (env_costly(c->env, BCRYPT_CREDITS) < 0)
		return -1;
	data = xcalloc(1, sizeof(*data));
	/* Go says 2a and means what crypt(3) calls 2b. */
	if (crypt_gensalt_rn("$2b$", BCRYPT_COST, salt, sizeof(salt), setting,
		sizeof(setting)) == NULL)
		hashed = NULL;
	else
		hashed = crypt_r(password, setting, data);
	if (hashed != NULL && strncmp(hashed, "$2b$", 4) == 0) {
		text_puts(out, "$2a$");
		text_puts(out, hashed + 4);
	} else {
		hashed = NULL;
	}
	mem_free_wiped(data);
	return hashed == NULL ? call_fail(c, "bcrypt failed") : 0;
}

static int
put_bcrypt(struct call *c, const struct value *password, struct text *out)
{
	const char *copy;

	if (password->u.s.len > BCRYPT_MAX) {
		text_puts(out,
		    "failed to encrypt string with bcrypt: bcrypt: password "
		    "length exceeds 72 bytes");
		return 0;
	}
	if (memchr(password->u.s.p, '\0', password->u.s.len) != NULL)
		return call_fail(
		    c, "a password with a NUL byte is not supported");
	copy = env_strndup(c->env, password->u.s.p, password->u.s.len);
	return copy == NULL ? -1 : bcrypt_hash(c, copy, out);
}

static int
fn_bcrypt(struct call *c, struct value *ret)
{
	struct text out;

	text_init(&out, c->env);
	if (put_bcrypt(c, &c->args[0], &out) < 0)
		return -1;
	return text_done(&out, ret);
}

static int
fn_htpasswd(struct call *c, struct value *ret)
{
	const struct value *user = &c->args[0];
	struct text out;

	text_init(&out, c->env);
	if (memchr(user->u.s.p, ':', user->u.s.len) != NULL) {
		text_puts(&out, "invalid username: ");
		text_append(&out, user->u.s.p, user->u.s.len);
		return text_done(&out, ret);
	}
	text_append(&out, user->u.s.p, user->u.s.len);
	text_putc(&out, ':');
	if (put_bcrypt(c, &c->args[1], &out) < 0)
		return -1;
	return text_done(&out, ret);
}

static const struct {
	const char *type;
	const char *const *templates;
	unsigned n;
} password_types[] = {
#define TYPE(name, ...)                                             \
	{                                                           \
		name, (const char *const[]) { __VA_ARGS__ },        \
		    sizeof((const char *const[]) { __VA_ARGS__ }) / \
		    sizeof(char *)                                  \
	}
	TYPE("maximum", "anoxxxxxxxxxxxxxxxxx", "axxxxxxxxxxxxxxxxxno"),
	TYPE("long", "CvcvnoCvcvCvcv", "CvcvCvcvnoCvcv", "CvcvCvcvCvcvno",
	    "CvccnoCvcvCvcv", "CvccCvcvnoCvcv", "CvccCvcvCvcvno",
	    "CvcvnoCvccCvcv", "CvcvCvccnoCvcv", "CvcvCvccCvcvno",
	    "CvcvnoCvcvCvcc", "CvcvCvcvnoCvcc", "CvcvCvcvCvccno",
	    "CvccnoCvccCvcv", "CvccCvccnoCvcv", "CvccCvccCvcvno",
	    "CvcvnoCvccCvcc", "CvcvCvccnoCvcc", "CvcvCvccCvccno",
	    "CvccnoCvcvCvcc", "CvccCvcvnoCvcc", "CvccCvcvCvccno"),
	TYPE("medium", "CvcnoCvc", "CvcCvcno"),
	TYPE("short", "Cvcn"),
	TYPE("basic", "aaanaaan", "aannaaan", "aaannaaa"),
	TYPE("pin", "nnnn"),
#undef TYPE
};

static const char *
password_class(char letter)
{
	switch (letter) {
	case 'V':
		return "AEIOU";
	case 'C':
		return "BCDFGHJKLMNPQRSTVWXYZ";
	case 'v':
		return "aeiou";
	case 'c':
		return "bcdfghjklmnpqrstvwxyz";
	case 'a':
		return "AEIOUaeiouBCDFGHJKLMNPQRSTVWXYZbcdfghjklmnpqrstvwxyz";
	case 'n':
		return "0123456789";
	case 'o':
		return "@&%?,=[]_:-+*$#!'^~;()/.";
	default:
		return "AEIOUaeiouBCDFGHJKLMNPQRSTVWXYZbcdfghjklmnpqrstvwxyz"
		       "0123456789!@#$%^&*()";
	}
}

static void
put_be32(struct text *out, uint32_t v)
{
	for (int shift = 24; shift >= 0; shift -= 8)
		text_putc(out, (char)(v >> shift & 0xff));
}

/* The name space, and a string behind its length. */
static int
derive_input(struct call *c, const struct value *s, const uint32_t *counter,
    struct value *ret)
{
	struct text out;

	text_init(&out, c->env);
	text_puts(&out, DERIVE_SEED);
	put_be32(&out, (uint32_t)s->u.s.len);
	text_append(&out, s->u.s.p, s->u.s.len);
	if (counter != NULL)
		put_be32(&out, *counter);
	return text_done(&out, ret);
}

static int
derive_seed(struct call *c, unsigned char seed[static EVP_MAX_MD_SIZE])
{
	const struct value *password = &c->args[2];
	uint32_t counter = (uint32_t)c->args[0].u.u;
	unsigned char key[DERIVE_KEY];
	struct value salt, input;
	unsigned n;
	int good;

	if (derive_input(c, &c->args[3], NULL, &salt) < 0 ||
	    derive_input(c, &c->args[4], &counter, &input) < 0 ||
	    env_costly(c->env, DERIVE_CREDITS) < 0)
		return -1;
	good = EVP_PBE_scrypt(password->u.s.p, password->u.s.len,
	    (const unsigned char *)salt.u.s.p, salt.u.s.len, DERIVE_N, DERIVE_R,
	    DERIVE_P, DERIVE_MEMORY, key, sizeof(key));
	if (good == 1 &&
	    HMAC(EVP_sha256(), key, sizeof(key),
		(const unsigned char *)input.u.s.p, input.u.s.len, seed,
		&n) == NULL)
		good = 0;
	mem_wipe(key, sizeof(key));
	ERR_clear_error();
	return good == 1 ? 0 : call_fail(c, "failed to derive password");
}

static int
fn_derive_password(struct call *c, struct value *ret)
{
	const struct value *type = &c->args[1];
	unsigned char seed[EVP_MAX_MD_SIZE] = { 0 };
	const char *template;
	struct text out;
	size_t i = 0;

	text_init(&out, c->env);
	while (i < ARRAY_SIZE(password_types) &&
	    (strlen(password_types[i].type) != type->u.s.len ||
		memcmp(password_types[i].type, type->u.s.p, type->u.s.len) !=
		    0))
		i++;
	if (i == ARRAY_SIZE(password_types)) {
		text_puts(&out, "cannot find password template ");
		text_append(&out, type->u.s.p, type->u.s.len);
		return text_done(&out, ret);
	}
	if (derive_seed(c, seed) < 0)
		return -1;
	template = password_types[i].templates[seed[0] % password_types[i].n];
	for (i = 0; template[i] != '\0'; i++) {
		const char *class = password_class(template[i]);

		text_putc(&out, class[seed[i + 1] % strlen(class)]);
	}
	mem_wipe(seed, sizeof(seed));
	return text_done(&out, ret);
}

static void
aes_key(const struct value *password, unsigned char key[static AES_KEY])
{
	size_t n = password->u.s.len < AES_KEY ? password->u.s.len : AES_KEY;

	memset(key, 0, AES_KEY);
	if (n > 0)
		memcpy(key, password->u.s.p, n);
}

/* CBC of whole blocks, in either direction. */
static int
aes(struct call *c, bool encrypt, const unsigned char *iv,
    const unsigned char *in, size_t len, unsigned char *out)
{
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	unsigned char key[AES_KEY];
	int n, good = 0;

	aes_key(&c->args[0], key);
	if (ctx != NULL && len <= INT_MAX &&
	    EVP_CipherInit_ex(ctx, EVP_aes_256_cbc(), NULL, key, iv, encrypt) ==
		1 &&
	    EVP_CIPHER_CTX_set_padding(ctx, 0) == 1)
		good = EVP_CipherUpdate(ctx, out, &n, in, (int)len);
	EVP_CIPHER_CTX_free(ctx);
	mem_wipe(key, sizeof(key));
	ERR_clear_error();
	return good == 1 ? 0 : call_fail(c, "AES failed");
}

static int
ret_base64(struct call *c, const void *p, size_t len, struct value *ret)
{
	AUTO_RELEASE(buf) struct buf b = BUF_INIT(BASE64_MAX);
	struct err err = ERR_INIT;

	if (env_charge_memory(c->env, len / 3 * 4 + 4) < 0)
		return -1;
	if (base64_encode(p, len, &b, &err) < 0)
		return env_exhaust(c->env, "memory");
	return ret_str(c, buf_str(&b), b.len, ret);
}

static int
fn_encrypt_aes(struct call *c, struct value *ret)
{
	const struct value *text = &c->args[1];
	size_t len = text->u.s.len, pad = AES_BLOCK - len % AES_BLOCK;
	unsigned char *plain, *out;

	if (len == 0) {
		*ret = value_str("", 0);
		return 0;
	}
	plain = env_alloc(c->env, len + pad);
	out = env_alloc(c->env, AES_BLOCK + len + pad);
	if (plain == NULL || out == NULL || charge(c, len) < 0)
		return -1;
	memcpy(plain, text->u.s.p, len);
	memset(plain + len, (int)pad, pad);
	if (RAND_bytes(out, AES_BLOCK) != 1)
		return call_fail(c, "no random bytes");
	if (aes(c, true, out, plain, len + pad, out + AES_BLOCK) < 0)
		return -1;
	return ret_base64(c, out, AES_BLOCK + len + pad, ret);
}

/* Cuts the padding, of which only the last byte counts. */
static int
unpad(struct call *c, unsigned char *plain, size_t len, struct value *ret)
{
	if (len == 0)
		return call_fail(c, "runtime error: index out of range [-1]");
	if (plain[len - 1] > len)
		return call_fail(c,
		    "runtime error: slice bounds out of range [:%s]", WITHHELD);
	*ret = value_str((char *)plain, len - plain[len - 1]);
	return 0;
}

static int
decrypt(struct call *c, const struct buf *b, size_t cap, struct value *ret)
{
	const unsigned char *in = (const unsigned char *)b->data;
	size_t len = b->len - AES_BLOCK;
	unsigned char *plain;

	if (b->len < AES_BLOCK && cap < AES_BLOCK)
		return call_fail(c,
		    "runtime error: slice bounds out of range [:16] with "
		    "capacity %s",
		    WITHHELD);
	if (b->len < AES_BLOCK)
		return call_fail(
		    c, "runtime error: makeslice: len out of range");
	if (len % AES_BLOCK != 0)
		return call_fail(c, "crypto/cipher: input not full blocks");
	plain = env_alloc(c->env, len);
	if (plain == NULL)
		return -1;
	if (len > 0 && aes(c, false, in, in + AES_BLOCK, len, plain) < 0)
		return -1;
	return unpad(c, plain, len, ret);
}

static int
fn_decrypt_aes(struct call *c, struct value *ret)
{
	const struct value *s = &c->args[1];
	AUTO_RELEASE(buf) struct buf b = BUF_INIT(BASE64_MAX);
	struct err err = ERR_INIT;

	if (s->u.s.len == 0) {
		*ret = value_str("", 0);
		return 0;
	}
	if (charge(c, s->u.s.len) < 0 ||
	    env_charge_memory(c->env, s->u.s.len) < 0)
		return -1;
	if (base64_decode(s->u.s.p, s->u.s.len, &b, &err) < 0)
		return call_fail(c, "%s", err.msg);
	return decrypt(c, &b, s->u.s.len / 4 * 3, ret);
}

static EVP_PKEY *
make_key(struct call *c, const struct value *type)
{
	static const struct {
		const char *name;
		EVP_PKEY *(*make)(struct env *e);
	} types[] = {
		{ "ecdsa", privkey_ecdsa },
		{ "ed25519", privkey_ed25519 },
		{ "dsa", privkey_dsa },
	};

	for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
		if (strlen(types[i].name) == type->u.s.len &&
		    memcmp(types[i].name, type->u.s.p, type->u.s.len) == 0)
			return types[i].make(c->env);
	}
	return privkey_rsa(c->env, 4096);
}

static bool
is_key_type(const struct value *type)
{
	static const char *const types[] = { "", "rsa", "dsa", "ecdsa",
		"ed25519" };

	for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
		if (strlen(types[i]) == type->u.s.len &&
		    (type->u.s.len == 0 ||
			memcmp(types[i], type->u.s.p, type->u.s.len) == 0))
			return true;
	}
	return false;
}

static int
fn_gen_private_key(struct call *c, struct value *ret)
{
	const struct value *type = &c->args[0];
	struct text out;
	EVP_PKEY *key;
	int rc;

	if (!is_key_type(type)) {
		text_init(&out, c->env);
		text_puts(&out, "Unknown type ");
		text_append(&out, type->u.s.p, type->u.s.len);
		return text_done(&out, ret);
	}
	key = make_key(c, type);
	if (key == NULL)
		return -1;
	rc = privkey_pem(c->env, key, ret);
	EVP_PKEY_free(key);
	return rc;
}

const struct func funcs_crypto[] = {
	{ "adler32sum", "s:s", fn_adler32sum, 0 },
	{ "bcrypt", "s:s", fn_bcrypt, FUNC_VARIES },
	{ "decryptAES", "ss:s", fn_decrypt_aes, 0 },
	{ "derivePassword", "Ussss:s", fn_derive_password, 0 },
	{ "encryptAES", "ss:s", fn_encrypt_aes, FUNC_VARIES },
	{ "genPrivateKey", "s:s", fn_gen_private_key, FUNC_VARIES },
	{ "htpasswd", "ss:s", fn_htpasswd, FUNC_VARIES },
	{ "sha1sum", "s:s", fn_sha1sum, 0 },
	{ "sha256sum", "s:s", fn_sha256sum, 0 },
	{ "sha512sum", "s:s", fn_sha512sum, 0 },
	{ NULL, NULL, NULL, 0 },
};
