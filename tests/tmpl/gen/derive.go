package main

import "strings"

// baseKind is what Go's reflection sees of a kind of signatures.txt.
func baseKind(kind string) string {
	switch kind {
	case "int", "small":
		return "int"
	case "any", "num", "date", "secs", "octal":
		return "any"
	case "list", "coll":
		return "list"
	case "float", "bool", "uint32", "dict", "time", "cert", "semver":
		return kind
	}
	return "string"
}

// unfit lists, for each kind of parameter, values at its edges and values of
// other types.
var unfit = map[string][]string{
	"string": {`""`, `"a\xffé\u2028\x00z"`, `5`, `(list "a")`, `nil`, `.nope`, `(index (list "in a list") 0)`, `true`},
	"int":    {`0`, `-1`, `"5"`, `2.0`, `2.5`, `(int64 2)`, `nil`, `.s`, `'a'`},
	"float":  {`0`, `-1.5`, `"5"`, `(int64 2)`, `nil`, `true`},
	"bool":   {`1`, `"true"`, `nil`, `.nope`},
	"uint32": {`0`, `-1`, `4294967295`, `"1"`, `1.5`, `(int64 1)`, `nil`},
	"any":    {`nil`, `.nope`, `""`, `"é"`, `-1`, `2.75`, `true`, `(list)`, `(list 1 nil)`, `(dict "k" 1)`, `"0x1f"`, `(semver "1.2.3")`},
	"list":   {`(list)`, `nil`, `"abc"`, `5`, `(dict "k" 1)`, `(until 3)`, `(splitList "," "b,a")`, `(list nil "")`, `.`},
	"dict":   {`(dict)`, `nil`, `.nope`, `.`, `"abc"`, `(list)`, `(split "," "a,b")`, `(fromJson "{\"a\":null}")`},
	"time":   {`"2017-12-31"`, `1560458379`, `nil`, `(toDate "" "x")`},
	"cert":   {`nil`, `"x"`, `(dict "Cert" "x")`},
	"semver": {`nil`, `"1.2.3"`},
}

// derived is a call that follows from a signature.
type derived struct {
	text   string
	varies bool // a result, if it has one, differs from run to run
}

// derive gives the calls of a function that follow from its signature alone:
// plain, piped, each argument replaced, too few and too many.
func derive(s signature) []derived {
	if s.own {
		return nil
	}
	var calls []derived
	seen := map[string]bool{}
	add := func(args []string, varies bool) {
		text := "{{ " + strings.Join(append([]string{s.name}, args...), " ") + " }}"
		if !seen[text] {
			seen[text] = true
			calls = append(calls, derived{text, varies || s.random})
		}
	}
	add(s.sample, false)
	for i := range s.sample {
		kind := s.params[min(i, len(s.params)-1)]
		for _, v := range unfit[baseKind(kind)] {
			args := append([]string{}, s.sample...)
			args[i] = v
			// What is no date means now.
			add(args, kind == "date")
		}
	}
	n := len(s.sample)
	if n > 1 {
		add(s.sample[:n-1], false)
	}
	add(nil, false)
	add(append(append([]string{}, s.sample...), `"extra"`), false)
	if n > 0 {
		text := "{{ " + s.sample[n-1] + " | " + strings.Join(append([]string{s.name}, s.sample[:n-1]...), " ") + " }}"
		calls = append(calls, derived{text, s.random})
	}
	return calls
}

// canaries gives the calls that put a secret in the place of each argument:
// whatever comes of them, no error text may hold it.
func canaries(s signature) []derived {
	if s.own || s.slow {
		return nil
	}
	var calls []derived
	all := []string{s.name}
	for i := range s.sample {
		args := append([]string{s.name}, s.sample...)
		args[i+1] = ".canary"
		all = append(all, ".canary")
		kind := s.params[min(i, len(s.params)-1)]
		calls = append(calls, derived{"{{ " + strings.Join(args, " ") + " }}", s.random || kind == "date"})
	}
	if len(all) > 2 {
		calls = append(calls, derived{"{{ " + strings.Join(all, " ") + " }}", true})
	}
	return calls
}
