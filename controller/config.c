/*
 * The program's flags: one sorted table gives command line, environment,
 * defaults, checks and --help.
 */
#include "config.h"

#include <limits.h>
#include <string.h>
#include <unistd.h>

#include <sys/ioctl.h>

#include "base/addr.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/timefmt.h"
#include "config_check.h"
#include "flags.h"

#define ENV_PREFIX "SEALED_SECRETS_"

/* Bounds of single flags. */
#define KEY_SIZE_MIN	  2048
#define KEY_SIZE_MAX	  8192
#define WORKERS_MAX	  64
#define RETRIES_MAX	  1000000
#define RATE_LIMIT_MAX	  1000000
#define QPS_DEFAULT	  5
#define AUDIENCE_MAX	  253
#define LEASE_WAIT_MIN_NS INT64_C(100000000)
#define LEASE_MAX_NS	  (INT64_C(3600) * (int64_t)NS_PER_S)

/* ---- checks ---- */

static bool
check_address(union flag_value v, struct err *why)
{
	struct addr ignored;

	return addr_parse(v.s, &ignored, why) == 0;
}

static bool
check_admin_address(union flag_value v, struct err *why)
{
	return v.s[0] == '\0' || check_address(v, why);
}

static bool
check_annotations(union flag_value v, struct err *why)
{
	return config_check_annotations(v.s, why);
}

static bool
check_audience(union flag_value v, struct err *why UNUSED)
{
	return v.s[0] != '\0' && strlen(v.s) <= AUDIENCE_MAX;
}

static bool
check_burst(union flag_value v, struct err *why UNUSED)
{
	return v.i >= INT_MIN && v.i <= INT_MAX;
}

static bool
check_common_name(union flag_value v, struct err *why)
{
	return config_check_common_name(v.s, why);
}

static bool
check_cutoff(union flag_value v, struct err *why UNUSED)
{
	struct err ignored = ERR_INIT;
	int64_t at;

	return v.s[0] == '\0' ||
	    timefmt_parse_rfc1123z(v.s, &at, &ignored) == 0;
}

static bool
check_drift(union flag_value v, struct err *why UNUSED)
{
	return strcmp(v.s, "repair") == 0 || strcmp(v.s, "detect") == 0 ||
	    strcmp(v.s, "off") == 0;
}

static bool
check_secret_types(union flag_value v, struct err *why UNUSED)
{
	static const char *const known[] = {
		"kubernetes.io/service-account-token",
		"bootstrap.kubernetes.io/token",
	};
	const char *p = v.s;

	for (p += strspn(p, ", "); *p != '\0'; p += strspn(p, ", ")) {
		size_t n = strcspn(p, ", ");
		bool hit = false;

		for (size_t i = 0; i < ARRAY_SIZE(known); i++)
			hit |= strlen(known[i]) == n &&
			    memcmp(p, known[i], n) == 0;
		if (!hit)
			return false;
		p += n;
	}
	return true;
}

static bool
check_key_prefix(union flag_value v, struct err *why)
{
	return config_check_key_prefix(v.s, why);
}

static bool
check_key_size(union flag_value v, struct err *why UNUSED)
{
	return v.i >= KEY_SIZE_MIN && v.i <= KEY_SIZE_MAX;
}

static bool
check_labels(union flag_value v, struct err *why)
{
	return config_check_labels(v.s, why);
}

/* The record of a Lease says whole seconds. */
static bool
check_lease_duration(union flag_value v, struct err *why UNUSED)
{
	return v.i >= (int64_t)NS_PER_S && v.i <= LEASE_MAX_NS &&
	    v.i % (int64_t)NS_PER_S == 0;
}

static bool
check_lease_wait(union flag_value v, struct err *why UNUSED)
{
	return v.i >= LEASE_WAIT_MIN_NS && v.i <= LEASE_MAX_NS;
}

static bool
check_log_format(union flag_value v, struct err *why UNUSED)
{
	return strcmp(v.s, "text") == 0 || strcmp(v.s, "json") == 0;
}

static bool
check_log_level(union flag_value v, struct err *why UNUSED)
{
	int level;

	return log_parse_level(v.s, &level) == 0;
}

