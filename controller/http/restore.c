/*
 * Plan of a restore; see restore.h.
 */
#include "restore.h"

#include <stdio.h>
#include <string.h>

#include "base/jsonx.h"
#include "base/mem.h"

static const char *
result_name(enum restore_result r)
{
	switch (r) {
	case RESTORE_CREATED:
		return "created";
	case RESTORE_UNCHANGED:
		return "unchanged";
	case RESTORE_PRESENT_AS:
		return "present-as";
	case RESTORE_CONFLICT:
		return "conflict";
	}
	return "";
}

void
restore_conflict(struct restore_item *item, const char *message)
{
	item->result = RESTORE_CONFLICT;
	(void)snprintf(item->message, sizeof(item->message), "%s", message);
}

static void
meet(struct restore_item *item, const char *name, const char *fingerprint)
{
	const struct backup_key *k = item->key;
	bool same_name = strcmp(name, k->name) == 0;
	bool same_key = fingerprint != NULL &&
	    strcmp(fingerprint, keypair_fingerprint(k->kp)) == 0;

	if (same_name && same_key)
		item->result = RESTORE_UNCHANGED;
	else if (same_name)
		restore_conflict(item,
		    fingerprint != NULL
			? "a Secret of this name holds another key"
			: "a Secret of this name holds no usable key");
	else if (same_key && item->result == RESTORE_CREATED) {
		item->result = RESTORE_PRESENT_AS;
		(void)snprintf(item->as, sizeof(item->as), "%s", name);
	}
}

/* The name decides, whatever other names the key has. */
static void
compare(struct restore_item *item, const json_t *live)
{
	const json_t *v;
	size_t i;

	json_array_foreach((json_t *)live, i, v)
	{
		const char *name = jsonx_str(v, "name", NULL);

		if (name != NULL)
			meet(item, name, jsonx_str(v, "fingerprint", NULL));
	}
}

struct restore_plan *
restore_plan(const struct backup *b, const json_t *live)
{
	struct restore_plan *p = xcalloc(1, sizeof(*p));

	p->items = xcalloc(b->count, sizeof(*p->items));
	p->count = b->count;
	for (size_t i = 0; i < b->count; i++) {
		p->items[i].key = &b->keys[i];
		compare(&p->items[i], live);
	}
	return p;
}

void
restore_plan_free(struct restore_plan *p)
{
	if (p == NULL)
		return;
	mem_free_wiped(p->items);
	mem_free_wiped(p);
}

size_t
restore_count(const struct restore_plan *p, enum restore_result result)
{
	size_t n = 0;

	for (size_t i = 0; i < p->count; i++)
		n += p->items[i].result == result;
	return n;
}

json_t *
restore_answer(const struct restore_plan *p)
{
	json_t *all = json_array();

	for (size_t i = 0; i < p->count; i++) {
		const struct restore_item *item = &p->items[i];
		json_t *v = json_object();

		jsonx_set_str(v, "name", item->key->name);
		jsonx_set_str(
		    v, "fingerprint", keypair_fingerprint(item->key->kp));
		jsonx_set_str(v, "result", result_name(item->result));
		if (item->result == RESTORE_PRESENT_AS)
			jsonx_set_str(v, "as", item->as);
		if (item->result == RESTORE_CONFLICT)
			jsonx_set_str(v, "message", item->message);
		(void)json_array_append_new(all, v);
	}
	return all;
}
