/*
 * Certificates, as Go's crypto/x509 makes them for sprig.
 */
#include "func.h"

#include <arpa/inet.h>
#include <limits.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "base/buf.h"
#include "base/codec.h"
#include "print.h"
#include "privkey.h"
#include "utf8.h"

#define SERIAL_BITS   128
#define KEY_ID_SIZE   20
#define SECONDS_A_DAY 86400
#define RSA_BITS_MIN  1024 /* Go signs with no smaller key */
#define RSA_BITS      2048
#define BASE64_MAX    ((size_t)8 * 1024 * 1024)
#define ADDR_TEXT_MAX 64
#define SIGN_CREDITS  1

struct certificate {
	struct value cert;
	struct value key;
};

/* What a certificate is made of. */
struct spec {
	struct call *call;
	const struct value *cn;
	const struct value *ips; /* NULL: none */
	const struct value *dns;
	int64_t days;
	bool ca;
	EVP_PKEY *key;
	X509 *parent;	      /* NULL: signs itself */
	EVP_PKEY *parent_key; /* key, where it signs itself */
};

static int
failed(struct call *c, const char *what)
{
	ERR_clear_error();
	return call_fail(c, "error creating certificate: %s", what);
}

static int
broken(struct call *c)
{
	return failed(c, MESSAGE_WITHHELD);
}

static bool
is_printable(const struct value *s)
{
	for (size_t i = 0; i < s->u.s.len; i++) {
		char ch = s->u.s.p[i];

		if (!(ch >= 'a' && ch <= 'z') && !(ch >= 'A' && ch <= 'Z') &&
		    !(ch >= '0' && ch <= '9') &&
		    (ch == '\0' || strchr(" '()+,-./:=?", ch) == NULL))
			return false;
	}
	return true;
}

static int
set_subject(const struct spec *s, X509 *cert)
{
	const struct value *cn = s->cn;
	X509_NAME *name = X509_get_subject_name(cert);
	int type =
	    is_printable(cn) ? V_ASN1_PRINTABLESTRING : V_ASN1_UTF8STRING;

	if (!utf8_valid(cn->u.s.p, cn->u.s.len))
		return failed(s->call, "asn1: string not valid UTF-8");
	if (cn->u.s.len == 0)
		return 0;
	if (cn->u.s.len > INT_MAX ||
	    X509_NAME_add_entry_by_NID(name, NID_commonName, type,
		(const unsigned char *)cn->u.s.p, (int)cn->u.s.len, -1, 0) != 1)
		return broken(s->call);
	return 0;
}

static int
set_serial(const struct spec *s, X509 *cert)
{
	BIGNUM *n = BN_new();
	int good = n != NULL &&
	    BN_rand(n, SERIAL_BITS, BN_RAND_TOP_ANY, BN_RAND_BOTTOM_ANY) == 1 &&
	    BN_to_ASN1_INTEGER(n, X509_get_serialNumber(cert)) != NULL;

	BN_free(n);
	return good ? 0 : broken(s->call);
}

static int
set_times(const struct spec *s, X509 *cert)
{
	int64_t now = clock_wall_s(s->call->env->clock);
	/* Go multiplies nanoseconds, which wrap. */
	int64_t ns = (int64_t)((uint64_t)s->days * SECONDS_A_DAY * NS_PER_S);
	int64_t end = now + ns / (int64_t)NS_PER_S;

	if (ASN1_TIME_set(X509_getm_notBefore(cert), (time_t)now) == NULL ||
	    ASN1_TIME_set(X509_getm_notAfter(cert), (time_t)end) == NULL)
		return failed(s->call,
		    "asn1: structure error: cannot represent time as "
		    "GeneralizedTime");
	return 0;
}

static int
add_text_extension(const struct spec *s, X509 *cert, int nid, const char *value)
{
	X509_EXTENSION *ext = X509V3_EXT_conf_nid(NULL, NULL, nid, value);
	int good = ext != NULL && X509_add_ext(cert, ext, -1) == 1;

	X509_EXTENSION_free(ext);
	return good ? 0 : broken(s->call);
}

