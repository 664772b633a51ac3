/*
 * Tests of controller/tmpl/funcs_url.c: urlParse and urlJoin.
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
#include "tmplrig.h"

static void
joins(void **state UNUSED)
{
	static const struct tmplrig_case cases[] = {
		{ "{{ urlJoin (dict \"scheme\" \"proto\" \"host\" \"host:80\" "
		  "\"path\" \"/path\" \"query\" \"query\" \"fragment\" \"frag "
		  "ment\") }} {{ urlJoin (dict) }}| {{ urlJoin (dict \"path\" "
		  "\"/%41\") }} {{ urlJoin (dict \"path\" \"a:b\") }} {{ "
		  "urlJoin (dict \"scheme\" \"s\" \"path\" \"//x\") }} {{ "
		  "urlJoin (dict \"host\" \"h\" \"path\" \"p\") }} {{ urlJoin "
		  "(dict \"scheme\" \"s\" \"opaque\" \"o\" \"path\" \"p\") }} "
		  "{{ urlJoin (dict \"host\" \"h\" \"userinfo\" \"u:p w\") }}",
		    "template: cfg:1:351: executing \"cfg\" at <urlJoin (dict "
		    "\"host\" \"h\" \"userinfo\" \"u:p w\")>: error calling "
		    "urlJoin: unable to parse userinfo in dict: parse (value "
		    "withheld): net/url: invalid userinfo" },
		{ "{{ urlJoin (dict \"host\" \"h\" \"userinfo\" \"u:p%20w\") "
		  "}} {{ urlJoin (dict \"host\" \"h\" \"userinfo\" \"a/b\") }} "
		  "{{ urlJoin (dict \"path\" \"*\") }} {{ urlJoin (dict "
		  "\"hostname\" \"x\") }}|",
		    "//u:p%20w@h //h * |" },
	};

	tmplrig_check(cases, ARRAY_SIZE(cases));
}

static void
gives_all_parts(void **state UNUSED)
{
	static const struct tmplrig_case cases[] = {
		{ "{{ range $k, $v := urlParse "
		  "\"proto://user:passwor%20d@host:80/pa%20th?k=v%20w#f\" }}{{ "
		  "$k }}={{ $v }} {{ end }}",
		    "fragment=f host=host:80 hostname=host opaque= path=/pa th "
		    "query=k=v%20w scheme=proto userinfo=user:passwor%20d " },
	};

	tmplrig_check(cases, ARRAY_SIZE(cases));
}

static void
names_the_key_of_a_wrong_type(void **state UNUSED)
{
	static const struct tmplrig_case cases[] = {
		{ "{{ urlJoin (dict \"host\" 5) }}",
		    "template: cfg:1:3: executing \"cfg\" at <urlJoin (dict "
		    "\"host\" 5)>: error calling urlJoin: unable to parse host "
		    "key, must be of type string, but int found" },
		{ "{{ urlJoin (dict \"path\" nil) }}",
		    "template: cfg:1:3: executing \"cfg\" at <urlJoin (dict "
		    "\"path\" nil)>: error calling urlJoin: runtime error: "
		    "invalid memory address or nil pointer dereference" },
		{ "{{ urlJoin (dict \"scheme\" (list)) }}",
		    "template: cfg:1:3: executing \"cfg\" at <urlJoin (dict "
		    "\"scheme\" (list))>: error calling urlJoin: unable to "
		    "parse scheme key, must be of type string, but slice "
		    "found" },
		{ "{{ urlJoin nil }}|", "|" },
	};

	tmplrig_check(cases, ARRAY_SIZE(cases));
}

static void
withholds_the_url(void **state UNUSED)
{
	static const struct tmplrig_case cases[] = {
		{ "{{ urlParse \":\" }}",
		    "template: cfg:1:3: executing \"cfg\" at <urlParse \":\">: "
		    "error calling urlParse: unable to parse url: parse (value "
		    "withheld): missing protocol scheme" },
		{ "{{ urlJoin (dict \"userinfo\" \"a^\") }}",
		    "template: cfg:1:3: executing \"cfg\" at <urlJoin (dict "
		    "\"userinfo\" \"a^\")>: error calling urlJoin: unable to "
		    "parse userinfo in dict: parse (value withheld): net/url: "
		    "invalid userinfo" },
	};

	tmplrig_check(cases, ARRAY_SIZE(cases));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(joins),
		cmocka_unit_test(gives_all_parts),
		cmocka_unit_test(names_the_key_of_a_wrong_type),
		cmocka_unit_test(withholds_the_url),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