static bool
check_namespaces(union flag_value v, struct err *why)
{
	return config_check_namespaces(v.s, why);
}

static bool
check_object_name(union flag_value v, struct err *why)
{
	return v.s[0] == '\0' || config_check_object_name(v.s, why);
}

static bool
check_selector(union flag_value v, struct err *why)
{
	return config_check_selector(v.s, why);
}

static bool
check_order(union flag_value v, struct err *why UNUSED)
{
	return strcmp(v.s, "CertNotBefore") == 0 ||
	    strcmp(v.s, "SecretCreationTimestamp") == 0;
}

static bool
check_rate(union flag_value v, struct err *why UNUSED)
{
	return v.i >= 0 && v.i <= RATE_LIMIT_MAX;
}

/* Schedules are kept in whole seconds: less would silently mean "never". */
static bool
check_renew(union flag_value v, struct err *why UNUSED)
{
	return v.i == 0 || v.i >= (int64_t)NS_PER_S;
}

static bool
check_retries(union flag_value v, struct err *why UNUSED)
{
	return v.i >= -RETRIES_MAX && v.i <= RETRIES_MAX;
}

static bool
check_timeout(union flag_value v, struct err *why UNUSED)
{
	return v.i > 0;
}

static bool
check_ttl(union flag_value v, struct err *why UNUSED)
{
	return v.i >= (int64_t)NS_PER_S;
}

static bool
check_workers(union flag_value v, struct err *why UNUSED)
{
	return v.i >= 1 && v.i <= WORKERS_MAX;
}

/* ---- the table ---- */

#define WANT_ADDRESS  "an address such as :8080, 127.0.0.1:8080 or [::1]:8080"
#define WANT_LIST     "key=value pairs separated by commas"
#define WANT_RENEW    "0 (never) or a duration from 1s on, such as 720h"
#define WANT_TIMEOUT  "a duration over 0, such as 2m or 30s"
#define WANT_LEASE    "a duration from 100ms to 1h, such as 10s"
#define WANT_RATE     "an integer from 0 to 1000000"

#define VALUE(member) offsetof(struct config, member)

