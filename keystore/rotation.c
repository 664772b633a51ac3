/*
 * When the next sealing key is due, and the step that makes it. One occasion
 * gives one key, whoever else acts at the same time and whichever answer gets
 * lost, because the name of the key follows from the occasion.
 */
#include "keystore/rotation.h"

#include <assert.h>

#include "base/codec.h"
#include "base/digest.h"
#include "base/mem.h"

#define SUFFIX_LEN 5
/*
 * Keys made within one second would be equally new. A key is dated after the
 * newest one where that is no further ahead than this; a newest key from the
 * far future is left alone.
 */
#define DATE_AHEAD_MAX_S 60

/* Due. */

/* Seconds, saturating, to nanoseconds after now. */
static int64_t
ns_until(int64_t at_s, int64_t now_ns)
{
	int64_t at_ns, ns;

	if (__builtin_mul_overflow(at_s, (int64_t)NS_PER_S, &at_ns) ||
	    __builtin_sub_overflow(at_ns, now_ns, &ns))
		return at_s < 0 ? 0 : INT64_MAX;
	return ns > 0 ? ns : 0;
}

int64_t
rotation_due_s(
    const struct rotation_config *cfg, const struct registry_current *current)
{
	int64_t due_s = INT64_MAX, at_s;
	int64_t made_s;

	if (current == NULL)
		return 0;
	/* Either date shows that the key was made after the cutoff. */
	made_s = current->order_s > current->not_before ? current->order_s
							: current->not_before;
	if (cfg->cutoff_s != 0 && made_s < cfg->cutoff_s)
		due_s = cfg->cutoff_s;
	if (cfg->period_s > 0) {
		if (__builtin_add_overflow(
			current->order_s, cfg->period_s, &at_s))
			at_s = INT64_MAX;
		due_s = at_s < due_s ? at_s : due_s;
	}
	return due_s;
}

int64_t
rotation_due_in_ns(const struct rotation_config *cfg,
    const struct registry_current *current, int64_t now_ns)
{
	return ns_until(rotation_due_s(cfg, current), now_ns);
}

/* Names. */

void
rotation_name(
    const char *prefix, const char *seed, char out[static ROTATION_NAME_MAX])
{
	static const char alphabet[] = "bcdfghjklmnpqrstvwxz2456789";
	const size_t n = sizeof(alphabet) - 1;
	unsigned char md[DIGEST_SHA256_LEN];
	char suffix[SUFFIX_LEN + 1] = { 0 };
	uint64_t bits = 0;

	digest_sha256(seed, strlen(seed), md);
	for (size_t i = 0; i < sizeof(bits); i++)
		bits = bits << 8 | md[i];
	for (size_t i = 0; i < SUFFIX_LEN; i++, bits /= n)
		suffix[i] = alphabet[bits % n];
	(void)snprintf(out, ROTATION_NAME_MAX, "%.*s%s", ROTATION_PREFIX_MAX,
	    prefix, suffix);
}

/* The occasion goes on to its next name. */
static void
mix(struct rotation_occasion *o, const char *what)
{
	AUTO_STR char *text = xasprintf("%s/%s", o->seed, what);
	unsigned char md[DIGEST_SHA256_LEN];

	digest_sha256(text, strlen(text), md);
	hex_encode(md, sizeof(md), o->seed);
}

/* One occasion. */

void
rotation_begin(struct rotation_occasion *o, const struct rotation_config *cfg,
    struct registry *r)
{
	struct registry_current current;
	char name[ROTATION_NAME_MAX];

	if (o->open)
		return;
	o->anonymous = !registry_current(r, &current);
	if (o->anonymous)
		(void)snprintf(
		    o->seed, sizeof(o->seed), "namespace %s", cfg->ns);
	else
		(void)snprintf(
		    o->seed, sizeof(o->seed), "key %s", current.fingerprint);
	/*
	 * A key that is known already belongs to an earlier occasion: with
	 * equal dates, or with a newest key dated into the future, the newest
	 * key stays the same when a new one is made.
	 */
	for (size_t i = 0; i < REGISTRY_KEYS_MAX; i++) {
		rotation_name(cfg->prefix, o->seed, name);
		if (!registry_knows(r, name))
			break;
		mix(o, name);
	}
	o->open = true;
}

static int64_t
date_for(struct registry *r, const struct clock *clock)
{
	int64_t now_s = clock_wall_s(clock);
	struct registry_current current;

	if (registry_current(r, &current) && current.order_s >= now_s &&
	    current.order_s < now_s + DATE_AHEAD_MAX_S)
		return current.order_s + 1;
	return now_s;
}

