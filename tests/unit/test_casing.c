/*
 * Tests of controller/tmpl/casing.c: letter case.
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
splits_words_for_snake_and_kebab_case(void **state UNUSED)
{
	static const struct tmplrig_case cases[] = {
		{ "{{ range list \"HTTPServer\" \"NoHTTPS\" \"_camelCase\" "
		  "\"Wi_thF\" \"HELLO____WORLD\" \"GO-PATH\" \"http2xx\" "
		  "\"HTTP2XX\" \"HTTP20xOK\" \"HTTP-20xStatus\" "
		  "\"Duration2m3s\" \"Bld4Floor3rd\" \"a1b2c3d\" \"A//B%%2c\" "
		  "\"  sentence case  \" \"abc_123_def\" }}{{ snakecase . }} "
		  "{{ end }}",
		    "http_server no_https _camel_case wi_th_f hello____world "
		    "go_path http_2xx http2_xx http_20x_ok http_20x_status "
		    "duration_2m3s bld4_floor_3rd a_1b2c3d a//b%%2c "
		    "__sentence_case__ abc_123_def " },
		{ "{{ snakecase "
		  "\"\346\267\267\345\220\210ABCWords\344\270\216123\346\225"
		  "\260\345\255\227456\" }} {{ kebabcase "
		  "\"\346\267\267\345\220\210ABCWords\344\270\216123\346\225"
		  "\260\345\255\227456\" }} {{ kebabcase \"A B_C\" }} {{ "
		  "snakecase \"\" }}",
		    "\346\267\267\345\220\210_abc_words_\344\270\216123_"
		    "\346\225\260\345\255\227456 "
		    "\346\267\267\345\220\210-abc-words-\344\270\216123-"
		    "\346\225\260\345\255\227456 a-b-c " },
		{ "{{ snakecase \"C++Lang\" }} {{ snakecase \"Port8080\" }} {{ "
		  "snakecase \"a\302\262b\" }} {{ snakecase \"!A\" }} {{ "
		  "snakecase \"A!\" }} {{ snakecase \"12ab34CD\" }} {{ "
		  "snakecase \"A12\" }} {{ snakecase \"A12-\" }}",
		    "c_++_lang port8080 a_\302\262b !a a! 12ab34_cd a12 a12_" },
		{ "{{ snakecase \"A\\xffB\" | quote }} {{ snakecase \"\\xff\" "
		  "| quote }} {{ snakecase \"a\\xff\" | quote }} {{ snakecase "
		  "\"AB\\xff\\xff\" | quote }}",
		    "\"a\357\277\275b\" \"\\xff\" \"a\\xff\" "
		    "\"ab\357\277\275\357\277\275\"" },
	};

	tmplrig_check(cases, ARRAY_SIZE(cases));
}

static void
makes_pascal_case(void **state UNUSED)
{
	static const struct tmplrig_case cases[] = {
		{ "{{ range list \"http_server\" \"_camel_case\" "
		  "\"_complex__case_\" \"all\" \"GOLANG_IS_GREAT\" \"GOLANG\" "
		  "\"XMLHttpRequest\" \"-\" \"--\" \"a\" \"A B\" \"a\\tb\" "
		  "}}{{ camelcase . }} {{ end }}",
		    "HttpServer _CamelCase _Complex_Case_ All GolangIsGreat "
		    "Golang XmlhttpRequest -- --- A AB AB " },
		{ "{{ camelcase \"\303\251_\303\237\" }} {{ camelcase "
		  "\"\\xff_a\" | quote }} {{ camelcase \"\" }}",
		    "\303\211\303\237 \"\357\277\275A\" " },
	};

	tmplrig_check(cases, ARRAY_SIZE(cases));
}

static void
maps_single_characters_as_go_does(void **state UNUSED)
{
	static const struct tmplrig_case cases[] = {
		{ "{{ upper \"\303\237\357\254\201\304\261\302\265\307\206\" "
		  "}} {{ lower \"\304\260\316\243\316\221\316\243\" }} {{ "
		  "title \"\307\206 \307\206\" }} {{ swapcase \"\307\206 "
		  "\307\205a\307\206 Ab\" }} {{ untitle \"\307\204x\" }}",
		    "\303\237\357\254\201I\316\234\307\204 "
		    "i\317\203\316\261\317\203 \307\205 \307\205 \307\205 "
		    "\307\206A\307\204 aB \307\206x" },
	};

	tmplrig_check(cases, ARRAY_SIZE(cases));
}

static void
replaces_invalid_bytes_where_go_does(void **state UNUSED)
{
	static const struct tmplrig_case cases[] = {
		{ "{{ upper \"a\\xff\" | quote }} {{ lower \"\\xc3\" | quote "
		  "}} {{ title \"\\xff\" | quote }} {{ untitle \"\\xff\" | "
		  "quote }} {{ swapcase \"\\xff\" | quote }}",
		    "\"A\357\277\275\" \"\357\277\275\" \"\357\277\275\" "
		    "\"\357\277\275\" \"\357\277\275\"" },
	};

	tmplrig_check(cases, ARRAY_SIZE(cases));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(splits_words_for_snake_and_kebab_case),
		cmocka_unit_test(makes_pascal_case),
		cmocka_unit_test(maps_single_characters_as_go_does),
		cmocka_unit_test(replaces_invalid_bytes_where_go_does),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
