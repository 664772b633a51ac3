/*
 * The Authorization field of the admin port: what is taken as a token is one
 * word of the characters that tokens have, and is all that stood there.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "controller/http/auth.h"
#include "fuzz.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char fine[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				   "abcdefghijklmnopqrstuvwxyz"
				   "0123456789-._~+/=";
	struct head head = { .authorizations = 1 };
	struct secret *token;

	head.authorization = secret_from(data, size);
	token = auth_bearer(&head);
	if (token != NULL) {
		size_t n = secret_len(token);

		if (n == 0 || n > AUTH_TOKEN_MAX || n + 7 != size ||
		    memcmp(secret_bytes(token), data + 7, n) != 0)
			abort();
		for (size_t i = 0; i < n; i++)
			if (data[7 + i] == '\0' ||
			    strchr(fine, data[7 + i]) == NULL)
				abort();
	}
	secret_free(token);
	secret_free(head.authorization);
	return 0;
}
