/*
 * Backups of sealing keys: the List of Secrets that kubectl prints and reads,
 * and its encryption to certificates of those who may open it (CMS). Knows the
 * form of the file, nothing of the API. Thread-safe: no state.
 *
 * No error holds a value of a Secret; an item is named by its place and its
 * name.
 */
#ifndef KEYSTORE_BACKUP_H
#define KEYSTORE_BACKUP_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/compiler.h"
#include "base/dns.h"
#include "base/err.h"
#include "base/secret.h"
#include "keystore/keypair.h"
#include "keystore/registry.h"

/* A plain backup: the largest number of keys, and room for each. */
#define BACKUP_KEYS_MAX	 REGISTRY_KEYS_MAX
#define BACKUP_BYTES_MAX (24u * 1024 * 1024)
/* The same encrypted, as PEM. */
#define BACKUP_CMS_MAX	(BACKUP_BYTES_MAX / 2 * 3)

#define BACKUP_NAME_MAX (DNS_SUBDOMAIN_MAX + 1)
#define BACKUP_NS_MAX	(DNS_LABEL_MAX + 1)

struct backup_key {
	char name[BACKUP_NAME_MAX];
	char ns[BACKUP_NS_MAX]; /* as in the file; "": it names none */
	/* The Secret, fit for a POST: apiVersion, kind, type, immutable, data,
	 * and of the metadata name, namespace, labels and annotations. */
	json_t *secret;
	struct keypair *kp;
	int64_t order_s; /* notBefore of the certificate */
};

/* Oldest first (order_s, then name), which is the order to create them in. */
struct backup {
	struct backup_key *keys;
	size_t count;
};

/*
 * A plain backup, YAML or JSON: a List or SecretList of Secrets, or single
 * Secrets, in one or several documents. All or nothing: each item must be a
 * Secret with a valid name, the label of sealing keys (whatever its value),
 * and a key that keypair_parse() takes; no name and no key occurs twice; not
 * produced from a SealedSecret; at least one item.
 * Dropped: what the API server sets (uid, resourceVersion, creationTimestamp,
 * managedFields ...), owner references and finalizers (they speak of another
 * cluster), kubectl's last-applied-configuration (a second copy of the key).
 * ERR_TOOBIG over the limits above, else ERR_INVALID.
 */
int backup_parse(
    const char *p, size_t len, struct backup **ret, struct err *err) MUST_CHECK;
void backup_free(struct backup *b); /* wipes */

/*
 * The other way: an array of Secrets as the API gives them (or as in
 * backup_key.secret) to the YAML of a List, as "kubectl get secret -o yaml"
 * prints it, without the fields that backup_parse() drops. Items that are no
 * key are written all the same: what to export is the caller's choice.
 * ERR_INVALID where an item is no object or has no name.
 */
int backup_write(
    const json_t *secrets, struct secret **ret, struct err *err) MUST_CHECK;

/* ---- backup_cms.c ---- */

struct backup_recipients;

#define BACKUP_RECIPIENTS_MAX 16

/*
 * PEM certificates, one after the other: RSA from 2048 bits, or EC on P-256,
 * P-384, P-521. ERR_INVALID, naming the place, for any other key, any other
 * block, none, or too many. Dates and usages of the certificates are not
 * looked at.
 */
int backup_recipients_load(const char *pem, size_t len,
    struct backup_recipients **ret, struct err *err) MUST_CHECK;
void backup_recipients_free(struct backup_recipients *r);
size_t backup_recipients_count(const struct backup_recipients *r);

/*
 * CMS AuthEnvelopedData as PEM ("-----BEGIN CMS-----"), appended to out:
 * AES-256-GCM; the content key under RSA-OAEP with SHA-256, or under ECDH with
 * the X9.63 KDF on SHA-256 and AES-256 key wrap. Any one recipient opens it:
 *	openssl cms -decrypt -inform PEM -in F -recip CERT -inkey KEY -out G
 */
int backup_encrypt(const struct backup_recipients *r,
    const struct secret *plain, struct buf *out, struct err *err) MUST_CHECK;

DEFINE_AUTO(backup);
DEFINE_AUTO(backup_recipients);

#endif
