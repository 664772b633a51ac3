/*
 * Verify and rotate linked with what they may reach: the keystore and the
 * helpers below it. Not run: that it links is the test.
 */
#include "sealedsecret/reseal.h"

int
main(void)
{
	static const struct reseal_options opt = { .accept_v1_data = true };
	struct registry *keys = registry_new(&clock_system);
	struct err err = ERR_INIT;
	json_t *out = NULL;
	int rc = reseal_verify(keys, NULL, &opt, &err) |
	    reseal_rotate(keys, NULL, &opt, &out, &err);

	json_decref(out);
	registry_free(keys);
	return rc == 0;
}
