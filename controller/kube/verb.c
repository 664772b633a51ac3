/*
 * Paths of the API: /api/VERSION/... or /apis/GROUP/VERSION/..., then perhaps
 * namespaces/NAME, then RESOURCE, NAME, SUBRESOURCE.
 */
#include "verb.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/compiler.h"

struct segment {
	const char *p;
	int len;
};

/* Resource, name, subresource. */
enum { RESOURCE, NAME, SUB, PARTS };

static struct segment
next_segment(const char **p)
{
	struct segment s = { *p, 0 };

	if (*s.p == '/')
		s.p++;
	s.len = (int)strcspn(s.p, "/?");
	*p = s.p + s.len;
	return s;
}

static bool
is(struct segment s, const char *word)
{
	return (size_t)s.len == strlen(word) &&
	    strncmp(s.p, word, strlen(word)) == 0;
}

static void
split(const char *path, struct segment part[PARTS])
{
	struct segment root = next_segment(&path);

	if (!is(root, "api") && !is(root, "apis"))
		return;
	if (is(root, "apis"))
		(void)next_segment(&path);
	(void)next_segment(&path);
	for (size_t i = 0; i < PARTS; i++)
		part[i] = next_segment(&path);
	/* A namespace itself has nothing behind its name but "status". */
	if (!is(part[RESOURCE], "namespaces") || part[SUB].len == 0)
		return;
	part[RESOURCE] = part[SUB];
	part[NAME] = next_segment(&path);
	part[SUB] = next_segment(&path);
}

static const char *
read_verb(const char *path, bool named)
{
	const char *query = strchr(path, '?');

	if (query != NULL && strstr(query, "watch=true") != NULL)
		return "watch";
	return named ? "get" : "list";
}

static const char *
name_of(const char *method, const char *path, bool named)
{
	static const struct {
		const char *method, *verb;
	} writes[] = {
		{ "POST", "create" },
		{ "PUT", "update" },
		{ "PATCH", "patch" },
		{ "DELETE", "delete" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(writes); i++)
		if (strcmp(method, writes[i].method) == 0)
			return writes[i].verb;
	return read_verb(path, named);
}

void
verb_of(const char *method, const char *path, struct verb *ret)
{
	struct segment part[PARTS] = { { "", 0 }, { "", 0 }, { "", 0 } };
	bool sub;

	split(path, part);
	sub = part[SUB].len > 0;
	ret->name = name_of(method, path, part[NAME].len > 0);
	(void)snprintf(ret->resource, sizeof(ret->resource), "%.*s%s%.*s",
	    part[RESOURCE].len, part[RESOURCE].p, sub ? "/" : "", part[SUB].len,
	    part[SUB].p);
}
