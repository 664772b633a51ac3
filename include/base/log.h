/*
 * Log lines as the reference controller writes them (Go's slog): text
 * (time=... level=INFO msg="..." key=value) or JSON, one write(2) per line.
 * INFO and below go to stdout (or stderr, as configured), above to stderr.
 * Only edges log: worker, HTTP handler, rotator, reflector handler, main.
 *
 *	log_info("Updating", "key", key);
 *
 * takes a message, then pairs of key and value, all strings. A NULL value is
 * printed as an empty text. A line is cut at 16 KiB, with "..." where it was
 * cut. Thread-safe. Never pass a secret.
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <stdbool.h>
#include <stddef.h>

#include "base/compiler.h"

struct clock;

enum log_level {
	LOG_LEVEL_DEBUG = -4,
	LOG_LEVEL_INFO = 0,
	LOG_LEVEL_WARN = 4,
	LOG_LEVEL_ERROR = 8,
};

struct log_config {
	bool json;
	bool info_stdout;	   /* false: everything to stderr */
	int level;		   /* records below are dropped */
	const struct clock *clock; /* NULL: the system's */
	int fd_low, fd_high;	   /* 0: stdout and stderr */
};

/* Before threads start. Without it: text, INFO, stdout/stderr. */
void log_init(const struct log_config *cfg);
/* "INFO", "warn+2", "Debug-1" -> level; anything else: INFO, returns -1. */
int log_parse_level(const char *s, int *level);
bool log_enabled(int level);
void log_write(int level, const char *msg, ...) SENTINEL;

#define log_debug(...) log_write(LOG_LEVEL_DEBUG, __VA_ARGS__, (char *)NULL)
#define log_info(...)  log_write(LOG_LEVEL_INFO, __VA_ARGS__, (char *)NULL)
#define log_warn(...)  log_write(LOG_LEVEL_WARN, __VA_ARGS__, (char *)NULL)
#define log_error(...) log_write(LOG_LEVEL_ERROR, __VA_ARGS__, (char *)NULL)

#endif
