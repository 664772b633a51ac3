/*
 * Tests of controller/tmpl/env.c.
 * layer: tmpl
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
/* cmocka needs the four above first. */
#include <cmocka.h>

#include "base/mem.h"
#include "controller/tmpl/env.h"
#include "tmplrig.h"

static void
memory_is_zeroed_aligned_and_bounded(void **state UNUSED)
{
	struct tmpl_budget b = tmpl_budget_default;
	struct env e;
	char *p;

	b.memory_bytes = 100000;
	env_init(&e, &b, &clock_system);
	for (size_t size = 0; size < 300; size++) {
		p = env_alloc(&e, size);
		assert_non_null(p);
		assert_int_equal((uintptr_t)p % 16, 0);
		for (size_t i = 0; i < size; i++)
			assert_int_equal(p[i], 0);
		memset(p, 0xAA, size);
	}
	assert_null(env_alloc(&e, 100000));
	assert_true(e.exhausted);
	assert_string_equal(e.fault, "out of budget: memory");
	assert_int_equal(env_step(&e, 1), -1);
	assert_int_equal(env_charge_memory(&e, 1), -1);
	env_release(&e);
}

static void
sizes_that_overflow_are_refused(void **state UNUSED)
{
	struct env e;

	tmplrig_env(&e);
	assert_null(env_alloc(&e, SIZE_MAX - 3));
	env_release(&e);
	tmplrig_env(&e);
	assert_null(env_allocarray(&e, SIZE_MAX / 2, 4));
	assert_true(e.exhausted);
	env_release(&e);
}

static void
the_last_block_grows_in_place_and_no_other(void **state UNUSED)
{
	struct env e;
	char *a, *b;

	tmplrig_env(&e);
	a = env_alloc(&e, 32);
	b = env_alloc(&e, 32);
	assert_non_null(a);
	assert_non_null(b);
	assert_false(env_extend(&e, a, 32, 64));
	assert_true(env_extend(&e, b, 32, 64));
	assert_false(env_extend(&e, b, 64, 1000000));
	assert_false(env_extend(&e, b, 64, SIZE_MAX - 2));
	assert_ptr_equal(env_alloc(&e, 16), b + 64);
	env_release(&e);
}

static void
an_array_grows_when_it_is_full(void **state UNUSED)
{
	struct env e;
	size_t cap = 0;
	int *v, *same;

	tmplrig_env(&e);
	v = env_grow(&e, NULL, 0, &cap, 3, sizeof(*v));
	assert_non_null(v);
	assert_int_equal(cap, 3);
	v[0] = 10;
	v[2] = 12;
	same = env_grow(&e, v, 2, &cap, 3, sizeof(*v));
	assert_ptr_equal(same, v);
	v = env_grow(&e, v, 3, &cap, 3, sizeof(*v));
	assert_int_equal(cap, 6);
	assert_int_equal(v[0], 10);
	assert_int_equal(v[2], 12);
	cap = SIZE_MAX / 4;
	assert_null(env_grow(&e, v, cap, &cap, 3, sizeof(*v)));
	assert_int_equal(cap, SIZE_MAX / 4);
	env_release(&e);
}

static void
steps_and_depth_run_out(void **state UNUSED)
{
	struct tmpl_budget b = tmpl_budget_default;
	struct env e;

	b.steps = 10;
	env_init(&e, &b, &clock_system);
	assert_int_equal(env_step(&e, 10), 0);
	assert_int_equal(env_step(&e, 1), -1);
	assert_string_equal(e.fault, "out of budget: steps");
	env_release(&e);

	b.depth = 2;
	env_init(&e, &b, &clock_system);
	assert_int_equal(env_enter(&e), 0);
	assert_int_equal(env_enter(&e), 0);
	env_leave(&e);
	assert_int_equal(env_enter(&e), 0);
	assert_int_equal(env_enter(&e), -1);
	assert_string_equal(e.fault, "out of budget: nested too deeply");
	env_release(&e);
}

/* A second of CPU time an object, five for the first key. */
static void
start_cpu(struct env *e, struct tmplrig_cpu *cpu, struct clock *clock)
{
	struct tmpl_budget b = tmpl_budget_default;

	b.cpu_ms = 1000;
	b.key_cpu_ms = 5000;
	*cpu = (struct tmplrig_cpu) { .now_ns = 77 * NS_PER_S };
	*clock = tmplrig_cpu_clock(cpu);
	env_init(e, &b, clock);
}

static void
cpu_time_runs_out(void **state UNUSED)
{
	struct tmplrig_cpu cpu;
	struct clock clock;
	struct env e;

	start_cpu(&e, &cpu, &clock);
	cpu.now_ns += NS_PER_S;
	assert_int_equal(env_step(&e, 5000), 0);
	cpu.now_ns++;
	assert_int_equal(env_step(&e, 5000), -1);
	assert_string_equal(e.fault, "out of budget: CPU time");
	env_release(&e);
}

