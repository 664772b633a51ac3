package main

import (
	"fmt"
	"math/rand/v2"
	"strings"
)

// grammar makes templates: mostly sound ones, by the signatures of the
// functions, with a wrong argument or a broken token now and then.
type grammar struct {
	r        *rand.Rand
	b        strings.Builder
	all      []signature
	byResult map[string][]signature
	vars     []variable
	defined  []string
	next     int
	pure     int  // above 0: no variables and no dot, so that no cycles arise
	loop     bool // break and continue are allowed
	dots     []string
	wrong    int // percent of operands of another kind
}

type variable struct{ name, kind string }

// fits lists the results that suit each kind of parameter best.
var fits = map[string][]string{
	"any":     {"any", "str", "int", "int64", "float64", "bool", "list", "strs", "ints", "dict", "smap", "chunks", "time", "semver"},
	"num":     {"int", "int64", "float64", "numstr", "any"},
	"octal":   {"int", "numstr"},
	"secs":    {"numstr", "int64", "int"},
	"date":    {"time", "epoch"},
	"list":    {"list", "strs", "ints", "chunks"},
	"coll":    {"list", "strs", "ints", "dict", "smap", "str", "chunks"},
	"float":   {"floatlit"},
	"uint32":  {"smallint"},
	"small":   {"smallint"},
	"int":     {"int"},
	"bool":    {"bool"},
	"dict":    {"dict"},
	"time":    {"time"},
	"semver":  {"semver"},
	"cert":    {"any"},
	"int64":   {"int64"},
	"float64": {"float64"},
}

func newGrammar(sigs []signature) *grammar {
	g := &grammar{byResult: map[string][]signature{}}
	for _, s := range sigs {
		if !s.random && !s.slow && !s.own {
			g.byResult[s.result] = append(g.byResult[s.result], s)
			g.all = append(g.all, s)
		}
	}
	return g
}

// keep leaves only the functions of one file for single calls.
func (g *grammar) keep(file string) {
	var kept []signature
	for _, s := range g.all {
		if s.file == file {
			kept = append(kept, s)
		}
	}
	g.all = kept
}

func (g *grammar) reset(seed, i uint64) {
	g.r = rand.New(rand.NewPCG(seed, i))
	g.b.Reset()
	g.vars, g.defined, g.next, g.pure, g.loop, g.dots = nil, nil, 0, 0, false, []string{"root"}
	// Half of the templates mean well, the others fail sooner or later.
	g.wrong = []int{0, 0, 1, 4}[g.r.IntN(4)]
}

// template gives the i-th template of a seed.
func (g *grammar) template(seed, i uint64) (string, map[string]string) {
	g.reset(seed, i)
	g.body(1+g.r.IntN(4), 3)
	return g.b.String(), g.data()
}

// single gives a template of one or two calls with plain arguments: most of
// these succeed.
func (g *grammar) single(seed, i uint64) (string, map[string]string) {
	g.reset(seed, i)
	g.wrong = 0
	for n := 1 + g.r.IntN(2); n > 0; n-- {
		s := g.all[g.r.IntN(len(g.all))]
		call := g.callOf(s, g.r.IntN(2))
		if matching(call) {
			call = call[1 : len(call)-1]
		}
		g.b.WriteString("{{ " + call + g.one([]string{"", "", " | toJson", " | printf \"%q\"", " | printf \"%v %T\" 1"}) + " }}")
	}
	return g.b.String(), g.data()
}

func (g *grammar) one(list []string) string { return list[g.r.IntN(len(list))] }
func (g *grammar) chance(percent int) bool  { return g.r.IntN(100) < percent }

func (g *grammar) data() map[string]string {
	d := map[string]string{}
	for _, k := range []string{"a", "b", "n", "j", "bin", "k.x", "_0"} {
		if g.chance(80) {
			d[k] = g.value(k)
		}
	}
	return d
}

