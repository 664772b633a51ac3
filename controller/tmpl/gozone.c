/*
 * Time zones: TZif files (RFC 8536) with the POSIX rule behind the last
 * transition, read the way Go reads them.
 */
#include "gozone.h"

#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/thread.h"
#include "env.h"
#include "tzrule.h"

#define ZONE_DIR       "/usr/share/zoneinfo/"
#define LOCAL_FILE     "/etc/localtime"
#define FILE_MAX       ((size_t)256 * 1024)
#define NAME_LEN_MAX   128
#define CACHED_MAX     1024 /* the database has about 600 files */
#define HEADER_SIZE    44
#define COUNTS_OFFSET  20
#define ZONE_INFO_SIZE 6

struct info {
	const char *name;
	int offset;
	bool is_dst;
};

struct transition {
	int64_t when;
	uint8_t index;
};

struct gozone {
	struct gozone *next; /* in the cache */
	char *name;	     /* as it was loaded */
	struct info *infos;
	size_t ninfos;
	struct transition *tx;
	size_t ntx;
	const char *extend; /* POSIX rule, "": none */
	char *data;	    /* the file: names point into it */
};

/* Bytes of a file that are still to be read. */
struct reader {
	const char *p;
	size_t left;
	bool failed;
};

struct counts {
	uint32_t nutc, nstd, nleap, ntime, nzone, nchar;
};

static pthread_once_t once = PTHREAD_ONCE_INIT;
static struct mutex mu;
static struct gozone *cache; /* guarded by mu */
static unsigned ncached;     /* guarded by mu */
static const struct gozone *local_zone;
static struct gozone local_utc;

static const char *
take(struct reader *r, size_t n)
{
	const char *p = r->p;

	if (n > r->left) {
		r->failed = true;
		return NULL;
	}
	r->p += n;
	r->left -= n;
	return p;
}

static uint64_t
big_endian(const char *p, size_t n)
{
	uint64_t v = 0;

	for (size_t i = 0; i < n; i++)
		v = v << 8 | (uint8_t)p[i];
	return v;
}

static int
read_counts(struct reader *r, struct counts *c)
{
	uint32_t *const fields[] = { &c->nutc, &c->nstd, &c->nleap, &c->ntime,
		&c->nzone, &c->nchar };
	const char *p = take(r, HEADER_SIZE);

	if (p == NULL || memcmp(p, "TZif", 4) != 0)
		return -1;
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
		*fields[i] = (uint32_t)big_endian(p + COUNTS_OFFSET + 4 * i, 4);
		if (*fields[i] > FILE_MAX)
			return -1;
	}
	return 0;
}

static size_t
body_size(const struct counts *c, size_t time_size)
{
	return c->ntime * (time_size + 1) + c->nzone * (size_t)ZONE_INFO_SIZE +
	    c->nchar + c->nleap * (time_size + 4) + c->nstd + c->nutc;
}

static int
read_infos(struct gozone *z, const char *p, const char *names, size_t nchar)
{
	z->infos = xcalloc(z->ninfos, sizeof(*z->infos));
	for (size_t i = 0; i < z->ninfos; i++, p += ZONE_INFO_SIZE) {
		size_t at = (uint8_t)p[5];

		if (at >= nchar || memchr(names + at, '\0', nchar - at) == NULL)
			return -1;
		z->infos[i] = (struct info) {
			.name = names + at,
			.offset = (int32_t)big_endian(p, 4),
			.is_dst = p[4] != 0,
		};
	}
	return 0;
}

static int
read_transitions(
    struct gozone *z, const char *times, const char *indexes, size_t time_size)
{
	z->tx = xcalloc(z->ntx + 1, sizeof(*z->tx));
	for (size_t i = 0; i < z->ntx; i++) {
		uint64_t v = big_endian(times + i * time_size, time_size);

		z->tx[i].when =
		    time_size == 8 ? (int64_t)v : (int32_t)(uint32_t)v;
		z->tx[i].index = (uint8_t)indexes[i];
		if (z->tx[i].index >= z->ninfos)
			return -1;
	}
	if (z->ntx == 0)
		z->tx[z->ntx++] = (struct transition) { INT64_MIN, 0 };
	return 0;
}

/* The rule is the last line of the file, between two newlines. */
static void
read_extend(struct gozone *z, struct reader *r)
{
	z->extend = "";
	if (r->left > 2 && r->p[0] == '\n' && r->p[r->left - 1] == '\n') {
		z->data[r->p + r->left - 1 - z->data] = '\0';
		z->extend = r->p + 1;
	}
}

