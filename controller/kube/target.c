/*
 * Where requests go and whom we trust there, and the heads of answers: the
 * part of the transports that needs no libcurl.
 */
#include "target.h"

#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"

#define CA_MAX		(1024u * 1024)
#define SETTLE_MS	2000u
#define HEAD_MAX	(64u * 1024)
#define RETRY_AFTER_MAX 3600

bool
target_uses_tls(const struct kube_config *cfg)
{
	return strncmp(cfg->server, "https://", 8) == 0;
}

/* The certificate is checked against a name that is not the address: the name
 * goes into the URL and the connection elsewhere. */
static void
set_redirected(struct target *t)
{
	const struct kube_config *cfg = t->cfg;
	size_t scheme = target_uses_tls(cfg) ? 8 : 7;
	const char *host = cfg->server + scheme;
	const char *path = strchr(host, '/');
	const char *bracket = host[0] == '[' ? strchr(host, ']') : NULL;
	size_t len = path != NULL ? (size_t)(path - host) : strlen(host);
	const char *port = strchr(bracket != NULL ? bracket : host, ':');

	if (port != NULL && (size_t)(port - host) >= len)
		port = NULL;
	t->connect_to = xasprintf("::%.*s%s", (int)len, host,
	    port != NULL	       ? ""
		: target_uses_tls(cfg) ? ":443"
				       : ":80");
	t->base = xasprintf("%.*s%s%.*s%s", (int)scheme, cfg->server,
	    cfg->tls_server_name,
	    port != NULL ? (int)(len - (size_t)(port - host)) : 0,
	    port != NULL ? port : "", path != NULL ? path : "");
}

void
target_init(struct target *t, const struct kube_config *cfg)
{
	memset(t, 0, sizeof(*t));
	t->cfg = cfg;
	buf_init(&t->ca, CA_MAX);
	if (cfg->tls_server_name != NULL)
		set_redirected(t);
	else
		t->base = xstrdup(cfg->server);
}

void
target_release(struct target *t)
{
	mem_free_wiped(t->base);
	mem_free_wiped(t->connect_to);
	buf_release(&t->ca);
}

/* A file changed twice within one tick of the file system's clock looks the
 * same: until it was read a while after it was first seen, only its contents
 * tell. */
static bool
is_known(const struct target *t, const struct stat *st)
{
	return t->ca.len > 0 && file_same(st, &t->ca_stat) &&
	    t->ca_read_ms - t->ca_seen_ms >= SETTLE_MS;
}

static void
note_read(struct target *t, const struct stat *st)
{
	t->ca_read_ms = clock_mono_ms(&clock_system);
	if (!file_same(st, &t->ca_stat)) {
		t->ca_stat = *st;
		t->ca_seen_ms = t->ca_read_ms;
	}
}

static int
first_trust(struct target *t, struct err *err)
{
	const struct kube_config *cfg = t->cfg;

	if (cfg->ca_pem == NULL)
		return err_set(
		    err, ERR_TRANSPORT, "no certificate authority is set");
	return buf_append(&t->ca, cfg->ca_pem, strlen(cfg->ca_pem), err);
}

int
target_refresh(struct target *t, bool *changed, struct err *err)
{
	AUTO_RELEASE(buf) struct buf fresh = BUF_INIT(CA_MAX);
	const struct kube_config *cfg = t->cfg;
	struct stat st = { 0 };
	struct err read_err = ERR_INIT;

	*changed = false;
	if (!target_uses_tls(cfg) || cfg->insecure)
		return 0;
	if (cfg->ca_file == NULL)
		return t->ca.len > 0 ? 0 : first_trust(t, err);
	/* Before the read: a change in between is seen the next time. */
	if (stat(cfg->ca_file, &st) == 0 && is_known(t, &st))
		return 0;
	if (file_read(cfg->ca_file, &fresh, &read_err) < 0 || fresh.len == 0) {
		if (t->ca.len > 0)
			return 0;
		return err_set(err, ERR_TRANSPORT, "certificate authority: %s",
		    fresh.len == 0 && read_err.code == ERR_NONE ? "empty file"
								: read_err.msg);
	}
	note_read(t, &st);
	if (t->ca.len == fresh.len &&
	    memcmp(t->ca.data, fresh.data, fresh.len) == 0)
		return 0;
	*changed = t->ca.len > 0;
	buf_release(&t->ca);
	t->ca.data = buf_take(&fresh, &t->ca.len);
	t->ca.cap = t->ca.len + 1;
	return 0;
}

void
target_head_reset(struct target_head *h)
{
	*h = (struct target_head) { .retry_after_s = -1 };
}

bool
target_head_field(const char *p, size_t len, struct target_field *ret)
{
	const char *colon = memchr(p, ':', len);
	size_t n;

	if (colon == NULL || colon == p ||
	    (len >= 5 && strncmp(p, "HTTP/", 5) == 0))
		return false;
	n = (size_t)(colon - p);
	ret->name = p;
	ret->name_len = n;
	for (n++; n < len && (p[n] == ' ' || p[n] == '\t'); n++)
		;
	while (len > n && strchr(" \t\r\n", p[len - 1]) != NULL)
		len--;
	ret->value = p + n;
	ret->value_len = len - n;
	return true;
}

static bool
is_named(const struct target_field *f, const char *name)
{
	return f->name_len == strlen(name) &&
	    strncasecmp(f->name, name, f->name_len) == 0;
}

/* Whole seconds; dates, signs and fractions count as none. */
static int
parse_retry_after(const char *p, size_t len)
{
	int s = 0;

	if (len == 0)
		return -1;
	for (size_t i = 0; i < len; i++) {
		if (p[i] < '0' || p[i] > '9')
			return -1;
		if (s < RETRY_AFTER_MAX)
			s = s * 10 + (p[i] - '0');
	}
	return s < RETRY_AFTER_MAX ? s : RETRY_AFTER_MAX;
}

static int
parse_status(const char *p, size_t len)
{
	const char *sp = memchr(p, ' ', len);
	int status = 0;

	if (sp == NULL || p + len - sp < 4)
		return 0;
	for (int i = 1; i <= 3; i++) {
		if (sp[i] < '0' || sp[i] > '9')
			return 0;
		status = status * 10 + (sp[i] - '0');
	}
	return status;
}

static bool
is_json_type(const char *p, size_t len)
{
	static const char json[] = "application/json";

	return len >= sizeof(json) - 1 &&
	    strncasecmp(p, json, sizeof(json) - 1) == 0 &&
	    (len == sizeof(json) - 1 || strchr("; \t", p[sizeof(json) - 1]));
}

bool
target_head_line(struct target_head *h, const char *p, size_t len)
{
	size_t bytes = h->bytes + len;
	struct target_field f;

	if (bytes > HEAD_MAX)
		return false;
	if (len >= 5 && strncmp(p, "HTTP/", 5) == 0) {
		target_head_reset(h); /* also behind a 100 */
		h->status = parse_status(p, len);
	} else if (target_head_field(p, len, &f)) {
		if (is_named(&f, "Content-Type"))
			h->json = is_json_type(f.value, f.value_len);
		else if (is_named(&f, "Retry-After"))
			h->retry_after_s =
			    parse_retry_after(f.value, f.value_len);
	} else if (len <= 2 && h->status >= 200) {
		h->complete = true;
	}
	h->bytes = bytes;
	return true;
}
