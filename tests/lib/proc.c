/*
 * Child processes of tests.
 */
#include "proc.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"
#include "tempdir.h"
#include "wait.h"

#define MAX_OUTPUT  (64 * 1024 * 1024)
#define PORT_FIRST  20000
#define PORT_COUNT  12000
#define PORT_STRIDE 61
#define SHOW_MAX    8000

struct proc {
	pid_t pid;
	bool ended;
	int status;
	char *name;
	char *log;
	struct proc *next;
};

extern char **environ;

static struct proc *all;
static pid_t owner;

static void
kill_all(void)
{
	if (getpid() != owner)
		return;
	for (struct proc *p = all; p != NULL; p = p->next) {
		if (!p->ended)
			kill(p->pid, SIGKILL);
	}
}

static void
enlist(struct proc *p)
{
	if (owner == 0) {
		owner = getpid();
		/* Before the handler below, so that it runs after it. */
		(void)tempdir();
		atexit(kill_all);
	}
	p->next = all;
	all = p;
}

static void
delist(struct proc *p)
{
	struct proc **at = &all;

	while (*at != NULL && *at != p)
		at = &(*at)->next;
	if (*at != NULL)
		*at = p->next;
}

static bool
overridden(const char *entry, const char *const env[])
{
	size_t n = strcspn(entry, "=") + 1;

	for (size_t i = 0; env != NULL && env[i] != NULL; i++) {
		if (strncmp(entry, env[i], n) == 0)
			return true;
	}
	return false;
}

static char **
build_env(const char *const env[])
{
	size_t n = 0, k = 0, out = 0;
	char **list;

	while (environ[n] != NULL)
		n++;
	while (env != NULL && env[k] != NULL)
		k++;
	list = xcalloc(n + k + 1, sizeof(char *));
	for (size_t i = 0; i < n; i++) {
		if (!overridden(environ[i], env))
			list[out++] = environ[i];
	}
	for (size_t i = 0; i < k; i++)
		list[out++] = (char *)(uintptr_t)env[i];
	return list;
}

static void NORETURN
become(const char *const argv[], char **env, const char *log)
{
	int fd = open(log, O_CREAT | O_WRONLY | O_APPEND, 0600);
	int null = open("/dev/null", O_RDONLY);
	sigset_t none;

	/* Whatever happens to the test, the child goes with it. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	if (fd < 0 || null < 0)
		_exit(126);
	dup2(null, 0);
	dup2(fd, 1);
	dup2(fd, 2);
	execve(argv[0], (char **)(uintptr_t)argv, env);
	_exit(127);
}

struct proc *
proc_start(const char *name, const char *const argv[], const char *const env[])
{
	static unsigned serial;
	struct proc *p = xcalloc(1, sizeof(*p));
	char **list = build_env(env);

	p->name = xstrdup(name);
	p->log = tempdir_path("%s.%u.log", name, ++serial);
	p->pid = fork();
	if (p->pid == 0)
		become(argv, list, p->log);
	free(list);
	if (p->pid < 0) {
		fprintf(stderr, "fork: %s\n", strerror(errno));
		abort();
	}
	enlist(p);
	return p;
}

pid_t
proc_pid(const struct proc *p)
{
	return p->pid;
}

bool
proc_running(struct proc *p)
{
	if (p->ended)
		return false;
	if (waitpid(p->pid, &p->status, WNOHANG) == p->pid)
		p->ended = true;
	return !p->ended;
}

long
proc_status(const struct proc *p, const char *name)
{
	AUTO_STR char *path = xasprintf("/proc/%d/status", (int)p->pid);
	size_t len = strlen(name);
	FILE *f = fopen(path, "re");
	char line[256];
	long n = -1;

	if (f == NULL)
		return -1;
	while (fgets(line, sizeof(line), f) != NULL)
		if (strncmp(line, name, len) == 0 && line[len] == ':')
			n = strtol(line + len + 1, NULL, 10);
	(void)fclose(f);
	return n;
}

static bool
has_ended(void *ctx)
{
	return !proc_running(ctx);
}

void
proc_signal(struct proc *p, int sig)
{
	if (proc_running(p))
		kill(p->pid, sig);
}

bool
proc_wait(struct proc *p, int64_t limit_ms, int *status)
{
	if (!wait_until(has_ended, p, limit_ms))
		return false;
	*status = p->status;
	return true;
}

int
proc_stop(struct proc *p, int64_t limit_ms)
{
	int status;

	proc_signal(p, SIGTERM);
	if (!proc_wait(p, limit_ms, &status) || !WIFEXITED(status))
		return -1;
	return WEXITSTATUS(status);
}

void
proc_kill(struct proc *p)
{
	if (!proc_running(p))
		return;
	kill(p->pid, SIGKILL);
	/* Also wakes a stopped one. */
	kill(p->pid, SIGCONT);
	if (waitpid(p->pid, &p->status, 0) == p->pid)
		p->ended = true;
}

