/*
 * The current context of a kubeconfig file. What we do not support is refused
 * with a text instead of being left out silently, for a forgotten proxy or
 * impersonation would make us act as somebody else.
 */
#include "kubeconfig.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/codec.h"
#include "base/file.h"
#include "base/jsonx.h"
#include "base/mem.h"
#include "base/yamlx.h"
#include "kube/objkey.h"

#define FILE_MAX   (1024u * 1024)
#define DATA_MAX   (256u * 1024)
#define SERVER_MAX 1024
#define TOKEN_MAX  (16u * 1024)

struct loader {
	struct kube_config *cfg;
	const char *path;
	size_t dir_len; /* of path, with the slash; 0: none */
	const struct clock *clock;
};

static const char *
arch(void)
{
#if defined(__x86_64__)
	return "amd64";
#elif defined(__aarch64__)
	return "arm64";
#elif defined(__arm__)
	return "arm";
#elif defined(__powerpc64__)
	return "ppc64le";
#elif defined(__s390x__)
	return "s390x";
#else
	return "unknown";
#endif
}

char *
kubeconfig_user_agent(const char *version)
{
	char *ua = xasprintf("controller/%.64s (linux/%s)", version, arch());

	for (char *p = ua; *p != '\0'; p++)
		if (*p < ' ' || *p >= 0x7f)
			*p = '_';
	return ua;
}

/* Whether a text holds a PEM certificate at all. */
static bool
is_pem_certificate(const char *text)
{
	return strstr(text, "-----BEGIN CERTIFICATE-----") != NULL ||
	    strstr(text, "-----BEGIN TRUSTED CERTIFICATE-----") != NULL;
}

int
kubeconfig_check_authority(const char *path, struct err *err)
{
	AUTO_RELEASE(buf) struct buf pem = BUF_INIT(FILE_MAX);

	if (file_read(path, &pem, err) < 0)
		return err_wrap(err, "certificate authority");
	if (!is_pem_certificate(buf_str(&pem)))
		return err_set(err, ERR_INVALID,
		    "certificate authority: %s holds no certificate", path);
	return 0;
}

const char *
kubeconfig_env_namespace(void)
{
	const char *ns = getenv("POD_NAMESPACE");

	return ns != NULL && objkey_valid_ns(ns, strlen(ns)) ? ns : NULL;
}

void
kube_config_free(struct kube_config *cfg)
{
	if (cfg == NULL)
		return;
	mem_free_wiped(cfg->server);
	mem_free_wiped(cfg->ca_file);
	mem_free_wiped(cfg->ca_pem);
	mem_free_wiped(cfg->cert_file);
	mem_free_wiped(cfg->key_file);
	mem_free_wiped(cfg->cert_pem);
	secret_free(cfg->key_pem);
	mem_free_wiped(cfg->tls_server_name);
	kube_token_free(cfg->token);
	mem_free_wiped(cfg->ns);
	mem_free_wiped(cfg->user_agent);
	mem_free_wiped(cfg);
}

/* The member `what` of the entry called `name` in the list `list`. */
static const json_t *
find_entry(const json_t *root, const char *list, const char *name,
    const char *what, struct err *err)
{
	const json_t *array = jsonx_array(root, list, NULL);

	for (size_t i = 0; i < json_array_size(array); i++) {
		const json_t *entry = json_array_get(array, i);
		const char *entry_name = jsonx_str(entry, "name", NULL);
		const json_t *found = jsonx_object(entry, what, NULL);

		if (entry_name == NULL || strcmp(entry_name, name) != 0)
			continue;
		if (found == NULL)
			break;
		return found;
	}
	err_set(err, ERR_INVALID, "no usable %s \"%.128s\"", what, name);
	return NULL;
}

/* Paths are relative to the file that names them. NULL for no path. */
static char *
resolve(const struct loader *l, const char *path)
{
	if (path == NULL || path[0] == '\0')
		return NULL;
	if (path[0] == '/')
		return xstrdup(path);
	return xasprintf("%.*s%s", (int)l->dir_len, l->path, path);
}

static int
decode_data(
    const json_t *obj, const char *name, struct buf *out, struct err *err)
{
	const char *text = jsonx_str(obj, name, NULL);

	if (text == NULL)
		return 0;
	if (base64_decode(text, strlen(text), out, err) < 0)
		return err_wrap(err, "%s", name);
	return 0;
}

static bool
is_loopback(const char *host, size_t len)
{
	if (len > 4 && strncmp(host, "127.", 4) == 0)
		return strspn(host, "0123456789.") >= len;
	return (len == 9 && strncasecmp(host, "localhost", 9) == 0) ||
	    (len == 5 && strncmp(host, "[::1]", 5) == 0);
}

/* Printable, without what would change the meaning of a URL. */
static bool
is_plain_authority_and_path(const char *s)
{
	for (; *s != '\0'; s++)
		if (*s <= ' ' || *s >= 0x7f || strchr("@?#\\\"<>%", *s) != NULL)
			return false;
	return true;
}

