/*
 * Fuzz target: a plain backup. What is accepted holds valid, distinct names and
 * keys, oldest first, and can be written and read again as the same; what is
 * not leaves nothing behind but a text.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/jsonx.h"
#include "fuzz.h"
#include "keystore/backup.h"

static void
check_keys(const struct backup *b)
{
	check(b->count > 0 && b->count <= BACKUP_KEYS_MAX);
	for (size_t i = 0; i < b->count; i++) {
		const struct backup_key *k = &b->keys[i];
		const char *name =
		    jsonx_str(k->secret, "metadata", "name", NULL);

		check(k->kp != NULL && name != NULL);
		check(strcmp(name, k->name) == 0 && k->name[0] != '\0');
		check(strpbrk(k->name, "/%?# \n") == NULL);
		check(i == 0 || b->keys[i - 1].order_s <= k->order_s);
		for (size_t j = 0; j < i; j++) {
			check(strcmp(b->keys[j].name, k->name) != 0);
			check(strcmp(keypair_fingerprint(b->keys[j].kp),
				  keypair_fingerprint(k->kp)) != 0);
		}
	}
}

static void
write_and_read(const struct backup *b)
{
	AUTO_JSON json_t *all = json_array();
	AUTO(secret) struct secret *text = NULL;
	AUTO(backup) struct backup *again = NULL;
	struct err err = ERR_INIT;

	for (size_t i = 0; i < b->count; i++)
		check(json_array_append(all, b->keys[i].secret) == 0);
	check(backup_write(all, &text, &err) == 0);
	check(backup_parse((const char *)secret_bytes(text), secret_len(text),
		  &again, &err) == 0);
	check(again->count == b->count);
	for (size_t i = 0; i < b->count; i++)
		check(json_equal(again->keys[i].secret, b->keys[i].secret));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO(backup) struct backup *b = NULL;
	struct err err = ERR_INIT;

	if (backup_parse((const char *)data, size, &b, &err) < 0) {
		check(b == NULL && strncmp(err.msg, "backup: ", 8) == 0);
		check(err.code == ERR_INVALID || err.code == ERR_TOOBIG);
		return 0;
	}
	check_keys(b);
	write_and_read(b);
	return 0;
}
