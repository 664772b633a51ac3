/*
 * What the calls of the admin port share.
 * layer: http
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "adminrig.h"
#include "base/jsonx.h"
#include "base/mem.h"
#include "controller/http/call.h"

static void
request_ids_are_128_bits_in_hex_and_differ(void **state UNUSED)
{
	char a[CALL_ID_MAX], b[CALL_ID_MAX];

	call_id(a);
	call_id(b);
	assert_int_equal(strlen(a), 32);
	assert_int_equal(strspn(a, "0123456789abcdef"), 32);
	assert_string_not_equal(a, b);
}

static void
fingerprints_are_joined_and_unusable_secrets_have_none(void **state UNUSED)
{
	AUTO_JSON json_t *keys = json_pack("[{s:s},{s:s},{s:s}]", "fingerprint",
	    "SHA256:a", "name", "broken", "fingerprint", "SHA256:b");
	AUTO_JSON json_t *none = json_array();
	AUTO_STR char *text = call_fingerprints(keys);
	AUTO_STR char *empty = call_fingerprints(none);

	assert_string_equal(text, "SHA256:a,SHA256:b");
	assert_string_equal(empty, "");
}

/* The first record holds, the second one cannot be stored. */
static void
what_cannot_be_written_down_is_not_to_happen(void **state UNUSED)
{
	AUTO_RELEASE(http_reply)
	struct http_reply reply = { .body = BUF_INIT(1000) };
	struct admin_user user = { .name = "anna", .uid = "u-1" };
	struct head head = { .peer = "10.1.1.1" };
	struct admin_config cfg = { 0 };
	struct adminrig rig;
	struct call c = { .cfg = &cfg,
		.head = &head,
		.user = &user,
		.id = "abc",
		.reply = &reply };
	struct admin_record record = { .action = "export",
		.form = "plain",
		.object = "k",
		.keys = 2,
		.fingerprints = "x,y" };

	adminrig_init(&rig);
	cfg.backend = rig.backend;
	assert_true(call_audit(&c, &record));
	assert_string_equal(
	    rig.recorded, "export plain anna 10.1.1.1 2 k abc x,y");
	rig.audit_fails = ERR_FORBIDDEN;
	assert_false(call_audit(&c, &record));
	assert_int_equal(reply.status, 503);
	assert_string_equal(buf_str(&reply.body),
	    "{\"error\":\"the audit record could not be stored\"}\n");
	adminrig_release(&rig);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(request_ids_are_128_bits_in_hex_and_differ),
		cmocka_unit_test(
		    fingerprints_are_joined_and_unusable_secrets_have_none),
		cmocka_unit_test(what_cannot_be_written_down_is_not_to_happen),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