static size_t
host_length(const char *host)
{
	const char *end = host[0] == '[' ? strchr(host, ']') : NULL;

	return end != NULL ? (size_t)(end - host) + 1 : strcspn(host, ":/");
}

static int
set_server(struct kube_config *cfg, const char *server, struct err *err)
{
	bool tls = strncmp(server, "https://", 8) == 0;
	const char *host = server + (tls ? 8 : 7);
	size_t len = strlen(server);

	if (len > SERVER_MAX || (!tls && strncmp(server, "http://", 7) != 0))
		return err_set(
		    err, ERR_INVALID, "server is not an https:// address");
	if (host_length(host) == 0 || !is_plain_authority_and_path(host))
		return err_set(
		    err, ERR_INVALID, "server is not a plain address");
	if (!tls && !is_loopback(host, host_length(host)))
		return err_set(err, ERR_INVALID,
		    "server: http:// is for loopback addresses only");
	while (len > 0 && server[len - 1] == '/')
		len--;
	cfg->server = xstrndup(server, len);
	return 0;
}

static int
set_trust(struct loader *l, const json_t *cluster, struct err *err)
{
	AUTO_RELEASE(buf) struct buf pem = BUF_INIT(DATA_MAX);
	struct kube_config *cfg = l->cfg;
	bool tls = strncmp(cfg->server, "https://", 8) == 0;

	if (decode_data(cluster, "certificate-authority-data", &pem, err) < 0)
		return -1;
	cfg->insecure =
	    jsonx_is_true(cluster, "insecure-skip-tls-verify", NULL);
	if (pem.len > 0)
		cfg->ca_pem = buf_take(&pem, NULL);
	else
		cfg->ca_file = resolve(
		    l, jsonx_str(cluster, "certificate-authority", NULL));
	if (cfg->insecure && (cfg->ca_pem != NULL || cfg->ca_file != NULL))
		return err_set(err, ERR_INVALID,
		    "insecure-skip-tls-verify together with a certificate "
		    "authority");
	if (cfg->ca_pem != NULL && !is_pem_certificate(cfg->ca_pem))
		return err_set(err, ERR_INVALID,
		    "certificate-authority-data holds no certificate");
	if (tls && !cfg->insecure && cfg->ca_pem == NULL &&
	    cfg->ca_file == NULL)
		return err_set(err, ERR_INVALID,
		    "neither certificate-authority nor "
		    "certificate-authority-data");
	return 0;
}

/* Sub-domains of certificates look like names of objects. */
static int
set_server_name(struct kube_config *cfg, const char *name, struct err *err)
{
	if (name == NULL || name[0] == '\0')
		return 0;
	if (!objkey_valid_name(name, strlen(name)))
		return err_set(
		    err, ERR_INVALID, "tls-server-name is not a host name");
	cfg->tls_server_name = xstrdup(name);
	return 0;
}

static int
refuse_members(
    const json_t *obj, const char *const *names, size_t n, struct err *err)
{
	for (size_t i = 0; i < n; i++) {
		const json_t *v = jsonx_get(obj, names[i], NULL);
		const char *s = json_string_value(v);

		if (v != NULL && (s == NULL || s[0] != '\0'))
			return err_set(err, ERR_UNSUPPORTED,
			    "%s is not supported", names[i]);
	}
	return 0;
}

static int
set_cluster(struct loader *l, const json_t *cluster, struct err *err)
{
	static const char *const refused[] = { "proxy-url" };
	const char *server = jsonx_str(cluster, "server", NULL);

	if (refuse_members(cluster, refused, ARRAY_SIZE(refused), err) < 0)
		return -1;
	if (server == NULL)
		return err_set(err, ERR_INVALID, "server is missing");
	if (set_server(l->cfg, server, err) < 0)
		return -1;
	if (set_trust(l, cluster, err) < 0)
		return -1;
	return set_server_name(
	    l->cfg, jsonx_str(cluster, "tls-server-name", NULL), err);
}

static int
set_client_certificate(struct loader *l, const json_t *user, struct err *err)
{
	AUTO_RELEASE(buf) struct buf cert = BUF_INIT(DATA_MAX);
	AUTO_RELEASE(buf) struct buf key = BUF_INIT(DATA_MAX);
	struct kube_config *cfg = l->cfg;

	if (decode_data(user, "client-certificate-data", &cert, err) < 0 ||
	    decode_data(user, "client-key-data", &key, err) < 0)
		return -1;
	if (cert.len > 0)
		cfg->cert_pem = buf_take(&cert, NULL);
	else
		cfg->cert_file =
		    resolve(l, jsonx_str(user, "client-certificate", NULL));
	if (key.len > 0)
		cfg->key_pem = secret_from(key.data, key.len);
	else
		cfg->key_file = resolve(l, jsonx_str(user, "client-key", NULL));
	if ((cfg->cert_pem != NULL || cfg->cert_file != NULL) !=
	    (cfg->key_pem != NULL || cfg->key_file != NULL))
		return err_set(err, ERR_INVALID,
		    "client-certificate and client-key belong together");
	return 0;
}

