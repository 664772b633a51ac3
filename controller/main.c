/*
 * Composition root: start order, signal loop, stop order; nothing else.
 */
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sys/resource.h>

#include "adminkeys.h"
#include "apiclients.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/secret.h"
#include "base/thread.h"
#include "cache/index.h"
#include "cache/reflector.h"
#include "cache/workqueue.h"
#include "certpublisher.h"
#include "config.h"
#include "http/admin.h"
#include "http/server.h"
#include "keymetrics.h"
#include "keysclient.h"
#include "keysecrets.h"
#include "keystore/registry.h"
#include "kube/client.h"
#include "kube/config.h"
#include "kube/event.h"
#include "kube/lease.h"
#include "metrics/metrics.h"
#include "namespaces.h"
#include "nscheck.h"
#include "nslabels.h"
#include "rotator.h"
#include "sealedsecret/controller.h"
#include "version.h"

#define EXIT_USAGE 2
#define COMPONENT  "sealed-secrets"
/* A worker that neither takes nor finishes a key for so long is stuck. */
#define STUCK_MS (5u * 60 * 1000)
/* For the admin port's keys to be taken up. */
#define ADMIN_SETTLE_MS 5000
/* How often the start is judged complete, until it is. */
#define START_TICK_MS 50
/* Between two objects that are read only to see which keys they need; of a
 * limited number of requests half is left for work. */
#define USAGE_GAP_MS 100

struct app {
	const struct config *cfg;
	const struct clock *clock;
	struct stop stop;
	struct metrics *metrics;
	struct kube_config *kube;
	struct kube_limiter *limiter;
	struct apiclients *clients;
	struct registry *keys;
	struct nslabels *nslabels;
	struct keymetrics *keymetrics;
	struct keysecrets *keysecrets;
	struct rotator *rotator;
	struct event_recorder *events;
	struct index *sealedsecrets, *secrets, *key_index;
	struct workqueue *queue;
	struct controller *controller;
	struct kube_mux *mux;
	struct reflector_loop *reflectors;
	struct namespaces *namespaces;
	struct nscheck *nscheck;
	struct http_server *public, *metrics_http, *admin; /* NULL: off */
	struct adminkeys *adminkeys;
	struct lease *lease;		 /* NULL: no election */
	struct certpublisher *publisher; /* NULL: not wanted */
	atomic_bool released;
	bool misused; /* a file named by a flag is no good */
};

/* Whether this replica is the one that writes. From any thread. */
static bool
may_write(void *ctx)
{
	const struct app *a = ctx;

	return a->lease == NULL || lease_held(a->lease);
}

/* ---- health ---- */

/* A follower's workers take no keys. */
static bool
is_healthy(void *ctx)
{
	struct app *a = ctx;

	return !may_write(a) || workqueue_stuck_ms(a->queue) < STUCK_MS;
}

static bool
is_ready(void *ctx)
{
	struct app *a = ctx;

	return atomic_load(&a->released) && !stop_requested(&a->stop);
}

/* ---- start ---- */

static void
setup_log(const struct config *cfg)
{
	struct log_config lc = {
		.json = strcmp(cfg->log_format, "json") == 0,
		.info_stdout = cfg->log_info_stdout,
		.level = LOG_LEVEL_INFO,
	};

	(void)log_parse_level(cfg->log_level, &lc.level);
	log_init(&lc);
}

static int
load_kube_config(struct app *a, struct err *err)
{
	if (a->cfg->kubeconfig[0] != '\0')
		return kube_config_file(
		    a->cfg->kubeconfig, version_text, a->clock, &a->kube, err);
	return kube_config_incluster(
	    NULL, version_text, a->clock, &a->kube, err);
}

static void
make_clients(struct app *a)
{
	const struct config *cfg = a->cfg;
	struct apiclients_config cc = {
		.kube = a->kube,
		.metrics = a->metrics,
		.stop = &a->stop,
		.workers = (unsigned)cfg->workers,
		.may_write = may_write,
		.ctx = a,
	};

	if (cfg->kubeclient_limited)
		a->limiter = kube_limiter_new(
		    cfg->kubeclient_qps, (int)cfg->kubeclient_burst, a->clock);
	cc.limiter = a->limiter;
	a->clients = apiclients_new(&cc);
}

static void
keys_changed(void *ctx)
{
	struct app *a = ctx;

	controller_keys_changed(a->controller);
	if (a->publisher != NULL)
		certpublisher_hurry(a->publisher);
}

static void
labels_changed(void *ctx)
{
	struct app *a = ctx;

	controller_keys_changed(a->controller);
}

