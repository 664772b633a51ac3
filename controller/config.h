/*
 * Flags, SEALED_SECRETS_* environment, defaults and --help from one table.
 * pflag's rules; environment first, command line wins.
 */
#ifndef CONTROLLER_CONFIG_H
#define CONTROLLER_CONFIG_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/compiler.h"
#include "base/err.h"

struct config {
	bool accept_v1_data;
	const char *admin_listen_addr; /* "": no admin port */
	const char *admin_tls_cert_file, *admin_tls_key_file;
	const char *admin_token_audience;
	const char *additional_namespaces;
	const char *allow_secret_types;
	bool all_namespaces;
	const char *backup_recipients_file; /* "": plain exports */
	const char *drift;		    /* repair, detect or off */
	int64_t key_activation_delay_ns;    /* 0: off */
	const char *key_cutoff_time;
	int64_t key_cutoff_s; /* parsed; 0: none */
	const char *key_order_priority;
	bool key_order_by_creation; /* SecretCreationTimestamp */
	const char *key_prefix;
	int64_t key_renew_period_ns;
	int64_t key_size;
	int64_t key_ttl_ns;
	int64_t key_usage_delay_ns; /* 0: never */
	const char *kubeconfig;	    /* "": in-cluster */
	int64_t kubeclient_burst;
	double kubeclient_qps;
	bool kubeclient_limited; /* qps or burst was given: honour them */
	const char *label_selector;
	bool leader_elect;
	int64_t lease_duration_ns;
	int64_t lease_renew_ns;
	int64_t lease_retry_ns;
	const char *lease_name;
	const char *listen_addr;
	const char *listen_metrics_addr;
	const char *log_format;
	bool log_info_stdout;
	const char *log_level;
	int64_t max_unseal_retries;
	bool metrics_omit_secret_labels;
	const char *my_cn;
	bool old_gc_behavior;
	const char *privatekey_annotations;
	const char *privatekey_labels;
	const char *publish_cert_configmap; /* "": none */
	int64_t rate_limit;
	int64_t rate_limit_burst;
	int64_t read_timeout_ns;
	bool skip_recreate;
	bool update_status;
	bool version;
	bool watch_for_secrets;
	int64_t workers;
	int64_t write_timeout_ns;
	bool help;
};

/*
 * Reads the environment (envp), then argv[1..]. Strings are borrowed from
 * argv/envp. Notices (deprecated flags) go to notices. On failure err is one
 * line naming the flag or variable, the value and the accepted form, and the
 * caller exits 2. Values are validated as a whole (ranges, key prefix, label
 * lists, cutoff time, level).
 */
int config_parse(int argc, char *const argv[], char *const envp[],
    struct config *ret, FILE *notices, struct err *err) MUST_CHECK;
/* Usage of every flag that is not hidden, aligned, sorted; wrapped where out is
 * a terminal. */
void config_usage(const char *argv0, FILE *out);

#endif