static int
parse(struct gozone *z, size_t len)
{
	struct reader r = { .p = z->data, .left = len };
	struct counts c;
	size_t size = 4;
	const char *times, *indexes, *infos, *names;

	if (read_counts(&r, &c) < 0)
		return -1;
	if (z->data[4] != '\0') {
		(void)take(&r, body_size(&c, size));
		size = 8;
		if (r.failed || read_counts(&r, &c) < 0)
			return -1;
	}
	times = take(&r, c.ntime * size);
	indexes = take(&r, c.ntime);
	infos = take(&r, c.nzone * (size_t)ZONE_INFO_SIZE);
	names = take(&r, c.nchar);
	(void)take(&r, c.nleap * (size + 4) + c.nstd + c.nutc);
	if (r.failed || c.nzone == 0)
		return -1;
	z->ninfos = c.nzone;
	z->ntx = c.ntime;
	if (read_infos(z, infos, names, c.nchar) < 0 ||
	    read_transitions(z, times, indexes, size) < 0)
		return -1;
	read_extend(z, &r);
	return 0;
}

static void
gozone_free(struct gozone *z)
{
	if (z == NULL)
		return;
	free(z->name);
	free(z->infos);
	free(z->tx);
	free(z->data);
	free(z);
}

static struct gozone *
read_zone(const char *path, const char *name)
{
	AUTO_RELEASE(buf) struct buf b = BUF_INIT(FILE_MAX);
	struct err err = ERR_INIT;
	struct gozone *z;
	size_t len;

	if (file_read(path, &b, &err) < 0 || b.len < HEADER_SIZE)
		return NULL;
	z = xcalloc(1, sizeof(*z));
	z->name = xstrdup(name);
	z->data = buf_take(&b, &len);
	if (parse(z, len) < 0) {
		gozone_free(z);
		return NULL;
	}
	return z;
}

static struct gozone *
read_named(const char *name)
{
	AUTO_STR char *path = xasprintf("%s%s", ZONE_DIR, name);

	return read_zone(path, name);
}

/* TZ: unset is the system's zone, empty is UTC, else a name or a path. */
static const struct gozone *
find_local(void)
{
	const char *tz = getenv("TZ");
	struct gozone *z = NULL;

	if (tz == NULL) {
		z = read_zone(LOCAL_FILE, "Local");
	} else {
		if (*tz == ':')
			tz++;
		if (*tz == '/')
			z = read_zone(
			    tz, strcmp(tz, LOCAL_FILE) == 0 ? "Local" : tz);
		else if (*tz != '\0' && strcmp(tz, "UTC") != 0)
			z = read_named(tz);
	}
	if (z != NULL)
		return z;
	local_utc.name = xstrdup("UTC");
	return &local_utc;
}

static void
start(void)
{
	mutex_init(&mu);
	local_zone = find_local();
}

const struct gozone *
gozone_local(void)
{
	(void)pthread_once(&once, start);
	return local_zone;
}

static const struct gozone *
find_cached(const char *name) REQUIRES(mu)
{
	const struct gozone *z = cache;

	while (z != NULL && strcmp(z->name, name) != 0)
		z = z->next;
	return z;
}

/* The zone that everybody uses: z, or one that was quicker. */
static const struct gozone *
share(struct gozone *z)
{
	const struct gozone *shared;

	mutex_lock(&mu);
	shared = find_cached(z->name);
	if (shared == NULL && ncached < CACHED_MAX) {
		z->next = cache;
		cache = z;
		ncached++;
		shared = z;
	}
	mutex_unlock(&mu);
	if (shared != z)
		gozone_free(z);
	return shared;
}

static bool
is_plain_name(const char *name, size_t len)
{
	return len < NAME_LEN_MAX && name[0] != '/' && name[0] != '\\' &&
	    memchr(name, '\0', len) == NULL &&
	    memmem(name, len, "..", 2) == NULL;
}

int
gozone_load(const char *name, size_t len, const struct gozone **ret)
{
	char path[NAME_LEN_MAX];
	const struct gozone *z;
	struct gozone *fresh;

	*ret = NULL;
	if (len == 0 || (len == 3 && memcmp(name, "UTC", 3) == 0))
		return 0;
	*ret = gozone_local();
	if (len == 5 && memcmp(name, "Local", 5) == 0)
		return 0;
	if (!is_plain_name(name, len))
		return -1;
	memcpy(path, name, len);
	path[len] = '\0';
	mutex_lock(&mu);
	z = find_cached(path);
	mutex_unlock(&mu);
	if (z == NULL) {
		fresh = read_named(path);
		if (fresh == NULL)
			return -1;
		z = share(fresh);
	}
	if (z == NULL)
		return -1;
	*ret = z;
	return 0;
}