static const struct flag table[] = {
	{ .name = "accept-deprecated-v1-data",
	    .type = FLAG_BOOL,
	    .offset = VALUE(accept_v1_data),
	    .def = "true",
	    .usage = "Unseal the old form of SealedSecrets (spec.data) too" },
	{ .name = "additional-namespaces",
	    .type = FLAG_STRING,
	    .offset = VALUE(additional_namespaces),
	    .def = "",
	    .usage = "Watch these namespaces, separated by commas, and the "
		     "controller's own, instead of all",
	    .want = "names of namespaces separated by commas",
	    .check = check_namespaces },
	{ .name = "admin-listen-addr",
	    .type = FLAG_STRING,
	    .offset = VALUE(admin_listen_addr),
	    .def = "",
	    .usage = "Address of the admin port, which lists, exports and "
		     "restores keys over TLS (empty: there is none)",
	    .want = WANT_ADDRESS,
	    .check = check_admin_address },
	{ .name = "admin-tls-cert-file",
	    .type = FLAG_STRING,
	    .offset = VALUE(admin_tls_cert_file),
	    .def = "",
	    .usage = "Certificate of the admin port and those above it, PEM; "
		     "read again when it changes" },
	{ .name = "admin-tls-key-file",
	    .type = FLAG_STRING,
	    .offset = VALUE(admin_tls_key_file),
	    .def = "",
	    .usage = "Its private key, PEM" },
	{ .name = "admin-token-audience",
	    .type = FLAG_STRING,
	    .offset = VALUE(admin_token_audience),
	    .def = "sealed-secrets-admin",
	    .usage = "Audience that tokens for the admin port must be made "
		     "for",
	    .want = "a text of 1 to 253 bytes",
	    .check = check_audience },
	{ .name = "all-namespaces",
	    .type = FLAG_BOOL,
	    .offset = VALUE(all_namespaces),
	    .def = "true",
	    .usage =
		"Watch every namespace; false: only the controller's own" },
	{ .name = "allow-secret-types",
	    .type = FLAG_STRING,
	    .offset = VALUE(allow_secret_types),
	    .def = "",
	    .usage = "Make Secrets of these types too, separated by commas: "
		     "kubernetes.io/service-account-token, "
		     "bootstrap.kubernetes.io/token",
	    .want = "a list of those two types",
	    .check = check_secret_types },
	{ .name = "backup-recipients-file",
	    .type = FLAG_STRING,
	    .offset = VALUE(backup_recipients_file),
	    .def = "",
	    .usage = "Encrypt every export of the admin port to these "
		     "certificates (RSA or EC, PEM)" },
	{ .name = "drift",
	    .type = FLAG_STRING,
	    .offset = VALUE(drift),
	    .def = "repair",
	    .usage = "When others change a Secret: repair it, detect it (an "
		     "event only), or off",
	    .want = "repair, detect or off",
	    .check = check_drift },
	{ .name = "key-activation-delay",
	    .type = FLAG_DURATION,
	    .offset = VALUE(key_activation_delay_ns),
	    .def = "0s",
	    .usage = "Seal with a new key only when it is this old or its "
		     "Secret was annotated as backed up (0: at once)",
	    .want = WANT_RENEW,
	    .check = check_renew },
	{ .name = "key-cutoff-time",
	    .type = FLAG_STRING,
	    .offset = VALUE(key_cutoff_time),
	    .def = "",
	    .usage =
		"Make a new key at start if the present one is older than this "
		"time (RFC 1123 with numeric zone)",
	    .want = "a time such as Mon, 02 Jan 2006 15:04:05 -0700",
	    .check = check_cutoff },
	{ .name = "key-order-priority",
	    .type = FLAG_STRING,
	    .offset = VALUE(key_order_priority),
	    .def = "CertNotBefore",
	    .usage = "What makes a key the newest: CertNotBefore or "
		     "SecretCreationTimestamp",
	    .want = "CertNotBefore or SecretCreationTimestamp",
	    .check = check_order },
	{ .name = "key-prefix",
	    .type = FLAG_STRING,
	    .offset = VALUE(key_prefix),
	    .def = "sealed-secrets-key",
	    .usage = "Beginning of the names of key Secrets",
	    .want = "a name of 1 to 245 characters of a-z, 0-9 and -",
	    .check = check_key_prefix },
	{ .name = "key-renew-period",
	    .type = FLAG_DURATION,
	    .offset = VALUE(key_renew_period_ns),
	    .def = "720h0m0s",
	    .usage = "Make a new key when the newest is this old (0: never)",
	    .want = WANT_RENEW,
	    .check = check_renew },
	{ .name = "key-size",
	    .type = FLAG_INT,
	    .offset = VALUE(key_size),
	    .def = "4096",
	    .usage = "Bits of a new RSA key",
	    .want = "an integer from 2048 to 8192",
	    .check = check_key_size },
	{ .name = "key-ttl",
	    .type = FLAG_DURATION,
	    .offset = VALUE(key_ttl_ns),
	    .def = "87600h0m0s",
	    .usage = "How long the certificate of a new key is valid",
	    .want = "a duration from 1s on, such as 87600h",
	    .check = check_ttl },
	{ .name = "key-usage-delay",
	    .type = FLAG_DURATION,
	    .offset = VALUE(key_usage_delay_ns),
	    .def = "1m0s",
	    .usage = "So long after the start, find out which keys old items "
		     "need by opening them, slowly (0: never)",
	    .want = WANT_RENEW,
	    .check = check_renew },
	{ .name = "kubeclient-burst",
	    .type = FLAG_INT,
	    .offset = VALUE(kubeclient_burst),
	    .def = "10",
	    .usage =
		"API requests that may pass at once before --kubeclient-qps "
		"limits them",
	    .check = check_burst },
	{ .name = "kubeclient-qps",
	    .type = FLAG_FLOAT,
	    .offset = VALUE(kubeclient_qps),
	    .def = "5",
	    .usage = "API requests per second (negative: no limit); no limit "
		     "while neither this nor --kubeclient-burst is given" },
	{ .name = "kubeconfig",
	    .type = FLAG_STRING,
	    .offset = VALUE(kubeconfig),
	    .def = "",
	    .usage =
		"Reach the API server as this file's current context says, "
		"instead of as the pod's service account" },
	{ .name = "label-selector",
	    .type = FLAG_STRING,
	    .offset = VALUE(label_selector),
	    .def = "",
	    .usage =
		"Watch only SealedSecrets and Secrets that this label selector "
		"matches",
	    .want = "a label selector such as team=a,stage in (x,y)",
	    .check = check_selector },
	{ .name = "leader-elect",
	    .type = FLAG_BOOL,
	    .offset = VALUE(leader_elect),
	    .def = "false",
	    .usage = "Of several replicas only the holder of a Lease writes; "
		     "needs get, create and update on leases" },
	{ .name = "leader-elect-lease-duration",
	    .type = FLAG_DURATION,
	    .offset = VALUE(lease_duration_ns),
	    .def = "15s",
	    .usage = "How long others wait for a leader that does not renew "
		     "its Lease",
	    .want = "whole seconds from 1s to 1h",
	    .check = check_lease_duration },
	{ .name = "leader-elect-renew-deadline",
	    .type = FLAG_DURATION,
	    .offset = VALUE(lease_renew_ns),
	    .def = "10s",
	    .usage = "A leader that could not renew for so long gives up",
	    .want = WANT_LEASE,
	    .check = check_lease_wait },
	{ .name = "leader-elect-resource-name",
	    .type = FLAG_STRING,
	    .offset = VALUE(lease_name),
	    .def = "sealed-secrets-controller",
	    .usage = "Name of the Lease, in the controller's own namespace",
	    .want = "a name of 1 to 245 characters of a-z, 0-9 and -",
	    .check = check_key_prefix },
	{ .name = "leader-elect-retry-period",
	    .type = FLAG_DURATION,
	    .offset = VALUE(lease_retry_ns),
	    .def = "2s",
	    .usage = "Time between attempts to get or to renew the Lease",
	    .want = WANT_LEASE,
	    .check = check_lease_wait },
	{ .name = "listen-addr",
	    .type = FLAG_STRING,
	    .offset = VALUE(listen_addr),
	    .def = ":8080",
	    .usage = "Address of the certificate and health endpoints",
	    .want = WANT_ADDRESS,
	    .check = check_address },
	{ .name = "listen-metrics-addr",
	    .type = FLAG_STRING,
	    .offset = VALUE(listen_metrics_addr),
	    .def = ":8081",
	    .usage = "Address of the metrics endpoint",
	    .want = WANT_ADDRESS,
	    .check = check_address },
	{ .name = "log-format",
	    .type = FLAG_STRING,
	    .offset = VALUE(log_format),
	    .def = "text",
	    .usage = "Form of log lines: text or json",
	    .want = "text or json",
	    .check = check_log_format },
	{ .name = "log-info-stdout",
	    .type = FLAG_BOOL,
	    .offset = VALUE(log_info_stdout),
	    .def = "true",
	    .usage = "Log INFO and below to stdout and the rest to stderr; "
		     "false: all "
		     "to stderr" },
	{ .name = "log-level",
	    .type = FLAG_STRING,
	    .offset = VALUE(log_level),
	    .def = "INFO",
	    .usage = "Least level that is logged: DEBUG, INFO, WARN or ERROR",
	    .want =
		"DEBUG, INFO, WARN or ERROR, perhaps with an offset such as "
		"INFO+2",
	    .check = check_log_level },
	{ .name = "max-unseal-retries",
	    .type = FLAG_INT,
	    .offset = VALUE(max_unseal_retries),
	    .def = "5",
	    .usage = "Fast retries after a failure, before the slow ones",
	    .want = "an integer up to 1000000",
	    .check = check_retries },
	{ .name = "metrics-omit-secret-labels",
	    .type = FLAG_BOOL,
	    .offset = VALUE(metrics_omit_secret_labels),
	    .def = "false",
	    .usage = "Leave out the metric that names single SealedSecrets" },
	{ .name = "my-cn",
	    .type = FLAG_STRING,
	    .offset = VALUE(my_cn),
	    .def = "",
	    .usage = "Common name in the certificate of a new key",
	    .want = "a text of at most 64 bytes",
	    .check = check_common_name },
	{ .name = "old-gc-behavior",
	    .type = FLAG_BOOL,
	    .offset = VALUE(old_gc_behavior),
	    .def = "false",
	    .usage =
		"Delete the Secret of a deleted SealedSecret here, instead of "
		"leaving it to Kubernetes" },
	{ .name = "privatekey-annotations",
	    .type = FLAG_STRING,
	    .offset = VALUE(privatekey_annotations),
	    .def = "",
	    .usage = "Annotations of new key Secrets, k=v separated by commas",
	    .want = WANT_LIST,
	    .check = check_annotations },
	{ .name = "privatekey-labels",
	    .type = FLAG_STRING,
	    .offset = VALUE(privatekey_labels),
	    .def = "",
	    .usage = "Labels of new key Secrets, k=v separated by commas",
	    .want = WANT_LIST,
	    .check = check_labels },
	{ .name = "publish-cert-configmap",
	    .type = FLAG_STRING,
	    .offset = VALUE(publish_cert_configmap),
	    .def = "",
	    .usage = "Keep the public certificate in this ConfigMap, in the "
		     "controller's own namespace; needs get, create and update "
		     "on configmaps",
	    .want = "the name of a ConfigMap",
	    .check = check_object_name },
	{ .name = "rate-limit",
	    .type = FLAG_INT,
	    .offset = VALUE(rate_limit),
	    .def = "2",
	    .usage = "Requests per second to verify and rotate (0: no limit)",
	    .want = WANT_RATE,
	    .check = check_rate },
	{ .name = "rate-limit-burst",
	    .type = FLAG_INT,
	    .offset = VALUE(rate_limit_burst),
	    .def = "2",
	    .usage = "Requests over the rate limit that may pass at once",
	    .want = WANT_RATE,
	    .check = check_rate },
	{ .name = "read-timeout",
	    .type = FLAG_DURATION,
	    .offset = VALUE(read_timeout_ns),
	    .def = "2m0s",
	    .usage = "Longest time for reading one HTTP request",
	    .want = WANT_TIMEOUT,
	    .check = check_timeout },
	{ .name = "rotate-period",
	    .type = FLAG_DURATION,
	    .offset = VALUE(key_renew_period_ns),
	    .def = "720h0m0s",
	    .want = WANT_RENEW,
	    .check = check_renew,
	    .use_instead = "key-renew-period" },
	{ .name = "skip-recreate",
	    .type = FLAG_BOOL,
	    .offset = VALUE(skip_recreate),
	    .def = "false",
	    .usage =
		"Do not watch Secrets, hence do not re-create deleted ones" },
	{ .name = "update-status",
	    .type = FLAG_BOOL,
	    .offset = VALUE(update_status),
	    .def = "true",
	    .usage = "Write the result into the status of SealedSecrets" },
	{ .name = "version",
	    .type = FLAG_BOOL,
	    .offset = VALUE(version),
	    .def = "false",
	    .usage = "Print the version and exit" },
	{ .name = "watch-for-secrets",
	    .type = FLAG_BOOL,
	    .offset = VALUE(watch_for_secrets),
	    .def = "false",
	    .usage =
		"No effect: key Secrets are always watched and used at once" },
	{ .name = "workers",
	    .type = FLAG_INT,
	    .offset = VALUE(workers),
	    .def = "4",
	    .usage = "SealedSecrets handled at the same time",
	    .want = "an integer from 1 to 64",
	    .check = check_workers },
	{ .name = "write-timeout",
	    .type = FLAG_DURATION,
	    .offset = VALUE(write_timeout_ns),
	    .def = "2m0s",
	    .usage = "Longest time for answering one HTTP request",
	    .want = WANT_TIMEOUT,
	    .check = check_timeout },
};