func (g *grammar) value(key string) string {
	random := g.chance(60)
	switch {
	case key == "n" && random:
		return g.numberText()
	case key == "n":
		return g.one(rawNumbers)
	case key == "j" && random:
		return g.jsonText(3)
	case key == "j":
		return g.one(rawJSON)
	case random:
		return g.randomText(key == "bin")
	case key == "bin":
		return g.one([]string{"\xff\xfe", "a\x00b", "\xc3", "é\x80", "\xed\xa0\x80"})
	}
	return g.one(rawTexts)
}

func (g *grammar) open() string {
	return g.one([]string{"{{ ", "{{ ", "{{ ", "{{ ", "{{", "{{- ", "{{\t", "{{\n "})
}

func (g *grammar) shut() string {
	return g.one([]string{" }}", " }}", " }}", " }}", "}}", " -}}", "\t}}", "\n}}"})
}

func (g *grammar) action(text string) { g.b.WriteString(g.open() + text + g.shut()) }

func (g *grammar) text() {
	g.b.WriteString(g.one([]string{"", " ", "\n", "x", " a b ", "\n\n\tz", "é混", "}", "\r\n", "\u00a0", "|", "\x00"}))
}

func (g *grammar) body(statements, depth int) {
	scope := len(g.vars)
	for i := 0; i < statements; i++ {
		g.text()
		g.statement(depth)
	}
	g.text()
	g.vars = g.vars[:scope]
}

func (g *grammar) statement(depth int) {
	if depth <= 0 {
		g.print()
		return
	}
	switch n := g.r.IntN(40); {
	case n < 20:
		g.print()
	case n < 25:
		g.declare()
	case n < 27:
		g.assign()
	case n < 30:
		g.conditional(depth)
	case n < 32:
		g.with(depth)
	case n < 35:
		g.loopOver(depth)
	case n < 37:
		g.nested(depth)
	case n < 38:
		g.b.WriteString(g.one([]string{"{{/* c */}}", "{{- /* c */ -}}", "{{/* a\nb */}}"}))
	default:
		if g.loop {
			g.b.WriteString("{{ if " + g.expr("bool", 1) + " }}{{" + g.one([]string{"break", "continue"}) + "}}{{ end }}")
			return
		}
		g.print()
	}
}

func (g *grammar) print() {
	kind := g.one([]string{"any", "str", "str", "int", "int64", "float64", "bool", "list", "strs", "ints", "dict", "smap", "time", "semver", "chunks"})
	g.action(g.pipeline(kind, 3))
}

func (g *grammar) declare() {
	kind := g.one([]string{"any", "str", "int", "float64", "list", "strs", "dict", "dict", "time", "semver", "bool"})
	v := g.expr(kind, 2)
	g.next++
	name := fmt.Sprintf("$v%d", g.next)
	g.action(name + " := " + v)
	g.vars = append(g.vars, variable{name, kind})
}

func (g *grammar) assign() {
	if len(g.vars) == 0 {
		g.print()
		return
	}
	v := g.vars[g.r.IntN(len(g.vars))]
	g.action(v.name + " = " + g.expr(v.kind, 2))
}

func (g *grammar) conditional(depth int) {
	g.action("if " + g.expr("any", 2))
	g.body(1, depth-1)
	for g.chance(30) {
		g.action("else if " + g.expr("bool", 2))
		g.body(1, depth-1)
	}
	if g.chance(50) {
		g.action("else")
		g.body(1, depth-1)
	}
	g.action("end")
}

func (g *grammar) with(depth int) {
	kind := g.one([]string{"dict", "str", "any", "list"})
	scope := len(g.vars)
	value := g.expr(kind, 2)
	if g.chance(30) {
		g.next++
		name := fmt.Sprintf("$v%d", g.next)
		g.action("with " + name + " := " + value)
		g.vars = append(g.vars, variable{name, kind})
	} else {
		g.action("with " + value)
	}
	g.dots = append(g.dots, kind)
	g.body(1, depth-1)
	g.dots = g.dots[:len(g.dots)-1]
	if g.chance(20) {
		g.action("else with " + g.expr("any", 2))
		g.dots = append(g.dots, "any")
		g.body(1, depth-1)
		g.dots = g.dots[:len(g.dots)-1]
	}
	if g.chance(40) {
		g.action("else")
		g.body(1, depth-1)
	}
	g.action("end")
	g.vars = g.vars[:scope]
}

