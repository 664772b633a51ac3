/*
 * Tests of controller/kube/transport.c against TLS servers on loopback
 * addresses: who is trusted, and what is shown.
 * layer: kube
 */
#include "transportrig.h"

#include <curl/curl.h>
#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"
#include "tmpfiles.h"

static void
answer(void *ctx UNUSED, struct httpd_conn *c,
    const struct httpd_request *req UNUSED)
{
	httpd_json(c, 200, "{}");
}

struct tls_fixture {
	struct tmpfiles files;
	struct cert ca, other_ca, server, client;
};

static int
tls_setup(void **state)
{
	static struct tls_fixture f;

	tmpfiles_init(&f.files);
	cert_authority(&f.ca, "ca one");
	cert_authority(&f.other_ca, "ca two");
	cert_issue(&f.server, &f.ca, "IP:127.0.0.1", -60);
	cert_issue(&f.client, &f.other_ca, "DNS:client", -60);
	tmpfiles_write(&f.files, "ca.crt", f.ca.pem);
	*state = &f;
	return 0;
}

static int
tls_teardown(void **state)
{
	struct tls_fixture *f = *state;

	cert_release(&f->ca);
	cert_release(&f->other_ca);
	cert_release(&f->server);
	cert_release(&f->client);
	tmpfiles_release(&f->files);
	return 0;
}

static struct kube_config
tls_config(const struct tls_fixture *f, const struct httpd *h)
{
	struct kube_config cfg = config_of(h);

	cfg.ca_file = (char *)tmpfiles_path(&f->files, "ca.crt");
	return cfg;
}

static void
a_server_of_our_authority_is_trusted(void **state)
{
	struct tls_fixture *f = *state;
	struct httpd_tls tls = { .cert = &f->server };
	struct httpd *h = httpd_new(answer, NULL, &tls);
	struct kube_config cfg = tls_config(f, h);
	struct kube_transport *t = kube_transport_new(&cfg, NULL, NULL);
	struct err err = ERR_INIT;

	for (int i = 0; i < 3; i++)
		assert_int_equal(get_on(t, "/json", &err), 200);
	assert_int_equal(httpd_connections(h), 1);
	kube_transport_free(t);
	/* The same with the authority as text. */
	cfg.ca_file = NULL;
	cfg.ca_pem = f->ca.pem;
	t = kube_transport_new(&cfg, NULL, NULL);
	assert_int_equal(get_on(t, "/json", &err), 200);
	kube_transport_free(t);
	httpd_free(h);
}

static void
an_authority_of_the_system_is_not_trusted(void **state)
{
	struct tls_fixture *f = *state;
	struct httpd_tls tls = { .cert = &f->server };
	struct httpd *h = httpd_new(answer, NULL, &tls);
	struct kube_config cfg = tls_config(f, h);
	AUTO_RELEASE(kube_response) struct kube_response resp = { 0 };
	struct err err = ERR_INIT;
	char name[16];

	/* The server's authority is where OpenSSL and curl look by
	 * themselves; configured is another one. */
	tmpfiles_write(&f->files, "ca.crt", f->other_ca.pem);
	cert_hash_name(&f->ca, name);
	tmpfiles_write(&f->files, name, f->ca.pem);
	tmpfiles_write(&f->files, "bundle.pem", f->ca.pem);
	setenv("SSL_CERT_DIR", f->files.dir, 1);
	setenv("SSL_CERT_FILE", tmpfiles_path(&f->files, "bundle.pem"), 1);
	setenv("CURL_CA_BUNDLE", tmpfiles_path(&f->files, "bundle.pem"), 1);
	assert_int_equal(get_once(&cfg, "/json", &resp, &err), -1);
	assert_int_equal(err.code, ERR_TRANSPORT);
	assert_non_null(strstr(err.msg, "certificate"));
	assert_int_equal(httpd_requests(h), 0);
	unsetenv("SSL_CERT_DIR");
	unsetenv("SSL_CERT_FILE");
	unsetenv("CURL_CA_BUNDLE");
	httpd_free(h);
}

