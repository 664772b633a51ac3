/*
 * Makes sealing keys, each 30 days older than the one before.
 *
 *	bench_keys FOLDER NAMESPACE COUNT
 *
 * Writes FOLDER/key-N.json, a key Secret, and FOLDER/key-N.pem, its
 * certificate; key-1 is 30 days old.
 */
#include <jansson.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/codec.h"
#include "base/jsonx.h"
#include "base/mem.h"
#include "keystore/keypair.h"
#include "tool.h"

#define BITS  4096
#define AGE_S (INT64_C(30) * 24 * 3600)

static json_t *
base64_text(const void *p, size_t len)
{
	AUTO_RELEASE(buf) struct buf text = BUF_INIT(64u * 1024);
	struct err err = ERR_INIT;

	if (base64_encode(p, len, &text, &err) < 0)
		tool_die("%s", err.msg);
	return json_string(buf_str(&text));
}

static json_t *
key_secret(const struct keypair *kp, const char *ns, unsigned long i)
{
	AUTO(secret) struct secret *private = NULL;
	AUTO_STR char *name = xasprintf("bench-key-%lu", i);
	const char *cert = keypair_cert_pem(kp);
	struct err err = ERR_INIT;

	if (keypair_private_pem(kp, &private, &err) < 0)
		tool_die("%s", err.msg);
	return json_pack("{s:s, s:s, s:s, s:{s:s, s:s, s:{s:s}}, s:{s:o, s:o}}",
	    "apiVersion", "v1", "kind", "Secret", "type", "kubernetes.io/tls",
	    "metadata", "name", name, "namespace", ns, "labels",
	    "sealedsecrets.bitnami.com/sealed-secrets-key", "active", "data",
	    "tls.crt", base64_text(cert, strlen(cert)), "tls.key",
	    base64_text(secret_bytes(private), secret_len(private)));
}

static void *
begin(void *shared)
{
	return shared;
}

static void
make_one(void *shared, void *state UNUSED, unsigned long i)
{
	char **arg = shared;
	struct keypair_params params = { .bits = BITS,
		.ttl_s = AGE_S * 1000,
		.now_s = clock_wall_s(&clock_system) - AGE_S * (int64_t)i,
		.cn = "" };
	AUTO_STR char *json = xasprintf("%s/key-%lu.json", arg[0], i);
	AUTO_STR char *pem = xasprintf("%s/key-%lu.pem", arg[0], i);
	AUTO(keypair) struct keypair *kp = NULL;
	AUTO_JSON json_t *secret = NULL;
	struct err err = ERR_INIT;
	FILE *f = fopen(pem, "we");

	if (f == NULL || keypair_generate(&params, &kp, &err) < 0)
		tool_die("%s: %s", pem, err.msg);
	(void)fputs(keypair_cert_pem(kp), f);
	(void)fclose(f);
	secret = key_secret(kp, arg[1], i);
	if (json_dump_file(secret, json, JSON_COMPACT) < 0)
		tool_die("cannot write %s", json);
}

static void
end(void *state UNUSED)
{
}

int
main(int argc, char *argv[])
{
	mem_install_hooks();
	if (argc != 4) {
		(void)fprintf(
		    stderr, "usage: bench_keys FOLDER NAMESPACE COUNT\n");
		return 2;
	}
	tool_share(&(struct tool_crew) {
	    .threads = 2,
	    .n = tool_number(argv[3]),
	    .shared = argv + 1,
	    .begin = begin,
	    .work = make_one,
	    .end = end,
	});
	return 0;
}