func (g *grammar) loopOver(depth int) {
	kind := g.one([]string{"list", "strs", "ints", "dict", "smap", "smallint", "any", "chunks"})
	scope := len(g.vars)
	value := g.expr(kind, 2)
	if kind == "any" {
		value = g.expr("list", 2)
	}
	switch {
	case g.chance(30):
		g.next++
		name := fmt.Sprintf("$v%d", g.next)
		g.action("range " + name + " := " + value)
		g.vars = append(g.vars, variable{name, "any"})
	case g.chance(50):
		g.next += 2
		key, name := fmt.Sprintf("$v%d", g.next-1), fmt.Sprintf("$v%d", g.next)
		g.action("range " + key + ", " + name + " := " + value)
		g.vars = append(g.vars, variable{key, "any"}, variable{name, "any"})
	default:
		g.action("range " + value)
	}
	outer := g.loop
	g.loop = true
	g.dots = append(g.dots, "any")
	g.body(1, depth-1)
	g.dots = g.dots[:len(g.dots)-1]
	g.loop = outer
	if g.chance(30) {
		g.action("else")
		g.body(1, depth-1)
	}
	g.action("end")
	g.vars = g.vars[:scope]
}

// nested defines a template and calls it.
func (g *grammar) nested(depth int) {
	g.next++
	name := fmt.Sprintf(`"t%d"`, g.next)
	argument := g.expr("any", 2)
	vars, loop := g.vars, g.loop
	g.vars, g.loop = nil, false
	g.dots = append(g.dots, "any")
	if g.chance(30) {
		g.action("block " + name + " " + argument)
		g.body(1, depth-1)
		g.action("end")
	} else if len(g.dots) == 2 && !loop && depth == 3 {
		g.action("define " + name)
		g.body(1, depth-1)
		g.action("end")
		g.defined = append(g.defined, name)
	}
	g.dots = g.dots[:len(g.dots)-1]
	g.vars, g.loop = vars, loop
	if len(g.defined) > 0 {
		g.action("template " + g.one(g.defined) + g.one([]string{"", " " + argument}))
	}
}

// pipeline is an expression without parentheses around it.
func (g *grammar) pipeline(kind string, depth int) string {
	e := g.expr(kind, depth)
	if strings.HasPrefix(e, "(") && strings.HasSuffix(e, ")") && matching(e) {
		e = e[1 : len(e)-1]
	}
	if g.chance(15) {
		e += " | " + g.one([]string{"print", "toString", "quote", "toJson", "typeOf", "kindOf", "len", "empty", "default 1", "printf \"%v\"", "squote", "html", "list", "toPrettyJson", "int", "toStrings", "deepCopy", "upper"})
	}
	return e
}

// matching tells whether the first parenthesis ends with the last one.
func matching(e string) bool {
	depth, quoted := 0, byte(0)
	for i := 0; i < len(e); i++ {
		switch c := e[i]; {
		case quoted != 0:
			if c == '\\' && quoted != '`' {
				i++
			} else if c == quoted {
				quoted = 0
			}
		case c == '"' || c == '`' || c == '\'':
			quoted = c
		case c == '(':
			depth++
		case c == ')':
			depth--
			if depth == 0 {
				return i == len(e)-1
			}
		}
	}
	return false
}

var wrongKinds = []string{"str", "int", "int64", "float64", "list", "strs", "dict", "bool", "smap", "time", "semver"}

// expr gives an operand that yields the kind, most of the time.
func (g *grammar) expr(kind string, depth int) string {
	if kind != "smallint" && kind != "epoch" && kind != "small" && kind != "date" {
		switch {
		case g.chance(g.wrong):
			kind = g.one(wrongKinds)
		case g.wrong > 0 && g.chance(2):
			return g.one([]string{"nil", ".nope", ".a.b", "(list nil | first)", "$.nope"})
		}
	}
	if g.pure == 0 && g.chance(25) {
		if v := g.variable(kind); v != "" {
			return v
		}
	}
	if kind == "any" && g.chance(15) {
		return g.chain(depth)
	}
	if list, ok := fits[kind]; ok {
		result := g.one(list)
		if result != kind {
			return g.expr(result, depth)
		}
	}
	if depth <= 0 || g.chance(35) {
		return g.leaf(kind)
	}
	return g.call(kind, depth-1)
}

