/*
 * A small Kubernetes API server for tests and the demo: options, start, and
 * saving the state on SIGTERM. README.md beside this file describes it.
 */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "call.h"
#include "gc.h"
#include "net.h"
#include "proxy.h"
#include "server.h"
#include "settings.h"
#include "store.h"

#define DEFAULT_USER \
	"system:serviceaccount:kube-system:sealed-secrets-controller"

struct options {
	const char *listen;
	const char *kubeconfig;
	const char *state;
	const char *ca; /* named in the kubeconfig */
	struct server_options server;
	json_t *tokens;
	json_t *namespaces;
};

enum option_id {
	OPT_LISTEN = 1,
	OPT_CERT,
	OPT_KEY,
	OPT_CA,
	OPT_TOKEN,
	OPT_USER,
	OPT_KUBECONFIG,
	OPT_STATE,
	OPT_NAMESPACE,
	OPT_PROXY,
	OPT_NO_GC,
};

static const struct option long_options[] = {
	{ "listen", required_argument, NULL, OPT_LISTEN },
	{ "tls-cert", required_argument, NULL, OPT_CERT },
	{ "tls-key", required_argument, NULL, OPT_KEY },
	{ "tls-ca", required_argument, NULL, OPT_CA },
	{ "token", required_argument, NULL, OPT_TOKEN },
	{ "user", required_argument, NULL, OPT_USER },
	{ "write-kubeconfig", required_argument, NULL, OPT_KUBECONFIG },
	{ "state", required_argument, NULL, OPT_STATE },
	{ "namespace", required_argument, NULL, OPT_NAMESPACE },
	{ "proxy-to", required_argument, NULL, OPT_PROXY },
	{ "no-gc", no_argument, NULL, OPT_NO_GC },
	{ NULL, 0, NULL, 0 },
};

static void
set_option(int opt, struct options *o)
{
	json_t *off;

	switch (opt) {
	case OPT_LISTEN:
		o->listen = optarg;
		break;
	case OPT_CERT:
		o->server.tls_cert = optarg;
		break;
	case OPT_KEY:
		o->server.tls_key = optarg;
		break;
	case OPT_CA:
		o->ca = optarg;
		break;
	case OPT_TOKEN:
		json_array_append_new(o->tokens, json_string(optarg));
		break;
	case OPT_USER:
		o->server.user = optarg;
		break;
	case OPT_KUBECONFIG:
		o->kubeconfig = optarg;
		break;
	case OPT_STATE:
		o->state = optarg;
		break;
	case OPT_NAMESPACE:
		json_array_append_new(o->namespaces, json_string(optarg));
		break;
	case OPT_PROXY:
		proxy_set_target(optarg);
		break;
	case OPT_NO_GC:
		off = json_pack("{s:b}", "gc", 0);
		settings_apply(off);
		json_decref(off);
		break;
	default:
		exit(2);
	}
}

static void
write_kubeconfig(const struct options *o, uint16_t port)
{
	bool tls = o->server.tls_cert != NULL;
	const char *token = json_string_value(json_array_get(o->tokens, 0));
	const char *ca = o->ca != NULL ? o->ca : o->server.tls_cert;
	char *tmp = util_format("%s.tmp", o->kubeconfig);
	FILE *f = fopen(tmp, "w");

	if (f == NULL) {
		fprintf(stderr, "apiserver: %s: %s\n", tmp, strerror(errno));
		exit(1);
	}
	fprintf(f,
	    "apiVersion: v1\nkind: Config\ncurrent-context: test\n"
	    "clusters:\n- name: test\n  cluster:\n"
	    "    server: %s://127.0.0.1:%u\n",
	    tls ? "https" : "http", port);
	if (tls)
		fprintf(f, "    certificate-authority: %s\n", ca);
	fputs("contexts:\n- name: test\n  context:\n    cluster: test\n"
	      "    user: test\nusers:\n- name: test\n",
	    f);
	if (token == NULL)
		fputs("  user: {}\n", f);
	else
		fprintf(f, "  user:\n    token: %s\n", token);
	if (fclose(f) != 0 || rename(tmp, o->kubeconfig) < 0) {
		fprintf(stderr, "apiserver: %s: %s\n", o->kubeconfig,
		    strerror(errno));
		exit(1);
	}
	free(tmp);
}

static void
load_state(const struct options *o)
{
	static const char *const first[] = { "default", "kube-system",
		"kube-public", "kube-node-lease" };
	json_t *state = NULL, *v;
	size_t i;

	if (o->state != NULL)
		state = json_load_file(o->state, 0, NULL);
	store_lock();
	if (state != NULL)
		store_load(state);
	for (i = 0; i < ARRAY_SIZE(first); i++)
		write_namespace(first[i]);
	json_array_foreach(o->namespaces, i, v)
	    write_namespace(json_string_value(v));
	store_unlock();
	json_decref(state);
}

static int
save_state(const struct options *o)
{
	json_t *state;
	int ret;

	if (o->state == NULL)
		return 0;
	store_lock();
	state = store_dump();
	ret = json_dump_file(state, o->state, JSON_COMPACT);
	if (ret != 0)
		fprintf(stderr, "apiserver: cannot write %s\n", o->state);
	return ret == 0 ? 0 : 1;
}

static void
block_signals(sigset_t *set)
{
	signal(SIGPIPE, SIG_IGN);
	sigemptyset(set);
	sigaddset(set, SIGTERM);
	sigaddset(set, SIGINT);
	pthread_sigmask(SIG_BLOCK, set, NULL);
}

int
main(int argc, char **argv)
{
	struct options o = {
		.listen = "127.0.0.1:0",
		.server.user = DEFAULT_USER,
		.tokens = json_array(),
		.namespaces = json_array(),
	};
	sigset_t set;
	uint16_t port;
	char *why;
	int fd, opt, sig;

	while ((opt = getopt_long(argc, argv, "", long_options, NULL)) != -1)
		set_option(opt, &o);
	block_signals(&set);
	store_init();
	settings_set_tokens(o.tokens);
	load_state(&o);
	fd = net_listen(o.listen, &port, &why);
	if (fd < 0) {
		fprintf(stderr, "apiserver: %s\n", why);
		free(why);
		return 1;
	}
	if (o.kubeconfig != NULL)
		write_kubeconfig(&o, port);
	gc_start();
	server_start(fd, &o.server);
	printf("listening on 127.0.0.1:%u\n", port);
	fflush(stdout);
	sigwait(&set, &sig);
	/* The threads are still at work: leave without running destructors. */
	_exit(save_state(&o));
}
