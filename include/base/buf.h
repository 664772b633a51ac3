/*
 * Byte buffer with a hard maximum; always NUL-terminated behind its length.
 * Growth moves to a new block and wipes the old one; release wipes. Not
 * thread-safe.
 */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/err.h"

struct buf {
	char *data; /* NULL while empty; use buf_str() for text */
	size_t len;
	size_t cap;
	size_t max;
};

#define BUF_INIT(maximum)        \
	{                        \
		.max = (maximum) \
	}

void buf_init(struct buf *b, size_t max);
/* Wipes and frees; the buffer can be used again with the same maximum. */
void buf_release(struct buf *b);
/* Length 0, contents wiped, memory kept. */
void buf_clear(struct buf *b);
/* -1 and ERR_TOOBIG where the maximum would be passed; buffer unchanged. */
int buf_append(
    struct buf *b, const void *p, size_t len, struct err *err) MUST_CHECK;
/* The same for text known to fit (our own, bounded output): aborts if not. */
void buf_puts(struct buf *b, const char *s);
void buf_putc(struct buf *b, char c);
void buf_printf(struct buf *b, const char *fmt, ...) PRINTF(2, 3);
/* Shortens to len bytes and wipes the tail; nothing where it is shorter. */
void buf_truncate(struct buf *b, size_t len);
/* Drops n bytes at the front (n <= len). */
void buf_consume(struct buf *b, size_t n);
/* Never NULL. Borrowed, valid until the next change. */
const char *buf_str(const struct buf *b);
/* Moves the contents out (owned by the caller, NUL-terminated, free with
 * mem_free_wiped()); the buffer is empty afterwards. */
char *buf_take(struct buf *b, size_t *len);

DEFINE_AUTO_RELEASE(buf);

#endif
