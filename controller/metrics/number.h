/*
 * Numbers of the text exposition.
 */
#ifndef METRICS_NUMBER_H
#define METRICS_NUMBER_H

#define NUMBER_TEXT_MAX 40

/* As Go's strconv.FormatFloat(v, 'g', -1, 64): the shortest text that reads
 * back as the same number; "NaN", "+Inf", "-Inf". */
void number_format(double v, char out[static NUMBER_TEXT_MAX]);

#endif
