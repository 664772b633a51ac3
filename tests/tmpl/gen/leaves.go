package main

import (
	"strconv"
	"strings"
)

// What generated templates and their data are made of.
var (
	rawTexts = []string{
		"", "a", "abc", "hello world", "Hello World", "foo bar baz", "a,b,,c", "  x  ",
		"é", "混合", "😀", "ÀÉÎ straße", "a\nb\n", "\t", "x\r\ny", "it's \"q\" `b`", "<a href='x'>&",
		"http_server", "HTTPServer2xx", "camelCase", "snake_case_x", "kebab-case", "a.b/c", "$1 ${2}",
		"%d %s %!", "{{ .x }}", "0", "true", "nil", "a\u00a0b", "ǆ İ ı ß", "\u2028\u200b\ufeff", "aaa bab", "1.2.3",
	}
	rawNumbers = []string{
		"0", "1", "-1", "3", "7", "42", "-5", "010", "08", "0x1f", "0b11", "0o7", "1_000", "3.0", "3.5", "-2.75", ".5", "5.",
		"1e3", "1e400", "9223372036854775807", "9223372036854775808", "-9223372036854775808", "", "x", " 1", "+4", "inf", "nan", "0.1", "123456789.5", "1e-7", "2.50",
	}
	rawJSON = []string{
		`{"a":[1,true,null,"x"],"b":{"c":2.5}}`, `[1,2,3]`, `[]`, `{}`, `null`, `"s"`, `1e6`, `12345678`, `{"a":1,"a":2}`,
		`{"k":"<&>","é":"\u00e9\ud83d\ude00"}`, `[[],{},[{}]]`, `{"a":`, `x`, ` 1 `, `[1e999]`, `"\ud800"`, `-0`, `{"a":{"b":{"c":1}}}`, `[1,]`, `"a\nb"`,
	}
	leaves = map[string][]string{
		"int":        {"0", "1", "2", "3", "-1", "-2", "5", "10", "100", "255", "-7", "9223372036854775807", "-9223372036854775808", "4294967296", "0x1F", "0755", "'a'", "1_000", "(int .n)", "(len .a)"},
		"smallint":   {"0", "1", "2", "3", "4", "5", "-1", "-2", "7", "10", "0x3", "2.0", "(len \"ab\")"},
		"int64":      {"(int64 0)", "(int64 5)", "(int64 -3)", "(add 1 2)", "(int64 .n)", "(mul 3 4)", "(int64 9223372036854775807)"},
		"float64":    {"0.0", "1.5", "-2.5", "3.14159", "1e6", "1e21", "1e-7", "-0.0", "0.1", "123456789.0", "(float64 .n)", "(float64 \"nan\")", "(float64 \"inf\")", "100.0", "1e300", "2.675"},
		"floatlit":   {".5", ".3", "0.0", "1.0", "0.9"},
		"bool":       {"true", "false", "true", "false", "(eq 1 1)", "(empty .a)"},
		"list":       {"(list)", "(list 1 2 3)", "(list \"a\" \"b\" \"a\")", "(list nil 1 \"\" false 0)", "(list 1 1.0 \"1\" (int64 1))", "(list (list 1 2) (list))", "(list (dict \"a\" 1) (dict \"a\" 2))", "(fromJson \"[1,2.5,null,\\\"x\\\"]\")", "(list 3 1 2)", "(list .a .b)"},
		"strs":       {"(splitList \",\" \"b,a,c\")", "(splitList \"\" \"aé\")", "(keys (dict \"b\" 1 \"a\" 2))", "(splitList \",\" .a)", "(toStrings (list 1 nil 2))"},
		"ints":       {"(until 3)", "(until 0)", "(untilStep 1 6 2)", "(until -2)"},
		"chunks":     {"(chunk 2 (list 1 2 3))", "(chunk 1 (list))", "(chunk 3 (until 5))"},
		"dict":       {"(dict)", "(dict \"a\" 1 \"b\" \"x\")", "(dict \"a\" nil)", "(dict \"a\" (dict \"b\" (dict \"c\" 1)))", "(dict \"b\" (list 1 2) \"a\" \"\")", "(dict \"x\" (dict) \"y\" 0)", "(fromJson \"{\\\"a\\\":{\\\"b\\\":null},\\\"c\\\":[1]}\")", "(urlParse \"http://u:p@h:1/a?b#c\")", "(dict \"a\" (dict \"b\" 2 \"d\" 3) \"e\" true)"},
		"smap":       {"(split \",\" \"a,b\")", "(splitn \",\" 2 \"a,b,c\")", "(split \"\" .a)", "$"},
		"time":       {"(toDate \"2006-01-02\" \"2020-02-28\")", "(toDate \"2006-01-02T15:04:05Z07:00\" \"2019-12-31T23:59:59.5+05:30\")", "(toDate \"\" \"x\")", "(toDate \"2006\" \"1969\")", "(toDate \"15:04 MST\" \"12:00 PST\")", "(toDate \"2006-01-02\" \"9999-12-31\")"},
		"epoch":      {"0", "1560458379", "-1", "951782400", "(int64 4102444800)", "253402300799"},
		"semver":     {"(semver \"1.2.3\")", "(semver \"v1.2\")", "(semver \"1.2.3-beta.1+c0ff33\")", "(semver \"0.0.0\")"},
		"any":        {"1", "\"x\"", "nil", "1.5", "true", "(list 1)", "(dict \"a\" 1)", ".a", ".n", "(fromJson .j)", "(index . \"k.x\")", ".nope", "(index \"a\" 0)", "(until 2)"},
		"sep":        {`","`, `""`, `" "`, `"a"`, `"ab"`, `"é"`, `"-"`, `"\n"`, `"$"`, `.b`, `"\xff"`, `"xyz"`},
		"layout":     {`"2006-01-02"`, `"2006-01-02T15:04:05Z07:00"`, `"Jan _2 15:04:05.000"`, `"Monday, 02-Jan-06 15:04:05 MST"`, `"3:04PM"`, `"02/01/06 -0700 .999"`, `"__2 002 Z070000"`, `""`, `"x"`, `"2006"`, `"1/2/2006 5,000"`},
		"zone":       {`"UTC"`, `""`, `"Europe/Berlin"`, `"America/New_York"`, `"Asia/Kolkata"`, `"Local"`, `"Nope/Nope"`, `"EST"`, `"Australia/Lord_Howe"`, `"Asia/Tokyo"`},
		"dur":        {`"1h"`, `"-1h30m"`, `"1.5s"`, `"100ms"`, `"0"`, `""`, `"x"`, `"24h"`, `"1h1x"`, `"720h1ns"`},
		"ver":        {`"1.2.3"`, `"v1.2"`, `"1"`, `"1.2.3-beta.1"`, `"2.0.0+meta"`, `"0.2.3"`, `"x"`, `"0.0.3"`, `"1.3.0"`, `"1.2.3-01"`},
		"re":         {`"a+"`, `"[a-z]+"`, `"^"`, `"$"`, `"(a)(b)?"`, `"\\d+"`, `"\\w*"`, `"\\bx"`, `"(?i)A|b"`, `"."`, `""`, `"x*"`, `"(?P<n>a)|b"`, `"[^a-c\\s]"`, `"("`, `"a{2,3}"`, `"\\pL+"`, `"(a|ab)(c|bcd)*"`, `"(?m)^.?$"`, `"é|混"`, `"(?s)a.b"`, `"[[:alpha:]]{2}"`, `"a*?b"`, `"(?U)a+"`, `"\\s"`, `"[\\d-]"`, `"(?:a|b)+?"`, `"\\Bb"`, `"\\x{e9}"`},
		"repl":       {`"-"`, `"$1"`, `"${1}x"`, `"$0$0"`, `"$$"`, `"${n}"`, `""`, `"$1x"`, `"$"`},
		"url":        {`"http://h/a?b#c"`, `"proto://user:pa%20ss@host:80/pa%20th?k=v"`, `"/a/b"`, `"a:b"`, `"//h"`, `"http://[::1]:8/"`, `"%zz"`, `""`, `"mailto:x@y"`, `"http://h:x"`, `"?q"`, `"http://é/ü"`},
		"path":       {`"/a/b.txt"`, `"a/../b"`, `""`, `"/"`, `"../.."`, `"a//b/."`, `".bashrc"`, `"é/x.tar.gz"`, `"/a/"`},
		"b64":        {`"aGVsbG8="`, `"YQ"`, `"!!"`, `""`, `"YWI=\n"`, `"AAAAAAAAAAAAAAAAAAAAAA=="`, `"30tEfhuJSVRhpG97XCuWgz2okj7L8vQ1s6V9zVUPeDQ="`},
		"b32":        {`"NBSWY3DP"`, `"ME======"`, `"ME"`, `"x"`, `""`},
		"fmt":        {`"%v"`, `"%s|%d"`, `"%5.2f"`, `"%q %x"`, `"%-8v|%08d"`, `"%[2]v %[1]v"`, `"%*d"`, `"%+v %#v %T"`, `"%!"`, `"%%"`, `"%c%U"`, `"%6.3s|"`, `"% x %X"`, `"%t"`, `"%e %G"`, `"%.*f"`, `"x"`, `"%#x %#o %b"`, `"%08.3f|%+d"`, `"%z"`, `"%5t %q"`},
		"type":       {`"string"`, `"int"`, `"[]interface {}"`, `"map[string]interface {}"`, `"*semver.Version"`, `"semver.Version"`, `"float64"`, `"<nil>"`},
		"kind":       {`"string"`, `"int"`, `"slice"`, `"map"`, `"ptr"`, `"struct"`, `"invalid"`, `"float64"`, `"bool"`},
		"key":        {`"a"`, `"b"`, `"c"`, `"x"`, `""`, `"nope"`, `"host"`},
		"pem":        {`"x"`, `.a`},
		"constraint": {`"^1.2.0"`, `"~1.2"`, `">=1.2.3"`, `"<2"`, `"1.x"`, `"!=1.2.3"`, `">1.0 <2.0 || 3"`, `"1.2 - 2.3"`, `"*"`, `""`, `"x y"`, `">=1.2.3-alpha"`, `"^0.0"`, `"~0.2.3"`, `"=1.2.3"`},
	}
)

