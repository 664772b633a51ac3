/*
 * Bytes of a list or a watch answer -> objects, in pieces of any size and
 * bounded memory: only one object is held at a time.
 */
#ifndef KUBE_WATCH_H
#define KUBE_WATCH_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/compiler.h"
#include "base/err.h"

/* Longest watch line and largest list item. */
#define KUBE_ITEM_MAX (8u * 1024 * 1024)

enum watch_type {
	WATCH_ADDED,
	WATCH_MODIFIED,
	WATCH_DELETED,
	WATCH_BOOKMARK,
	WATCH_ERROR,
	WATCH_UNKNOWN,	/* a type we do not know: counted, skipped */
	WATCH_OVERSIZE, /* a line over the limit was skipped */
	WATCH_BAD,	/* a line that is not an event */
};

struct watch_event {
	enum watch_type type;
	json_t *object;	    /* borrowed; NULL for OVERSIZE and BAD */
	const char *detail; /* BAD and UNKNOWN: what was wrong, no content */
};

/* Watch: one JSON object a line. */
struct watch_decoder;
struct watch_decoder *watch_decoder_new(size_t max_line,
    bool (*event)(void *ctx, const struct watch_event *ev), void *ctx);
void watch_decoder_free(struct watch_decoder *d);
/* False where the callback returned false: feed no more. The callback must not
 * free the decoder. A line over max_line is reported once, as soon as it is
 * known to be one, and skipped up to its newline. */
bool watch_decoder_feed(struct watch_decoder *d, const char *p, size_t len);
/* True where the input stopped in the middle of a line. */
bool watch_decoder_partial(const struct watch_decoder *d);
DEFINE_AUTO(watch_decoder);

/* List: items one by one out of {"metadata":..., "items":[...]}. */
struct list_decoder;
struct list_decoder *list_decoder_new(
    size_t max_item, bool (*item)(void *ctx, json_t *item), void *ctx);
void list_decoder_free(struct list_decoder *d);
/* Items over the limit are skipped and counted instead of failing the list. */
void list_decoder_skip_oversize(struct list_decoder *d);
unsigned list_decoder_oversize(const struct list_decoder *d);
/* ERR_INVALID: not a list; ERR_TOOBIG: an item over the limit;
 * ERR_CANCELLED: the callback returned false. An item that is itself not valid
 * JSON is ERR_INVALID for the whole. */
int list_decoder_feed(struct list_decoder *d, const char *p, size_t len,
    struct err *err) MUST_CHECK;
/* After the last byte: 0 where the list was complete. */
int list_decoder_end(struct list_decoder *d, struct err *err) MUST_CHECK;
/* Of the list's metadata; "" where absent. Borrowed; complete after end. At
 * most LIST_TOKEN_MAX bytes (a longer one is ERR_INVALID). */
#define LIST_TOKEN_MAX 2048
const char *list_decoder_resource_version(const struct list_decoder *d);
const char *list_decoder_continue(const struct list_decoder *d);
DEFINE_AUTO(list_decoder);

#endif
