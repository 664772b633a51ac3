/*
 * Time that so many private RSA-4096 OAEP operations take on so many threads,
 * with nothing around them.
 *
 *	bench_rsa COUNT THREADS
 *
 * Prints milliseconds, and processor seconds.
 */
#include <stdio.h>

#include "base/mem.h"
#include "rsa.h"
#include "tool.h"

static void *
begin(void *shared)
{
	return rsa_opener_new(shared);
}

static void
work(void *shared UNUSED, void *state, unsigned long i UNUSED)
{
	rsa_open(state);
}

static void
end(void *state)
{
	rsa_opener_free(state);
}

int
main(int argc, char *argv[])
{
	struct tool_crew crew = { .begin = begin, .work = work, .end = end };
	double start, cpu;

	mem_install_hooks();
	if (argc != 3) {
		(void)fprintf(stderr, "usage: bench_rsa COUNT THREADS\n");
		return 2;
	}
	crew.n = tool_number(argv[1]);
	crew.threads = (unsigned)tool_number(argv[2]);
	crew.shared = rsa_work_new();
	start = tool_now();
	cpu = tool_cpu();
	tool_share(&crew);
	(void)printf(
	    "%.0f %.2f\n", (tool_now() - start) * 1000, tool_cpu() - cpu);
	return 0;
}