static void
refresh_labels(void *ctx)
{
	struct app *a = ctx;

	nslabels_refresh(a->nslabels);
}

static void
certificate_expires(void *ctx, const struct registry_current *key)
{
	struct app *a = ctx;

	keysecrets_tell_expiry(a->keysecrets, key, clock_wall_s(a->clock));
}

static void
key_secrets_changed(void *ctx)
{
	struct app *a = ctx;

	rotator_reload(a->rotator);
}

static void
make_nslabels(struct app *a)
{
	const struct nslabels_config lc = {
		.client = apiclients_of(a->clients, APICLIENT_LABELS),
		.clock = a->clock,
		.changed = labels_changed,
		.ctx = a,
	};

	a->nslabels = nslabels_new(&lc);
	registry_set_labels(a->keys, nslabels_fit, a->nslabels);
}

static void
make_rotator(struct app *a)
{
	const struct config *cfg = a->cfg;
	struct keysecrets_config kc = {
		.client = apiclients_of(a->clients, APICLIENT_KEYS),
		.metrics = a->metrics,
		.ns = a->kube->ns,
		.prefix = cfg->key_prefix,
		.labels = cfg->privatekey_labels,
		.annotations = cfg->privatekey_annotations,
		.order_by_creation = cfg->key_order_by_creation,
		.activation_delay_s =
		    cfg->key_activation_delay_ns / (int64_t)NS_PER_S,
		.events = a->events,
		.may_write = may_write,
		.changed = key_secrets_changed,
		.ctx = a,
	};
	struct rotator_config rc = {
		.rotation = {
			.prefix = cfg->key_prefix,
			.ns = a->kube->ns,
			.cn = cfg->my_cn,
			.bits = (unsigned)cfg->key_size,
			.ttl_s = cfg->key_ttl_ns / (int64_t)NS_PER_S,
			.period_s = cfg->key_renew_period_ns /
			    (int64_t)NS_PER_S,
			.cutoff_s = cfg->key_cutoff_s,
			.activation_delay_s = cfg->key_activation_delay_ns /
			    (int64_t)NS_PER_S,
		},
		.keys = a->keys,
		.clock = a->clock,
		.metrics = a->metrics,
		.may_write = may_write,
		.changed = keys_changed,
		.expiring = certificate_expires,
		.turned = refresh_labels,
		.ctx = a,
	};

	a->keysecrets = keysecrets_new(&kc);
	rc.backend = keysecrets_backend(a->keysecrets);
	a->rotator = rotator_new(&rc);
}

static enum drift_mode
drift_mode(const char *word)
{
	if (strcmp(word, "off") == 0)
		return DRIFT_OFF;
	return strcmp(word, "detect") == 0 ? DRIFT_DETECT : DRIFT_REPAIR;
}

static void
make_controller(struct app *a)
{
	const struct config *cfg = a->cfg;
	struct controller_config cc = {
		.keys = a->keys,
		.queue = a->queue,
		.sealedsecrets = a->sealedsecrets,
		.secrets = a->secrets,
		.events = a->events,
		.metrics = a->metrics,
		.clock = a->clock,
		.key_ns = a->kube->ns,
		.max_unseal_retries = cfg->max_unseal_retries < 0
		    ? 0
		    : (unsigned)cfg->max_unseal_retries,
		.accept_v1_data = cfg->accept_v1_data,
		.update_status = cfg->update_status,
		.skip_recreate = cfg->skip_recreate,
		.old_gc = cfg->old_gc_behavior,
		.omit_secret_metrics = cfg->metrics_omit_secret_labels,
		.drift = drift_mode(cfg->drift),
		.allowed_types = cfg->allow_secret_types,
	};

	a->controller = controller_new(&cc);
}

static uint64_t
unknown_items(void *ctx)
{
	struct app *a = ctx;

	return index_unnoted_items(a->sealedsecrets);
}

static void
start_attribution(struct app *a)
{
	const struct config *cfg = a->cfg;
	uint64_t gap_ms = USAGE_GAP_MS;

	if (cfg->key_usage_delay_ns == 0)
		return;
	if (a->limiter != NULL && cfg->kubeclient_qps > 0 &&
	    2 * MS_PER_S / cfg->kubeclient_qps > USAGE_GAP_MS)
		gap_ms = (uint64_t)(2 * MS_PER_S / cfg->kubeclient_qps);
	controller_start_attribution(a->controller,
	    apiclients_of(a->clients, APICLIENT_USAGE),
	    (uint64_t)cfg->key_usage_delay_ns / NS_PER_MS, gap_ms);
}

