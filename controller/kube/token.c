/*
 * The bearer token: a fixed text, or a file that the kubelet rewrites. Read
 * again when it is older than a minute and after a 401; a file that cannot be
 * read keeps the old token.
 */
#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/thread.h"
#include "kube/config.h"

#define TOKEN_MAX    (16u * 1024)
#define TOKEN_AGE_NS (60 * NS_PER_S)

struct kube_token {
	struct mutex mu;
	char *path; /* NULL: fixed */
	const struct clock *clock;
	struct secret *current; /* guarded by mu */
	uint64_t read_ns;	/* guarded by mu */
	bool stale;		/* guarded by mu */
};

static struct kube_token *
token_new(const struct clock *clock)
{
	struct kube_token *t = xcalloc(1, sizeof(*t));

	mutex_init(&t->mu);
	t->clock = clock != NULL ? clock : &clock_system;
	return t;
}

struct kube_token *
kube_token_file(const char *path, const struct clock *clock)
{
	struct kube_token *t = token_new(clock);

	t->path = xstrdup(path);
	return t;
}

struct kube_token *
kube_token_fixed(const char *text)
{
	struct kube_token *t = token_new(NULL);

	t->current = secret_from(text, strlen(text));
	return t;
}

void
kube_token_free(struct kube_token *t)
{
	if (t == NULL)
		return;
	secret_free(t->current);
	mutex_destroy(&t->mu);
	mem_free_wiped(t->path);
	mem_free_wiped(t);
}

/* Nothing may get into the request header but one word. */
static bool
is_one_word(const char *s)
{
	if (*s == '\0')
		return false;
	for (; *s != '\0'; s++)
		if (*s <= ' ' || *s >= 0x7f)
			return false;
	return true;
}

static struct secret *
read_file(const char *path, struct err *err)
{
	AUTO_STR char *text = file_read_trimmed(path, TOKEN_MAX, err);

	if (text == NULL)
		return NULL;
	if (!is_one_word(text)) {
		err_set(err, ERR_INVALID, "%s does not hold a token", path);
		return NULL;
	}
	return secret_from(text, strlen(text));
}

static bool
is_due_locked(const struct kube_token *t) REQUIRES(t->mu)
{
	if (t->path == NULL)
		return false;
	return t->current == NULL || t->stale ||
	    clock_mono_ns(t->clock) - t->read_ns >= TOKEN_AGE_NS;
}

struct secret *
kube_token_get(struct kube_token *t, struct err *err)
{
	struct secret *fresh = NULL, *old = NULL, *copy = NULL;
	struct err read_err = ERR_INIT;
	bool due;

	mutex_lock(&t->mu);
	due = is_due_locked(t);
	mutex_unlock(&t->mu);
	if (due)
		fresh = read_file(t->path, &read_err);

	mutex_lock(&t->mu);
	if (fresh != NULL) {
		old = t->current;
		t->current = fresh;
		t->read_ns = clock_mono_ns(t->clock);
		t->stale = false;
	}
	if (t->current != NULL)
		copy = secret_from(
		    secret_bytes(t->current), secret_len(t->current));
	mutex_unlock(&t->mu);
	secret_free(old);
	if (copy == NULL)
		*err = read_err;
	return copy;
}

void
kube_token_invalidate(struct kube_token *t)
{
	mutex_lock(&t->mu);
	t->stale = true;
	mutex_unlock(&t->mu);
}
