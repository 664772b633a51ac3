/*
 * Certificate and key of a TLS listener; see tls.h.
 *
 * Each handshake gets copies of its own from the text in memory, so that
 * sessions under way need nothing of a pair that was replaced meanwhile.
 */
#include "tls.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/secret.h"

#define CHAIN_MAX  8
#define KEY_ID_MAX 64

struct pair {
	struct secret *cert; /* public, but this type is at hand */
	struct secret *key;
};

struct tls {
	char *cert_file, *key_file;
	const struct clock *clock;
	struct pair pair;
	struct stat seen[2]; /* of the files, good or not */
	uint64_t looked_ms;
};

/* What GnuTLS makes of a pair. */
struct material {
	gnutls_pcert_st *chain; /* by gnutls_malloc() */
	unsigned nchain;
	gnutls_privkey_t key;
};

static void
material_release(struct material *m)
{
	for (unsigned i = 0; i < m->nchain; i++)
		gnutls_pcert_deinit(&m->chain[i]);
	gnutls_free(m->chain);
	if (m->key != NULL)
		gnutls_privkey_deinit(m->key);
	memset(m, 0, sizeof(*m));
}

static void
pair_release(struct pair *p)
{
	secret_free(p->cert);
	secret_free(p->key);
	p->cert = p->key = NULL;
}

static gnutls_datum_t
datum(struct secret *s)
{
	return (gnutls_datum_t) {
		.data = secret_data(s),
		.size = (unsigned)secret_len(s),
	};
}

static int
material_load(const struct pair *p, struct material *m)
{
	gnutls_datum_t cert = datum(p->cert), key = datum(p->key);
	unsigned n = CHAIN_MAX;
	int rc;

	m->chain = gnutls_calloc(CHAIN_MAX, sizeof(*m->chain));
	if (m->chain == NULL)
		return GNUTLS_E_MEMORY_ERROR;
	rc = gnutls_pcert_list_import_x509_raw(
	    m->chain, &n, &cert, GNUTLS_X509_FMT_PEM, 0);
	if (rc < 0)
		return rc;
	m->nchain = n;
	rc = gnutls_privkey_init(&m->key);
	if (rc < 0)
		return rc;
	return gnutls_privkey_import_x509_raw(
	    m->key, &key, GNUTLS_X509_FMT_PEM, NULL, 0);
}

static bool
key_id(gnutls_pubkey_t key, unsigned char out[static KEY_ID_MAX], size_t *len)
{
	*len = KEY_ID_MAX;
	return gnutls_pubkey_get_key_id(
		   key, GNUTLS_KEYID_USE_SHA256, out, len) == 0;
}

static bool
belongs(const struct material *m)
{
	unsigned char a[KEY_ID_MAX], b[KEY_ID_MAX];
	size_t na, nb;
	gnutls_pubkey_t key;
	bool same;

	if (gnutls_pubkey_init(&key) < 0)
		return false;
	same = gnutls_pubkey_import_privkey(key, m->key, 0, 0) == 0 &&
	    key_id(key, a, &na) && key_id(m->chain[0].pubkey, b, &nb) &&
	    na == nb && memcmp(a, b, na) == 0;
	gnutls_pubkey_deinit(key);
	return same;
}

static int
pair_check(const struct tls *t, const struct pair *p, struct err *err)
{
	struct material m = { 0 };
	int rc = material_load(p, &m);

	if (rc < 0)
		(void)err_set(err, ERR_INVALID, "%s: %s",
		    m.nchain == 0 ? t->cert_file : t->key_file,
		    gnutls_strerror(rc));
	else if (!belongs(&m))
		rc = err_set(err, ERR_INVALID,
		    "%s does not hold the key of the certificate in %s",
		    t->key_file, t->cert_file);
	material_release(&m);
	return rc < 0 ? -1 : 0;
}

static int
read_secret(const char *path, struct secret **ret, struct err *err)
{
	AUTO_RELEASE(buf) struct buf b = BUF_INIT(TLS_FILE_MAX);

	if (file_read(path, &b, err) < 0)
		return -1;
	*ret = secret_from(buf_str(&b), b.len);
	return 0;
}

/* The present pair stays where it fails. */
static int
load(struct tls *t, struct err *err)
{
	struct pair p = { 0 };

	if (read_secret(t->cert_file, &p.cert, err) < 0 ||
	    read_secret(t->key_file, &p.key, err) < 0 ||
	    pair_check(t, &p, err) < 0) {
		pair_release(&p);
		return -1;
	}
	pair_release(&t->pair);
	t->pair = p;
	return 0;
}

/* All zeros: none. */
static void
look_at(const char *path, struct stat *ret)
{
	if (stat(path, ret) < 0)
		memset(ret, 0, sizeof(*ret));
}

/* Before they are read: what changes in between is read once more. */
static void
look(struct tls *t, struct stat now[static 2])
{
	look_at(t->cert_file, &now[0]);
	look_at(t->key_file, &now[1]);
	t->looked_ms = clock_mono_ms(t->clock);
}

static void
reload(struct tls *t)
{
	struct stat now[2];
	struct err err = ERR_INIT;

	if (clock_mono_ms(t->clock) - t->looked_ms < TLS_LOOK_MS)
		return;
	look(t, now);
	if (file_same(&now[0], &t->seen[0]) && file_same(&now[1], &t->seen[1]))
		return;
	memcpy(t->seen, now, sizeof(now));
	if (load(t, &err) == 0)
		log_info("TLS certificate reloaded", "file", t->cert_file);
	else
		log_error("Cannot reload the TLS certificate, the last one "
			  "stays in use",
		    "error", err.msg);
}

int
tls_new(const char *cert_file, const char *key_file, const struct clock *clock,
    struct tls **ret, struct err *err)
{
	AUTO(tls) struct tls *t = xcalloc(1, sizeof(*t));

	t->cert_file = xstrdup(cert_file);
	t->key_file = xstrdup(key_file);
	t->clock = clock;
	look(t, t->seen);
	if (load(t, err) < 0)
		return -1;
	*ret = STEAL(t);
	return 0;
}

void
tls_free(struct tls *t)
{
	if (t == NULL)
		return;
	pair_release(&t->pair);
	mem_free_wiped(t->cert_file);
	mem_free_wiped(t->key_file);
	mem_free_wiped(t);
}

/* The session's pointer is taken by libmicrohttpd; that of its database of
 * sessions is free, since there is none. */
void
tls_attach(struct tls *t, gnutls_session_t session)
{
	gnutls_db_set_ptr(session, t);
}

int
tls_retrieve(gnutls_session_t session,
    const struct gnutls_cert_retr_st *info UNUSED, gnutls_pcert_st **certs,
    unsigned *ncerts, gnutls_ocsp_data_st **ocsp, unsigned *nocsp,
    gnutls_privkey_t *key, unsigned *flags)
{
	struct tls *t = gnutls_db_get_ptr(session);
	struct material m = { 0 };

	if (t == NULL)
		return -1;
	reload(t);
	if (material_load(&t->pair, &m) < 0) {
		material_release(&m);
		return -1;
	}
	*certs = m.chain;
	*ncerts = m.nchain;
	*ocsp = NULL;
	*nocsp = 0;
	*key = m.key;
	*flags = GNUTLS_CERT_RETR_DEINIT_ALL;
	return 0;
}