_Static_assert(ARRAY_SIZE(table) <= FLAGS_MAX, "more flags than FLAGS_MAX");

/* ---- the whole ---- */

static int
check_client_limits(
    const struct config *c, const struct flag_set *set, struct err *err)
{
	/* A rate without a burst would let no request pass, ever. The default
	 * burst is fine, so it was given. */
	if (c->kubeclient_qps >= 0 && c->kubeclient_burst <= 0)
		return flags_reject(set, "kubeclient-burst",
		    "must be over 0 unless --kubeclient-qps is negative", err);
	return 0;
}

/* The address was given where it is not empty, for its default is. */
static int
check_admin(const struct config *c, const struct flag_set *set, struct err *err)
{
	if (c->admin_listen_addr[0] != '\0' &&
	    (c->admin_tls_cert_file[0] == '\0' ||
		c->admin_tls_key_file[0] == '\0'))
		return flags_reject(set, "admin-listen-addr",
		    "needs --admin-tls-cert-file and --admin-tls-key-file",
		    err);
	return 0;
}

/* As client-go demands: a leader must give up before others take over, and have
 * more than one attempt at renewing before that. */
static int
check_lease_times(
    const struct config *c, const struct flag_set *set, struct err *err)
{
	static const char duration[] = "leader-elect-lease-duration";
	static const char renew[] = "leader-elect-renew-deadline";
	static const char retry[] = "leader-elect-retry-period";

	if (c->lease_duration_ns <= c->lease_renew_ns)
		return flags_given(set, duration)
		    ? flags_reject(set, duration,
			  "must be over --leader-elect-renew-deadline", err)
		    : flags_reject(set, renew,
			  "must be under --leader-elect-lease-duration", err);
	if (c->lease_renew_ns <= c->lease_retry_ns + c->lease_retry_ns / 5)
		return flags_given(set, retry)
		    ? flags_reject(set, retry,
			  "1.2 times it must be under "
			  "--leader-elect-renew-deadline",
			  err)
		    : flags_reject(set, renew,
			  "must be over 1.2 times --leader-elect-retry-period",
			  err);
	return 0;
}

