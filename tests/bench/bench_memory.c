/*
 * Looks at the memory of a process.
 *
 *	bench_memory peak PID
 *		until the process ends or SIGTERM: prints the highest RssAnon
 *		seen, in kB
 *	bench_memory find PID TEXT...
 *		prints how many times each text occurs in its memory
 */
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

#include "base/mem.h"
#include "tool.h"

#define EVERY_US 2000
#define PIECE	 ((size_t)1024 * 1024)
#define TEXT_LEN 4096 /* of one search at most */

static volatile sig_atomic_t ended;

static void
on_signal(int sig UNUSED)
{
	ended = 1;
}

/* -1: it has ended. */
static long
anonymous(const char *path)
{
	FILE *f = fopen(path, "re");
	char line[256];
	long kb = -1;

	if (f == NULL)
		return -1;
	while (fgets(line, sizeof(line), f) != NULL)
		if (strncmp(line, "RssAnon:", 8) == 0)
			kb = strtol(line + 8, NULL, 10);
	(void)fclose(f);
	return kb;
}

static int
peak(const char *pid)
{
	AUTO_STR char *path = xasprintf("/proc/%s/status", pid);
	struct sigaction sa = { .sa_handler = on_signal };
	long kb, most = 0;

	(void)sigaction(SIGTERM, &sa, NULL);
	while (!ended && (kb = anonymous(path)) >= 0) {
		if (kb > most)
			most = kb;
		(void)usleep(EVERY_US);
	}
	(void)printf("%ld\n", most);
	return 0;
}

/* Counts text in [at, end) of the memory; pieces overlap by its length. */
static unsigned long
count_in(int fd, uint64_t at, uint64_t end, const char *text, char *piece)
{
	size_t len = strlen(text), n;
	unsigned long found = 0;
	const char *p;

	for (; at + len <= end; at += PIECE) {
		size_t want = PIECE + len - 1;
		ssize_t got;

		if (want > end - at)
			want = end - at;
		got = pread(fd, piece, want, (off_t)at);
		if (got <= 0)
			continue;
		n = (size_t)got;
		for (p = piece; (p = memmem(p, n - (size_t)(p - piece), text,
				     len)) != NULL;
		     p++)
			found++;
	}
	return found;
}

static unsigned long
count(const char *pid, const char *text)
{
	AUTO_STR char *maps = xasprintf("/proc/%s/maps", pid);
	AUTO_STR char *mem = xasprintf("/proc/%s/mem", pid);
	AUTO_STR char *piece = xmalloc(PIECE + TEXT_LEN);
	FILE *f = fopen(maps, "re");
	int fd = open(mem, O_RDONLY | O_CLOEXEC);
	unsigned long found = 0;
	uint64_t from, to;
	char line[1024], mode;

	if (f == NULL || fd < 0 || strlen(text) > TEXT_LEN)
		tool_die("cannot read the memory of %s", pid);
	while (fgets(line, sizeof(line), f) != NULL)
		/* NOLINTNEXTLINE(cert-err34-c): the kernel's own numbers */
		if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %c", &from, &to,
			&mode) == 3 &&
		    mode == 'r' && strstr(line, "[v") == NULL)
			found += count_in(fd, from, to, text, piece);
	(void)fclose(f);
	(void)close(fd);
	return found;
}

int
main(int argc, char *argv[])
{
	if (argc == 3 && strcmp(argv[1], "peak") == 0)
		return peak(argv[2]);
	if (argc < 4 || strcmp(argv[1], "find") != 0) {
		(void)fprintf(stderr,
		    "usage: bench_memory peak PID\n"
		    "       bench_memory find PID TEXT...\n");
		return 2;
	}
	for (int i = 3; i < argc; i++)
		(void)printf("%lu ", count(argv[2], argv[i]));
	(void)printf("\n");
	return 0;
}