/* The first bytes of the hash of the public key. */
static int
add_subject_key_id(const struct spec *s, X509 *cert)
{
	const ASN1_BIT_STRING *bits = X509_get0_pubkey_bitstr(cert);
	unsigned char digest[EVP_MAX_MD_SIZE];
	ASN1_OCTET_STRING *id = ASN1_OCTET_STRING_new();
	int good = id != NULL &&
	    EVP_Digest(ASN1_STRING_get0_data(bits),
		(size_t)ASN1_STRING_length(bits), digest, NULL, EVP_sha256(),
		NULL) == 1 &&
	    ASN1_OCTET_STRING_set(id, digest, KEY_ID_SIZE) == 1 &&
	    X509_add1_ext_i2d(cert, NID_subject_key_identifier, id, 0, 0) == 1;

	ASN1_OCTET_STRING_free(id);
	return good ? 0 : broken(s->call);
}

static int
add_authority_key_id(const struct spec *s, X509 *cert)
{
	const ASN1_OCTET_STRING *id =
	    s->parent == NULL ? NULL : X509_get0_subject_key_id(s->parent);
	AUTHORITY_KEYID *authority;
	int good;

	if (id == NULL || ASN1_STRING_length(id) == 0 ||
	    X509_NAME_cmp(
		X509_get_issuer_name(cert), X509_get_subject_name(cert)) == 0)
		return 0;
	authority = AUTHORITY_KEYID_new();
	if (authority != NULL)
		authority->keyid = ASN1_OCTET_STRING_dup(id);
	good = authority != NULL && authority->keyid != NULL &&
	    X509_add1_ext_i2d(
		cert, NID_authority_key_identifier, authority, 0, 0) == 1;
	AUTHORITY_KEYID_free(authority);
	return good ? 0 : broken(s->call);
}

static int
push_name(const struct spec *s, GENERAL_NAMES *names, int type, const void *p,
    size_t len)
{
	GENERAL_NAME *name = GENERAL_NAME_new();
	ASN1_STRING *str = ASN1_STRING_type_new(
	    type == GEN_DNS ? V_ASN1_IA5STRING : V_ASN1_OCTET_STRING);

	if (name == NULL || str == NULL || len > INT_MAX ||
	    ASN1_STRING_set(str, p, (int)len) != 1) {
		GENERAL_NAME_free(name);
		ASN1_STRING_free(str);
		return broken(s->call);
	}
	GENERAL_NAME_set0_value(name, type, str);
	if (sk_GENERAL_NAME_push(names, name) == 0) {
		GENERAL_NAME_free(name);
		return broken(s->call);
	}
	return 0;
}

static int
push_dns(const struct spec *s, GENERAL_NAMES *names)
{
	for (size_t i = 0; s->dns != NULL && i < list_len(s->dns); i++) {
		struct value v = list_get(s->dns, i);

		for (size_t j = 0; j < v.u.s.len; j++) {
			if ((unsigned char)v.u.s.p[j] >= 0x80)
				return failed(s->call,
				    "x509: " WITHHELD
				    " cannot be encoded as an IA5String");
		}
		if (push_name(s, names, GEN_DNS, v.u.s.p, v.u.s.len) < 0)
			return -1;
	}
	return 0;
}

/* 4 or 16 bytes; 0: no address. */
static size_t
parse_ip(const struct value *v, unsigned char out[static 16])
{
	static const unsigned char mapped[12] = { [10] = 0xff, [11] = 0xff };
	char text[ADDR_TEXT_MAX];

	if (v->u.s.len >= sizeof(text) ||
	    memchr(v->u.s.p, '\0', v->u.s.len) != NULL)
		return 0;
	memcpy(text, v->u.s.p, v->u.s.len);
	text[v->u.s.len] = '\0';
	if (inet_pton(AF_INET, text, out) == 1)
		return 4;
	if (inet_pton(AF_INET6, text, out) != 1)
		return 0;
	if (memcmp(out, mapped, sizeof(mapped)) != 0)
		return 16;
	memmove(out, out + sizeof(mapped), 4);
	return 4;
}

