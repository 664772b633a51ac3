/*
 * Measures how many sealed items one core opens in a second with one 4096-bit
 * key; tests/bench/run.sh puts it beside `openssl speed rsa4096`.
 *
 *	bench_unseal SECONDS
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/mem.h"
#include "keystore/registry.h"
#include "keystore/seal.h"
#include "tests/lib/keyring.h"

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

int
main(int argc, char *argv[])
{
	AUTO_RELEASE(buf) struct buf blob = BUF_INIT(SEAL_BLOB_MAX);
	AUTO(registry) struct registry *r = NULL;
	struct err err = ERR_INIT;
	uint32_t hint = 0;
	uint64_t start, limit, n = 0;

	mem_install_hooks();
	limit = (argc > 1 ? strtoull(argv[1], NULL, 10) : 3) * NS_PER_S;
	r = registry_of_one_key(&blob, &err);
	if (r == NULL) {
		(void)fprintf(stderr, "bench_unseal: %s\n", err.msg);
		return 1;
	}
	/* Processor time, as openssl speed counts it: whatever else runs. */
	start = clock_cpu_ns(&clock_system);
	while (clock_cpu_ns(&clock_system) - start < limit) {
		AUTO(secret) struct secret *plain = NULL;

		if (keyring_open(r, &hint, LABEL, strlen(LABEL), blob.data,
			blob.len, &plain, &err) < 0) {
			(void)fprintf(stderr, "bench_unseal: %s\n", err.msg);
			return 1;
		}
		n++;
	}
	(void)printf("%.1f\n",
	    (double)n * (double)NS_PER_S /
		(double)(clock_cpu_ns(&clock_system) - start));
	return 0;
}
