/*
 * Secret bytes: a private mapping that is kept out of core dumps
 * (MADV_DONTDUMP), locked into memory where the limit allows (best effort),
 * wiped on free. There is no way to print one: no formatter, no logger and no
 * error text takes a struct secret. Fixed size from birth; immutable once
 * shared. Not thread-safe while it is being filled.
 */
#ifndef BASE_SECRET_H
#define BASE_SECRET_H

#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"

struct secret;

/* Zero-filled; size 0 is allowed. */
struct secret *secret_new(size_t size);
struct secret *secret_from(const void *p, size_t len);
void secret_free(struct secret *s);
unsigned char *secret_data(struct secret *s);
const unsigned char *secret_bytes(const struct secret *s);
size_t secret_len(const struct secret *s);
/* Shortens (never grows) and wipes the tail. */
void secret_truncate(struct secret *s, size_t len);
/* Core dumps off and process not dumpable; called once by main(). */
void secret_harden_process(void);

DEFINE_AUTO(secret);

#endif
