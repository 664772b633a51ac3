/*
 * Go's package unicode: classes and simple case mappings.
 */
#ifndef TMPL_UNICODE_H
#define TMPL_UNICODE_H

#include <stdbool.h>
#include <stdint.h>

bool unicode_is_letter(uint32_t r);
bool unicode_is_digit(uint32_t r);  /* Nd */
bool unicode_is_number(uint32_t r); /* N */
bool unicode_is_upper(uint32_t r);
bool unicode_is_lower(uint32_t r);
bool unicode_is_title(uint32_t r);
bool unicode_is_space(uint32_t r);
bool unicode_is_punct(uint32_t r); /* P */
bool unicode_is_print(uint32_t r); /* IsPrint: L M N P S and the space */
uint32_t unicode_to_upper(uint32_t r);
uint32_t unicode_to_lower(uint32_t r);
uint32_t unicode_to_title(uint32_t r);

#endif
