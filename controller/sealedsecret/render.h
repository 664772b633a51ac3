/*
 * spec.template.data: templates over the items that were opened.
 */
#ifndef CONTROLLER_SEALEDSECRET_RENDER_H
#define CONTROLLER_SEALEDSECRET_RENDER_H

#include <jansson.h>

#include "base/compiler.h"
#include "base/err.h"
#include "itemerrs.h"

/*
 * Renders each text of templates (NULL: none) and stores what comes out in
 * data, base64 as a Secret has it. Templates see the items that data holds and
 * the raw texts of templates whose name is not in sealed. A name that is in
 * both keeps its decrypted value, though its template is run; a null removes
 * the name. Failures of single templates go to errs; -1 only where there are
 * too many of them.
 */
int render_templates(const json_t *templates, const json_t *sealed,
    json_t *data, struct itemerrs *errs, struct err *err) MUST_CHECK;

#endif
