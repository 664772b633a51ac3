/*
 * "controller keys": the client of the admin port, in the same binary, for
 * people and CronJobs.
 */
#ifndef CONTROLLER_KEYSCLIENT_H
#define CONTROLLER_KEYSCLIENT_H

#include <stdio.h>

#include "base/clock.h"

struct keysclient_io {
	int in;
	FILE *out, *errors;
	const struct clock *clock;
};

/*
 * argv[0] is "keys". Exit status: 0 done, 1 failed, 2 usage; a failure has one
 * line on errors. Colours and keys depend on whether out is a terminal: the
 * former are shown only there, the latter never.
 */
int
keysclient_main(int argc, char *const argv[], const struct keysclient_io *io);

#endif
