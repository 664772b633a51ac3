/*
 * A clock that stands still until a test moves it.
 */
#include "fakeclock.h"

static uint64_t
fake_mono_ns(void *ctx)
{
	struct fakeclock *f = ctx;

	return atomic_load(&f->mono_ns);
}

static int64_t
fake_wall_ns(void *ctx)
{
	struct fakeclock *f = ctx;

	return atomic_load(&f->wall_ns);
}

void
fakeclock_init(struct fakeclock *f)
{
	atomic_init(&f->mono_ns, 1000 * NS_PER_S);
	atomic_init(&f->wall_ns, FAKECLOCK_WALL_S * (int64_t)NS_PER_S);
}

struct clock
fakeclock_clock(struct fakeclock *f)
{
	return (struct clock) {
		.ctx = f,
		.mono_ns = fake_mono_ns,
		.wall_ns = fake_wall_ns,
	};
}

void
fakeclock_advance_ms(struct fakeclock *f, uint64_t ms)
{
	atomic_fetch_add(&f->mono_ns, ms * NS_PER_MS);
	atomic_fetch_add(&f->wall_ns, (int64_t)(ms * NS_PER_MS));
}

void
fakeclock_advance_s(struct fakeclock *f, uint64_t s)
{
	fakeclock_advance_ms(f, s * MS_PER_S);
}

void
fakeclock_set_wall_s(struct fakeclock *f, int64_t s)
{
	atomic_store(&f->wall_ns, s * (int64_t)NS_PER_S);
}

void
fakeclock_set_wall_ns(struct fakeclock *f, int64_t ns)
{
	atomic_store(&f->wall_ns, ns);
}
