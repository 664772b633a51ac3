/*
 * Bodies of requests; see body.h.
 */
#include "body.h"

#include <string.h>

#include "base/jsonx.h"
#include "base/yamlx.h"
#include "sealedsecret/reseal.h"

#define MULTI_TEXT                                 \
	"Multistream YAML not supported yet (see " \
	"https://github.com/bitnami/sealed-secrets/issues/114)"

/*
 * Not more values in it than this. Cheap and before any tree is built: JSON is
 * read into one before it can be counted, and a tree is ten times its text.
 */
static size_t
values_at_most(const char *p, size_t len)
{
	size_t n = 1;

	for (size_t i = 0; i < len; i++) {
		if (p[i] == '"') {
			for (i++; i < len && p[i] != '"'; i++)
				i += p[i] == '\\';
			continue;
		}
		n += p[i] == ',' || p[i] == '[' || p[i] == '{';
	}
	return n;
}

static bool
looks_like_json(const char *p, size_t len)
{
	size_t i = 0;

	while (i < len && memchr(" \t\r\n", p[i], 4) != NULL)
		i++;
	return i < len && (p[i] == '{' || p[i] == '[');
}

static int
check_kind(const json_t *obj, struct err *err)
{
	const char *version = jsonx_str(obj, "apiVersion", NULL);
	const char *kind = jsonx_str(obj, "kind", NULL);

	if (!json_is_object(obj))
		return err_set(err, ERR_INVALID,
		    "expected a SealedSecret, got %s",
		    json_is_null(obj) ? "nothing" : jsonx_type_name(obj));
	if (version == NULL || kind == NULL)
		return err_set(
		    err, ERR_INVALID, "apiVersion or kind is missing");
	if (strcmp(version, RESEAL_API_VERSION) != 0 ||
	    strcmp(kind, RESEAL_KIND) != 0)
		return err_set(err, ERR_INVALID,
		    "expected kind %s of apiVersion %s", RESEAL_KIND,
		    RESEAL_API_VERSION);
	return 0;
}

int
body_parse(const char *p, size_t len, enum body_documents documents,
    json_t **ret, struct err *err)
{
	AUTO_JSON json_t *obj = NULL;
	bool more = false;

	if (looks_like_json(p, len) && values_at_most(p, len) > BODY_NODES_MAX)
		return err_set(err, ERR_TOOBIG,
		    "too many values in it (limit %d)", BODY_NODES_MAX);
	if (yamlx_parse(p, len, &obj, &more, err) < 0)
		return -1;
	if (more && documents == BODY_ONE_DOCUMENT)
		return err_set(err, ERR_INVALID, MULTI_TEXT);
	if (check_kind(obj, err) < 0)
		return -1;
	*ret = STEAL(obj);
	return 0;
}