static int
derive(struct config *c, const struct flag_set *set, struct err *err)
{
	c->key_order_by_creation =
	    strcmp(c->key_order_priority, "SecretCreationTimestamp") == 0;
	if (c->kubeclient_qps == 0) /* as client-go has it */
		c->kubeclient_qps = QPS_DEFAULT;
	c->kubeclient_limited = flags_given(set, "kubeclient-qps") ||
	    flags_given(set, "kubeclient-burst");
	if (check_client_limits(c, set, err) < 0 ||
	    check_lease_times(c, set, err) < 0 || check_admin(c, set, err) < 0)
		return -1;
	if (c->key_cutoff_time[0] == '\0')
		return 0;
	return timefmt_parse_rfc1123z(
	    c->key_cutoff_time, &c->key_cutoff_s, err);
}

int
config_parse(int argc, char *const argv[], char *const envp[],
    struct config *ret, FILE *notices, struct err *err)
{
	struct config c = { 0 };
	struct flag_set set;

	flags_init(&set, table, ARRAY_SIZE(table), ENV_PREFIX, &c);
	set.notices = notices;
	if (flags_read_env(&set, envp, err) < 0 ||
	    flags_read_args(&set, argc, argv, &c.help, err) < 0)
		return -1;
	if (!c.help && derive(&c, &set, err) < 0)
		return -1;
	*ret = c;
	return 0;
}

/* Of a terminal; 0: out is none. */
static unsigned
columns_of(FILE *out)
{
	struct winsize size;
	int fd = fileno(out);

	if (fd < 0 || !isatty(fd) || ioctl(fd, TIOCGWINSZ, &size) < 0)
		return 0;
	return size.ws_col;
}

void
config_usage(const char *argv0, FILE *out)
{
	(void)fprintf(out, "Usage of %s:\n", argv0);
	flags_usage(table, ARRAY_SIZE(table), columns_of(out), out);
	(void)fputs("\nEvery flag can also be set in the environment, as "
		    "SEALED_SECRETS_ and its name in\ncapitals: "
		    "SEALED_SECRETS_LOG_LEVEL=DEBUG. The command line wins.\n"
		    "Keys are listed, backed up and restored by "
		    "\"controller keys\": see its --help.\n",
	    out);
}
