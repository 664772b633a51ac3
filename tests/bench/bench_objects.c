/*
 * Makes, changes and deletes many objects over a few connections.
 *
 *	bench_objects create NS PREFIX COUNT ITEMS CERT...
 *		SealedSecrets PREFIX-1 ... PREFIX-COUNT, sealed with the
 *		certificates in turn
 *	bench_objects touch NS PREFIX COUNT TEXT
 *		gives their templates a label, which makes a new generation
 *	bench_objects foreign NS COUNT KILOBYTES TEXT
 *		Secrets of nobody's, filled with the text, which is Base64
 *	bench_objects delete NS
 *		SealedSecrets, Secrets and events of a namespace
 *
 * Environment: see conn.h.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "conn.h"
#include "objects.h"
#include "tool.h"

#define CONNECTIONS 8

struct job {
	char **arg; /* of the command */
	char **cert;
	size_t certs;
};

struct state {
	struct conn *conn;
	struct buf body, answer;
};

static void *
begin(void *shared UNUSED)
{
	struct state *s = xcalloc(1, sizeof(*s));

	s->conn = conn_new();
	buf_init(&s->body, OBJECTS_MAX);
	buf_init(&s->answer, CONN_BODY_MAX);
	return s;
}

static void
end(void *state)
{
	struct state *s = state;

	conn_free(s->conn);
	buf_release(&s->body);
	buf_release(&s->answer);
	free(s);
}

static void
create_one(void *shared, void *state, unsigned long i)
{
	struct job *j = shared;
	struct state *s = state;
	AUTO_STR char *name = xasprintf("%s-%lu", j->arg[1], i);
	AUTO_STR char *path = xasprintf(OBJECTS_API, j->arg[0]);

	objects_sealed(j->cert[(i - 1) % j->certs], j->arg[0], name,
	    tool_number(j->arg[3]), &s->body);
	conn_must(s->conn, "POST", path, buf_str(&s->body), &s->answer);
}

static void
touch_one(void *shared, void *state, unsigned long i)
{
	struct job *j = shared;
	struct state *s = state;
	AUTO_STR char *path =
	    xasprintf(OBJECTS_API "/%s-%lu", j->arg[0], j->arg[1], i);

	buf_clear(&s->body);
	buf_printf(&s->body,
	    "{\"spec\":{\"template\":{\"metadata\":{\"labels\":"
	    "{\"touched\":\"%s\"}}}}}",
	    j->arg[3]);
	conn_must(s->conn, "PATCH", path, buf_str(&s->body), &s->answer);
}

static void
foreign_one(void *shared, void *state, unsigned long i)
{
	struct job *j = shared;
	struct state *s = state;
	AUTO_STR char *path = xasprintf(OBJECTS_SECRETS, j->arg[0]);
	size_t len = tool_number(j->arg[2]) * 1024 * 4 / 3;

	buf_clear(&s->body);
	buf_printf(&s->body,
	    "{\"apiVersion\":\"v1\",\"kind\":\"Secret\",\"metadata\":"
	    "{\"name\":\"foreign-%lu\"},\"data\":{\"blob\":\"",
	    i);
	for (size_t n = 0; n < len; n += strlen(j->arg[3]))
		buf_puts(&s->body, j->arg[3]);
	buf_puts(&s->body, "\"}}");
	conn_must(s->conn, "POST", path, buf_str(&s->body), &s->answer);
}

static void
delete_all(const char *ns)
{
	AUTO_STR char *sealed = xasprintf(OBJECTS_API, ns);
	AUTO_STR char *secrets = xasprintf(OBJECTS_SECRETS, ns);
	AUTO_STR char *events = xasprintf(OBJECTS_EVENTS, ns);
	AUTO(conn) struct conn *c = conn_new();

	conn_must(c, "DELETE", sealed, NULL, NULL);
	conn_must(c, "DELETE", secrets, NULL, NULL);
	conn_must(c, "DELETE", events, NULL, NULL);
}

static void
run(struct job *j, unsigned long n,
    void (*work)(void *shared, void *state, unsigned long i))
{
	tool_share(&(struct tool_crew) {
	    .threads = CONNECTIONS,
	    .n = n,
	    .shared = j,
	    .begin = begin,
	    .work = work,
	    .end = end,
	});
}

static int
usage(void)
{
	(void)fprintf(stderr,
	    "usage: bench_objects create NS PREFIX COUNT ITEMS CERT...\n"
	    "       bench_objects touch NS PREFIX COUNT TEXT\n"
	    "       bench_objects foreign NS COUNT KILOBYTES TEXT\n"
	    "       bench_objects delete NS\n");
	return 2;
}

int
main(int argc, char *argv[])
{
	struct job j = { .arg = argv + 2 };

	mem_install_hooks();
	conn_setup();
	if (argc >= 7 && strcmp(argv[1], "create") == 0) {
		j.cert = argv + 6;
		j.certs = (size_t)argc - 6;
		for (size_t i = 0; i < j.certs; i++)
			j.cert[i] = objects_certificate(j.cert[i]);
		run(&j, tool_number(argv[4]), create_one);
	} else if (argc == 6 && strcmp(argv[1], "touch") == 0) {
		run(&j, tool_number(argv[4]), touch_one);
	} else if (argc == 6 && strcmp(argv[1], "foreign") == 0) {
		run(&j, tool_number(argv[3]), foreign_one);
	} else if (argc == 3 && strcmp(argv[1], "delete") == 0) {
		delete_all(argv[2]);
	} else {
		return usage();
	}
	return 0;
}
