/*
 * Programs under test: started with their output in a file, watched, stopped
 * by their process id, and killed at the latest when the test exits.
 */
#ifndef LIB_PROC_H
#define LIB_PROC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/compiler.h"

struct proc;

/*
 * argv ends with NULL; env holds "NAME=value" words beyond the inherited
 * ones and may be NULL. Standard output and error go to one file.
 */
struct proc *
proc_start(const char *name, const char *const argv[], const char *const env[]);
void proc_free(struct proc *p); /* kills what still runs */

pid_t proc_pid(const struct proc *p);
bool proc_running(struct proc *p);
void proc_signal(struct proc *p, int sig);
/* True when it ended in time; *status as from waitpid. */
bool proc_wait(struct proc *p, int64_t limit_ms, int *status);
/* What the kernel says of it under this name ("VmHWM", "Threads"); -1:
 * nothing. */
long proc_status(const struct proc *p, const char *name);
/* SIGTERM, and the exit code; -1: it did not exit by itself in time. */
int proc_stop(struct proc *p, int64_t limit_ms);
void proc_kill(struct proc *p); /* SIGKILL, and waits for the end */

/* Everything it has printed; owned by the caller (free). */
char *proc_output(const struct proc *p);
bool proc_said(const struct proc *p, const char *text);
size_t proc_said_times(const struct proc *p, const char *text);
bool proc_wait_said(struct proc *p, const char *text, int64_t limit_ms);
/* The word that follows `text` in the output, once it is complete (a space
 * or newline follows); owned by the caller, NULL when it did not come. */
char *proc_wait_word(struct proc *p, const char *text, int64_t limit_ms);
/* For the log of a failed test. */
void proc_show(const struct proc *p);

DEFINE_AUTO(proc);

/* A TCP port of 127.0.0.1 that was free a moment ago, another one each time. */
uint16_t proc_free_port(void);

#endif
