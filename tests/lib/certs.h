/*
 * Certificates for TLS in tests: an authority and a leaf that it signed.
 */
#ifndef LIB_CERTS_H
#define LIB_CERTS_H

/*
 * Writes a new authority's certificate to ca, and a leaf for 127.0.0.1 with
 * its key to cert and key. Aborts with a message when it cannot.
 */
void certs_write(const char *ca, const char *cert, const char *key);

#endif
