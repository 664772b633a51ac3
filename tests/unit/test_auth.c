/*
 * Who may use the admin port: form of the credentials, uniform refusals, and
 * that everything that goes wrong denies.
 * layer: http
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "adminrig.h"
#include "base/log.h"
#include "base/mem.h"
#include "controller/http/auth.h"
#include "fakeclock.h"

#define PEER "10.0.0.9"

static struct adminrig rig;
static struct fakeclock fake;
static struct clock clock_;
static struct limit *limits;
static struct http_reply reply;
static struct head head;
static struct admin_user user;

static int
setup(void **state UNUSED)
{
	adminrig_init(&rig);
	fakeclock_init(&fake);
	clock_ = fakeclock_clock(&fake);
	limits = limit_new(&clock_);
	memset(&reply, 0, sizeof(reply));
	buf_init(&reply.body, 65536);
	adminrig_head(&head, ADMINRIG_TOKEN, PEER);
	memset(&user, 0, sizeof(user));
	return 0;
}

static int
teardown(void **state UNUSED)
{
	admin_user_release(&user);
	adminrig_head_release(&head);
	http_reply_release(&reply);
	limit_free(limits);
	adminrig_release(&rig);
	return 0;
}

static void
set_field(const char *text)
{
	adminrig_head_release(&head);
	adminrig_head(&head, NULL, PEER);
	head.authorization = secret_from(text, strlen(text));
	head.authorizations = 1;
}

static void
only_one_well_formed_bearer_field_is_a_token(void **state UNUSED)
{
	static const struct {
		const char *field;
		const char *token; /* NULL: none */
	} cases[] = {
		{ "Bearer abc.DEF-123_~+/=", "abc.DEF-123_~+/=" },
		{ "bearer x", "x" },
		{ "Bearer ", NULL },
		{ "Bearer", NULL },
		{ "Bearer  x", NULL },
		{ "Bearer x y", NULL },
		{ "Bearer x,y", NULL },
		{ "Bearer x\"", NULL },
		{ "Basic eDp5", NULL },
		{ "Bearerx", NULL },
		{ "", NULL },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO(secret) struct secret *got = NULL;

		set_field(cases[i].field);
		got = auth_bearer(&head);
		if (cases[i].token == NULL) {
			assert_null(got);
			continue;
		}
		assert_non_null(got);
		assert_int_equal(secret_len(got), strlen(cases[i].token));
		assert_memory_equal(
		    secret_bytes(got), cases[i].token, secret_len(got));
	}
}

static void
two_fields_or_a_huge_token_are_none(void **state UNUSED)
{
	char *text = xmalloc(AUTH_TOKEN_MAX + 16);

	head.authorizations = 2;
	assert_null(auth_bearer(&head));
	memset(text, 'x', AUTH_TOKEN_MAX + 16);
	memcpy(text, "Bearer ", 7);
	text[7 + AUTH_TOKEN_MAX + 1] = '\0';
	set_field(text);
	assert_null(auth_bearer(&head));
	text[7 + AUTH_TOKEN_MAX] = '\0';
	set_field(text);
	secret_free(auth_bearer(&head));
	mem_free_wiped(text);
	assert_int_equal(head.authorizations, 1);
}

static void
a_request_without_a_token_is_refused_at_once_and_counted(void **state UNUSED)
{
	set_field("Basic eDp5");
	for (unsigned i = 0; i < LIMIT_REFUSALS; i++) {
		assert_false(auth_admit(limits, &head, &reply));
		assert_int_equal(reply.status, 401);
		http_reply_release(&reply);
	}
	assert_false(auth_admit(limits, &head, &reply));
	assert_int_equal(reply.status, 429);
	assert_string_equal(reply.fields[0].name, "Retry-After");
	assert_int_equal(reply.fields[0].value, LIMIT_LOCK_S);
	assert_int_equal(rig.reviews, 0);
}

static void
a_good_token_that_nobody_knows_yet_has_to_wait_too(void **state UNUSED)
{
	for (unsigned i = 0; i < LIMIT_REFUSALS; i++)
		limit_refused(limits, PEER);
	assert_false(auth_admit(limits, &head, &reply));
	assert_int_equal(reply.status, 429);
}

/* Behind one address there may be many, some of them hostile. */
static void
others_at_the_same_address_lock_out_nobody_who_is_known(void **state UNUSED)
{
	assert_true(
	    auth_grant(&rig.backend, limits, &head, ADMIN_LIST, &user, &reply));
	for (unsigned i = 0; i < LIMIT_REFUSALS; i++)
		limit_refused(limits, PEER);
	assert_true(auth_admit(limits, &head, &reply));
	admin_user_release(&user);
	assert_true(
	    auth_grant(&rig.backend, limits, &head, ADMIN_LIST, &user, &reply));
	set_field("Bearer another");
	assert_false(auth_admit(limits, &head, &reply));
	assert_int_equal(reply.status, 429);
}