/* Of a new key. Pending or not, where there is no other it serves at once. */
static struct registry_attrs
attrs_for(const struct rotation_config *cfg, struct registry *r,
    const struct clock *clock)
{
	struct registry_attrs attrs = { .order_s = date_for(r, clock) };

	if (cfg->activation_delay_s > 0)
		attrs.active_from_s = attrs.order_s + cfg->activation_delay_s;
	return attrs;
}

static int
make_key(const struct rotation_config *cfg, int64_t now_s, struct stop *stop,
    struct keypair **ret, struct err *err)
{
	const struct keypair_params params = {
		.bits = cfg->bits,
		.ttl_s = cfg->ttl_s,
		.now_s = now_s,
		.cn = cfg->cn,
		.stop = stop,
	};

	if (keypair_generate(&params, ret, err) < 0)
		return -1;
	if (stop != NULL && stop_requested(stop))
		return err_set(err, ERR_CANCELLED, "generate key: stopped");
	return 0;
}

enum found { FOUND_USABLE, FOUND_OTHER, FOUND_NONE, FOUND_ERROR };

/*
 * What stands under the name. A usable key is this occasion's own, made by an
 * earlier attempt or a rival, and enters the registry.
 */
static enum found
look(const struct keystore_backend *backend, struct registry *r,
    const char *name, struct rotation_occasion *o, struct err *err)
{
	AUTO(keypair) struct keypair *kp = NULL;
	struct rotation_occupant occ = { 0 };
	struct registry_attrs attrs = { 0 };

	if (backend->occupant(backend->ctx, name, &occ, err) < 0) {
		if (err->code == ERR_NOTFOUND)
			return FOUND_NONE;
		err_wrap(err, "read key secret %s", name);
		return FOUND_ERROR;
	}
	kp = occ.kp;
	if (!occ.usable || kp == NULL) {
		mix(o, occ.uid);
		return FOUND_OTHER;
	}
	attrs.order_s = occ.order_s;
	attrs.active_from_s = occ.active_from_s;
	if (registry_put(r, name, kp, &attrs, err) < 0) {
		err_wrap(err, "key secret %s", name);
		return FOUND_ERROR;
	}
	return FOUND_USABLE;
}

/* Once for each occasion that begins without a key. */
static int
identify(struct rotation_occasion *o, const struct keystore_backend *backend,
    struct err *err)
{
	char identity[ROTATION_IDENTITY_MAX] = "";

	if (!o->anonymous)
		return 0;
	if (backend->identity != NULL &&
	    backend->identity(backend->ctx, identity, err) < 0)
		return -1;
	if (identity[0] != '\0')
		mix(o, identity);
	o->anonymous = false;
	return 0;
}

static int
done(struct rotation_occasion *o, bool *ret, bool created, struct err *err)
{
	o->open = false;
	*ret = created;
	err_clear(err);
	return 0;
}

/* Nine parameters, each of them somebody else's: a struct would only be filled
 * by the one caller and emptied here. */
int
/* NOLINTNEXTLINE(readability-function-size) */
rotation_step(struct rotation_occasion *o, const struct rotation_config *cfg,
    const struct clock *clock, const struct keystore_backend *backend,
    struct registry *r, struct stop *stop, char name[static ROTATION_NAME_MAX],
    bool *created, struct err *err)
{
	AUTO(keypair) struct keypair *kp = NULL;
	struct registry_attrs attrs = { 0 };
	enum found found;

	assert(o->open);
	if (identify(o, backend, err) < 0)
		return -1;
	for (unsigned i = 0; i < ROTATION_TRIES_MAX; i++) {
		rotation_name(cfg->prefix, o->seed, name);
		found = look(backend, r, name, o, err);
		if (found == FOUND_ERROR)
			return -1;
		if (found == FOUND_USABLE)
			return done(o, created, false, err);
		if (found == FOUND_OTHER)
			continue;
		if (kp == NULL) {
			attrs = attrs_for(cfg, r, clock);
			if (make_key(cfg, attrs.order_s, stop, &kp, err) < 0)
				return -1;
		}
		if (backend->create(backend->ctx, name, kp, err) == 0) {
			if (registry_put(r, name, kp, &attrs, err) < 0)
				return err_wrap(err, "key secret %s", name);
			return done(o, created, true, err);
		}
		if (err->code != ERR_EXISTS)
			return err_wrap(err, "create key secret %s", name);
	}
	return err_set(err, ERR_EXISTS,
	    "no free name for a new key in %d tries, the last was %s",
	    ROTATION_TRIES_MAX, name);
}
