/*
 * Small helpers of the API server: allocation that aborts, a growing string,
 * times, identifiers and JSON access. It depends on nothing of the product.
 */
#ifndef APISERVER_UTIL_H
#define APISERVER_UTIL_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ARRAY_SIZE(a)	 (sizeof(a) / sizeof((a)[0]))
#define UNUSED		 __attribute__((unused))
#define PRINTFLIKE(f, a) __attribute__((format(printf, f, a)))

#define UUID_SIZE	 37
#define TIME_SIZE	 32

struct sbuf {
	char *data; /* NUL-terminated once anything was added */
	size_t len;
	size_t cap;
};

void sbuf_add(struct sbuf *sb, const void *data, size_t len);
void sbuf_adds(struct sbuf *sb, const char *s);
void sbuf_addf(struct sbuf *sb, const char *fmt, ...) PRINTFLIKE(2, 3);
void sbuf_release(struct sbuf *sb);

void *util_alloc(size_t n); /* zeroed, aborts when out of memory */
void *util_grow(void *p, size_t n);
char *util_strdup(const char *s);
char *util_strndup(const char *s, size_t n);
char *util_format(const char *fmt, ...) PRINTFLIKE(1, 2);

int64_t util_now_ms(void); /* monotonic */
void util_time(char out[TIME_SIZE]);
void util_uuid(char out[UUID_SIZE]);
void util_random_suffix(char out[6]);
bool util_parse_u64(const char *s, uint64_t *ret);
bool util_str_in(const char *s, const char *const *set, size_t n);

/* JSON: the path is given as words that end with NULL; borrowed results. */
json_t *json_at(const json_t *root, ...) __attribute__((sentinel));
const char *json_str(const json_t *root, const char *key); /* NULL if none */
bool json_flag(const json_t *root, const char *key, bool fallback);
int64_t json_num(const json_t *root, const char *key, int64_t fallback);
void json_put(json_t *obj, const char *key, json_t *value); /* steals value */
void json_puts(json_t *obj, const char *key, const char *value);
json_t *json_child(json_t *obj, const char *key); /* made when missing */
json_t *json_parse(const char *data, size_t len, char **why);
char *json_text(const json_t *v);

#endif
