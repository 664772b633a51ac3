/*
 * seal: a small stand-in for kubeseal, which Debian does not package. Reads a
 * certificate, prints a SealedSecret. For the demo and for tests by hand.
 *
 *	seal CERT.pem NAMESPACE NAME KEY=VALUE ... > sealed.json
 */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/codec.h"
#include "base/file.h"
#include "base/jsonx.h"
#include "base/mem.h"
#include "keystore/seal.h"

#define CERT_MAX (64u * 1024)
#define ITEM_MAX (2u * 1024 * 1024)

static int
seal_item(json_t *items, const char *cert, const char *label, const char *pair,
    struct err *err)
{
	AUTO_RELEASE(buf) struct buf blob = BUF_INIT(ITEM_MAX);
	AUTO_RELEASE(buf) struct buf text = BUF_INIT(ITEM_MAX * 2);
	const char *eq = strchr(pair, '=');
	AUTO_STR char *name = NULL;

	if (eq == NULL)
		return err_set(
		    err, ERR_INVALID, "%s: expected KEY=VALUE", pair);
	name = xstrndup(pair, (size_t)(eq - pair));
	if (seal_encrypt_cert(cert, label, strlen(label), eq + 1,
		strlen(eq + 1), &blob, err) < 0 ||
	    base64_encode(blob.data, blob.len, &text, err) < 0)
		return err_wrap(err, "seal %s", name);
	jsonx_set_str(items, name, buf_str(&text));
	return 0;
}

static json_t *
sealed_object(const char *ns, const char *name, json_t *items)
{
	return json_pack("{s:s, s:s, s:{s:s, s:s}, s:{s:O, s:{s:{s:s, s:s}}}}",
	    "apiVersion", "bitnami.com/v1alpha1", "kind", "SealedSecret",
	    "metadata", "name", name, "namespace", ns, "spec", "encryptedData",
	    items, "template", "metadata", "name", name, "namespace", ns);
}

int
main(int argc, char *argv[])
{
	AUTO_RELEASE(buf) struct buf cert = BUF_INIT(CERT_MAX);
	AUTO_JSON json_t *items = NULL;
	AUTO_JSON json_t *obj = NULL;
	AUTO_STR char *label = NULL;
	struct err err = ERR_INIT;

	if (argc < 5) {
		(void)fprintf(stderr,
		    "usage: seal CERT.pem NAMESPACE NAME KEY=VALUE ...\n");
		return 2;
	}
	items = json_object();
	label = xasprintf("%s/%s", argv[2], argv[3]);
	if (file_read(argv[1], &cert, &err) < 0) {
		(void)fprintf(stderr, "seal: %s\n", err.msg);
		return 1;
	}
	for (int i = 4; i < argc; i++)
		if (seal_item(items, buf_str(&cert), label, argv[i], &err) <
		    0) {
			(void)fprintf(stderr, "seal: %s\n", err.msg);
			return 1;
		}
	obj = sealed_object(argv[2], argv[3], items);
	(void)json_dumpf(obj, stdout, JSON_INDENT(2));
	(void)putchar('\n');
	return 0;
}
