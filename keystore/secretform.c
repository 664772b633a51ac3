/*
 * A sealing key as a Secret. See keystore/secretform.h.
 */
#include "keystore/secretform.h"

#include <string.h>

#include "base/buf.h"
#include "base/codec.h"
#include "base/jsonx.h"
#include "private.h"

#define OWNER_KIND "SealedSecret"

bool
secretform_is_produced(const json_t *secret)
{
	json_t *refs = jsonx_array(secret, "metadata", "ownerReferences", NULL);
	json_t *ref;
	size_t i;

	json_array_foreach(refs, i, ref)
	{
		const char *kind = jsonx_str(ref, "kind", NULL);

		if (kind != NULL && strcmp(kind, OWNER_KIND) == 0)
			return true;
	}
	return false;
}

static int
decode_item(
    const json_t *secret, const char *name, struct buf *out, struct err *err)
{
	const char *text = jsonx_str(secret, "data", name, NULL);

	if (text == NULL)
		return err_set(
		    err, ERR_INVALID, "it has no data item %s", name);
	if (base64_decode(text, strlen(text), out, err) < 0)
		return err_wrap(err, "data item %s", name);
	return 0;
}

int
secretform_read(const json_t *secret, struct keypair **ret, struct err *err)
{
	AUTO_RELEASE(buf) struct buf key = BUF_INIT(KEYPAIR_PEM_MAX);
	AUTO_RELEASE(buf) struct buf crt = BUF_INIT(KEYPAIR_PEM_MAX);

	if (decode_item(secret, SECRETFORM_KEY, &key, err) < 0 ||
	    decode_item(secret, SECRETFORM_CRT, &crt, err) < 0)
		return -1;
	return keypair_parse(
	    buf_str(&key), key.len, buf_str(&crt), crt.len, ret, err);
}