// leaf gives an operand of the kind without arguments of its own.
func (g *grammar) leaf(kind string) string {
	text := ""
	if g.chance(45) {
		if text, ok := g.generated(kind); ok {
			return text
		}
	}
	switch kind {
	case "str":
		switch n := g.r.IntN(10); {
		case n < 3:
			text = g.one([]string{".a", ".b", ".n", ".bin", ".j", "._0", `(index . "k.x")`, "$.a", "$.bin"})
		case n < 9:
			text = strconv.Quote(g.one(rawTexts))
		default:
			s := g.one(rawTexts)
			if text = strconv.Quote(s); !strings.Contains(s, "`") {
				text = "`" + s + "`"
			}
		}
	case "numstr":
		text = strconv.Quote(g.one(rawNumbers))
		if g.chance(20) {
			text = ".n"
		}
	case "json":
		text = strconv.Quote(g.one(rawJSON))
		if g.chance(20) {
			text = ".j"
		}
	default:
		list, ok := leaves[kind]
		if !ok {
			return g.leaf("any")
		}
		text = g.one(list)
	}
	if g.pure > 0 && usesData(text) {
		return strconv.Quote(g.one(rawTexts))
	}
	// Data is at the root only.
	if len(g.dots) > 1 && g.chance(80) {
		text = strings.NewReplacer(" .", " $.", "(.", "($.").Replace(" " + text)[1:]
	}
	return text
}

func usesData(text string) bool {
	return strings.HasPrefix(text, ".") && !strings.HasPrefix(text, ".5") && !strings.HasPrefix(text, ".3") ||
		strings.HasPrefix(text, "$") || strings.Contains(text, " .") || strings.Contains(text, "(.")
}
