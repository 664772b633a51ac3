/*
 * SealedSecrets as kubeseal writes them.
 */
#include "objects.h"

#include <string.h>

#include "base/codec.h"
#include "base/file.h"
#include "base/mem.h"
#include "keystore/seal.h"
#include "tool.h"

char *
objects_certificate(const char *path)
{
	struct buf text = BUF_INIT(64u * 1024);
	struct err err = ERR_INIT;

	if (file_read(path, &text, &err) < 0)
		tool_die("%s", err.msg);
	return buf_take(&text, NULL);
}

static void
put_item(const char *cert, const char *label, unsigned long i, struct buf *out)
{
	AUTO_RELEASE(buf) struct buf blob = BUF_INIT(SEAL_BLOB_MAX);
	AUTO_RELEASE(buf) struct buf text = BUF_INIT(OBJECTS_MAX);
	AUTO_STR char *plain = xasprintf("value of item %lu", i);
	struct err err = ERR_INIT;

	if (seal_encrypt_cert(cert, label, strlen(label), plain, strlen(plain),
		&blob, &err) < 0 ||
	    base64_encode(blob.data, blob.len, &text, &err) < 0)
		tool_die("seal: %s", err.msg);
	buf_printf(
	    out, "%s\"item-%lu\":\"%s\"", i > 1 ? "," : "", i, buf_str(&text));
}

void
objects_sealed(const char *cert, const char *ns, const char *name,
    unsigned long items, struct buf *out)
{
	AUTO_STR char *label = xasprintf("%s/%s", ns, name);

	buf_clear(out);
	buf_printf(out,
	    "{\"apiVersion\":\"bitnami.com/v1alpha1\","
	    "\"kind\":\"SealedSecret\",\"metadata\":{\"name\":\"%s\","
	    "\"namespace\":\"%s\"},\"spec\":{\"encryptedData\":{",
	    name, ns);
	for (unsigned long i = 1; i <= items; i++)
		put_item(cert, label, i, out);
	buf_printf(out,
	    "},\"template\":{\"metadata\":{\"name\":\"%s\","
	    "\"namespace\":\"%s\"}}}}",
	    name, ns);
}