static int
push_ips(const struct spec *s, GENERAL_NAMES *names)
{
	for (size_t i = 0; s->ips != NULL && i < list_len(s->ips); i++) {
		struct value v = list_get(s->ips, i);
		unsigned char addr[16];

		if (push_name(s, names, GEN_IPADD, addr, parse_ip(&v, addr)) <
		    0)
			return -1;
	}
	return 0;
}

static int
add_names(const struct spec *s, X509 *cert)
{
	GENERAL_NAMES *names = GENERAL_NAMES_new();
	int rc = -1;

	if (names == NULL)
		return broken(s->call);
	if (push_dns(s, names) == 0 && push_ips(s, names) == 0) {
		rc = 0;
		if (sk_GENERAL_NAME_num(names) > 0 &&
		    X509_add1_ext_i2d(cert, NID_subject_alt_name, names,
			s->cn->u.s.len == 0, 0) != 1)
			rc = broken(s->call);
	}
	GENERAL_NAMES_free(names);
	return rc;
}

static int
add_extensions(const struct spec *s, X509 *cert)
{
	if (add_text_extension(s, cert, NID_key_usage,
		s->ca ? "critical,digitalSignature,keyEncipherment,keyCertSign"
		      : "critical,digitalSignature,keyEncipherment") < 0 ||
	    add_text_extension(
		s, cert, NID_ext_key_usage, "serverAuth,clientAuth") < 0 ||
	    add_text_extension(s, cert, NID_basic_constraints,
		s->ca ? "critical,CA:TRUE" : "critical,CA:FALSE") < 0)
		return -1;
	if (s->ca && add_subject_key_id(s, cert) < 0)
		return -1;
	if (add_authority_key_id(s, cert) < 0)
		return -1;
	return add_names(s, cert);
}

/* The hash that Go takes for a key; *good: it takes the key at all. */
static const EVP_MD *
digest_for(EVP_PKEY *key, bool *good)
{
	int id = EVP_PKEY_get_base_id(key);

	*good = true;
	if (id == EVP_PKEY_ED25519)
		return NULL;
	if (id == EVP_PKEY_RSA)
		return EVP_sha256();
	if (id == EVP_PKEY_EC) {
		int bits = EVP_PKEY_get_bits(key);

		return bits > 384 ? EVP_sha512()
		    : bits > 256  ? EVP_sha384()
				  : EVP_sha256();
	}
	*good = false;
	return NULL;
}

static int
sign(const struct spec *s, X509 *cert)
{
	bool good;
	const EVP_MD *md = digest_for(s->parent_key, &good);

	if (EVP_PKEY_get_base_id(s->parent_key) == EVP_PKEY_RSA &&
	    EVP_PKEY_get_bits(s->parent_key) < RSA_BITS_MIN)
		return failed(s->call, "crypto/rsa: " WITHHELD);
	if (env_costly(s->call->env, SIGN_CREDITS) < 0)
		return -1;
	return X509_sign(cert, s->parent_key, md) > 0 ? 0 : broken(s->call);
}

static int
fill(const struct spec *s, X509 *cert)
{
	X509_NAME *issuer;
	bool good;

	(void)digest_for(s->parent_key, &good);
	if (!good)
		return failed(s->call,
		    "x509: certificate private key does not implement "
		    "crypto.Signer");
	(void)digest_for(s->key, &good);
	if (!good)
		return failed(s->call,
		    "x509: unsupported public key type: *dsa.PublicKey");
	if (X509_set_version(cert, X509_VERSION_3) != 1 ||
	    X509_set_pubkey(cert, s->key) != 1)
		return broken(s->call);
	if (set_serial(s, cert) < 0 || set_subject(s, cert) < 0 ||
	    set_times(s, cert) < 0)
		return -1;
	issuer = X509_get_subject_name(s->parent != NULL ? s->parent : cert);
	if (X509_set_issuer_name(cert, issuer) != 1)
		return broken(s->call);
	if (add_extensions(s, cert) < 0)
		return -1;
	if (s->parent != NULL &&
	    X509_check_private_key(s->parent, s->parent_key) != 1)
		return failed(s->call,
		    "x509: provided PrivateKey doesn't match parent's "
		    "PublicKey");
	return sign(s, cert);
}

