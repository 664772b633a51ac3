/*
 * Measures how many sealed items one core opens in a second with one 4096-bit
 * key; tests/bench/run.sh puts it beside `openssl speed rsa4096`.
 *
 *	bench_unseal SECONDS
 */
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/mem.h"
#include "keystore/registry.h"
#include "keystore/seal.h"
#include "tests/lib/keyring.h"
#include "tool.h"

#define LABEL "namespace/name"

static struct registry *
registry_of_one_key(struct buf *blob, struct err *err)
{
	struct registry *r = registry_new(&clock_system);
	struct keypair_params params = { .bits = 4096,
		.ttl_s = 3600,
		.now_s = clock_wall_s(&clock_system),
		.cn = "" };
	AUTO(keypair) struct keypair *kp = NULL;

	if (keypair_generate(&params, &kp, err) < 0 ||
	    seal_encrypt(kp, LABEL, strlen(LABEL), "value", 5, blob, err) < 0 ||
	    keyring_add(r, "bench", kp, params.now_s, err) < 0) {
		registry_free(r);
		return NULL;
	}
	return r;
}

struct work {
	struct registry *keys;
	struct buf blob;
	uint32_t hint;
	struct err err;
};

static bool
open_once(void *ctx)
{
	struct work *w = ctx;
	AUTO(secret) struct secret *plain = NULL;

	return keyring_open(w->keys, &w->hint, LABEL, strlen(LABEL),
		   w->blob.data, w->blob.len, &plain, &w->err) == 0;
}

int
main(int argc, char *argv[])
{
	struct work w = { .blob = BUF_INIT(SEAL_BLOB_MAX), .err = ERR_INIT };
	double rate;

	mem_install_hooks();
	w.keys = registry_of_one_key(&w.blob, &w.err);
	/* Processor time, as openssl speed counts it: whatever else runs. */
	if (w.keys == NULL ||
	    !tool_rate(
		argc > 1 ? tool_number(argv[1]) : 3, open_once, &w, &rate))
		tool_die("bench_unseal: %s", w.err.msg);
	(void)printf("%.1f\n", rate);
	registry_free(w.keys);
	buf_release(&w.blob);
	return 0;
}
