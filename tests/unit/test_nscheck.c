/*
 * Tests of controller/nscheck.c against an API server in memory, which knows
 * of no namespace at all.
 * layer: main
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "controller/nscheck.h"
#include "fakekube.h"
#include "quiet.h"

struct fixture {
	struct fakekube *server;
	struct kube_client client;
	struct namespaces *namespaces;
	struct nscheck *check;
};

static int
setup(void **state)
{
	static struct fixture f;

	quiet_log();
	memset(&f, 0, sizeof(f));
	f.server = fakekube_new();
	f.client.transport = fakekube_transport(f.server);
	f.namespaces = namespaces_new(false, "b,c", "home");
	f.check = nscheck_new(&f.client, f.namespaces);
	*state = &f;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *f = *state;

	nscheck_free(f->check);
	namespaces_free(f->namespaces);
	fakekube_free(f->server);
	return 0;
}

static void
asks_once_for_each_but_the_home(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(nscheck_turn(f->check), 0);
	assert_int_equal(
	    fakekube_calls(f->server, "GET /api/v1/namespaces/b"), 1);
	assert_int_equal(
	    fakekube_calls(f->server, "GET /api/v1/namespaces/c"), 1);
	assert_int_equal(fakekube_calls(f->server, NULL), 2);
	assert_int_equal(nscheck_turn(f->check), 0);
	assert_int_equal(fakekube_calls(f->server, NULL), 2);
}

static void
a_refusal_is_an_answer(void **state)
{
	struct fixture *f = *state;

	fakekube_fail_all(f->server, "GET ", FAKEKUBE_403);
	assert_int_equal(nscheck_turn(f->check), 0);
	assert_int_equal(fakekube_calls(f->server, NULL), 2);
}

static void
trouble_is_tried_again_later(void **state)
{
	struct fixture *f = *state;

	fakekube_fail_all(f->server, "namespaces/c", FAKEKUBE_CUT);
	assert_true(nscheck_turn(f->check) > 0);
	fakekube_fail_all(f->server, NULL, FAKEKUBE_OK);
	assert_int_equal(nscheck_turn(f->check), 0);
	assert_int_equal(fakekube_calls(f->server, "namespaces/b"), 1);
	assert_int_equal(fakekube_calls(f->server, "namespaces/c"), 2);
}

static void
can_be_stopped_in_between(void **state)
{
	struct fixture *f = *state;

	fakekube_fail_all(f->server, "GET ", FAKEKUBE_500);
	nscheck_start(f->check);
	nscheck_stop(f->check);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(asks_once_for_each_but_the_home),
		TEST(a_refusal_is_an_answer),
		TEST(trouble_is_tried_again_later),
		TEST(can_be_stopped_in_between),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
