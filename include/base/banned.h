/*
 * Functions nobody may call: unbounded, locale- or state-bound. Included into
 * every file by the compiler command line.
 */
#ifndef BASE_BANNED_H
#define BASE_BANNED_H

/* Headers first, so that their own declarations are not poisoned. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Fortified C libraries make macros of some of them. */
#undef strcpy
#undef strcat
#undef strncpy
#undef strncat
#undef sprintf
#undef vsprintf

#pragma GCC poison strcpy strcat strncpy strncat sprintf vsprintf strtok gets
#pragma GCC poison gmtime localtime ctime asctime atoi atol atof
#pragma GCC poison system popen tmpnam mktemp

#endif