// chain follows fields that may or may not be there.
func (g *grammar) chain(depth int) string {
	base := g.expr("dict", min(depth, 1))
	if base == "." {
		base = ""
	}
	return base + g.one([]string{".a", ".b", ".a.b", ".a.b.c", ".nope", ".x.y", ".host", "._0", ".a.x", ".c"})
}

func (g *grammar) variable(kind string) string {
	var names []string
	for _, v := range g.vars {
		if v.kind == kind || v.kind == "any" && kind != "smallint" && g.chance(20) {
			names = append(names, v.name)
		}
	}
	if len(g.dots) > 1 && (g.dots[len(g.dots)-1] == kind || kind == "any") {
		names = append(names, ".")
	}
	if len(names) == 0 {
		return ""
	}
	return g.one(names)
}

// call gives a call of a function or method with a result of the kind.
func (g *grammar) call(kind string, depth int) string {
	if g.chance(12) {
		if m := g.method(kind, depth); m != "" {
			return m
		}
	}
	list := g.byResult[kind]
	if len(list) == 0 {
		return g.leaf(kind)
	}
	return g.callOf(list[g.r.IntN(len(list))], depth)
}

func (g *grammar) callOf(s signature, depth int) string {
	var args []string
	for i, p := range s.params {
		n := 1
		if s.variadic && i == len(s.params)-1 {
			n = g.r.IntN(4)
		}
		for ; n > 0; n-- {
			args = append(args, g.argument(s, i, p, depth))
		}
	}
	switch {
	case g.wrong > 2 && g.chance(1) && len(args) > 0:
		args = args[1:]
	case g.wrong > 2 && g.chance(1):
		args = append(args, g.leaf("str"))
	}
	if n := len(args); n > 0 && g.chance(30) {
		return "(" + args[n-1] + " | " + strings.Join(append([]string{s.name}, args[:n-1]...), " ") + ")"
	}
	return "(" + strings.Join(append([]string{s.name}, args...), " ") + ")"
}

// argument keeps what a dictionary will hold free of that dictionary.
func (g *grammar) argument(s signature, i int, kind string, depth int) string {
	changes := s.name == "set" || strings.Contains(strings.ToLower(s.name), "merge")
	if changes && i > 0 {
		g.pure++
		defer func() { g.pure-- }()
	}
	return g.expr(kind, depth)
}

func (g *grammar) method(kind string, depth int) string {
	t := func() string { return g.expr("time", depth) }
	v := func() string { return g.expr("semver", depth) }
	switch kind {
	case "int":
		return t() + g.one([]string{".Year", ".Day", ".Hour", ".Minute", ".Second", ".YearDay", ".Nanosecond"})
	case "int64":
		return t() + g.one([]string{".Unix", ".UnixMilli", ".UnixNano"})
	case "any":
		switch g.r.IntN(5) {
		case 0:
			return t() + g.one([]string{".Month", ".Weekday"})
		case 1:
			return v() + g.one([]string{".Major", ".Minor", ".Patch", ".String"})
		case 2:
			return "(" + t() + ".Sub " + t() + ")"
		case 3:
			return "(index " + g.expr("coll", depth) + " " + g.expr("smallint", depth) + ")"
		}
		return "(index " + g.expr("dict", depth) + " " + g.leaf("key") + ")"
	case "str":
		if g.chance(50) {
			return "(" + t() + ".Format " + g.leaf("layout") + ")"
		}
		return v() + g.one([]string{".Prerelease", ".Metadata", ".Original", ".String"})
	case "time":
		if g.chance(50) {
			return "(" + t() + ".AddDate " + g.leaf("smallint") + " " + g.leaf("smallint") + " " + g.leaf("smallint") + ")"
		}
		return t() + g.one([]string{".UTC", ".Local"})
	case "bool":
		return "(" + t() + g.one([]string{".Before ", ".After ", ".Equal "}) + t() + ")"
	case "dict", "smap":
		return ""
	}
	return ""
}
