/*
 * That the tables of functions hold exactly the names which a template of the
 * reference can call: Go's own and sprig's, without those that read the
 * controller's environment.
 * layer: tmpl
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
/* cmocka needs the four above first. */
#include <cmocka.h>

/* For its list of tables. */
#include "controller/tmpl/func.c"

static const char *const names[] = {
	"abbrev",
	"abbrevboth",
	"add",
	"add1",
	"add1f",
	"addf",
	"adler32sum",
	"ago",
	"all",
	"and",
	"any",
	"append",
	"atoi",
	"b32dec",
	"b32enc",
	"b64dec",
	"b64enc",
	"base",
	"bcrypt",
	"biggest",
	"buildCustomCert",
	"call",
	"camelcase",
	"cat",
	"ceil",
	"chunk",
	"clean",
	"coalesce",
	"compact",
	"concat",
	"contains",
	"date",
	"dateInZone",
	"dateModify",
	"date_in_zone",
	"date_modify",
	"decryptAES",
	"deepCopy",
	"deepEqual",
	"default",
	"derivePassword",
	"dict",
	"dig",
	"dir",
	"div",
	"divf",
	"duration",
	"durationRound",
	"empty",
	"encryptAES",
	"eq",
	"ext",
	"fail",
	"first",
	"float64",
	"floor",
	"fromJson",
	"ge",
	"genCA",
	"genCAWithKey",
	"genPrivateKey",
	"genSelfSignedCert",
	"genSelfSignedCertWithKey",
	"genSignedCert",
	"genSignedCertWithKey",
	"get",
	"gt",
	"has",
	"hasKey",
	"hasPrefix",
	"hasSuffix",
	"hello",
	"html",
	"htmlDate",
	"htmlDateInZone",
	"htpasswd",
	"indent",
	"index",
	"initial",
	"initials",
	"int",
	"int64",
	"isAbs",
	"join",
	"js",
	"kebabcase",
	"keys",
	"kindIs",
	"kindOf",
	"last",
	"le",
	"len",
	"list",
	"lower",
	"lt",
	"max",
	"maxf",
	"merge",
	"mergeOverwrite",
	"min",
	"minf",
	"mod",
	"mul",
	"mulf",
	"mustAppend",
	"mustChunk",
	"mustCompact",
	"mustDateModify",
	"mustDeepCopy",
	"mustFirst",
	"mustFromJson",
	"mustHas",
	"mustInitial",
	"mustLast",
	"mustMerge",
	"mustMergeOverwrite",
	"mustPrepend",
	"mustPush",
	"mustRegexFind",
	"mustRegexFindAll",
	"mustRegexMatch",
	"mustRegexReplaceAll",
	"mustRegexReplaceAllLiteral",
	"mustRegexSplit",
	"mustRest",
	"mustReverse",
	"mustSlice",
	"mustToDate",
	"mustToJson",
	"mustToPrettyJson",
	"mustToRawJson",
	"mustUniq",
	"mustWithout",
	"must_date_modify",
	"ne",
	"nindent",
	"nospace",
	"not",
	"now",
	"omit",
	"or",
	"osBase",
	"osClean",
	"osDir",
	"osExt",
	"osIsAbs",
	"pick",
	"pluck",
	"plural",
	"prepend",
	"print",
	"printf",
	"println",
	"push",
	"quote",
	"randAlpha",
	"randAlphaNum",
	"randAscii",
	"randBytes",
	"randInt",
	"randNumeric",
	"regexFind",
	"regexFindAll",
	"regexMatch",
	"regexQuoteMeta",
	"regexReplaceAll",
	"regexReplaceAllLiteral",
	"regexSplit",
	"repeat",
	"replace",
	"rest",
	"reverse",
	"round",
	"semver",
	"semverCompare",
	"seq",
	"set",
	"sha1sum",
	"sha256sum",
	"sha512sum",
	"shuffle",
	"slice",
	"snakecase",
	"sortAlpha",
	"split",
	"splitList",
	"splitn",
	"squote",
	"sub",
	"subf",
	"substr",
	"swapcase",
	"ternary",
	"title",
	"toDate",
	"toDecimal",
	"toJson",
	"toPrettyJson",
	"toRawJson",
	"toString",
	"toStrings",
	"trim",
	"trimAll",
	"trimPrefix",
	"trimSuffix",
	"trimall",
	"trunc",
	"tuple",
	"typeIs",
	"typeIsLike",
	"typeOf",
	"uniq",
	"unixEpoch",
	"unset",
	"until",
	"untilStep",
	"untitle",
	"upper",
	"urlJoin",
	"urlParse",
	"urlquery",
	"uuidv4",
	"values",
	"without",
	"wrap",
	"wrapWith",
};

static bool
is_known(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (strcmp(names[i], name) == 0)
			return true;
	}
	return false;
}

static void
every_name_has_a_function(void **state UNUSED)
{
	size_t missing = 0;

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (func_find(names[i], strlen(names[i])) != NULL)
			continue;
		print_error("%s is missing\n", names[i]);
		missing++;
	}
	assert_int_equal(missing, 0);
}

static void
no_other_name_has_one(void **state UNUSED)
{
	static const char *const removed[] = { "env", "expandenv",
		"getHostByName", "", "fo", "lenx" };

	for (size_t i = 0; i < ARRAY_SIZE(tables); i++) {
		for (const struct func *f = tables[i]; f->name != NULL; f++) {
			if (!is_known(f->name))
				print_error("%s is unknown\n", f->name);
			assert_true(is_known(f->name));
		}
	}
	for (size_t i = 0; i < ARRAY_SIZE(removed); i++)
		assert_null(func_find(removed[i], strlen(removed[i])));
}

static void
every_function_has_a_signature(void **state UNUSED)
{
	for (size_t i = 0; i < ARRAY_SIZE(tables); i++) {
		for (const struct func *f = tables[i]; f->name != NULL; f++) {
			const char *colon = strchr(f->sig, ':');

			assert_non_null(colon);
			assert_int_equal(strlen(colon), 2);
			assert_non_null(f->fn);
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_name_has_a_function),
		cmocka_unit_test(no_other_name_has_one),
		cmocka_unit_test(every_function_has_a_signature),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
