/*
 * Configuration of a pod: environment and the service account's files. A
 * missing certificate authority is refused; nothing else would be trusted
 * instead.
 */
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "kube/objkey.h"
#include "kubeconfig.h"

#define SERVICE_ACCOUNT_DIR "/var/run/secrets/kubernetes.io/serviceaccount"
#define NAMESPACE_MAX	    256

static int
set_server(struct kube_config *cfg, struct err *err)
{
	const char *host = getenv("KUBERNETES_SERVICE_HOST");
	const char *port = getenv("KUBERNETES_SERVICE_PORT");
	size_t port_len;
	bool v6;

	if (host == NULL || host[0] == '\0' || port == NULL || port[0] == '\0')
		return err_set(err, ERR_NOTFOUND,
		    "not in a cluster: KUBERNETES_SERVICE_HOST and "
		    "KUBERNETES_SERVICE_PORT must be defined");
	port_len = strlen(port);
	if (port_len > 5 || strspn(port, "0123456789") != port_len)
		return err_set(err, ERR_INVALID,
		    "KUBERNETES_SERVICE_PORT is not a port number");
	if (strlen(host) > 253 ||
	    strspn(host,
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
		"0123456789.:-") != strlen(host))
		return err_set(
		    err, ERR_INVALID, "KUBERNETES_SERVICE_HOST is not a host");
	v6 = strchr(host, ':') != NULL;
	cfg->server = xasprintf(
	    "https://%s%s%s:%s", v6 ? "[" : "", host, v6 ? "]" : "", port);
	return 0;
}

static int
set_trust(struct kube_config *cfg, const char *dir, struct err *err)
{
	cfg->ca_file = xasprintf("%s/ca.crt", dir);
	return kubeconfig_check_authority(cfg->ca_file, err);
}

static int
set_token(struct kube_config *cfg, const char *dir, const struct clock *clock,
    struct err *err)
{
	AUTO(secret) struct secret *first = NULL;
	AUTO_STR char *path = xasprintf("%s/token", dir);

	cfg->token = kube_token_file(path, clock);
	first = kube_token_get(cfg->token, err);
	if (first == NULL)
		return err_wrap(err, "service account token");
	return 0;
}

static void
set_namespace(struct kube_config *cfg, const char *dir)
{
	AUTO_STR char *path = xasprintf("%s/namespace", dir);
	AUTO_STR char *text = NULL;
	struct err ignored = ERR_INIT; /* the file is optional */
	const char *ns = kubeconfig_env_namespace();

	if (ns == NULL) {
		text = file_read_trimmed(path, NAMESPACE_MAX, &ignored);
		if (text != NULL && objkey_valid_ns(text, strlen(text)))
			ns = text;
	}
	cfg->ns = xstrdup(ns != NULL ? ns : "default");
}

int
kube_config_incluster(const char *dir, const char *version,
    const struct clock *clock, struct kube_config **ret, struct err *err)
{
	AUTO(kube_config)
	struct kube_config *cfg = xcalloc(1, sizeof(*cfg));

	if (dir == NULL)
		dir = SERVICE_ACCOUNT_DIR;
	if (set_server(cfg, err) < 0 || set_trust(cfg, dir, err) < 0 ||
	    set_token(cfg, dir, clock, err) < 0)
		return -1;
	set_namespace(cfg, dir);
	cfg->user_agent = kubeconfig_user_agent(version);
	*ret = STEAL(cfg);
	return 0;
}
