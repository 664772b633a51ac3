package main

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// Generated leaves: texts in the languages that functions read.

func (g *grammar) repeat(least, most int, piece func() string) string {
	var b strings.Builder
	for n := least + g.r.IntN(most-least+1); n > 0; n-- {
		b.WriteString(piece())
	}
	return b.String()
}

// pieces joins pieces of a list at random.
func (g *grammar) pieces(list []string, most int) string {
	return g.repeat(0, most, func() string { return g.one(list) })
}

var scripts = [][2]rune{
	{'a', 'z'}, {'a', 'z'}, {'A', 'Z'}, {'A', 'Z'}, {'0', '9'}, {' ', '~'}, {' ', '~'}, {0, 0x20}, {0x7f, 0xff}, {0x100, 0x24f}, {0x250, 0x36f}, {0x370, 0x52f},
	{0x531, 0x70f}, {0x900, 0xdff}, {0x10a0, 0x10ff}, {0x13a0, 0x13ff}, {0x1c80, 0x1fff}, {0x2000, 0x206f}, {0x2100, 0x218f}, {0x2460, 0x24ff}, {0x2c00, 0x2dff},
	{0x3000, 0x30ff}, {0x3400, 0x3410}, {0x4db0, 0x4e05}, {0x9fc0, 0xa000}, {0xa640, 0xa7ff}, {0xab30, 0xabbf}, {0xfb00, 0xfb06}, {0xfe00, 0xffff}, {0x10400, 0x1044f},
	{0x10c80, 0x10cf2}, {0x16e40, 0x16e7f}, {0x1d400, 0x1d7ff}, {0x1e900, 0x1e943}, {0x1f100, 0x1f64f}, {0x20000, 0x20010}, {0x2b810, 0x2b820}, {0xe0001, 0xe007f}, {0x10fffe, 0x10ffff},
}

func (g *grammar) rune() rune {
	s := scripts[g.r.IntN(len(scripts))]
	return s[0] + rune(g.r.IntN(int(s[1]-s[0])+1))
}

