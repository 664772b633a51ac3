/*
 * The version text; the only file that is compiled with BUILD_VERSION.
 */
#include "version.h"

#ifndef BUILD_VERSION
#define BUILD_VERSION "UNKNOWN"
#endif

const char version_text[] = BUILD_VERSION;
