/*
 * The server's side of TLS: a certificate chain and its key from two files,
 * read again when one of them changes. What cannot be read, or does not fit
 * together, is told once and the last good pair stays. Used by the one thread
 * of its listener.
 */
#ifndef HTTP_TLS_H
#define HTTP_TLS_H

#include <gnutls/abstract.h>
#include <gnutls/gnutls.h>

#include "base/clock.h"
#include "base/compiler.h"
#include "base/err.h"

/* 1.2 and 1.3, key exchange with forward secrecy. */
#define TLS_PRIORITIES                               \
	"NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2" \
	":-RSA:%SERVER_PRECEDENCE"
/* At most so often are the files looked at. */
#define TLS_LOOK_MS 1000
/* Bytes of each file. */
#define TLS_FILE_MAX (64u * 1024)

struct tls;

/* Reads both. ERR_INVALID, ERR_IO, ERR_NOTFOUND, ERR_TOOBIG name the file. The
 * clock is borrowed. */
int tls_new(const char *cert_file, const char *key_file,
    const struct clock *clock, struct tls **ret, struct err *err) MUST_CHECK;
void tls_free(struct tls *t); /* wipes */

/* Before the handshake of each session: which pair it is to take. */
void tls_attach(struct tls *t, gnutls_session_t session);
/* What GnuTLS calls in the handshake; sessions without tls_attach() fail. */
gnutls_certificate_retrieve_function3 tls_retrieve;

DEFINE_AUTO(tls);

#endif
