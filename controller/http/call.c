/*
 * What the calls of the admin port share; see call.h.
 */
#include "call.h"

#include <stdlib.h>
#include <sys/random.h>

#include "base/codec.h"
#include "base/jsonx.h"
#include "base/log.h"
#include "base/mem.h"

void
call_id(char out[static CALL_ID_MAX])
{
	unsigned char bytes[(CALL_ID_MAX - 1) / 2];

	/* Never short for so few bytes, never interrupted. */
	if (getrandom(bytes, sizeof(bytes), 0) != (ssize_t)sizeof(bytes))
		abort();
	hex_encode(bytes, sizeof(bytes), out);
}

bool
call_audit(const struct call *c, struct admin_record *record)
{
	struct err err = ERR_INIT;

	record->user = c->user;
	record->source = c->head->peer;
	record->request_id = c->id;
	if (c->cfg->backend.audit(c->cfg->backend.ctx, record, &err) == 0)
		return true;
	log_error("Cannot write down an admin action, so it is not done",
	    "action", record->action, "request", c->id, "user", c->user->name,
	    "error", err.msg);
	http_reply_error(c->reply, 503, "the audit record could not be stored");
	return false;
}

char *
call_fingerprints(const json_t *keys)
{
	AUTO_RELEASE(buf)
	struct buf out =
	    BUF_INIT((size_t)BACKUP_KEYS_MAX * KEYPAIR_FINGERPRINT_MAX);
	const json_t *key;
	size_t i;

	json_array_foreach((json_t *)keys, i, key)
	{
		const char *fp = jsonx_str(key, "fingerprint", NULL);

		if (fp != NULL && i < BACKUP_KEYS_MAX)
			buf_printf(&out, "%s%s", out.len > 0 ? "," : "", fp);
	}
	return xstrdup(buf_str(&out));
}
