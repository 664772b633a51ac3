/*
 * A kubeconfig file of any content is refused with a text or gives a
 * configuration that keeps its promises.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fuzz.h"
#include "kube/config.h"
#include "kube/objkey.h"

static void
check_config(const struct kube_config *cfg)
{
	bool tls = strncmp(cfg->server, "https://", 8) == 0;

	if (!tls && strncmp(cfg->server, "http://127.", 11) != 0 &&
	    strncmp(cfg->server, "http://[::1]", 12) != 0 &&
	    strncasecmp(cfg->server, "http://localhost", 16) != 0)
		abort();
	if (tls && !cfg->insecure && cfg->ca_file == NULL &&
	    cfg->ca_pem == NULL)
		abort();
	if (cfg->insecure && (cfg->ca_file != NULL || cfg->ca_pem != NULL))
		abort();
	for (const char *p = cfg->server; *p != '\0'; p++)
		if (*p <= ' ' || *p >= 0x7f || *p == '@')
			abort();
	if (!objkey_valid_ns(cfg->ns, strlen(cfg->ns)))
		abort();
	if ((cfg->cert_pem != NULL || cfg->cert_file != NULL) !=
	    (cfg->key_pem != NULL || cfg->key_file != NULL))
		abort();
	if (strncmp(cfg->user_agent, "controller/", 11) != 0)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct kube_config *cfg = NULL;
	struct err err = ERR_INIT;
	int fd = memfd_create("kubeconfig", MFD_CLOEXEC);
	char path[64];

	if (fd < 0 || write(fd, data, size) != (ssize_t)size)
		abort();
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (kube_config_file(path, "v1", NULL, &cfg, &err) == 0)
		check_config(cfg);
	else if (err.code == ERR_NONE || err.msg[0] == '\0')
		abort();
	kube_config_free(cfg);
	close(fd);
	return 0;
}