/* The elector's thread begins after the rotator's. */
static void
leadership_changed(void *ctx, bool leads)
{
	struct app *a = ctx;

	controller_lead(a->controller, leads);
	rotator_reload(a->rotator);
}

static void
make_lease(struct app *a)
{
	const struct config *cfg = a->cfg;
	char identity[LEASE_IDENTITY_MAX];
	const struct lease_config lc = {
		.client = *apiclients_of(a->clients, APICLIENT_LEASE),
		.clock = a->clock,
		.ns = a->kube->ns,
		.name = cfg->lease_name,
		.identity = identity,
		/* In a cluster the host is the pod. */
		.sole_of_host = cfg->kubeconfig[0] == '\0',
		.duration_ms = (uint64_t)cfg->lease_duration_ns / NS_PER_MS,
		.renew_ms = (uint64_t)cfg->lease_renew_ns / NS_PER_MS,
		.retry_ms = (uint64_t)cfg->lease_retry_ns / NS_PER_MS,
		.changed = leadership_changed,
		.ctx = a,
	};

	if (!cfg->leader_elect)
		return;
	lease_identity(identity);
	a->lease = lease_new(&lc);
	controller_lead(a->controller, false);
}

static void
make_publisher(struct app *a)
{
	const struct certpublisher_config pc = {
		.client = apiclients_of(a->clients, APICLIENT_CERT),
		.keys = a->keys,
		.clock = a->clock,
		.ns = a->kube->ns,
		.name = a->cfg->publish_cert_configmap,
		.may_write = may_write,
		.ctx = a,
	};

	if (pc.name[0] != '\0')
		a->publisher = certpublisher_new(&pc);
}

static void
add_reflector(struct app *a, const struct kube_resource *res, const char *ns,
    struct index *index, struct reflector_handler handler)
{
	struct reflector_config rc = {
		.resource = res,
		.ns = ns,
		.selector = a->cfg->label_selector[0] == '\0'
		    ? NULL
		    : a->cfg->label_selector,
		.mux = a->mux,
		.index = index,
		.clock = a->clock,
		.metrics = a->metrics,
		.handler = handler,
	};

	reflector_loop_add(a->reflectors, reflector_new(&rc));
}

/* Always, whatever --watch-for-secrets says: that is for older versions. */
static void
watch_keys(struct app *a)
{
	struct reflector_config rc = {
		.resource = &KUBE_SECRETS_META,
		.ns = a->kube->ns,
		.selector = keysecrets_selector,
		.label = "key-secrets",
		.poll_ms = KEYSECRETS_POLL_MS,
		.mux = a->mux,
		.index = a->key_index,
		.clock = a->clock,
		.metrics = a->metrics,
		.handler = keysecrets_handler(a->keysecrets),
	};

	reflector_loop_add(a->reflectors, reflector_new(&rc));
}

static void
make_reflectors(struct app *a)
{
	size_t n;

	a->mux = kube_mux_new(a->kube, a->metrics);
	a->reflectors = reflector_loop_new(a->mux);
	watch_keys(a);
	a->namespaces = namespaces_new(
	    a->cfg->all_namespaces, a->cfg->additional_namespaces, a->kube->ns);
	n = namespaces_count(a->namespaces);
	for (size_t i = 0; i < n; i++) {
		const char *ns = namespaces_at(a->namespaces, i);

		if (ns != NULL)
			log_info("Starting informer", "namespace", ns);
		add_reflector(a, &KUBE_SEALEDSECRETS, ns, a->sealedsecrets,
		    controller_sealedsecret_handler(a->controller));
		if (!a->cfg->skip_recreate)
			add_reflector(a, &KUBE_SECRETS_META, ns, a->secrets,
			    controller_secret_handler(a->controller));
	}
	a->nscheck = nscheck_new(
	    apiclients_of(a->clients, APICLIENT_NAMES), a->namespaces);
}

static int
start_http(struct app *a, struct err *err)
{
	struct http_public_config pc = {
		.listen_addr = a->cfg->listen_addr,
		.keys = a->keys,
		.metrics = a->metrics,
		.read_timeout_ns = a->cfg->read_timeout_ns,
		.write_timeout_ns = a->cfg->write_timeout_ns,
		.rate_limit = (unsigned)a->cfg->rate_limit,
		.rate_limit_burst = (unsigned)a->cfg->rate_limit_burst,
		.accept_v1_data = a->cfg->accept_v1_data,
		.healthy = is_healthy,
		.ready = is_ready,
		.ctx = a,
	};

	if (http_public_start(&pc, &a->public, err) < 0)
		return -1;
	log_info("HTTP server serving", "addr", http_server_addr(a->public));
	if (http_metrics_start(a->cfg->listen_metrics_addr, a->metrics,
		&a->metrics_http, err) < 0)
		return -1;
	log_info("HTTP metrics server serving", "addr",
	    http_server_addr(a->metrics_http));
	return 0;
}

