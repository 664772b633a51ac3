package main

import (
	"math/rand/v2"
	"regexp"
	"strings"
)

var words = regexp.MustCompile(`[A-Za-z_][A-Za-z0-9_]*`)

var builtinNames = map[string]bool{
	"and": true, "or": true, "not": true, "eq": true, "ne": true, "lt": true, "le": true, "gt": true, "ge": true,
	"len": true, "index": true, "html": true, "js": true, "urlquery": true, "print": true, "println": true, "printf": true, "call": true,
	"if": true, "else": true, "with": true, "range": true, "define": true, "template": true, "block": true, "break": true, "continue": true,
}

// mutator breaks templates, and picks some of the corpus for it.
type mutator struct {
	seeds []*testcase
}

// A token, roughly: mutations move tokens rather than bytes.
var token = regexp.MustCompile(`(?s){{-? ?|-?}}|"(?:[^"\\]|\\.)*"|'[^']*'|[$.]?[\pL_0-9]+|\s+|:=|.`)

var spare = []string{
	"{{", "}}", "{{ ", " }}", "{{- ", " -}}", "|", "(", ")", `"`, "`", "'a'", "'", "$x", "$", ".", ".a", ":=", "=", ",", "end", "{{ end }}", "else", "{{ else }}",
	"nil", "true", " ", "\n", "0x", "1e", "1", "-1", "-", "+", "if", "range", "with", "break", "define", "template", "block", "/*", "*/", "{{/*", "\\", "é", "\x01", "@", "upper", "nosuch", "5.", "\"\\q\"", ";",
}

func newMutator(sigs []signature) (*mutator, error) {
	// Results that vary, and dictionaries that could come to hold themselves.
	// Behind .Value comes a type whose name only errors show: driver.Value.
	unsafe := map[string]bool{"set": true, "Value": true}
	for _, s := range sigs {
		varies := s.random || s.slow || strings.Contains(strings.ToLower(s.name), "merge")
		for _, p := range s.params {
			varies = varies || p == "date"
		}
		if varies {
			unsafe[s.name] = true
		}
	}
	files, err := buildCorpus()
	if err != nil {
		return nil, err
	}
	m := &mutator{}
	for _, name := range sortedKeys(files) {
		for _, c := range files[name] {
			if c.Check == nil && !c.Refused && len(c.Templates) == 1 && c.Templates[templateName] != nil && isSafe(*c.Templates[templateName], unsafe) {
				m.seeds = append(m.seeds, c)
			}
		}
	}
	return m, nil
}

func isSafe(template string, unsafe map[string]bool) bool {
	for _, w := range words.FindAllString(template, -1) {
		if unsafe[w] {
			return false
		}
	}
	return len(template) < 2000
}

func (m *mutator) pick(r *rand.Rand) (string, map[string]string) {
	c := m.seeds[r.IntN(len(m.seeds))]
	return *c.Templates[templateName], c.values()
}

func (m *mutator) mutate(r *rand.Rand, template string) string {
	tokens := token.FindAllString(template, -1)
	for n := 1 + r.IntN(3); n > 0 && len(tokens) > 0; n-- {
		i := r.IntN(len(tokens))
		switch r.IntN(6) {
		case 0:
			tokens = append(tokens[:i:i], tokens[i+1:]...)
		case 1:
			tokens = append(tokens[:i:i], append([]string{tokens[i]}, tokens[i:]...)...)
		case 2:
			j := r.IntN(len(tokens))
			tokens[i], tokens[j] = tokens[j], tokens[i]
		case 3:
			tokens[i] = spare[r.IntN(len(spare))]
		case 4:
			tokens = append(tokens[:i:i], append([]string{spare[r.IntN(len(spare))]}, tokens[i:]...)...)
		default:
			j := r.IntN(len(tokens))
			tokens[i] = tokens[j]
		}
	}
	return strings.Join(tokens, "")
}
