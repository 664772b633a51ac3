/*
 * Measures the processor time that rendering a template of 20 lines takes;
 * tests/bench/run.sh puts it beside the private RSA operation that opens one
 * item.
 *
 *	bench_render SECONDS
 *
 * Prints renderings per second.
 */
#include <stdio.h>

#include "base/mem.h"
#include "tmpl/tmpl.h"
#include "tool.h"

static const char config[] =
    "# {{ .app | upper }}\n"
    "[server]\n"
    "name = {{ .app | quote }}\n"
    "port = {{ .port | default \"8080\" }}\n"
    "url = {{ printf \"https://%s:%s\" .host .port }}\n"
    "{{- if eq .mode \"debug\" }}\n"
    "log = debug\n"
    "{{- else }}\n"
    "log = {{ .mode }}\n"
    "{{- end }}\n"
    "[database]\n"
    "user = {{ .user }}\n"
    "password = {{ .password | b64enc }}\n"
    "dsn = {{ printf \"postgres://%s:%s@%s\" .user .password .host }}\n"
    "[hosts]\n"
    "{{- range $i, $h := splitList \",\" .hosts }}\n"
    "h{{ $i }} = {{ $h | trim }}\n"
    "{{- end }}\n"
    "[extra]\n"
    "json = {{ dict \"a\" .app \"h\" .host | toJson }}\n";

static bool
render(void *ctx UNUSED)
{
#define DATUM(n, v)                                        \
	{                                                  \
		.name = n, .data = v, .len = sizeof(v) - 1 \
	}
	static const struct tmpl_datum data[] = { DATUM("app", "shop"),
		DATUM("port", "8443"), DATUM("host", "db.example"),
		DATUM("mode", "info"), DATUM("user", "app"),
		DATUM("password", "not-a-real-one"),
		DATUM("hosts", "a, b, c, d") };
	static const struct tmpl_source source = {
		.name = "config", .text = config, .len = sizeof(config) - 1
	};
	AUTO(tmpl_result)
	struct tmpl_result *res = tmpl_render(&(struct tmpl_input) {
	    .sources = &source,
	    .nsources = 1,
	    .data = data,
	    .ndata = sizeof(data) / sizeof(data[0]),
	});

	if (res->nerrors == 0)
		return true;
	(void)fprintf(stderr, "bench_render: %s\n", res->outputs[0].error);
	return false;
}

int
main(int argc, char *argv[])
{
	double rate;

	mem_install_hooks();
	if (!tool_rate(
		argc > 1 ? tool_number(argv[1]) : 3, render, NULL, &rate))
		return 1;
	(void)printf("%.1f\n", rate);
	return 0;
}
