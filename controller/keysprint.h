/*
 * What "controller keys" shows of the answers of the admin port: tables for
 * people. Texts of the server are shown in printable ASCII alone, so that they
 * cannot steer a terminal.
 */
#ifndef CONTROLLER_KEYSPRINT_H
#define CONTROLLER_KEYSPRINT_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

/* Every byte that is not printable ASCII becomes "?". */
void keysprint_clean(char *text);
/* The answer of GET /v1/keys. */
void keysprint_list(const json_t *answer, bool colour, FILE *out);
/* The answer of POST /v1/keys/restore. */
void keysprint_restore(const json_t *answer, bool colour, FILE *out);
/* What is not printable ASCII becomes "?". */
void keysprint_clean(char *text);
/* Indented, with a final newline. */
void keysprint_json(const json_t *v, FILE *out);

#endif
