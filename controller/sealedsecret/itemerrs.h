/*
 * Failures of single items, gathered into one text: equal reasons share a line
 * that names their items.
 */
#ifndef CONTROLLER_SEALEDSECRET_ITEMERRS_H
#define CONTROLLER_SEALEDSECRET_ITEMERRS_H

#include <stddef.h>

#include "base/compiler.h"
#include "base/err.h"

/* Room for names in one line, and for all lines together; items that do not
 * fit are counted. */
#define ITEMERRS_NAMES_ROOM 700
#define ITEMERRS_ROOM	    920

struct itemerr {
	char *name;   /* escaped */
	char *reason; /* sorts and groups */
	char *detail; /* behind the names; "" where none */
	enum err_code code;
};

struct itemerrs {
	struct itemerr *v;
	size_t n, cap;
};

#define ITEMERRS_INIT \
	{             \
		0     \
	}

void itemerrs_release(struct itemerrs *e);
/* Copies all. detail may be NULL. */
void itemerrs_add(struct itemerrs *e, const char *name, size_t name_len,
    enum err_code code, const char *reason, const char *detail);
/*
 * 0 where nothing was added. Otherwise -1 and a text of lines
 * "reason (a, b): detail", sorted, perhaps with a last one "and N more items";
 * ERR_NOKEY if any of them is, else the code of the first.
 */
int itemerrs_result(struct itemerrs *e, struct err *err) MUST_CHECK;

DEFINE_AUTO_RELEASE(itemerrs);

#endif