static bool
write_text(const char *dir, const char *name, const char *text)
{
	char path[512];
	FILE *f;

	(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
	f = fopen(path, "w");
	if (f == NULL)
		return false;
	return (fputs(text, f) >= 0) + (fclose(f) == 0) == 2;
}

/* A mount namespace of our own, as root or as anybody where that is allowed. */
static bool
enter_namespace(void)
{
	char map[64];

	(void)snprintf(map, sizeof(map), "0 %u 1", (unsigned)geteuid());
	if (unshare(CLONE_NEWNS) == 0)
		return mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0;
	return unshare(CLONE_NEWUSER | CLONE_NEWNS) == 0 &&
	    write_text("/proc/self", "uid_map", map) &&
	    mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0;
}

#define NO_NAMESPACE 77

/* In a child: the authority is put where this libcurl was built to look. */
static int
request_with_system_authority(
    const struct kube_config *cfg, const struct cert *ca, const char *name)
{
	const char *dir = curl_version_info(CURLVERSION_NOW)->capath;
	struct kube_response resp = { 0 };
	struct err err = ERR_INIT;

	if (dir == NULL || !enter_namespace() ||
	    mount("tmpfs", dir, "tmpfs", 0, NULL) != 0 ||
	    !write_text(dir, name, ca->pem) ||
	    !write_text(dir, "ca-certificates.crt", ca->pem))
		return NO_NAMESPACE;
	if (get_once(cfg, "/json", &resp, &err) == 0)
		return 1;
	return err.code == ERR_TRANSPORT ? 0 : 2;
}

static void
an_authority_where_libcurl_looks_is_not_trusted(void **state)
{
	struct tls_fixture *f = *state;
	struct httpd_tls tls = { .cert = &f->server };
	struct httpd *h = httpd_new(answer, NULL, &tls);
	struct kube_config cfg = tls_config(f, h);
	char name[16];
	int status = 0;
	pid_t pid;

	tmpfiles_write(&f->files, "ca.crt", f->other_ca.pem);
	cert_hash_name(&f->ca, name);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		_exit(request_with_system_authority(&cfg, &f->ca, name));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) == NO_NAMESPACE)
		print_message("no mount namespaces here: not tried\n");
	else
		assert_int_equal(WEXITSTATUS(status), 0);
	assert_int_equal(httpd_requests(h), 0);
	httpd_free(h);
}

static void
a_replaced_authority_takes_effect_on_kept_connections(void **state)
{
	struct tls_fixture *f = *state;
	struct httpd_tls tls = { .cert = &f->server };
	struct httpd *h = httpd_new(answer, NULL, &tls);
	struct kube_config cfg = tls_config(f, h);
	AUTO(kube_transport)
	struct kube_transport *t = kube_transport_new(&cfg, NULL, NULL);
	struct err err = ERR_INIT;

	assert_int_equal(get_on(t, "/json", &err), 200);
	/* Its authority is no longer trusted: not even over the connection
	 * that is already open. */
	tmpfiles_swap(&f->files, "ca.crt", f->other_ca.pem);
	assert_int_equal(get_on(t, "/json", &err), -1);
	assert_int_equal(err.code, ERR_TRANSPORT);
	assert_int_equal(httpd_requests(h), 1);
	/* A bundle of both, as during a rotation. */
	{
		AUTO_STR char *both =
		    xasprintf("%s%s", f->other_ca.pem, f->ca.pem);

		tmpfiles_swap(&f->files, "ca.crt", both);
	}
	assert_int_equal(get_on(t, "/json", &err), 200);
	httpd_free(h);
}

static void
bad_certificates_are_refused(void **state)
{
	static const struct {
		const char *san;
		long from_s;
	} cases[] = {
		{ "IP:127.0.0.2", -60 },
		{ "DNS:localhost", -60 },
		{ "IP:127.0.0.1", -7200 },
		{ "IP:127.0.0.1", 3600 },
	};
	struct tls_fixture *f = *state;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct cert bad;
		struct httpd_tls tls = { .cert = &bad };
		struct httpd *h;
		struct kube_config cfg;
		struct kube_response resp = { 0 };
		struct err err = ERR_INIT;

		cert_issue(&bad, &f->ca, cases[i].san, cases[i].from_s);
		h = httpd_new(answer, NULL, &tls);
		cfg = tls_config(f, h);
		assert_int_equal(get_once(&cfg, "/json", &resp, &err), -1);
		assert_int_equal(err.code, ERR_TRANSPORT);
		assert_int_equal(httpd_requests(h), 0);
		httpd_free(h);
		cert_release(&bad);
	}
}

