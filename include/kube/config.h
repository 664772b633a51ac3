/*
 * Where the API server is and as whom to speak to it: in-cluster files and
 * environment, or a kubeconfig file. Immutable after loading, but for the
 * token, which is re-read from its file (token.c).
 */
#ifndef KUBE_CONFIG_H
#define KUBE_CONFIG_H

#include <stdbool.h>

#include "base/clock.h"
#include "base/compiler.h"
#include "base/err.h"
#include "base/secret.h"

struct kube_token;

struct kube_config {
	char *server;  /* "https://10.0.0.1:443", no final slash */
	char *ca_file; /* verified against this only; re-read when it
			  changes */
	char *ca_pem;  /* or this text (certificate-authority-data) */
	char *cert_file, *key_file; /* client certificate, optional */
	char *cert_pem;
	struct secret *key_pem;
	char *tls_server_name;	  /* optional */
	bool insecure;		  /* insecure-skip-tls-verify */
	struct kube_token *token; /* NULL: none */
	char *ns;		  /* namespace of the context or the pod; the
				     controller's own */
	char *user_agent;
};

/*
 * KUBERNETES_SERVICE_HOST and _PORT, token, ca.crt and namespace under
 * /var/run/secrets/kubernetes.io/serviceaccount (dir: another one, for tests;
 * NULL: the default). Namespace: POD_NAMESPACE, the file, "default".
 */
int kube_config_incluster(const char *dir, const char *version,
    const struct clock *clock, struct kube_config **ret,
    struct err *err) MUST_CHECK;
/* Current context of one kubeconfig file: files and -data, token, tokenFile,
 * client certificate, tls-server-name. Exec plugins and proxies are refused
 * with a text. http:// servers are allowed for loopback addresses only.
 * The namespace: the context's, else POD_NAMESPACE, else "default". */
int kube_config_file(const char *path, const char *version,
    const struct clock *clock, struct kube_config **ret,
    struct err *err) MUST_CHECK;
/* Another server than the API server, named in full. */
struct kube_endpoint {
	const char *server;	     /* https:// only */
	const char *tls_server_name; /* NULL: the server's */
	const char *ca_file;
	const char *token_file; /* NULL: none */
	const char *version;
};
/* Reads both files once, so that what is wrong with them is said here. */
int
kube_config_endpoint(const struct kube_endpoint *e, const struct clock *clock,
    struct kube_config **ret, struct err *err) MUST_CHECK;
void kube_config_free(struct kube_config *cfg);

DEFINE_AUTO(kube_config);

/* ---- token.c ---- */
/* From a file (re-read when older than a minute) or a fixed text. */
struct kube_token *kube_token_file(const char *path, const struct clock *clock);
struct kube_token *kube_token_fixed(const char *text);
void kube_token_free(struct kube_token *t);
/* Copy of the current token, owned by the caller. A file that cannot be read
 * keeps the old token; NULL with err only where there never was one. */
struct secret *kube_token_get(struct kube_token *t, struct err *err);
/* After a 401: the next get re-reads the file whatever its age. */
void kube_token_invalidate(struct kube_token *t);

#endif
