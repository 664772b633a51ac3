/*
 * Durations and times: what is accepted prints to a text that reads back as
 * the same value, and printing that again changes nothing.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/timefmt.h"
#include "fuzz.h"

static void
check_duration(const char *s)
{
	char text[TIMEFMT_MAX], again[TIMEFMT_MAX];
	struct err err = ERR_INIT;
	int64_t ns, back;

	if (timefmt_parse_duration(s, &ns, &err) < 0) {
		check(strncmp(err.msg, "time: ", 6) == 0);
		return;
	}
	timefmt_duration(ns, text);
	check(timefmt_parse_duration(text, &back, &err) == 0);
	check(back == ns);
	timefmt_duration(back, again);
	check(strcmp(text, again) == 0);
}

static void
check_time(int64_t unix_s)
{
	char text[TIMEFMT_MAX];
	struct err err = ERR_INIT;
	int64_t back;

	timefmt_rfc3339(unix_s, text);
	/* A zone may carry the last hours of 9999 and the first of 0 out of
	 * the range of four digits. */
	if (strlen(text) != strlen("2006-01-02T15:04:05Z") || text[0] == '-')
		return;
	check(timefmt_parse_rfc3339(text, &back, &err) == 0);
	check(back == unix_s);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO_STR char *s = xstrndup((const char *)data, size);
	struct err err = ERR_INIT;
	int64_t unix_s;

	check_duration(s);
	if (timefmt_parse_rfc3339(s, &unix_s, &err) == 0)
		check_time(unix_s);
	if (timefmt_parse_rfc1123z(s, &unix_s, &err) == 0)
		check_time(unix_s);
	return 0;
}
