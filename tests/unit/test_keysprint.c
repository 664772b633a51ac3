/*
 * Tests of controller/keysprint.c: what people see.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/compiler.h"
#include "base/jsonx.h"
#include "controller/keysprint.h"

#define TEXT_MAX 8192

#define LIST                                                                \
	"{\"namespace\":\"kube-system\",\"unknownItems\":%s,\"keys\":["     \
	"{\"name\":\"key-b\",\"fingerprint\":\"SHA256:bb\",\"seals\":true," \
	"\"state\":\"active\",\"notAfter\":\"2036-11-21T09:00:00Z\","       \
	"\"items\":12,\"opened\":3,\"backedUp\":\"2026-11-24T09:45:10Z\","  \
	"\"namespaces\":\"team-a\"},"                                       \
	"{\"name\":\"key-long-name\",\"fingerprint\":\"SHA256:aa\","        \
	"\"seals\":false,\"state\":\"expired\",\"backedUp\":null,"          \
	"\"notAfter\":\"2025-01-02T09:00:00Z\",\"items\":0,\"opened\":0}]}"

static void
print(const char *json, void (*how)(const json_t *, bool, FILE *), bool colour,
    char text[static TEXT_MAX])
{
	AUTO_JSON json_t *v = json_loads(json, 0, NULL);
	FILE *f = fmemopen(text, TEXT_MAX, "w");

	assert_non_null(v);
	assert_non_null(f);
	how(v, colour, f);
	assert_int_equal(fclose(f), 0);
}

static void
a_list_is_an_aligned_table(void **state UNUSED)
{
	static const char want[] =
	    "NAME           STATE    SEALS  VALID UNTIL  ITEMS  OPENED  "
	    "BACKED UP         NAMESPACES  FINGERPRINT\n"
	    "key-b          active   yes    2036-11-21   12     3       "
	    "2026-11-24 09:45  team-a      SHA256:bb\n"
	    "key-long-name  expired  no     2025-01-02   0      0       "
	    "never             all         SHA256:aa\n";
	char json[TEXT_MAX], text[TEXT_MAX] = "";

	(void)snprintf(json, sizeof(json), LIST, "0");
	print(json, keysprint_list, false, text);
	assert_string_equal(text, want);
}

static void
unknown_items_make_every_number_a_lower_bound(void **state UNUSED)
{
	char json[TEXT_MAX], text[TEXT_MAX] = "";

	(void)snprintf(json, sizeof(json), LIST, "5");
	print(json, keysprint_list, false, text);
	assert_non_null(strstr(text, " 12+ "));
	assert_non_null(strstr(text, " 0+ "));
	assert_non_null(strstr(text, "\nItems whose key is not known yet: 5."));
}

static void
colours_are_there_only_where_asked_for(void **state UNUSED)
{
	char json[TEXT_MAX], plain[TEXT_MAX] = "", text[TEXT_MAX] = "";

	(void)snprintf(json, sizeof(json), LIST, "0");
	print(json, keysprint_list, false, plain);
	assert_null(strchr(plain, '\033'));
	print(json, keysprint_list, true, text);
	assert_non_null(strstr(text, "\033[32mkey-b"));
	assert_non_null(strstr(text, "\033[31mkey-long-name"));
}

static void
texts_of_the_server_cannot_steer_a_terminal(void **state UNUSED)
{
	static const char list[] =
	    "{\"keys\":[{\"name\":\"a\\u001b[2Jb\\u009bc\\n\"}]}";
	static const char restore[] =
	    "{\"keys\":[{\"name\":\"x\",\"result\":\"\\u001b]0;t\\u0007\"}],"
	    "\"seals\":{\"name\":\"s\\u001b[2J\"}}";
	char text[TEXT_MAX] = "";

	print(list, keysprint_list, false, text);
	assert_null(strchr(text, '\033'));
	assert_non_null(strstr(text, "a?[2Jb??c?"));
	print(restore, keysprint_restore, false, text);
	assert_null(strchr(text, '\033'));
	assert_null(strchr(text, '\007'));
	assert_non_null(strstr(text, "Sealing key: s?[2J\n"));
}

static void
json_dump(const json_t *v, bool colour UNUSED, FILE *out)
{
	keysprint_json(v, out);
}

static void
json_of_the_server_cannot_steer_a_terminal(void **state UNUSED)
{
	char text[TEXT_MAX] = "";

	print(
	    "{\"a\":\"\\u001b[31m\\u009b31m\\u0007\"}", json_dump, false, text);
	for (const char *p = text; *p != '\0'; p++)
		if ((*p < ' ' && *p != '\n') || *p > '~')
			fail_msg("byte %d in \"%s\"", (unsigned char)*p, text);
	assert_non_null(strstr(text, "009B"));
}

static void
a_restore_says_what_became_of_each_key(void **state UNUSED)
{
	static const char json[] =
	    "{\"dryRun\":%s,\"keys\":["
	    "{\"name\":\"a\",\"fingerprint\":\"SHA256:aa\","
	    "\"result\":\"created\"},"
	    "{\"name\":\"b\",\"fingerprint\":\"SHA256:bb\","
	    "\"result\":\"present-as\",\"as\":\"c\"}%s],"
	    "\"seals\":{\"name\":\"a\",\"fingerprint\":\"SHA256:aa\"}}";
	static const struct {
		const char *dry, *more, *want;
	} cases[] = {
		{ "false", "",
		    "NAME  RESULT        FINGERPRINT  \n"
		    "a     created       SHA256:aa    \n"
		    "b     present-as c  SHA256:bb    \n"
		    "\n1 created, 1 already there.\nSealing key: a\n" },
		{ "true", "",
		    "\nDry run, nothing was written: would be 1 created, 1 "
		    "already there.\n" },
		{ "false",
		    ",{\"name\":\"d\",\"result\":\"conflict\","
		    "\"message\":\"another key has this name\"}",
		    "\n1 in conflict, nothing was written.\n" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char filled[TEXT_MAX], text[TEXT_MAX] = "";

		(void)snprintf(
		    filled, sizeof(filled), json, cases[i].dry, cases[i].more);
		print(filled, keysprint_restore, false, text);
		if (strstr(text, cases[i].want) == NULL)
			fail_msg(
			    "\"%s\" is not in \"%s\"", cases[i].want, text);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_list_is_an_aligned_table),
		cmocka_unit_test(unknown_items_make_every_number_a_lower_bound),
		cmocka_unit_test(colours_are_there_only_where_asked_for),
		cmocka_unit_test(texts_of_the_server_cannot_steer_a_terminal),
		cmocka_unit_test(json_of_the_server_cannot_steer_a_terminal),
		cmocka_unit_test(a_restore_says_what_became_of_each_key),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
