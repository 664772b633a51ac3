/*
 * Text forms of times and durations: RFC 3339, RFC 1123 with a numeric zone,
 * Go's durations. No locale, no process time zone.
 */
#ifndef BASE_TIMEFMT_H
#define BASE_TIMEFMT_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define TIMEFMT_MAX 40

/* "2026-04-22T11:28:08Z", second precision. */
void timefmt_rfc3339(int64_t unix_s, char out[static TIMEFMT_MAX]);
/* "2026-04-22T11:28:08.123Z" and with six digits (MicroTime). */
void timefmt_rfc3339_ms(int64_t wall_ns, char out[static TIMEFMT_MAX]);
void timefmt_rfc3339_us(int64_t wall_ns, char out[static TIMEFMT_MAX]);
/* Any RFC 3339 time with optional fraction and zone -> seconds. */
int timefmt_parse_rfc3339(
    const char *s, int64_t *unix_s, struct err *err) MUST_CHECK;
/* The same for a member that may be missing; other where it is (NULL) or is no
 * such time. */
int64_t timefmt_rfc3339_or(const char *s, int64_t other);
/* "Mon, 02 Jan 2006 15:04:05 -0700": two-digit day; the weekday is parsed but
 * not compared with the date, as Go does. */
int timefmt_parse_rfc1123z(
    const char *s, int64_t *unix_s, struct err *err) MUST_CHECK;
/* Go's time.ParseDuration: "720h30m", "1.5h", "300ms", "-1s", "0". Text of
 * errors: time: invalid duration "x" and its variants. */
int
timefmt_parse_duration(const char *s, int64_t *ns, struct err *err) MUST_CHECK;
/* Go's Duration.String(): "720h0m0s", "1.5s", "0s". */
void timefmt_duration(int64_t ns, char out[static TIMEFMT_MAX]);

#endif
