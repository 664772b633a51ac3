/*
 * Shortest decimal text of a floating-point number, in Go's 'g' form.
 */
#include "number.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DIGITS_MAX 17 /* always enough for a double */
/* Go's choice between the two forms, for the shortest text. */
#define EXP_LEAST (-4)
#define EXP_MOST  5

/* The fewest digits that read back as v, in "d.ddde+xx" form. */
static int
shortest(double v, char out[static NUMBER_TEXT_MAX])
{
	int digits = 0;

	do
		(void)snprintf(out, NUMBER_TEXT_MAX, "%.*e", digits++, v);
	while (digits < DIGITS_MAX && strtod(out, NULL) != v);
	return digits;
}

void
number_format(double v, char out[static NUMBER_TEXT_MAX])
{
	int digits;
	long exp;

	if (isnan(v) || isinf(v)) {
		(void)snprintf(out, NUMBER_TEXT_MAX, "%s",
		    isnan(v)	? "NaN"
			: v > 0 ? "+Inf"
				: "-Inf");
		return;
	}
	digits = shortest(v, out);
	exp = strtol(strchr(out, 'e') + 1, NULL, 10);
	if (exp < EXP_LEAST || exp > EXP_MOST)
		return;
	digits -= (int)exp + 1;
	(void)snprintf(
	    out, NUMBER_TEXT_MAX, "%.*f", digits > 0 ? digits : 0, v);
}