/* Expired, or its owner lost the right: it is like any other from then on. */
static void
a_known_token_that_is_refused_is_known_no_more(void **state UNUSED)
{
	static const struct {
		enum err_code token, access;
	} cases[] = {
		{ ERR_UNAUTHORIZED, ERR_NONE },
		{ ERR_NONE, ERR_FORBIDDEN },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		rig.token_fails = rig.access_fails = ERR_NONE;
		http_reply_release(&reply);
		assert_true(auth_grant(
		    &rig.backend, limits, &head, ADMIN_LIST, &user, &reply));
		admin_user_release(&user);
		rig.token_fails = cases[i].token;
		rig.access_fails = cases[i].access;
		assert_false(auth_grant(
		    &rig.backend, limits, &head, ADMIN_LIST, &user, &reply));
		for (unsigned j = 0; j < LIMIT_REFUSALS; j++)
			limit_refused(limits, PEER);
		http_reply_release(&reply);
		assert_false(auth_admit(limits, &head, &reply));
		assert_int_equal(reply.status, 429);
		fakeclock_advance_s(&fake, LIMIT_LOCK_S);
		http_reply_release(&reply);
	}
}

static void
who_may_is_let_in_and_known(void **state UNUSED)
{
	limit_refused(limits, PEER);
	assert_true(auth_admit(limits, &head, &reply));
	assert_true(auth_grant(
	    &rig.backend, limits, &head, ADMIN_EXPORT, &user, &reply));
	assert_string_equal(user.name, "anna");
	assert_string_equal(user.uid, "u-1");
	assert_int_equal(rig.asked, ADMIN_EXPORT);
	assert_int_equal(limit_sources(limits), 0);
}

/* Whatever goes wrong: denied, and nothing in the answer tells more than the
 * status does. */
static void
every_failure_denies_with_the_same_words(void **state UNUSED)
{
	static const struct {
		enum err_code token, access;
		unsigned status;
		const char *body;
		bool counted;
	} cases[] = {
		{ ERR_UNAUTHORIZED, ERR_NONE, 401,
		    "{\"error\":\"unauthorized\"}\n", true },
		{ ERR_NONE, ERR_FORBIDDEN, 403, "{\"error\":\"forbidden\"}\n",
		    true },
		{ ERR_SERVER, ERR_NONE, 503,
		    "{\"error\":\"the API server could not be asked\"}\n",
		    false },
		{ ERR_TIMEOUT, ERR_NONE, 503,
		    "{\"error\":\"the API server could not be asked\"}\n",
		    false },
		{ ERR_NONE, ERR_TRANSPORT, 503,
		    "{\"error\":\"the API server could not be asked\"}\n",
		    false },
		{ ERR_NONE, ERR_CANCELLED, 503,
		    "{\"error\":\"the API server could not be asked\"}\n",
		    false },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		http_reply_release(&reply);
		limit_granted(limits, PEER);
		rig.token_fails = cases[i].token;
		rig.access_fails = cases[i].access;
		assert_false(auth_grant(
		    &rig.backend, limits, &head, ADMIN_LIST, &user, &reply));
		assert_int_equal(reply.status, cases[i].status);
		assert_string_equal(buf_str(&reply.body), cases[i].body);
		assert_null(user.info);
		assert_int_equal(
		    limit_sources(limits), cases[i].counted ? 1 : 0);
	}
}

static void
an_unknown_token_is_never_asked_what_it_may(void **state UNUSED)
{
	set_field("Bearer another");
	assert_false(
	    auth_grant(&rig.backend, limits, &head, ADMIN_LIST, &user, &reply));
	assert_int_equal(reply.status, 401);
	assert_int_equal(rig.accesses, 0);
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(only_one_well_formed_bearer_field_is_a_token),
		T(two_fields_or_a_huge_token_are_none),
		T(a_request_without_a_token_is_refused_at_once_and_counted),
		T(a_good_token_that_nobody_knows_yet_has_to_wait_too),
		T(others_at_the_same_address_lock_out_nobody_who_is_known),
		T(a_known_token_that_is_refused_is_known_no_more),
		T(who_may_is_let_in_and_known),
		T(every_failure_denies_with_the_same_words),
		T(an_unknown_token_is_never_asked_what_it_may),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