static void
costly_calls_need_credits_and_time_to_end_in(void **state UNUSED)
{
	struct tmplrig_cpu cpu;
	struct clock clock;
	struct env e;

	start_cpu(&e, &cpu, &clock);
	e.left.costly = 3;
	cpu.now_ns += 800 * NS_PER_MS;
	assert_int_equal(env_costly(&e, 2), 0);
	assert_int_equal(env_costly(&e, 2), -1);
	assert_string_equal(e.fault, "out of budget: costly functions");
	env_release(&e);

	start_cpu(&e, &cpu, &clock);
	cpu.now_ns += 801 * NS_PER_MS;
	assert_int_equal(env_costly(&e, 1), -1);
	assert_string_equal(e.fault, "out of budget: CPU time");
	env_release(&e);
}

static void
the_first_key_has_its_own_time(void **state UNUSED)
{
	struct tmplrig_cpu cpu;
	struct clock clock;
	struct env e;

	start_cpu(&e, &cpu, &clock);
	cpu.now_ns += 500 * NS_PER_MS;
	assert_int_equal(env_key_begin(&e, 1), 0);
	cpu.now_ns += 4999 * NS_PER_MS;
	assert_true(env_key_goes_on(&e));
	assert_int_equal(env_key_end(&e), 0);
	/* 600 ms count so far: the rest of the object still has 400. */
	cpu.now_ns += 200 * NS_PER_MS;
	assert_int_equal(env_costly(&e, 1), 0);
	cpu.now_ns += 200 * NS_PER_MS;
	assert_int_equal(env_step(&e, 5000), 0);
	cpu.now_ns++;
	assert_int_equal(env_step(&e, 5000), -1);
	env_release(&e);

	start_cpu(&e, &cpu, &clock);
	assert_int_equal(env_key_begin(&e, 1), 0);
	cpu.now_ns += 5 * NS_PER_S;
	assert_false(env_key_goes_on(&e));
	assert_int_equal(env_key_end(&e), -1);
	assert_string_equal(e.fault, "out of budget: CPU time");
	env_release(&e);
}

static void
later_keys_share_what_the_first_left(void **state UNUSED)
{
	struct tmplrig_cpu cpu;
	struct clock clock;
	struct env e;

	start_cpu(&e, &cpu, &clock);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(env_key_begin(&e, 1), 0);
		cpu.now_ns += 300 * NS_PER_MS;
		assert_int_equal(env_key_end(&e), 0);
	}
	assert_int_equal(env_key_begin(&e, 1), 0);
	cpu.now_ns += 99 * NS_PER_MS;
	assert_true(env_key_goes_on(&e));
	cpu.now_ns += NS_PER_MS;
	assert_false(env_key_goes_on(&e));
	assert_int_equal(env_key_end(&e), -1);
	env_release(&e);

	start_cpu(&e, &cpu, &clock);
	assert_int_equal(env_key_begin(&e, 1), 0);
	cpu.now_ns += NS_PER_S;
	assert_int_equal(env_key_end(&e), 0);
	assert_int_equal(env_key_begin(&e, 1), -1);
	assert_string_equal(e.fault, "out of budget: CPU time");
	env_release(&e);
}

static void
the_reserve_is_for_the_message_alone(void **state UNUSED)
{
	struct tmpl_budget b = tmpl_budget_default;
	struct env_reserve before;
	struct env e;

	b.memory_bytes = 1000;
	b.steps = 10;
	b.depth = 1;
	env_init(&e, &b, &clock_system);
	assert_non_null(env_alloc(&e, 1000 - 1000 % 16));
	assert_int_equal(env_step(&e, 11), -1);
	before = env_reserve_begin(&e);
	assert_non_null(env_alloc(&e, 10000));
	assert_int_equal(env_step(&e, 100), 0);
	assert_int_equal(env_enter(&e), 0);
	env_reserve_end(&e, &before);
	assert_true(e.exhausted);
	e.exhausted = false;
	assert_int_equal(e.left.depth, 1);
	assert_int_equal(env_step(&e, 1), -1);
	e.exhausted = false;
	assert_null(env_alloc(&e, 16));
	env_release(&e);
}

static void
the_first_error_stays_and_can_be_forgiven(void **state UNUSED)
{
	struct env e;

	tmplrig_env(&e);
	assert_int_equal(env_fail(&e, "first %d", 1), -1);
	assert_int_equal(env_fail(&e, "second"), -1);
	assert_string_equal(e.fault, "first 1");
	env_forgive(&e);
	assert_null(e.fault);
	assert_int_equal(env_exhaust(&e, "output"), -1);
	env_forgive(&e);
	assert_string_equal(e.fault, "out of budget: output");
	env_release(&e);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(memory_is_zeroed_aligned_and_bounded),
		cmocka_unit_test(sizes_that_overflow_are_refused),
		cmocka_unit_test(the_last_block_grows_in_place_and_no_other),
		cmocka_unit_test(an_array_grows_when_it_is_full),
		cmocka_unit_test(steps_and_depth_run_out),
		cmocka_unit_test(cpu_time_runs_out),
		cmocka_unit_test(costly_calls_need_credits_and_time_to_end_in),
		cmocka_unit_test(the_first_key_has_its_own_time),
		cmocka_unit_test(later_keys_share_what_the_first_left),
		cmocka_unit_test(the_reserve_is_for_the_message_alone),
		cmocka_unit_test(the_first_error_stays_and_can_be_forgiven),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