static int
cert_pem(struct call *c, X509 *cert, struct value *ret)
{
	BIO *bio = BIO_new(BIO_s_mem());
	int rc;

	if (bio != NULL && PEM_write_bio_X509(bio, cert) == 1)
		rc = privkey_bio_text(c->env, bio, ret);
	else
		rc = broken(c);
	BIO_free(bio);
	return rc;
}

/* Go looks at the names before anything is made. */
static int
check_names(const struct spec *s)
{
	struct value text;

	for (size_t i = 0; s->ips != NULL && i < list_len(s->ips); i++) {
		struct value v = list_get(s->ips, i);
		unsigned char addr[16];

		if (v.type != &type_string)
			return call_fail(s->call,
			    "error parsing ip: %s is not a string", WITHHELD);
		if (parse_ip(&v, addr) == 0)
			return call_fail(
			    s->call, "error parsing ip: %s", WITHHELD);
	}
	for (size_t i = 0; s->dns != NULL && i < list_len(s->dns); i++) {
		text = list_get(s->dns, i);
		if (text.type != &type_string)
			return call_fail(s->call,
			    "error processing alternate dns name: %s is not "
			    "a string",
			    WITHHELD);
	}
	return 0;
}

static int
make(const struct spec *s, struct value *ret)
{
	struct certificate out;
	X509 *cert;
	int rc;

	if (check_names(s) < 0)
		return -1;
	cert = X509_new();
	if (cert == NULL)
		return broken(s->call);
	rc = fill(s, cert);
	if (rc == 0)
		rc = cert_pem(s->call, cert, &out.cert);
	if (rc == 0)
		rc = privkey_pem(s->call->env, s->key, &out.key);
	X509_free(cert);
	ERR_clear_error();
	return rc < 0 ? -1
		      : value_obj_copy(s->call->env, &type_certificate, &out,
			    sizeof(out), ret);
}

/* A key of its own, or the one in PEM. */
static EVP_PKEY *
key_arg(struct call *c, const struct value *pem)
{
	if (pem == NULL)
		return privkey_rsa(c->env, RSA_BITS);
	return privkey_parse(c->env, pem, "parsing private key");
}

static int
self_signed(struct call *c, bool ca, const struct value *pem, struct value *ret)
{
	struct spec s = {
		.call = c,
		.cn = &c->args[0],
		.ca = ca,
		.ips = ca ? NULL : &c->args[1],
		.dns = ca ? NULL : &c->args[2],
		.days = c->args[ca ? 1 : 3].u.i,
	};
	int rc;

	s.key = key_arg(c, pem);
	if (s.key == NULL)
		return -1;
	s.parent_key = s.key;
	rc = make(&s, ret);
	EVP_PKEY_free(s.key);
	return rc;
}

static int
fn_gen_ca(struct call *c, struct value *ret)
{
	return self_signed(c, true, NULL, ret);
}

static int
fn_gen_ca_with_key(struct call *c, struct value *ret)
{
	return self_signed(c, true, &c->args[2], ret);
}

static int
fn_gen_self_signed(struct call *c, struct value *ret)
{
	return self_signed(c, false, NULL, ret);
}

static int
fn_gen_self_signed_with_key(struct call *c, struct value *ret)
{
	return self_signed(c, false, &c->args[4], ret);
}

/* name: what Go calls the bytes in its error. */
static X509 *
parse_cert(struct call *c, const struct value *pem, const char *name)
{
	struct privkey_block b;
	const unsigned char *p;
	X509 *cert = NULL;

	if (env_step(c->env, 1 + pem->u.s.len / 8) < 0)
		return NULL;
	if (privkey_block(pem, &b) < 0) {
		(void)call_fail(c, "unable to decode certificate");
	} else {
		p = b.der;
		cert = d2i_X509(NULL, &p, b.len);
		if (cert == NULL)
			(void)call_fail(c, "error parsing certificate: %s: %s",
			    name, MESSAGE_WITHHELD);
	}
	privkey_block_release(&b);
	ERR_clear_error();
	return cert;
}

