/*
 * Between print.c, which prints a value by a verb, print_number.c, which knows
 * the verbs of numbers, and print_format.c, which reads the verbs out of a
 * format.
 */
#ifndef TMPL_PRINTER_H
#define TMPL_PRINTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "text.h"
#include "value.h"

struct flags {
	bool minus, plus, sharp, space, zero;
	bool plus_v, sharp_v;
	bool has_width, has_prec;
	size_t width, prec;
};

struct printer {
	struct text *out;
	struct flags f;
	bool erroring; /* inside %!verb(...): String() is not used */
};

/* The digits of every base up to 16, and the x of its prefix. */
extern const char printer_lower[], printer_upper[];

/* An operand by its verb, as the flags say. */
void printer_arg(struct printer *p, const struct value *v, uint32_t verb);
void printer_integer(struct printer *p, const struct value *v, uint32_t verb);
void printer_float(struct printer *p, const struct value *v, uint32_t verb);
/* s within the width, which counts characters. */
void printer_pad(struct printer *p, const char *s, size_t len);
/* n spaces, or zeros where the flags say so. */
void printer_padding(struct printer *p, size_t n);
/* What Go prints for a verb that the operand does not have. */
void printer_bad_verb(struct printer *p, uint32_t verb, const struct value *v);

#endif