// randomText gives any text; where raw, with bytes that are no UTF-8.
func (g *grammar) randomText(raw bool) string {
	ascii := g.chance(40)
	most := 14
	if g.chance(10) {
		most = 80
	}
	return g.repeat(0, most, func() string {
		switch {
		case raw && g.chance(5):
			return g.one([]string{"\xff", "\x80", "\xc3", "\xe6\xb7", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xc0\x80"})
		case g.chance(8):
			return g.one([]string{" ", "  ", "-", "_", "\n", "\t", ",", ".", "/", "'", "\"", "\\", "$", "%", "&", "<", "é"})
		case ascii:
			return string(rune(' ' + g.r.IntN(95)))
		case g.chance(50):
			return string(rune('a' + g.r.IntN(26)))
		}
		r := g.rune()
		if r >= 0xd800 && r < 0xe000 {
			r = 'x'
		}
		return string(r)
	})
}

func (g *grammar) randomFloat() float64 {
	switch g.r.IntN(5) {
	case 0:
		return math.Float64frombits(g.r.Uint64()&^(1<<63) | uint64(g.r.IntN(2))<<63)
	case 1:
		return float64(g.r.IntN(2000000)-1000000) / math.Pow10(g.r.IntN(8))
	case 2:
		return math.Ldexp(float64(g.r.IntN(1<<20)), g.r.IntN(80)-40)
	case 3:
		return (g.r.Float64() - .5) * math.Pow10(g.r.IntN(30)-8)
	}
	return float64(g.r.IntN(41)-20) / 4
}

func (g *grammar) randomInt() int64 {
	return int64(g.r.Uint64()) >> g.r.IntN(64)
}

// floatLiteral is a literal that cannot be taken for an int.
func (g *grammar) floatLiteral() string {
	f := g.randomFloat()
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return "1.25"
	}
	s := strconv.FormatFloat(f, "gfe"[g.r.IntN(3)], -1, 64)
	if len(s) > 60 {
		s = strconv.FormatFloat(f, 'e', -1, 64)
	}
	if !strings.ContainsAny(s, ".e") {
		s += ".0"
	}
	return s
}

func (g *grammar) numberText() string {
	switch g.r.IntN(6) {
	case 0:
		return strconv.FormatInt(g.randomInt(), 10)
	case 1:
		return strconv.FormatFloat(g.randomFloat(), "gfe"[g.r.IntN(3)], -1, 64)
	case 2:
		return strconv.FormatFloat(g.randomFloat(), 'f', g.r.IntN(20), 64)
	case 3:
		return g.one([]string{"0x", "0b", "0o", "0", "-0x", "+", "0X"}) + strconv.FormatUint(g.r.Uint64()>>g.r.IntN(64), []int{2, 8, 10, 16}[g.r.IntN(4)])
	}
	return g.pieces([]string{"0", "1", "2", "7", "8", "9", "12", ".", "e", "E", "+", "-", "_", "x", "0x", "a", "p", "i", "inf", "nan", " ", "000", "999999999"}, 5)
}

func (g *grammar) jsonText(depth int) string {
	space := g.one([]string{"", "", "", " ", "\n"})
	switch n := g.r.IntN(10); {
	case n < 3 && depth > 0:
		items := []string{}
		for i := g.r.IntN(4); i > 0; i-- {
			items = append(items, g.jsonText(depth-1))
		}
		return space + "[" + strings.Join(items, ",") + "]"
	case n < 6 && depth > 0:
		items := []string{}
		for i := g.r.IntN(4); i > 0; i-- {
			items = append(items, g.jsonString()+space+":"+g.jsonText(depth-1))
		}
		return "{" + strings.Join(items, ",") + "}" + space
	case n < 7:
		return g.one([]string{"null", "true", "false", "1e5", "-0.0", "1E400", "0", "01", "1.", "-", "tru", "1e-9", "123456789012345678901"})
	case n < 8:
		return strings.TrimSuffix(strconv.FormatFloat(g.randomFloat(), 'g', -1, 64), "Inf")
	}
	return space + g.jsonString()
}

func (g *grammar) jsonString() string {
	return `"` + g.repeat(0, 5, func() string {
		if g.chance(60) {
			return g.one([]string{"a", "b", "c", "é", "x y", "<", "&", "/", "\u2028", "'", "0"})
		}
		return g.one([]string{`\n`, `\"`, `\\`, `\/`, `\b`, `\u0041`, `\u00e9`, `\ud83d\ude00`, `\ud800`, `\udc00`, `\u0000`, `\u2028`, `\uD83Dx`, `\q`, "\t", "\xff", "\x7f"})
	}) + `"`
}

func (g *grammar) regexText(depth int) string {
	atom := func() string {
		switch n := g.r.IntN(12); {
		case n < 4:
			return g.one([]string{"a", "b", "c", "x", "A", "é", " ", "1", "-", "混", "k", "s"})
		case n < 6:
			return g.one([]string{".", `\d`, `\w`, `\s`, `\D`, `\W`, `\S`, `\b`, `\B`, "^", "$", `\A`, `\z`, `\pL`, `\p{Greek}`, `\PN`, `\x41`, `\x{1F600}`, `\.`, `\\`, `\n`, `\t`, `\Q.*\E`, `\-`, `(?i:k)`, `\p{Lu}`})
		case n < 8:
			return "[" + g.one([]string{"", "^"}) + g.repeat(1, 3, func() string {
				return g.one([]string{"a", "b-d", "x", "0-9", `\d`, `\s`, "é", "[:alpha:]", "[:^digit:]", `\]`, "_", `\pL`, "A-Z", ".", `\\`, "à-ü", "[:space:]", `\x00-\x1f`})
			}) + "]"
		case n < 9:
			return g.one([]string{"a*?", "(", ")", "[", "a{2", "{1,2}", "**", `\1`, "(?=a)", "(?<!a)", "a++", "(?>a)", `\Z`, "|", "(?P<n>a)", "(?x)", "a{1001}", "[b-a]"})
		}
		if depth <= 0 {
			return "a"
		}
		return g.one([]string{"(", "(?:", "(?i)(", "(?P<n>", "(", "(?s:", "(?U)(", "(?m:"}) + g.regexText(depth-1) + ")"
	}
	one := func() string {
		return atom() + g.one([]string{"", "", "", "*", "+", "?", "*?", "+?", "??", "{2}", "{1,3}", "{0,2}?", "{2,}"})
	}
	e := g.repeat(1, 4, one)
	if g.chance(25) {
		e += "|" + g.repeat(0, 3, one)
	}
	return e
}

var subjectPieces = []string{"a", "b", "c", "aa", "ab", "x", "A", "K", "k", "\u212a", "s", "ſ", "é", "É", "混", "1", "42", " ", "\n", "-", "_", ".", "α", "Ω", "\xff", "\t", "\\"}

var layoutPieces = []string{
	"2006", "06", "January", "Jan", "01", "1", "Monday", "Mon", "02", "2", "_2", "002", "__2", "15", "03", "3", "04", "4", "05", "5", "PM", "pm", "MST", "-0700", "-07:00", "-07", "-070000", "-07:00:00",
	"Z0700", "Z07:00", "Z07", ".000", ".999", ",000", ",9", ".0", " ", "-", "/", ":", "T", ", ", "x", "é", "0", "_", "7", ".", "_2006", "Jan2", "nd",
}

var zones = []string{
	"Africa/Monrovia", "America/Argentina/Buenos_Aires", "America/Caracas", "America/Chicago", "America/Havana", "America/Noronha", "America/Nuuk",
	"America/Santiago", "America/Sao_Paulo", "America/St_Johns", "Antarctica/Troll", "Asia/Dhaka", "Asia/Gaza", "Asia/Kathmandu", "Asia/Pyongyang", "Asia/Shanghai", "Asia/Tehran",
	"Atlantic/Azores", "Australia/Eucla", "CET", "EST5EDT", "Etc/GMT-14", "Europe/Amsterdam", "Europe/Dublin", "Europe/Istanbul", "Europe/London", "Europe/Moscow", "Indian/Maldives",
	"Pacific/Apia", "Pacific/Chatham", "Pacific/Kiritimati", "US/Hawaii", "WET", "Europe/berlin", "Europe", "/UTC", "UTC/..", "../UTC", "Mars/Phobos",
}

func (g *grammar) durationText() string {
	return g.one([]string{"", "", "-", "+"}) + g.repeat(1, 3, func() string {
		return g.one([]string{"0", "1", "25", "1.5", ".5", "3.", "100000", "9223372036854", "0.001", "59"}) + g.one([]string{"h", "m", "s", "ms", "us", "µs", "ns", "d", ""})
	})
}

func (g *grammar) versionText() string {
	part := func() string { return g.one([]string{"0", "1", "2", "3", "10", "11", "01", "x", "*"}) }
	v := g.one([]string{"", "", "", "v"}) + part()
	for i := 0; i < 2 && g.chance(80); i++ {
		v += "." + part()
	}
	if g.chance(30) {
		v += "-" + g.one([]string{"alpha", "beta.1", "rc.2", "0", "01", "a-b", "1.2", "A", "x.7.z"})
	}
	if g.chance(15) {
		v += "+" + g.one([]string{"meta", "001", "a.b", "a+b"})
	}
	return v
}

func (g *grammar) constraintText() string {
	one := func() string {
		c := g.one([]string{"", "=", "!=", ">", "<", ">=", "<=", "=>", "=<", "~", "~>", "^"}) + g.one([]string{"", "", " "}) + g.versionText()
		if g.chance(10) {
			c = g.versionText() + " - " + g.versionText()
		}
		return c
	}
	c := one()
	for g.chance(35) {
		c += g.one([]string{",", ", ", " ", " || ", "||"}) + one()
	}
	return c
}

func (g *grammar) urlText() string {
	u := g.one([]string{"http://", "https://", "a+b:", "//", "", "/", "HTTP://", "mailto:", "x:/", "1:"})
	u += g.one([]string{"", "", "u@", "u:p@", "us%20er:p%40@", ":@", "ü:p@", "a@b@"})
	u += g.one([]string{"h", "example.com", "[::1]", "h:80", "h:", "é", "h%41", "[fe80::1%25en0]:1", "1.2.3.4", "h x", ""})
	u += g.repeat(0, 4, func() string {
		return g.one([]string{"/", "/a", "/b c", "/%2F", "/%41", "/é", "/..", "/.", "//", ":x", ";p", "/*", "/!$&'()", "/[x]", "%zz", "/\\", "/<>", "/\"", "/%"})
	})
	if g.chance(40) {
		u += "?" + g.pieces([]string{"a=b", "&", "c=%20", "x y", "?", "é", "<", "%zz", "+"}, 4)
	}
	if g.chance(30) {
		u += "#" + g.pieces([]string{"f", "%20", "é", "#", " ", "%zz", "!", "<"}, 3)
	}
	return u
}

func (g *grammar) formatText() string {
	return g.repeat(1, 3, func() string {
		f := "%" + g.pieces([]string{"+", "-", "#", " ", "0"}, 2)
		f += g.one([]string{"", "", "", "5", "12", "*", "08", "1", "[1]", "[2]", "[3]*", "60"})
		f += g.one([]string{"", "", "", ".0", ".3", ".", ".*", ".10", ".[1]*"})
		return f + g.one([]string{"v", "v", "d", "s", "q", "x", "X", "f", "F", "e", "E", "g", "G", "t", "c", "U", "b", "o", "O", "T", "%", "z", "!", "p", "w"}) + g.one([]string{"", "|", " ", "é"})
	})
}

func (g *grammar) pathText() string {
	return g.pieces([]string{"/", "/", "a", "b.txt", "..", ".", "//", "é", ".x", "c", " ", "\\"}, 7)
}

func (g *grammar) base64Text() string {
	return g.pieces([]string{"QUJD", "YQ==", "YWI=", "YR==", "=", "\n", "A", "b", "+/", "-", "AAAA", " ", "!", "é"}, 5)
}

func (g *grammar) base32Text() string {
	return g.pieces([]string{"NBSWY3DP", "ME======", "MFRA====", "=", "\n", "A", "M", "1", "a", "MFRGGZA="}, 4)
}

// generated gives the source of a random operand; ok where there is a way to
// make one for the kind.
func (g *grammar) generated(kind string) (text string, ok bool) {
	quote := func(s string) (string, bool) { return strconv.Quote(s), true }
	switch kind {
	case "str":
		if g.chance(30) {
			return quote(g.pieces(subjectPieces, 8))
		}
		return quote(g.randomText(true))
	case "numstr":
		return quote(g.numberText())
	case "json":
		return quote(g.jsonText(3))
	case "re":
		return quote(g.regexText(2))
	case "repl":
		return quote(g.pieces([]string{"$", "1", "0", "2", "{", "}", "n", "x", "$1", "${1}", "${n}", "$$", "-", "é"}, 5))
	case "layout":
		return quote(g.repeat(1, 6, func() string { return g.one(layoutPieces) }))
	case "zone":
		return quote(g.one(zones))
	case "dur":
		return quote(g.durationText())
	case "ver":
		return quote(g.versionText())
	case "constraint":
		return quote(g.constraintText())
	case "url":
		return quote(g.urlText())
	case "path":
		return quote(g.pathText())
	case "b64":
		return quote(g.base64Text())
	case "b32":
		return quote(g.base32Text())
	case "fmt":
		return quote(g.formatText())
	case "sep":
		return quote(g.pieces([]string{"a", "b", ",", "-", " ", "é", "\xff", "ab", "$"}, 2))
	case "int":
		return strconv.FormatInt(g.randomInt(), 10), true
	case "int64":
		return fmt.Sprintf("(int64 %d)", g.randomInt()), true
	case "float64":
		return g.floatLiteral(), true
	case "epoch":
		return strconv.FormatInt(g.r.Int64N(8e9)-3e9, 10), true
	case "semver":
		return "(semver " + strconv.Quote(fmt.Sprintf("%d.%d.%d%s", g.r.IntN(12), g.r.IntN(3), g.r.IntN(3), g.one([]string{"", "-a.1", "+m", "-1-x+y"}))) + ")", true
	case "time":
		return fmt.Sprintf("(toDate \"2006-01-02T15:04:05Z07:00\" \"%04d-%02d-%02dT%02d:%02d:%02d%s%s\")", g.r.IntN(10000), 1+g.r.IntN(12), 1+g.r.IntN(28),
			g.r.IntN(24), g.r.IntN(60), g.r.IntN(60), g.one([]string{"", "", ".5", ".123456789", ".000001"}), g.one([]string{"Z", "Z", "+02:00", "-11:30"})), true
	case "list":
		return "(list " + g.repeat(0, 4, func() string { return g.leaf(g.one([]string{"str", "int", "float64", "bool", "any", "int64"})) + " " }) + ")", true
	case "dict":
		return "(dict " + g.repeat(0, 3, func() string {
			return g.leaf("key") + " " + g.leaf(g.one([]string{"str", "int", "float64", "any", "list", "dict"})) + " "
		}) + ")", true
	}
	return "", false
}
