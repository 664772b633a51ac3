/*
 * Fuzz target: command line and environment. Input: lines; those that begin
 * with SEALED_SECRETS_ are variables, the others words of the command line. A
 * NUL stands for a newline inside a word.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "controller/config.h"
#include "fuzz.h"

#define WORDS_MAX 64
#define TEXT_MAX  65536

struct input {
	char *text;
	char *argv[WORDS_MAX + 2], *envp[WORDS_MAX + 1];
	int argc, envc;
};

static void
split(struct input *in, const uint8_t *data, size_t size)
{
	static char name[] = "controller";
	char *rest, *line;

	in->text = xmalloc(size + 1);
	for (size_t i = 0; i < size; i++)
		in->text[i] = data[i] == '\0' ? '\x01' : (char)data[i];
	in->text[size] = '\0';
	in->argv[in->argc++] = name;
	rest = in->text;
	while ((line = strsep(&rest, "\n")) != NULL) {
		for (char *p = line; *p != '\0'; p++)
			*p = *p == '\x01' ? '\n' : *p;
		if (strncmp(line, "SEALED_SECRETS_", 15) == 0) {
			if (in->envc < WORDS_MAX)
				in->envp[in->envc++] = line;
		} else if (in->argc <= WORDS_MAX) {
			in->argv[in->argc++] = line;
		}
	}
}

static void
check_error(const struct err *err)
{
	if (err->code != ERR_INVALID || err->msg[0] == '\0')
		abort();
	/* One line that no terminal can be led astray with. */
	for (const char *p = err->msg; *p != '\0'; p++)
		if (*p < ' ' || *p > '~')
			abort();
}

static void
check_config(const struct config *c)
{
	if (c->help)
		return;
	if (c->workers < 1 || c->workers > 64 || c->key_size < 2048 ||
	    c->key_size > 8192 || c->key_renew_period_ns < 0 ||
	    c->key_ttl_ns <= 0 || c->read_timeout_ns <= 0 ||
	    c->write_timeout_ns <= 0 || c->rate_limit < 0 ||
	    c->rate_limit_burst < 0)
		abort();
	if (c->kubeclient_qps >= 0 && c->kubeclient_burst <= 0)
		abort();
	if (c->key_prefix[0] == '\0' || strlen(c->key_prefix) > 245 ||
	    strchr(c->listen_addr, ':') == NULL)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = { .argc = 0 };
	struct config first = { 0 }, again = { 0 };
	struct err err = ERR_INIT, err_again = ERR_INIT;
	int rc;

	if (size > TEXT_MAX)
		return 0;
	split(&in, data, size);
	rc = config_parse(in.argc, in.argv, in.envp, &first, NULL, &err);
	if (config_parse(in.argc, in.argv, in.envp, &again, NULL, &err_again) !=
		rc ||
	    memcmp(&first, &again, sizeof(first)) != 0 ||
	    strcmp(err.msg, err_again.msg) != 0)
		abort();
	if (rc < 0)
		check_error(&err);
	else
		check_config(&first);
	mem_free_wiped(in.text);
	return 0;
}
