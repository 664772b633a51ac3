package main

import (
	_ "embed"
	"fmt"
	"strings"
)

//go:embed signatures.txt
var signatureText string

// signature describes one function: see signatures.txt.
type signature struct {
	file, name        string
	random, slow, own bool
	params            []string // kinds; the last may repeat
	variadic          bool
	result            string
	sample            []string // source of the arguments of a good call
}

func loadSignatures() ([]signature, error) {
	var all []signature
	for i, line := range strings.Split(signatureText, "\n") {
		if line == "" || line[0] == '#' {
			continue
		}
		s, err := parseSignature(line)
		if err != nil {
			return nil, fmt.Errorf("signatures.txt:%d: %w", i+1, err)
		}
		all = append(all, s)
	}
	return all, checkComplete(all)
}

func parseSignature(line string) (s signature, err error) {
	head, sample, ok := strings.Cut(line, " :")
	if !ok {
		return s, fmt.Errorf("no sample call")
	}
	words := strings.Fields(head)
	if len(words) < 4 || words[len(words)-2] != "->" {
		return s, fmt.Errorf("no result")
	}
	s.file, s.name, s.result = words[0], words[1], words[len(words)-1]
	for _, w := range words[2 : len(words)-2] {
		switch w {
		case "!random":
			s.random = true
		case "!slow":
			s.slow = true
		case "!own":
			s.own = true
		default:
			s.variadic = strings.HasSuffix(w, "*")
			s.params = append(s.params, strings.TrimSuffix(w, "*"))
		}
	}
	s.sample = splitArguments(sample)
	return s, nil
}

// checkComplete makes sure that no function of the reference is forgotten.
func checkComplete(all []signature) error {
	seen := map[string]bool{}
	for _, s := range all {
		if seen[s.name] {
			return fmt.Errorf("signatures.txt: %s twice", s.name)
		}
		seen[s.name] = true
	}
	for name := range reference {
		if !seen[name] {
			return fmt.Errorf("signatures.txt: no %s", name)
		}
	}
	return nil
}

// splitArguments cuts template source into operands: at blanks, but not in
// quotes and parentheses.
func splitArguments(src string) []string {
	var args []string
	depth, quoted, start := 0, byte(0), -1
	for i := 0; i <= len(src); i++ {
		end := i == len(src)
		if !end && quoted != 0 {
			if src[i] == '\\' && quoted != '`' {
				i++
			} else if src[i] == quoted {
				quoted = 0
			}
			continue
		}
		if end || src[i] == ' ' && depth == 0 {
			if start >= 0 {
				args = append(args, src[start:i])
			}
			start = -1
			continue
		}
		if start < 0 {
			start = i
		}
		switch src[i] {
		case '"', '`', '\'':
			quoted = src[i]
		case '(':
			depth++
		case ')':
			depth--
		}
	}
	return args
}
