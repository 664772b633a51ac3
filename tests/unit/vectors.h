/*
 * Keys of tests/vectors.
 */
#ifndef TESTS_UNIT_VECTORS_H
#define TESTS_UNIT_VECTORS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "keystore/keypair.h"
#include "textfile.h"

/* Form is "pkcs1" or "pkcs8". Owned by the caller. */
static inline struct keypair *
vectors_key(const char *name, const char *form)
{
	AUTO_STR char *key_path =
	    xasprintf("tests/vectors/keys/%s.%s.pem", name, form);
	AUTO_STR char *cert_path =
	    xasprintf("tests/vectors/keys/%s.crt.pem", name);
	AUTO_STR char *key = textfile_read(key_path);
	AUTO_STR char *cert = textfile_read(cert_path);
	struct keypair *kp = NULL;
	struct err err = ERR_INIT;

	if (keypair_parse(key, strlen(key), cert, strlen(cert), &kp, &err) < 0)
		fail_msg("%s: %s", key_path, err.msg);
	return kp;
}

#endif
