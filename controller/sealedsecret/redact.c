/*
 * Keeps values of a Secret out of error texts.
 */
#include "redact.h"

#include <string.h>

#include "base/buf.h"
#include "base/codec.h"
#include "base/jsonx.h"
#include "base/mem.h"

/* A window at every fourth byte of a value finds any run of 8 + 4 - 1. */
#define WINDOW 8
#define STEP   4
/* As much as an item may hold. */
#define VALUE_MAX (4 * 1024 * 1024)

static bool
quotes(const char *text, const char *value, size_t len)
{
	size_t text_len = strlen(text);
	size_t window = len < WINDOW ? len : WINDOW;

	if (len < REDACT_MIN)
		return false;
	for (size_t i = 0; i + window <= len; i += STEP)
		if (memmem(text, text_len, value + i, window) != NULL)
			return true;
	/* The end of a value, where the windows do not meet it. */
	return memmem(text, text_len, value + len - window, window) != NULL;
}

static bool
quotes_item(const char *text, const json_t *v)
{
	AUTO_RELEASE(buf) struct buf plain = BUF_INIT(VALUE_MAX);
	struct err ignored = ERR_INIT;

	if (!json_is_string(v))
		return false;
	if (quotes(text, json_string_value(v), json_string_length(v)))
		return true;
	return base64_decode(json_string_value(v), json_string_length(v),
		   &plain, &ignored) == 0 &&
	    quotes(text, buf_str(&plain), plain.len);
}

static void
blank(char *text, const char *name)
{
	size_t len = name != NULL ? strlen(name) : 0;
	char *at = text;

	if (len < REDACT_MIN)
		return;
	while ((at = strstr(at, name)) != NULL) {
		memset(at, ' ', len);
		at += len;
	}
}

void
redact_error(const json_t *secret, struct err *err)
{
	AUTO_STR char *text = xstrdup(err->msg);
	unsigned retry_after_s = err->retry_after_s;
	const char *name;
	json_t *v;

	blank(text, jsonx_str(secret, "metadata", "name", NULL));
	blank(text, jsonx_str(secret, "metadata", "namespace", NULL));
	json_object_foreach(json_object_get(secret, "data"), name, v)
	    blank(text, name);
	json_object_foreach(json_object_get(secret, "data"), name, v)
	{
		if (!quotes_item(text, v))
			continue;
		(void)err_set(err, err->code,
		    "the API server refused the Secret; its answer is withheld "
		    "because it quotes a value");
		err->retry_after_s = retry_after_s;
		return;
	}
}