static int
set_token(struct loader *l, const json_t *user, struct err *err)
{
	AUTO_STR char *file = resolve(l, jsonx_str(user, "tokenFile", NULL));
	const char *text = jsonx_str(user, "token", NULL);

	if (file != NULL) {
		l->cfg->token = kube_token_file(file, l->clock);
		return 0;
	}
	if (text == NULL || text[0] == '\0')
		return 0;
	if (strlen(text) > TOKEN_MAX)
		return err_set(err, ERR_TOOBIG, "token is too long");
	for (const char *p = text; *p != '\0'; p++)
		if (*p <= ' ' || *p >= 0x7f)
			return err_set(
			    err, ERR_INVALID, "token is not one word");
	l->cfg->token = kube_token_fixed(text);
	return 0;
}

static int
set_user(struct loader *l, const json_t *user, struct err *err)
{
	static const char *const refused[] = { "exec", "auth-provider",
		"username", "password", "as", "as-uid", "as-groups",
		"as-user-extra" };

	if (refuse_members(user, refused, ARRAY_SIZE(refused), err) < 0)
		return -1;
	if (set_client_certificate(l, user, err) < 0)
		return -1;
	return set_token(l, user, err);
}

static int
set_namespace(struct kube_config *cfg, const char *ns, struct err *err)
{
	if (ns == NULL || ns[0] == '\0')
		ns = kubeconfig_env_namespace();
	if (ns == NULL)
		ns = "default";
	if (!objkey_valid_ns(ns, strlen(ns)))
		return err_set(
		    err, ERR_INVALID, "namespace of the context is not valid");
	cfg->ns = xstrdup(ns);
	return 0;
}

static int
set_context(struct loader *l, const json_t *root, struct err *err)
{
	const char *name = jsonx_str(root, "current-context", NULL);
	const json_t *context, *cluster, *user;
	const char *cluster_name, *user_name;

	if (name == NULL || name[0] == '\0')
		return err_set(err, ERR_INVALID, "no current-context");
	context = find_entry(root, "contexts", name, "context", err);
	if (context == NULL)
		return -1;
	cluster_name = jsonx_str(context, "cluster", NULL);
	if (cluster_name == NULL)
		return err_set(err, ERR_INVALID, "context without a cluster");
	cluster = find_entry(root, "clusters", cluster_name, "cluster", err);
	if (cluster == NULL)
		return -1;
	if (set_cluster(l, cluster, err) < 0)
		return err_wrap(err, "cluster \"%.128s\"", cluster_name);
	user_name = jsonx_str(context, "user", NULL);
	if (user_name != NULL && user_name[0] != '\0') {
		user = find_entry(root, "users", user_name, "user", err);
		if (user == NULL)
			return -1;
		if (set_user(l, user, err) < 0)
			return err_wrap(err, "user \"%.128s\"", user_name);
	}
	return set_namespace(
	    l->cfg, jsonx_str(context, "namespace", NULL), err);
}

static int
load(struct loader *l, struct err *err)
{
	AUTO_RELEASE(buf) struct buf text = BUF_INIT(FILE_MAX);
	AUTO_JSON json_t *root = NULL;

	if (file_read(l->path, &text, err) < 0)
		return -1;
	if (yamlx_parse(buf_str(&text), text.len, &root, NULL, err) < 0 ||
	    set_context(l, root, err) < 0)
		return err_wrap(err, "kubeconfig %s", l->path);
	return 0;
}

int
kube_config_file(const char *path, const char *version,
    const struct clock *clock, struct kube_config **ret, struct err *err)
{
	AUTO(kube_config)
	struct kube_config *cfg = xcalloc(1, sizeof(*cfg));
	const char *slash = strrchr(path, '/');
	struct loader l = {
		.cfg = cfg,
		.path = path,
		.dir_len = slash != NULL ? (size_t)(slash - path) + 1 : 0,
		.clock = clock,
	};

	cfg->user_agent = kubeconfig_user_agent(version);
	if (load(&l, err) < 0)
		return -1;
	*ret = STEAL(cfg);
	return 0;
}

int
kube_config_endpoint(const struct kube_endpoint *e, const struct clock *clock,
    struct kube_config **ret, struct err *err)
{
	AUTO(kube_config)
	struct kube_config *cfg = xcalloc(1, sizeof(*cfg));
	AUTO(secret) struct secret *token = NULL;

	if (strncmp(e->server, "https://", 8) != 0)
		return err_set(
		    err, ERR_INVALID, "server is not an https:// address");
	if (set_server(cfg, e->server, err) < 0 ||
	    kubeconfig_check_authority(e->ca_file, err) < 0)
		return -1;
	cfg->ca_file = xstrdup(e->ca_file);
	if (e->tls_server_name != NULL)
		cfg->tls_server_name = xstrdup(e->tls_server_name);
	if (e->token_file != NULL) {
		cfg->token = kube_token_file(e->token_file, clock);
		token = kube_token_get(cfg->token, err);
		if (token == NULL)
			return err_wrap(err, "token");
	}
	cfg->user_agent = kubeconfig_user_agent(e->version);
	*ret = STEAL(cfg);
	return 0;
}