const struct gozone *
gozone_fixed(struct env *e, const char *name, size_t len, int offset)
{
	struct gozone *z = env_alloc(e, sizeof(*z));
	struct info *info = env_alloc(e, sizeof(*info));
	struct transition *tx = env_alloc(e, sizeof(*tx));
	char *copy = env_strndup(e, name, len);

	if (z == NULL || info == NULL || tx == NULL || copy == NULL)
		return NULL;
	*info = (struct info) { .name = copy, .offset = offset };
	*tx = (struct transition) { .when = INT64_MIN };
	*z = (struct gozone) {
		.name = copy,
		.infos = info,
		.ninfos = 1,
		.tx = tx,
		.ntx = 1,
		.extend = "",
	};
	return z;
}

const char *
gozone_name(const struct gozone *z)
{
	return z == NULL ? "UTC" : z->name;
}

/* What holds before the first transition. */
static const struct info *
first_info(const struct gozone *z)
{
	bool used = false;

	for (size_t i = 0; i < z->ntx; i++)
		used = used || z->tx[i].index == 0;
	if (!used)
		return &z->infos[0];
	if (z->infos[z->tx[0].index].is_dst) {
		for (size_t i = z->tx[0].index; i > 0; i--) {
			if (!z->infos[i - 1].is_dst)
				return &z->infos[i - 1];
		}
	}
	for (size_t i = 0; i < z->ninfos; i++) {
		if (!z->infos[i].is_dst)
			return &z->infos[i];
	}
	return &z->infos[0];
}

static void
set_at(struct gozone_at *ret, const struct info *info)
{
	ret->name = info->name;
	ret->name_len = strlen(info->name);
	ret->offset = info->offset;
	ret->is_dst = info->is_dst;
}

void
gozone_lookup(const struct gozone *z, int64_t unix_s, struct gozone_at *ret)
{
	size_t lo = 0, hi;

	*ret = (struct gozone_at) {
		.name = "UTC",
		.name_len = 3,
		.start = INT64_MIN,
		.end = INT64_MAX,
	};
	if (z == NULL || z->ninfos == 0)
		return;
	if (unix_s < z->tx[0].when) {
		set_at(ret, first_info(z));
		ret->end = z->tx[0].when;
		return;
	}
	for (hi = z->ntx; hi - lo > 1;) {
		size_t middle = (lo + hi) / 2;

		if (unix_s < z->tx[middle].when) {
			ret->end = z->tx[middle].when;
			hi = middle;
		} else {
			lo = middle;
		}
	}
	set_at(ret, &z->infos[z->tx[lo].index]);
	ret->start = z->tx[lo].when;
	if (lo == z->ntx - 1 && *z->extend != '\0')
		(void)tzrule_lookup(z->extend, ret->start, unix_s, ret);
}

static bool
has_name(const struct info *info, const char *name, size_t len)
{
	return strlen(info->name) == len && memcmp(info->name, name, len) == 0;
}

bool
gozone_lookup_name(const struct gozone *z, const char *name, size_t len,
    int64_t wall_s, int *offset)
{
	struct gozone_at at;

	if (z == NULL)
		return false;
	/* One that was in effect then, before any that has the name. */
	for (size_t i = 0; i < z->ninfos; i++) {
		if (!has_name(&z->infos[i], name, len))
			continue;
		gozone_lookup(z, wall_s - z->infos[i].offset, &at);
		if (at.name_len == len && memcmp(at.name, name, len) == 0) {
			*offset = at.offset;
			return true;
		}
	}
	for (size_t i = 0; i < z->ninfos; i++) {
		if (has_name(&z->infos[i], name, len)) {
			*offset = z->infos[i].offset;
			return true;
		}
	}
	return false;
}

bool
gozone_equal(const struct gozone *a, const struct gozone *b)
{
	if (a == b)
		return true;
	if (a == NULL || b == NULL || strcmp(a->name, b->name) != 0 ||
	    a->ninfos != b->ninfos || a->ntx != b->ntx)
		return false;
	return a->ninfos == 0 ||
	    (strcmp(a->infos[0].name, b->infos[0].name) == 0 &&
		a->infos[0].offset == b->infos[0].offset);
}