static int
start_admin(struct app *a, struct err *err)
{
	const struct config *cfg = a->cfg;
	const struct adminkeys_config kc = {
		.client = apiclients_of(a->clients, APICLIENT_ADMIN),
		.metrics = a->metrics,
		.clock = a->clock,
		.ns = a->kube->ns,
		.audience = cfg->admin_token_audience,
	};
	struct admin_config ac = {
		.listen_addr = cfg->admin_listen_addr,
		.cert_file = cfg->admin_tls_cert_file,
		.key_file = cfg->admin_tls_key_file,
		.recipients_file = cfg->backup_recipients_file,
		.ns = a->kube->ns,
		.keys = a->keys,
		.metrics = a->metrics,
		.settle_ms = ADMIN_SETTLE_MS,
	};

	if (cfg->admin_listen_addr[0] == '\0')
		return 0;
	a->adminkeys = adminkeys_new(&kc);
	ac.backend = adminkeys_backend(a->adminkeys);
	if (http_admin_start(&ac, &a->admin, err) < 0) {
		a->misused = err->code == ERR_INVALID;
		return -1;
	}
	log_info(
	    "HTTPS admin server serving", "addr", http_server_addr(a->admin));
	return 0;
}

/* Everything that can refuse the start comes before the first thread. */
static int
app_start(struct app *a, struct err *err)
{
	if (load_kube_config(a, err) < 0)
		return -1;
	a->metrics = metrics_new(version_text);
	a->keys = registry_new(a->clock);
	a->sealedsecrets = index_new();
	a->secrets = index_new();
	a->key_index = index_new();
	a->queue = workqueue_new(a->clock);
	make_clients(a);
	a->events =
	    event_recorder_new(apiclients_of(a->clients, APICLIENT_EVENTS),
		COMPONENT, a->clock, a->metrics);
	make_controller(a);
	registry_set_unknown(a->keys, unknown_items, a);
	a->keymetrics = keymetrics_new(a->metrics, a->keys, a->clock);
	make_nslabels(a);
	make_rotator(a);
	make_lease(a);
	make_publisher(a);
	if (start_http(a, err) < 0 || start_admin(a, err) < 0)
		return -1;
	make_reflectors(a);
	event_recorder_start(a->events);
	rotator_start(a->rotator);
	if (a->lease != NULL)
		lease_start(a->lease);
	if (a->publisher != NULL)
		certpublisher_start(a->publisher);
	reflector_loop_start(a->reflectors);
	nscheck_start(a->nscheck);
	controller_start_workers(a->controller, (unsigned)a->cfg->workers,
	    apiclients_workers(a->clients));
	start_attribution(a);
	return 0;
}

/* SealedSecrets without any key: most likely a lost master key. */
static void
warn_of_lost_keys(struct app *a)
{
	static const char text[] =
	    "No sealing key existed although SealedSecrets do, so a new one "
	    "was made: restore the master key from backup, or seal them again";
	char name[ROTATION_NAME_MAX];
	struct event_ref ref = {
		.api_version = "v1",
		.kind = "Secret",
		.ns = a->kube->ns,
		.name = name,
		.uid = "",
		.resource_version = "",
	};

	if (!rotator_made_first_key(a->rotator, name) ||
	    controller_count(a->controller) == 0)
		return;
	log_error(text, "namespace", a->kube->ns, "secretname", name);
	event_record(a->events, &ref, "Warning", "MasterKeyMissing", text);
}

/* Once keys are loaded and every stream has listed or was refused, workers may
 * begin: one namespace without rights must not stop the others. */
static void
release_when_ready(struct app *a)
{
	if (atomic_load(&a->released) || !rotator_ready(a->rotator) ||
	    !reflector_loop_is_settled(a->reflectors))
		return;
	warn_of_lost_keys(a);
	controller_release(a->controller);
	atomic_store(&a->released, true);
	mem_trim();
}

/* Each stream of a namespace is a connection; the soft limit is often 1,024
 * where the hard one is far higher. */
static void
raise_file_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return;
	limit.rlim_cur = limit.rlim_max;
	(void)setrlimit(RLIMIT_NOFILE, &limit);
}

/* ---- signals ---- */

