/*
 * A bare client that does what the controller has to do for each new
 * SealedSecret and nothing else: one RSA-4096 OAEP decryption, POST of a
 * Secret, PUT of a status, POST of an event. What it needs for that is in
 * memory before the clock starts.
 *
 *	bench_writes NS COUNT CONNECTIONS
 *
 * Prints objects per second and the processor seconds that it took itself.
 * Environment: see conn.h.
 */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/jsonx.h"
#include "base/mem.h"
#include "conn.h"
#include "objects.h"
#include "rsa.h"
#include "tool.h"

struct job {
	const char *ns;
	struct rsa_work *rsa;
	json_t *items;
	char **status; /* bodies of the PUTs */
};

struct state {
	struct conn *conn;
	struct buf body, answer;
	struct rsa_opener *opener;
};

static void *
begin(void *shared)
{
	struct job *j = shared;
	struct state *s = xcalloc(1, sizeof(*s));

	s->conn = conn_new();
	buf_init(&s->body, OBJECTS_MAX);
	buf_init(&s->answer, CONN_BODY_MAX);
	s->opener = rsa_opener_new(j->rsa);
	return s;
}

static void
end(void *state)
{
	struct state *s = state;

	conn_free(s->conn);
	buf_release(&s->body);
	buf_release(&s->answer);
	rsa_opener_free(s->opener);
	free(s);
}

static const char *
field(const json_t *item, const char *name)
{
	return jsonx_str(item, "metadata", name, NULL);
}

static void
post_secret(const struct job *j, struct state *s, const json_t *item)
{
	AUTO_STR char *path =
	    xasprintf(OBJECTS_SECRETS "?fieldManager=bare", j->ns);

	buf_clear(&s->body);
	buf_printf(&s->body,
	    "{\"apiVersion\":\"v1\",\"kind\":\"Secret\",\"metadata\":"
	    "{\"name\":\"%s\",\"namespace\":\"%s\",\"ownerReferences\":[{"
	    "\"apiVersion\":\"bitnami.com/v1alpha1\",\"kind\":"
	    "\"SealedSecret\",\"name\":\"%s\",\"uid\":\"%s\","
	    "\"controller\":true}]},\"data\":{\"item-1\":"
	    "\"dmFsdWUgb2YgaXRlbSAx\"},\"type\":\"Opaque\"}",
	    field(item, "name"), j->ns, field(item, "name"),
	    field(item, "uid"));
	conn_must(s->conn, "POST", path, buf_str(&s->body), &s->answer);
}

static void
post_event(const struct job *j, struct state *s, const json_t *item)
{
	AUTO_STR char *path = xasprintf(OBJECTS_EVENTS, j->ns);
	const char *name = field(item, "name");

	buf_clear(&s->body);
	buf_printf(&s->body,
	    "{\"apiVersion\":\"v1\",\"kind\":\"Event\",\"metadata\":"
	    "{\"name\":\"%s.17f0c0de\",\"namespace\":\"%s\"},"
	    "\"involvedObject\":{\"apiVersion\":\"bitnami.com/v1alpha1\","
	    "\"kind\":\"SealedSecret\",\"name\":\"%s\",\"namespace\":\"%s\","
	    "\"uid\":\"%s\",\"resourceVersion\":\"%s\"},\"reason\":"
	    "\"Unsealed\","
	    "\"message\":\"SealedSecret unsealed successfully\",\"source\":"
	    "{\"component\":\"sealed-secrets\"},\"type\":\"Normal\","
	    "\"count\":1,\"firstTimestamp\":\"2026-01-01T00:00:00Z\","
	    "\"lastTimestamp\":\"2026-01-01T00:00:00Z\"}",
	    name, j->ns, name, j->ns, field(item, "uid"),
	    field(item, "resourceVersion"));
	conn_must(s->conn, "POST", path, buf_str(&s->body), &s->answer);
}

static void
write_one(void *shared, void *state, unsigned long i)
{
	struct job *j = shared;
	struct state *s = state;
	const json_t *item = json_array_get(j->items, i - 1);
	AUTO_STR char *path =
	    xasprintf(OBJECTS_API "/%s/status?fieldManager=bare", j->ns,
		field(item, "name"));

	rsa_open(s->opener);
	post_secret(j, s, item);
	conn_must(s->conn, "PUT", path, j->status[i - 1], &s->answer);
	post_event(j, s, item);
}

static json_t *
list(const char *ns)
{
	AUTO_RELEASE(buf) struct buf answer = BUF_INIT(CONN_BODY_MAX);
	AUTO_STR char *path = xasprintf(OBJECTS_API, ns);
	AUTO(conn) struct conn *c = conn_new();
	json_t *list;

	conn_must(c, "GET", path, NULL, &answer);
	list = json_loads(buf_str(&answer), 0, NULL);
	if (list == NULL)
		tool_die("the list cannot be read");
	return list;
}

static char *
with_status(json_t *item)
{
	jsonx_set(item, "status",
	    json_pack("{s:i, s:[{s:s, s:s, s:s, s:s, s:s}, {s:s, s:s, s:s, "
		      "s:s, s:s}]}",
		"observedGeneration", 1, "conditions", "type", "Synced",
		"status", "True", "reason", "Unsealed", "lastTransitionTime",
		"2026-01-01T00:00:00Z", "lastUpdateTime",
		"2026-01-01T00:00:00Z", "type", "Ready", "status", "True",
		"reason", "Unsealed", "lastTransitionTime",
		"2026-01-01T00:00:00Z", "lastUpdateTime",
		"2026-01-01T00:00:00Z"));
	return json_dumps(item, JSON_COMPACT);
}

int
main(int argc, char *argv[])
{
	struct job j = { .ns = argc > 1 ? argv[1] : "" };
	AUTO_JSON json_t *all = NULL;
	unsigned long n;
	double start, cpu;

	mem_install_hooks();
	conn_setup();
	if (argc != 4) {
		(void)fprintf(
		    stderr, "usage: bench_writes NS COUNT CONNECTIONS\n");
		return 2;
	}
	n = tool_number(argv[2]);
	all = list(argv[1]);
	j.items = json_object_get(all, "items");
	if (json_array_size(j.items) != n)
		tool_die("there are %zu objects", json_array_size(j.items));
	j.status = xcalloc(n, sizeof(*j.status));
	for (unsigned long i = 0; i < n; i++)
		j.status[i] = with_status(json_array_get(j.items, i));
	j.rsa = rsa_work_new();
	start = tool_now();
	cpu = tool_cpu();
	tool_share(&(struct tool_crew) {
	    .threads = (unsigned)tool_number(argv[3]),
	    .n = n,
	    .shared = &j,
	    .begin = begin,
	    .work = write_one,
	    .end = end,
	});
	(void)printf(
	    "%.1f %.2f\n", (double)n / (tool_now() - start), tool_cpu() - cpu);
	return 0;
}
