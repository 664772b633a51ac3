/*
 * Does a Secret still look as its SealedSecret has it? Judged from two index
 * records, hence from metadata alone: whose it is, which items, labels and
 * annotations we were the last to write, and whether anybody else wrote to
 * its data. Pure.
 */
#ifndef CONTROLLER_SEALEDSECRET_SHAPE_H
#define CONTROLLER_SEALEDSECRET_SHAPE_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "cache/index.h"

/* index_record.state of a SealedSecret. */
enum sealed_state {
	/* The status says that this generation and scope were applied. */
	SEALED_SETTLED = 1,
	/* The same of a status that somebody else wrote, or an older version
	 * of us: the scope is not in it. */
	SEALED_EXTEND = 2,
	SEALED_SKIP_OWNER = 4,
	SEALED_WANT_MANAGED = 8, /* the template says so */
	SEALED_WANT_PATCH = 16,
	SEALED_IGNORE_DRIFT = 32, /* annotated */
	SEALED_SHAPELESS = 64,	  /* cannot be told from metadata */
};

/* index_record.flags of a Secret. */
enum secret_flags {
	SECRET_MANAGED = 1,
	SECRET_PATCH = 2,
	SECRET_OWNED = 4, /* by a SealedSecret of its own name */
	SECRET_FOREIGN_DATA = 8,
	SECRET_ONE_REF = 16, /* exactly one owner reference */
	SECRET_NO_REF = 32,
};
/* What gives the right to write. */
#define SECRET_RIGHTS (SECRET_MANAGED | SECRET_PATCH | SECRET_OWNED)

/* Fills shape and state. */
void shape_of_sealed(const json_t *obj, struct index_record *rec);
/* Fills shape, flags and owner_uid. */
void shape_of_secret(const json_t *obj, struct index_record *rec);
/* The Secret is as we wrote it for this SealedSecret. */
bool shape_fits(
    const struct index_record *sealed, const struct index_record *secret);
/* Of that, whose it is. */
bool shape_owner_fits(
    const struct index_record *sealed, const struct index_record *secret);
/* Everything of a record of a Secret that shape_fits() looks at, as one
 * number other than 0. */
uint64_t shape_print(const struct index_record *secret);

#endif
