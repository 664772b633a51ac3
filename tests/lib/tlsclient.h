/*
 * HTTPS requests of a test over libcurl.
 */
#ifndef LIB_TLSCLIENT_H
#define LIB_TLSCLIENT_H

#include <stdbool.h>
#include <stddef.h>

struct tls_ask {
	const char *addr; /* "127.0.0.1:40123" */
	const char *ca;	  /* file of the authority */
	const char *method, *path;
	const char *token; /* NULL: none */
	bool twice;	   /* the field with the token */
	const char *body;  /* NULL: none */
	bool waits;	   /* with the body, until the server wants it */
	bool cuts;	   /* hangs up at the first byte of the answer's body */
	long max_version;  /* CURL_SSLVERSION_MAX_...; 0: any */
};

struct tls_answer {
	long status; /* 0: none came */
	int error;   /* of libcurl */
	char head[16384], body[1u << 20];
	size_t body_len;
};

void tls_ask(const struct tls_ask *ask, struct tls_answer *ret);
/* Whether a head field's line holds this text; case counts. */
bool tls_has(const struct tls_answer *a, const char *text);

#endif
