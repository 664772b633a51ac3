/*
 * The program's version: a release, or the commit it was built from.
 */
#ifndef CONTROLLER_VERSION_H
#define CONTROLLER_VERSION_H

extern const char version_text[]; /* "v0.1.0", 40 hex digits, "+dirty" */

#endif
