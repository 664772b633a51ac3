/*
 * Certificates made for a test: authorities and what they sign, as PEM.
 * Failures fail the test.
 */
#ifndef TESTS_UNIT_CERTS_H
#define TESTS_UNIT_CERTS_H

#define CERT_PEM_MAX 4096

struct cert {
	char pem[CERT_PEM_MAX];
	char key[CERT_PEM_MAX];
	void *x509, *pkey;
};

void cert_authority(struct cert *c, const char *name);
/* san: "IP:127.0.0.1,DNS:x"; valid from now + from_s for an hour. */
void cert_issue(
    struct cert *c, const struct cert *authority, const char *san, long from_s);
void cert_release(struct cert *c);
/* The file name under which OpenSSL finds this authority in a directory. */
void cert_hash_name(const struct cert *authority, char out[static 16]);

#endif