static int
signed_by(struct call *c, const struct value *pem, struct value *ret)
{
	const struct certificate *ca = c->args[4].u.obj;
	struct spec s = {
		.call = c,
		.cn = &c->args[0],
		.ips = &c->args[1],
		.dns = &c->args[2],
		.days = c->args[3].u.i,
	};
	int rc = -1;

	s.key = key_arg(c, pem);
	if (s.key != NULL)
		s.parent = parse_cert(c, &ca->cert, "decodedSignerCert.Bytes");
	if (s.parent != NULL)
		s.parent_key = privkey_parse(
		    c->env, &ca->key, "error parsing private key");
	if (s.parent_key != NULL)
		rc = make(&s, ret);
	EVP_PKEY_free(s.parent_key);
	X509_free(s.parent);
	EVP_PKEY_free(s.key);
	return rc;
}

static int
fn_gen_signed(struct call *c, struct value *ret)
{
	return signed_by(c, NULL, ret);
}

static int
fn_gen_signed_with_key(struct call *c, struct value *ret)
{
	return signed_by(c, &c->args[5], ret);
}

static int
decode(
    struct call *c, const struct value *s, const char *what, struct value *ret)
{
	AUTO_RELEASE(buf) struct buf b = BUF_INIT(BASE64_MAX);
	struct err err = ERR_INIT;

	if (env_step(c->env, 1 + s->u.s.len / 64) < 0)
		return -1;
	if (base64_decode(s->u.s.p, s->u.s.len, &b, &err) < 0)
		return call_fail(c, "unable to decode base64 %s", what);
	return ret_str(c, buf_str(&b), b.len, ret);
}

static int
fn_build_custom(struct call *c, struct value *ret)
{
	struct certificate out = { 0 };
	X509 *cert;
	EVP_PKEY *key;

	if (decode(c, &c->args[0], "certificate", &out.cert) < 0 ||
	    decode(c, &c->args[1], "private key", &out.key) < 0)
		return -1;
	cert = parse_cert(c, &out.cert, "decodedCert.Bytes");
	if (cert == NULL)
		return -1;
	X509_free(cert);
	key = privkey_parse(c->env, &out.key, "error parsing private key");
	if (key == NULL)
		return -1;
	EVP_PKEY_free(key);
	return value_obj_copy(
	    c->env, &type_certificate, &out, sizeof(out), ret);
}

static int
get_cert(struct env *e UNUSED, const struct value *v, struct value *ret)
{
	*ret = ((const struct certificate *)v->u.obj)->cert;
	return 0;
}

static int
get_key(struct env *e UNUSED, const struct value *v, struct value *ret)
{
	*ret = ((const struct certificate *)v->u.obj)->key;
	return 0;
}

static bool
same_text(const struct value *a, const struct value *b)
{
	return a->u.s.len == b->u.s.len &&
	    memcmp(a->u.s.p, b->u.s.p, a->u.s.len) == 0;
}

static bool
equal_certificates(const struct value *a, const struct value *b)
{
	const struct certificate *x = a->u.obj, *y = b->u.obj;

	return same_text(&x->cert, &y->cert) && same_text(&x->key, &y->key);
}

static const struct field certificate_fields[] = {
	{ "Cert", true, get_cert },
	{ "Key", true, get_key },
	{ NULL, false, NULL },
};

const struct type type_certificate = {
	.name = "sprig.certificate",
	.kind = KIND_STRUCT,
	.fields = certificate_fields,
	.equal = equal_certificates,
};

const struct func funcs_cert[] = {
	{ "buildCustomCert", "ss:c", fn_build_custom, 0 },
	{ "genCA", "si:c", fn_gen_ca, FUNC_VARIES },
	{ "genCAWithKey", "sis:c", fn_gen_ca_with_key, FUNC_VARIES },
	{ "genSelfSignedCert", "slli:c", fn_gen_self_signed, FUNC_VARIES },
	{ "genSelfSignedCertWithKey", "sllis:c", fn_gen_self_signed_with_key,
	    FUNC_VARIES },
	{ "genSignedCert", "sllic:c", fn_gen_signed, FUNC_VARIES },
	{ "genSignedCertWithKey", "sllics:c", fn_gen_signed_with_key,
	    FUNC_VARIES },
	{ NULL, NULL, NULL, 0 },
};
