/*
 * Tests of controller/tmpl/url.c: Go's net/url.
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
parses_as_go_does(void **state UNUSED)
{
	static const struct tmplrig_case cases[] = {
		{ "{{ urlParse \"http://h\" | toJson }}",
		    "{\"fragment\":\"\",\"host\":\"h\",\"hostname\":\"h\","
		    "\"opaque\":\"\",\"path\":\"\",\"query\":\"\",\"scheme\":"
		    "\"http\",\"userinfo\":\"\"}" },
		{ "{{ urlParse \"//h/p\" | toJson }}",
		    "{\"fragment\":\"\",\"host\":\"h\",\"hostname\":\"h\","
		    "\"opaque\":\"\",\"path\":\"/"
		    "p\",\"query\":\"\",\"scheme\":\"\",\"userinfo\":\"\"}" },
		{ "{{ urlParse \"/p?q#f\" | toJson }}",
		    "{\"fragment\":\"f\",\"host\":\"\",\"hostname\":\"\","
		    "\"opaque\":\"\",\"path\":\"/"
		    "p\",\"query\":\"q\",\"scheme\":\"\",\"userinfo\":\"\"}" },
		{ "{{ urlParse \"a/b\" | toJson }}",
		    "{\"fragment\":\"\",\"host\":\"\",\"hostname\":\"\","
		    "\"opaque\":\"\",\"path\":\"a/"
		    "b\",\"query\":\"\",\"scheme\":\"\",\"userinfo\":\"\"}" },
		{ "{{ urlParse \"mailto:x@y\" | toJson }}",
		    "{\"fragment\":\"\",\"host\":\"\",\"hostname\":\"\","
		    "\"opaque\":\"x@y\",\"path\":\"\",\"query\":\"\","
		    "\"scheme\":\"mailto\",\"userinfo\":\"\"}" },
		{ "{{ urlParse \"http://u:p%20w@h:80/a%20b?c=d%20e#f%20g\" | "
		  "toJson }}",
		    "{\"fragment\":\"f "
		    "g\",\"host\":\"h:80\",\"hostname\":\"h\",\"opaque\":\"\","
		    "\"path\":\"/a "
		    "b\",\"query\":\"c=d%20e\",\"scheme\":\"http\","
		    "\"userinfo\":\"u:p%20w\"}" },
		{ "{{ urlParse \"http://[::1]:80/\" | toJson }}",
		    "{\"fragment\":\"\",\"host\":\"[::1]:80\",\"hostname\":\"::"
		    "1\",\"opaque\":\"\",\"path\":\"/"
		    "\",\"query\":\"\",\"scheme\":\"http\",\"userinfo\":"
		    "\"\"}" },
		{ "{{ urlParse \"http://[fe80::1%25en0]/\" | toJson }}",
		    "{\"fragment\":\"\",\"host\":\"[fe80::1%en0]\","
		    "\"hostname\":\"fe80::1%en0\",\"opaque\":\"\",\"path\":\"/"
		    "\",\"query\":\"\",\"scheme\":\"http\",\"userinfo\":"
		    "\"\"}" },
		{ "{{ urlParse \"http://h?\" | toJson }}",
		    "{\"fragment\":\"\",\"host\":\"h\",\"hostname\":\"h\","
		    "\"opaque\":\"\",\"path\":\"\",\"query\":\"\",\"scheme\":"
		    "\"http\",\"userinfo\":\"\"}" },
		{ "{{ urlParse \"http://h#\" | toJson }}",
		    "{\"fragment\":\"\",\"host\":\"h\",\"hostname\":\"h\","
		    "\"opaque\":\"\",\"path\":\"\",\"query\":\"\",\"scheme\":"
		    "\"http\",\"userinfo\":\"\"}" },
		{ "{{ urlParse \"*\" | toJson }}",
		    "{\"fragment\":\"\",\"host\":\"\",\"hostname\":\"\","
		    "\"opaque\":\"\",\"path\":\"*\",\"query\":\"\",\"scheme\":"
		    "\"\",\"userinfo\":\"\"}" },
		{ "{{ urlParse \"?q\" | toJson }}",
		    "{\"fragment\":\"\",\"host\":\"\",\"hostname\":\"\","
		    "\"opaque\":\"\",\"path\":\"\",\"query\":\"q\",\"scheme\":"
		    "\"\",\"userinfo\":\"\"}" },
		{ "{{ urlParse \"\" | toJson }}",
		    "{\"fragment\":\"\",\"host\":\"\",\"hostname\":\"\","
		    "\"opaque\":\"\",\"path\":\"\",\"query\":\"\",\"scheme\":"
		    "\"\",\"userinfo\":\"\"}" },
		{ "{{ urlParse \"HTTP://H/\" | toJson }}",
		    "{\"fragment\":\"\",\"host\":\"H\",\"hostname\":\"H\","
		    "\"opaque\":\"\",\"path\":\"/"
		    "\",\"query\":\"\",\"scheme\":\"http\",\"userinfo\":"
		    "\"\"}" },
		{ "{{ urlParse \"http:///p\" | toJson }}",
		    "{\"fragment\":\"\",\"host\":\"\",\"hostname\":\"\","
		    "\"opaque\":\"\",\"path\":\"/"
		    "p\",\"query\":\"\",\"scheme\":\"http\",\"userinfo\":"
		    "\"\"}" },
		{ "{{ urlParse \"///p\" | toJson }}",
		    "{\"fragment\":\"\",\"host\":\"\",\"hostname\":\"\","
		    "\"opaque\":\"\",\"path\":\"///"
		    "p\",\"query\":\"\",\"scheme\":\"\",\"userinfo\":\"\"}" },
		{ "{{ urlParse \"a:b\" | toJson }}",
		    "{\"fragment\":\"\",\"host\":\"\",\"hostname\":\"\","
		    "\"opaque\":\"b\",\"path\":\"\",\"query\":\"\",\"scheme\":"
		    "\"a\",\"userinfo\":\"\"}" },
		{ "{{ urlParse \"x://u@h\" | toJson }}",
		    "{\"fragment\":\"\",\"host\":\"h\",\"hostname\":\"h\","
		    "\"opaque\":\"\",\"path\":\"\",\"query\":\"\",\"scheme\":"
		    "\"x\",\"userinfo\":\"u\"}" },
		{ "{{ urlParse \"http://h/%2Fa\" | toJson }}",
		    "{\"fragment\":\"\",\"host\":\"h\",\"hostname\":\"h\","
		    "\"opaque\":\"\",\"path\":\"//"
		    "a\",\"query\":\"\",\"scheme\":\"http\",\"userinfo\":"
		    "\"\"}" },
		{ "{{ urlParse \"http://h%C3%A9/\" | toJson }}",
		    "{\"fragment\":\"\",\"host\":\"h\303\251\",\"hostname\":"
		    "\"h\303\251\",\"opaque\":\"\",\"path\":\"/"
		    "\",\"query\":\"\",\"scheme\":\"http\",\"userinfo\":"
		    "\"\"}" },
		{ "{{ urlParse \"ftp://a:b:1/\" | toJson }}",
		    "{\"fragment\":\"\",\"host\":\"a:b:1\",\"hostname\":\"a:"
		    "b\",\"opaque\":\"\",\"path\":\"/"
		    "\",\"query\":\"\",\"scheme\":\"ftp\",\"userinfo\":\"\"}" },
		{ "{{ urlParse \"http://h:/\" | toJson }}",
		    "{\"fragment\":\"\",\"host\":\"h:\",\"hostname\":\"h\","
		    "\"opaque\":\"\",\"path\":\"/"
		    "\",\"query\":\"\",\"scheme\":\"http\",\"userinfo\":"
		    "\"\"}" },
		{ "{{ urlParse \"s:/p\" | toJson }}",
		    "{\"fragment\":\"\",\"host\":\"\",\"hostname\":\"\","
		    "\"opaque\":\"\",\"path\":\"/"
		    "p\",\"query\":\"\",\"scheme\":\"s\",\"userinfo\":\"\"}" },
		{ "{{ urlParse \"http://u:@h\" | toJson }}",
		    "{\"fragment\":\"\",\"host\":\"h\",\"hostname\":\"h\","
		    "\"opaque\":\"\",\"path\":\"\",\"query\":\"\",\"scheme\":"
		    "\"http\",\"userinfo\":\"u:\"}" },
		{ "{{ urlParse \"http://u%40@h\" | toJson }}",
		    "{\"fragment\":\"\",\"host\":\"h\",\"hostname\":\"h\","
		    "\"opaque\":\"\",\"path\":\"\",\"query\":\"\",\"scheme\":"
		    "\"http\",\"userinfo\":\"u%40\"}" },
	};

	tmplrig_check(cases, ARRAY_SIZE(cases));
}

static void
refuses_what_go_refuses(void **state UNUSED)
{
	static const struct tmplrig_case cases[] = {
		{ "{{ urlParse \"http://h:80a\" }}",
		    "template: cfg:1:3: executing \"cfg\" at <urlParse "
		    "\"http://h:80a\">: error calling urlParse: unable to "
		    "parse url: parse (value withheld): invalid port (value "
		    "withheld) after host" },
		{ "{{ urlParse \"http://[::1\" }}",
		    "template: cfg:1:3: executing \"cfg\" at <urlParse "
		    "\"http://[::1\">: error calling urlParse: unable to parse "
		    "url: parse (value withheld): missing ']' in host" },
		{ "{{ urlParse \"http://::1\" }}",
		    "template: cfg:1:3: executing \"cfg\" at <urlParse "
		    "\"http://::1\">: error calling urlParse: unable to parse "
		    "url: parse (value withheld): invalid port (value "
		    "withheld) after host" },
		{ "{{ urlParse \"http://h/%zz\" }}",
		    "template: cfg:1:3: executing \"cfg\" at <urlParse "
		    "\"http://h/%zz\">: error calling urlParse: unable to "
		    "parse url: parse (value withheld): invalid URL escape "
		    "(value withheld)" },
		{ "{{ urlParse \":a\" }}",
		    "template: cfg:1:3: executing \"cfg\" at <urlParse "
		    "\":a\">: error calling urlParse: unable to parse url: "
		    "parse (value withheld): missing protocol scheme" },
		{ "{{ urlParse \"a\\x7f\" }}",
		    "template: cfg:1:3: executing \"cfg\" at <urlParse "
		    "\"a\\x7f\">: error calling urlParse: unable to parse url: "
		    "parse (value withheld): net/url: invalid control "
		    "character in URL" },
		{ "{{ urlParse \"1:b\" }}",
		    "template: cfg:1:3: executing \"cfg\" at <urlParse "
		    "\"1:b\">: error calling urlParse: unable to parse url: "
		    "parse (value withheld): first path segment in URL cannot "
		    "contain colon" },
		{ "{{ urlParse \"http://a b/\" }}",
		    "template: cfg:1:3: executing \"cfg\" at <urlParse "
		    "\"http://a b/\">: error calling urlParse: unable to parse "
		    "url: parse (value withheld): invalid character (value "
		    "withheld) in host name" },
		{ "{{ urlParse \"http://h%41/\" }}",
		    "template: cfg:1:3: executing \"cfg\" at <urlParse "
		    "\"http://h%41/\">: error calling urlParse: unable to "
		    "parse url: parse (value withheld): invalid URL escape "
		    "(value withheld)" },
		{ "{{ urlParse \"http://[1.2.3.4]/\" }}",
		    "template: cfg:1:3: executing \"cfg\" at <urlParse "
		    "\"http://[1.2.3.4]/\">: error calling urlParse: unable to "
		    "parse url: parse (value withheld): invalid IP-literal" },
		{ "{{ urlParse \"http://[zz]/\" }}",
		    "template: cfg:1:3: executing \"cfg\" at <urlParse "
		    "\"http://[zz]/\">: error calling urlParse: unable to "
		    "parse url: parse (value withheld): invalid host: (value "
		    "withheld)" },
		{ "{{ urlParse \"http://a[b]/\" }}",
		    "template: cfg:1:3: executing \"cfg\" at <urlParse "
		    "\"http://a[b]/\">: error calling urlParse: unable to "
		    "parse url: parse (value withheld): invalid IP-literal" },
		{ "{{ urlParse \"http://u^@h\" }}",
		    "template: cfg:1:3: executing \"cfg\" at <urlParse "
		    "\"http://u^@h\">: error calling urlParse: unable to parse "
		    "url: parse (value withheld): net/url: invalid userinfo" },
		{ "{{ urlParse \"http://h/#%g\" }}",
		    "template: cfg:1:3: executing \"cfg\" at <urlParse "
		    "\"http://h/#%g\">: error calling urlParse: unable to "
		    "parse url: parse (value withheld): invalid URL escape "
		    "(value withheld)" },
		{ "{{ urlParse \"http://[::1]x\" }}",
		    "template: cfg:1:3: executing \"cfg\" at <urlParse "
		    "\"http://[::1]x\">: error calling urlParse: unable to "
		    "parse url: parse (value withheld): invalid port (value "
		    "withheld) after host" },
		{ "{{ urlParse \"http://[fe80::1%25]/\" }}",
		    "template: cfg:1:3: executing \"cfg\" at <urlParse "
		    "\"http://[fe80::1%25]/\">: error calling urlParse: unable "
		    "to parse url: parse (value withheld): invalid host: "
		    "(value withheld)" },
		{ "{{ urlParse \"http://u%zz@h/\" }}",
		    "template: cfg:1:3: executing \"cfg\" at <urlParse "
		    "\"http://u%zz@h/\">: error calling urlParse: unable to "
		    "parse url: parse (value withheld): invalid URL escape "
		    "(value withheld)" },
		{ "{{ urlParse \"http://[1:2:3:4:5:6:7:8:9]/\" }}",
		    "template: cfg:1:3: executing \"cfg\" at <urlParse "
		    "\"http://[1:2:3:4:5:6:7:8:9]/\">: error calling urlParse: "
		    "unable to parse url: parse (value withheld): invalid "
		    "host: (value withheld)" },
		{ "{{ urlParse \"http://[::1%41]/\" }}",
		    "template: cfg:1:3: executing \"cfg\" at <urlParse "
		    "\"http://[::1%41]/\">: error calling urlParse: unable to "
		    "parse url: parse (value withheld): invalid URL escape "
		    "(value withheld)" },
	};

	tmplrig_check(cases, ARRAY_SIZE(cases));
}

static void
writes_back(void **state UNUSED)
{
	static const struct tmplrig_case cases[] = {
		{ "{{ range list \"http://h\" \"//h/p\" \"/p?q#f\" \"a/b\" "
		  "\"mailto:x@y\" \"http://u:p%20w@h:80/a%20b?c=d%20e#f%20g\" "
		  "\"http://[::1]:80/\" \"http://[fe80::1%25en0]/\" "
		  "\"http://h?\" \"http://h#\" \"*\" \"?q\" \"\" \"HTTP://H/\" "
		  "\"http:///p\" \"///p\" \"a:b\" \"x://u@h\" "
		  "\"http://h/%2Fa\" \"http://h%C3%A9/\" \"ftp://a:b:1/\" "
		  "\"http://h:/\" \"s:/p\" \"http://u:@h\" \"http://u%40@h\" "
		  "}}{{ urlParse . | urlJoin }} {{ end }}",
		    "http://h //h/p /p?q#f a/b mailto:x@y "
		    "http://u:p%20w@h:80/a%20b?c=d%20e#f%20g http://[::1]:80/ "
		    "http://[fe80::1%25en0]/ http://h http://h * ?q  http://H/ "
		    "http:///p ///p a:b x://u@h http://h//a http://h%C3%A9/ "
		    "ftp://a:b:1/ http://h:/ s:///p http://u:@h "
		    "http://u%40@h " },
	};

	tmplrig_check(cases, ARRAY_SIZE(cases));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parses_as_go_does),
		cmocka_unit_test(refuses_what_go_refuses),
		cmocka_unit_test(writes_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
