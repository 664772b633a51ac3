/* The former name of strconv.h. */
#include "strconv.h"
#define number_parse_int strconv_parse_int
#define number_parse_uint strconv_parse_uint
#define number_parse_float strconv_parse_float
#define number_format_float strconv_format_float
#define number_shortest strconv_shortest
#define number_result strconv_result
#define NUMBER_OK STRCONV_OK
#define NUMBER_SYNTAX STRCONV_SYNTAX
#define NUMBER_RANGE STRCONV_RANGE
