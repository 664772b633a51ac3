/*
 * The list of watched namespaces. See namespaces.h.
 */
#include "namespaces.h"

#include <string.h>

#include "base/mem.h"

#define BLANKS " \t\r\n"

struct namespaces {
	char **names; /* a NULL member: all namespaces */
	size_t count;
};

static void
add(struct namespaces *n, const char *name, size_t len)
{
	for (size_t i = 0; i < n->count; i++)
		if (strlen(n->names[i]) == len &&
		    strncmp(n->names[i], name, len) == 0)
			return;
	n->names = xreallocarray(n->names, n->count + 1, sizeof(*n->names));
	n->names[n->count++] = xstrndup(name, len);
}

static void
add_list(struct namespaces *n, const char *list)
{
	const char *p = list, *end;
	size_t len;

	for (;; p = end + 1) {
		end = strchrnul(p, ',');
		p += strspn(p, BLANKS);
		len = p < end ? (size_t)(end - p) : 0;
		while (len > 0 && strchr(BLANKS, p[len - 1]) != NULL)
			len--;
		if (len > 0)
			add(n, p, len);
		if (*end == '\0')
			return;
	}
}

struct namespaces *
namespaces_new(bool all, const char *additional, const char *home)
{
	struct namespaces *n = xcalloc(1, sizeof(*n));

	if (all && additional[0] == '\0') {
		n->names = xcalloc(1, sizeof(*n->names));
		n->count = 1;
		return n;
	}
	add(n, home, strlen(home));
	add_list(n, additional);
	return n;
}

void
namespaces_free(struct namespaces *n)
{
	if (n == NULL)
		return;
	for (size_t i = 0; i < n->count; i++)
		mem_free_wiped(n->names[i]);
	mem_free_wiped(n->names);
	mem_free_wiped(n);
}

size_t
namespaces_count(const struct namespaces *n)
{
	return n->count;
}

const char *
namespaces_at(const struct namespaces *n, size_t i)
{
	return n->names[i];
}
