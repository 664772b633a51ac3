/*
 * For tests that are not about the log.
 */
#ifndef TESTS_UNIT_QUIET_H
#define TESTS_UNIT_QUIET_H

#include "base/log.h"

/* Nothing is logged from here on. */
static inline void
quiet_log(void)
{
	const struct log_config none = { .level = LOG_LEVEL_ERROR + 1 };

	log_init(&none);
}

#endif
