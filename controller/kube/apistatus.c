/*
 * What the API server says when it refuses: Status bodies, plain texts of
 * load balancers and of priority and fairness, Retry-After.
 */
#include <string.h>
#include <strings.h>

#include "base/jsonx.h"
#include "kube/client.h"

#define MESSAGE_MAX	512 /* of a Status */
#define TEXT_MAX	128 /* quoted of a body that is no Status */
#define RETRY_AFTER_MAX 3600

/* Reasons decide before HTTP codes: 409 stands for two different things. */
static const struct {
	const char *reason;
	enum err_code code;
} reasons[] = {
	{ "NotFound", ERR_NOTFOUND },
	{ "AlreadyExists", ERR_EXISTS },
	{ "Conflict", ERR_CONFLICT },
	{ "Forbidden", ERR_FORBIDDEN },
	{ "Unauthorized", ERR_UNAUTHORIZED },
	{ "Gone", ERR_GONE },
	{ "Expired", ERR_GONE },
	{ "Invalid", ERR_UNPROCESSABLE },
	{ "BadRequest", ERR_BADREQUEST },
	{ "MethodNotAllowed", ERR_BADREQUEST },
	{ "NotAcceptable", ERR_BADREQUEST },
	{ "RequestEntityTooLarge", ERR_BADREQUEST },
	{ "UnsupportedMediaType", ERR_BADREQUEST },
	{ "TooManyRequests", ERR_THROTTLED },
	{ "ServerTimeout", ERR_SERVER },
	{ "InternalError", ERR_SERVER },
	{ "ServiceUnavailable", ERR_SERVER },
	{ "StorageReadError", ERR_SERVER },
	{ "Timeout", ERR_TIMEOUT },
};

static const struct {
	int status;
	enum err_code code;
} statuses[] = {
	{ 400, ERR_BADREQUEST },
	{ 401, ERR_UNAUTHORIZED },
	{ 403, ERR_FORBIDDEN },
	{ 404, ERR_NOTFOUND },
	{ 405, ERR_BADREQUEST },
	{ 406, ERR_BADREQUEST },
	{ 409, ERR_CONFLICT },
	{ 410, ERR_GONE },
	{ 413, ERR_BADREQUEST },
	{ 415, ERR_BADREQUEST },
	{ 422, ERR_UNPROCESSABLE },
	{ 429, ERR_THROTTLED },
	{ 504, ERR_TIMEOUT },
};

static enum err_code
code_of(const char *reason, int status)
{
	if (reason != NULL)
		for (size_t i = 0; i < ARRAY_SIZE(reasons); i++)
			if (strcmp(reason, reasons[i].reason) == 0)
				return reasons[i].code;
	for (size_t i = 0; i < ARRAY_SIZE(statuses); i++)
		if (status == statuses[i].status)
			return statuses[i].code;
	return ERR_SERVER;
}

static unsigned
bounded_retry_after(int64_t s)
{
	if (s <= 0)
		return 0;
	return s < RETRY_AFTER_MAX ? (unsigned)s : RETRY_AFTER_MAX;
}

/* At most MESSAGE_MAX bytes, cut between characters; control characters, of
 * which U+0080 to U+009F take two bytes, become spaces. */
static void
clean_message(const char *in, char out[static MESSAGE_MAX + 1])
{
	size_t n = strnlen(in, MESSAGE_MAX + 1);

	if (n > MESSAGE_MAX)
		for (n = MESSAGE_MAX; n > 0 && (in[n] & 0xc0) == 0x80;)
			n--;
	memcpy(out, in, n);
	out[n] = '\0';
	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)out[i];

		if (c < 0x20 || c == 0x7f)
			out[i] = ' ';
		else if (c == 0xc2 && (unsigned char)out[i + 1] < 0xa0 &&
		    (unsigned char)out[i + 1] >= 0x80)
			out[i] = out[i + 1] = ' ';
	}
}

/* Printable ASCII only; runs of anything else become one space. */
static void
clean_text(const char *in, size_t len, char out[static TEXT_MAX + 1])
{
	size_t n = 0;

	for (size_t i = 0; i < len && n < TEXT_MAX; i++) {
		if (in[i] > ' ' && in[i] < 0x7f)
			out[n++] = in[i];
		else if (n > 0 && out[n - 1] != ' ')
			out[n++] = ' ';
	}
	while (n > 0 && out[n - 1] == ' ')
		n--;
	out[n] = '\0';
}

static int
fail_with_status(
    const json_t *status, int http_status, int retry_after, struct err *err)
{
	const char *message = jsonx_str(status, "message", NULL);
	const char *reason = jsonx_str(status, "reason", NULL);
	int64_t details =
	    jsonx_int(status, "details", "retryAfterSeconds", NULL);
	char text[MESSAGE_MAX + 1];

	if (message != NULL && message[0] != '\0') {
		clean_message(message, text);
		err_set(err, code_of(reason, http_status), "%s", text);
	} else {
		err_set(err, code_of(reason, http_status),
		    "the server answered %d without a message", http_status);
	}
	err->retry_after_s =
	    bounded_retry_after(details > retry_after ? details : retry_after);
	return -1;
}

int
kube_status_object_error(const json_t *status, struct err *err)
{
	int64_t code = jsonx_int(status, "code", NULL);

	return fail_with_status(
	    status, code >= 100 && code <= 599 ? (int)code : 0, -1, err);
}

static bool
is_status(const json_t *v)
{
	const char *kind = jsonx_str(v, "kind", NULL);

	return kind != NULL && strcmp(kind, "Status") == 0;
}

int
kube_status_error(const struct kube_response *resp, struct err *err)
{
	AUTO_JSON json_t *status = NULL;
	struct err ignored = ERR_INIT;
	char text[TEXT_MAX + 1];

	if (resp->json &&
	    jsonx_parse(buf_str(&resp->body), resp->body.len, 0, &status,
		&ignored) == 0 &&
	    is_status(status))
		return fail_with_status(
		    status, resp->status, resp->retry_after_s, err);
	clean_text(buf_str(&resp->body), resp->body.len, text);
	err_set(err, code_of(NULL, resp->status), "the server answered %d%s%s",
	    resp->status, text[0] != '\0' ? ": " : "", text);
	err->retry_after_s = bounded_retry_after(resp->retry_after_s);
	return -1;
}
