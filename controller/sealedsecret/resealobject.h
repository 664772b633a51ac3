/*
 * The object that a rotation gives back, around items sealed again. Pure.
 */
#ifndef CONTROLLER_SEALEDSECRET_RESEALOBJECT_H
#define CONTROLLER_SEALEDSECRET_RESEALOBJECT_H

#include <jansson.h>

#include "base/compiler.h"
#include "base/err.h"

/*
 * obj with these items instead of its own; see reseal_rotate() for what is
 * left out. inner: the Secret of the old form, its metadata and type make the
 * template then; NULL otherwise. Borrows all; ret is owned by the caller.
 * ERR_INVALID where a part of obj is not of its type.
 */
int resealobject_build(const json_t *obj, const json_t *inner, json_t *items,
    json_t **ret, struct err *err) MUST_CHECK;

#endif