static void
a_server_name_is_checked_instead_of_the_address(void **state)
{
	struct tls_fixture *f = *state;
	struct cert named;
	struct httpd_tls tls = { .cert = &named };
	struct httpd *h;
	struct kube_config cfg;
	struct kube_response resp = { 0 };
	struct err err = ERR_INIT;

	cert_issue(&named, &f->ca, "DNS:kube.example", -60);
	h = httpd_new(answer, NULL, &tls);
	cfg = tls_config(f, h);
	assert_int_equal(get_once(&cfg, "/json", &resp, &err), -1);
	cfg.tls_server_name = (char *)"kube.example";
	assert_int_equal(get_once(&cfg, "/json", &resp, &err), 0);
	kube_response_release(&resp);
	cfg.tls_server_name = (char *)"other.example";
	assert_int_equal(get_once(&cfg, "/json", &resp, &err), -1);
	httpd_free(h);
	cert_release(&named);
}

static void
tls_1_1_is_refused(void **state)
{
	struct tls_fixture *f = *state;
	struct httpd_tls tls = { .cert = &f->server, .tls11_only = true };
	struct httpd *h = httpd_new(answer, NULL, &tls);
	struct kube_config cfg = tls_config(f, h);
	struct kube_response resp = { 0 };
	struct err err = ERR_INIT;

	assert_int_equal(get_once(&cfg, "/json", &resp, &err), -1);
	assert_int_equal(err.code, ERR_TRANSPORT);
	httpd_free(h);
}

static void
a_client_certificate_is_shown(void **state)
{
	struct tls_fixture *f = *state;
	struct httpd_tls tls = {
		.cert = &f->server,
		.client_authority = &f->other_ca,
	};
	struct httpd *h = httpd_new(answer, NULL, &tls);
	struct kube_config cfg = tls_config(f, h);
	struct kube_response resp = { 0 };
	struct err err = ERR_INIT;

	assert_int_equal(get_once(&cfg, "/json", &resp, &err), -1);
	cfg.cert_pem = f->client.pem;
	cfg.key_pem = secret_from(f->client.key, strlen(f->client.key));
	assert_int_equal(get_once(&cfg, "/json", &resp, &err), 0);
	kube_response_release(&resp);
	secret_free(cfg.key_pem);
	cfg.cert_pem = NULL;
	cfg.key_pem = NULL;
	tmpfiles_write(&f->files, "c.crt", f->client.pem);
	tmpfiles_write(&f->files, "c.key", f->client.key);
	cfg.cert_file = (char *)tmpfiles_path(&f->files, "c.crt");
	cfg.key_file = (char *)tmpfiles_path(&f->files, "c.key");
	assert_int_equal(get_once(&cfg, "/json", &resp, &err), 0);
	kube_response_release(&resp);
	httpd_free(h);
}

static void
verification_is_skipped_only_when_told(void **state)
{
	struct tls_fixture *f = *state;
	struct cert other;
	struct httpd_tls tls = { .cert = &other };
	struct httpd *h;
	struct kube_config cfg;
	struct kube_response resp = { 0 };
	struct err err = ERR_INIT;

	cert_issue(&other, &f->other_ca, "DNS:elsewhere", -60);
	h = httpd_new(answer, NULL, &tls);
	cfg = config_of(h);
	assert_int_equal(get_once(&cfg, "/json", &resp, &err), -1);
	assert_int_equal(httpd_connections(h), 0);
	cfg.insecure = true;
	assert_int_equal(get_once(&cfg, "/json", &resp, &err), 0);
	kube_response_release(&resp);
	httpd_free(h);
	cert_release(&other);
}

#define TLS(name) cmocka_unit_test_setup_teardown(name, tls_setup, tls_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TLS(a_server_of_our_authority_is_trusted),
		TLS(an_authority_of_the_system_is_not_trusted),
		TLS(an_authority_where_libcurl_looks_is_not_trusted),
		TLS(a_replaced_authority_takes_effect_on_kept_connections),
		TLS(bad_certificates_are_refused),
		TLS(a_server_name_is_checked_instead_of_the_address),
		TLS(tls_1_1_is_refused),
		TLS(a_client_certificate_is_shown),
		TLS(verification_is_skipped_only_when_told),
	};

	mem_install_hooks();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
