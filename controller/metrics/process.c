/*
 * process_* from /proc and getrlimit(2), with the names and help texts of
 * Prometheus' client libraries.
 */
#include "process.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "number.h"

#define STAT_MAX   4096
#define NET_MAX	   (64 * 1024)
#define SYSTEM_MAX (1024 * 1024) /* a line per CPU, one with all interrupts */

enum value {
	CPU,
	MAX_FDS,
	NET_IN,
	NET_OUT,
	OPEN_FDS,
	RESIDENT,
	START,
	VIRTUAL,
	VIRTUAL_MAX,
	VALUE_COUNT
};

/* Sorted by name. */
static const struct {
	const char *name;
	const char *help;
	const char *type;
} table[VALUE_COUNT] = {
	[CPU] = { "process_cpu_seconds_total",
	    "Total user and system CPU time spent in seconds.", "counter" },
	[MAX_FDS] = { "process_max_fds",
	    "Maximum number of open file descriptors.", "gauge" },
	[NET_IN] = { "process_network_receive_bytes_total",
	    "Number of bytes received by the process over the network.",
	    "counter" },
	[NET_OUT] = { "process_network_transmit_bytes_total",
	    "Number of bytes sent by the process over the network.",
	    "counter" },
	[OPEN_FDS] = { "process_open_fds", "Number of open file descriptors.",
	    "gauge" },
	[RESIDENT] = { "process_resident_memory_bytes",
	    "Resident memory size in bytes.", "gauge" },
	[START] = { "process_start_time_seconds",
	    "Start time of the process since unix epoch in seconds.", "gauge" },
	[VIRTUAL] = { "process_virtual_memory_bytes",
	    "Virtual memory size in bytes.", "gauge" },
	[VIRTUAL_MAX] = { "process_virtual_memory_max_bytes",
	    "Maximum amount of virtual memory available in bytes.", "gauge" },
};

struct values {
	double v[VALUE_COUNT];
	bool known[VALUE_COUNT];
};

static void
set(struct values *vs, enum value which, double v)
{
	vs->v[which] = v;
	vs->known[which] = true;
}

/* Text of proc/name, NULL where it cannot be read. */
static char *
read_proc(const char *proc, const char *name, size_t max)
{
	AUTO_STR char *path = xasprintf("%s/%s", proc, name);
	struct err ignored = ERR_INIT;

	return file_read_trimmed(path, max, &ignored);
}

/* Seconds since the epoch at which the system started; 0: unknown. */
static double
boot_time(const char *proc)
{
	AUTO_STR char *text = read_proc(proc, "stat", SYSTEM_MAX);
	const char *line;

	if (text == NULL)
		return 0;
	line = strstr(text, "\nbtime ");
	return line == NULL ? 0 : strtod(line + strlen("\nbtime "), NULL);
}

static void
read_open_fds(const char *proc, struct values *vs)
{
	AUTO_STR char *path = xasprintf("%s/self/fd", proc);
	DIR *dir = opendir(path);
	const struct dirent *e;
	unsigned n = 0;

	if (dir == NULL)
		return;
	while ((e = readdir(dir)) != NULL)
		if (e->d_name[0] != '.')
			n++;
	(void)closedir(dir);
	set(vs, OPEN_FDS, n);
}

/* Word number n of a line, from 0; NULL: the line has fewer. */
static const char *
word(const char *line, size_t n)
{
	while (n-- > 0) {
		line += strcspn(line, " \n");
		if (*line != ' ')
			return NULL;
		line++;
	}
	return line;
}

/* Word number n as a number, 0 where the line has fewer. */
static double
number_at(const char *line, size_t n)
{
	const char *w = word(line, n);

	return w == NULL ? 0 : strtod(w, NULL);
}

/* proc(5), /proc/pid/stat: fields are counted behind the name, which is in
 * brackets and may hold anything. */
static void
read_stat(const char *proc, struct values *vs)
{
	enum { UTIME = 11, STIME = 12, STARTTIME = 19, VSIZE = 20, RSS = 21 };
	AUTO_STR char *text = read_proc(proc, "self/stat", STAT_MAX);
	double ticks = (double)sysconf(_SC_CLK_TCK);
	double page = (double)sysconf(_SC_PAGESIZE);
	double boot = boot_time(proc);
	const char *p = text == NULL ? NULL : strrchr(text, ')');

	if (p == NULL || p[1] != ' ' || word(p + 2, RSS) == NULL)
		return;
	p += 2;
	set(vs, CPU, (number_at(p, UTIME) + number_at(p, STIME)) / ticks);
	set(vs, RESIDENT, number_at(p, RSS) * page);
	set(vs, VIRTUAL, number_at(p, VSIZE));
	if (boot > 0)
		set(vs, START, boot + number_at(p, STARTTIME) / ticks);
}

/* Value of a column of the IpExt table: a line of names, one of values. */
static bool
ip_column(const char *text, const char *name, double *v)
{
	const char *names = strstr(text, "IpExt: ");
	const char *values = names == NULL ? NULL : strchr(names, '\n');
	size_t len = strlen(name);

	if (values == NULL || strncmp(values + 1, "IpExt: ", 7) != 0)
		return false;
	for (size_t i = 0;; i++) {
		const char *w = word(names, i);

		if (w == NULL)
			return false;
		if (strncmp(w, name, len) == 0 &&
		    (w[len] == ' ' || w[len] == '\n')) {
			w = word(values + 1, i);
			*v = w == NULL ? 0 : strtod(w, NULL);
			return w != NULL;
		}
	}
}

static void
read_network(const char *proc, struct values *vs)
{
	AUTO_STR char *text = read_proc(proc, "self/net/netstat", NET_MAX);
	double v;

	if (text == NULL)
		return;
	if (ip_column(text, "InOctets", &v))
		set(vs, NET_IN, v);
	if (ip_column(text, "OutOctets", &v))
		set(vs, NET_OUT, v);
}

static void
read_limits(struct values *vs)
{
	struct rlimit lim;

	if (getrlimit(RLIMIT_NOFILE, &lim) == 0)
		set(vs, MAX_FDS, (double)lim.rlim_cur);
	if (getrlimit(RLIMIT_AS, &lim) == 0)
		set(vs, VIRTUAL_MAX, (double)lim.rlim_cur);
}

int
process_render(const char *proc, struct buf *out, struct err *err)
{
	AUTO_RELEASE(buf) struct buf text = BUF_INIT(64 * 1024);
	char number[NUMBER_TEXT_MAX];
	struct values vs = { .known = { false } };

	read_stat(proc, &vs);
	read_open_fds(proc, &vs);
	read_network(proc, &vs);
	read_limits(&vs);
	for (enum value i = 0; i < VALUE_COUNT; i++) {
		if (!vs.known[i])
			continue;
		number_format(vs.v[i], number);
		buf_printf(&text, "# HELP %s %s\n# TYPE %s %s\n%s %s\n",
		    table[i].name, table[i].help, table[i].name, table[i].type,
		    table[i].name, number);
	}
	return buf_append(out, buf_str(&text), text.len, err);
}