static void
block_signals(sigset_t *set)
{
	sigemptyset(set);
	sigaddset(set, SIGTERM);
	sigaddset(set, SIGINT);
	sigaddset(set, SIGUSR1);
	sigaddset(set, SIGPIPE);
	sigaddset(set, SIGHUP);
	(void)pthread_sigmask(SIG_BLOCK, set, NULL);
	sigdelset(set, SIGPIPE);
	sigdelset(set, SIGHUP);
}

static int
next_signal(struct app *a, const sigset_t *set)
{
	const struct timespec tick = { .tv_nsec = START_TICK_MS * 1000000L };

	if (atomic_load(&a->released))
		return sigwaitinfo(set, NULL);
	return sigtimedwait(set, NULL, &tick);
}

static void
run_until_stopped(struct app *a, const sigset_t *set)
{
	for (;;) {
		int sig = next_signal(a, set);

		if (sig == SIGTERM || sig == SIGINT)
			return;
		if (sig == SIGUSR1)
			rotator_trigger(a->rotator);
		release_when_ready(a);
	}
}

/* ---- stop ---- */

/* Listeners, reflectors, queue, workers and who else asks and writes, events,
 * Lease. */
static void
app_stop(struct app *a)
{
	stop_request(&a->stop);
	if (a->public != NULL)
		http_server_stop(a->public);
	if (a->metrics_http != NULL)
		http_server_stop(a->metrics_http);
	if (a->admin != NULL)
		http_server_stop(a->admin);
	if (a->reflectors != NULL)
		reflector_loop_stop(a->reflectors);
	if (a->nscheck != NULL)
		nscheck_stop(a->nscheck);
	workqueue_shutdown(a->queue);
	controller_join_workers(a->controller);
	controller_join_attribution(a->controller);
	if (a->publisher != NULL)
		certpublisher_stop(a->publisher);
	rotator_stop(a->rotator);
	event_recorder_stop(a->events);
	if (a->lease != NULL)
		lease_stop(a->lease);
}

static void
app_release(struct app *a)
{
	reflector_loop_free(a->reflectors);
	kube_mux_free(a->mux);
	nscheck_free(a->nscheck);
	namespaces_free(a->namespaces);
	controller_free(a->controller);
	certpublisher_free(a->publisher);
	rotator_free(a->rotator);
	keysecrets_free(a->keysecrets);
	adminkeys_free(a->adminkeys);
	nslabels_free(a->nslabels);
	keymetrics_free(a->keymetrics);
	event_recorder_free(a->events);
	lease_free(a->lease);
	workqueue_free(a->queue);
	index_free(a->sealedsecrets);
	index_free(a->secrets);
	index_free(a->key_index);
	apiclients_free(a->clients);
	kube_limiter_free(a->limiter);
	registry_free(a->keys);
	metrics_free(a->metrics);
	kube_config_free(a->kube);
	stop_release(&a->stop);
}

static int
run(const struct config *cfg)
{
	struct app a = { .cfg = cfg, .clock = &clock_system };
	struct err err = ERR_INIT;
	sigset_t signals;
	int status = 0;

	block_signals(&signals);
	raise_file_limit();
	stop_init(&a.stop);
	log_info("Starting sealed-secrets controller", "version", version_text);
	if (app_start(&a, &err) < 0) {
		log_error("Cannot start", "error", err.msg);
		status = a.misused ? EXIT_USAGE : EXIT_FAILURE;
	} else {
		run_until_stopped(&a, &signals);
		log_info("Shutting down controller");
	}
	if (a.controller != NULL)
		app_stop(&a);
	app_release(&a);
	return status;
}

static int
run_keys(int argc, char *argv[])
{
	const struct keysclient_io io = {
		.in = STDIN_FILENO,
		.out = stdout,
		.errors = stderr,
		.clock = &clock_system,
	};

	return keysclient_main(argc, argv, &io);
}

int
main(int argc, char *argv[])
{
	extern char **environ;
	struct config cfg;
	struct err err = ERR_INIT;

	mem_install_hooks();
	secret_harden_process();
	if (argc > 1 && strcmp(argv[1], "keys") == 0)
		return run_keys(argc - 1, argv + 1);
	if (config_parse(argc, argv, environ, &cfg, stderr, &err) < 0) {
		(void)fprintf(stderr, "%s (see controller --help)\n", err.msg);
		return EXIT_USAGE;
	}
	if (cfg.help) {
		config_usage(argv[0], stdout);
		return 0;
	}
	if (cfg.version) {
		(void)printf("controller version: %s\n", version_text);
		return 0;
	}
	setup_log(&cfg);
	return run(&cfg);
}