void
proc_free(struct proc *p)
{
	if (p == NULL)
		return;
	proc_kill(p);
	delist(p);
	free(p->name);
	free(p->log);
	free(p);
}

char *
proc_output(const struct proc *p)
{
	FILE *f = fopen(p->log, "r");
	size_t cap = 65536, len = 0;
	char *text = xmalloc(cap);

	while (f != NULL && len < MAX_OUTPUT) {
		size_t n = fread(text + len, 1, cap - len - 1, f);

		if (n == 0)
			break;
		len += n;
		if (cap - len < 4096) {
			cap *= 2;
			text = xreallocarray(text, cap, 1);
		}
	}
	if (f != NULL)
		fclose(f);
	text[len] = '\0';
	return text;
}

size_t
proc_said_times(const struct proc *p, const char *text)
{
	char *out = proc_output(p);
	size_t n = 0;

	for (char *at = out; (at = strstr(at, text)) != NULL; at++)
		n++;
	free(out);
	return n;
}

bool
proc_said(const struct proc *p, const char *text)
{
	return proc_said_times(p, text) > 0;
}

struct said {
	struct proc *p;
	const char *text;
	char *word;
};

static bool
said_or_ended(void *ctx)
{
	const struct said *s = ctx;

	return proc_said(s->p, s->text) || !proc_running(s->p);
}

bool
proc_wait_said(struct proc *p, const char *text, int64_t limit_ms)
{
	struct said s = { .p = p, .text = text };

	wait_until(said_or_ended, &s, limit_ms);
	return proc_said(p, text);
}

static bool
word_there(void *ctx)
{
	struct said *s = ctx;
	char *out = proc_output(s->p);
	const char *at = strstr(out, s->text);

	if (at != NULL) {
		size_t n;

		at += strlen(s->text);
		n = strcspn(at, " \n");
		if (at[n] != '\0')
			s->word = xstrndup(at, n);
	}
	free(out);
	return s->word != NULL || !proc_running(s->p);
}

char *
proc_wait_word(struct proc *p, const char *text, int64_t limit_ms)
{
	struct said s = { .p = p, .text = text };

	wait_until(word_there, &s, limit_ms);
	return s.word;
}

void
proc_show(const struct proc *p)
{
	char *out = proc_output(p);
	size_t n = strlen(out);

	fprintf(stderr, "--- output of %s (pid %d)%s\n%s---\n", p->name,
	    (int)p->pid, n > SHOW_MAX ? ", its end" : "",
	    n > SHOW_MAX ? out + n - SHOW_MAX : out);
	free(out);
}

static bool
port_is_free(uint16_t port)
{
	struct sockaddr_in sin = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
		.sin_port = htons(port),
	};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool fine;

	fine = fd >= 0 && bind(fd, (struct sockaddr *)&sin, sizeof(sin)) == 0;
	if (fd >= 0)
		close(fd);
	return fine;
}

/*
 * Below the range from which the kernel takes ports for connections, so that
 * the port stays free while its server is away. The process id keeps programs
 * that run at the same time apart.
 */
uint16_t
proc_free_port(void)
{
	static unsigned tries;

	for (unsigned i = 0; i < PORT_COUNT; i++) {
		unsigned at = (unsigned)getpid() * PORT_STRIDE + tries++;
		uint16_t port = (uint16_t)(PORT_FIRST + at % PORT_COUNT);

		if (port_is_free(port))
			return port;
	}
	fputs("no free port\n", stderr);
	abort();
}
