package main

import (
	"bytes"
	"embed"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"unicode/utf8"
)

//go:embed cases/*.txt
var caseFiles embed.FS

//go:embed keys/*.pem
var keyFiles embed.FS

// testcase is one line of a corpus file: see ../README.md.
type testcase struct {
	Name      string               `json:"name"`
	Templates map[string]*string   `json:"templates"`
	Data      map[string]string    `json:"data,omitempty"`
	Data64    map[string]string    `json:"data64,omitempty"`
	Want      map[string]string    `json:"want,omitempty"`
	Want64    map[string]string    `json:"want64,omitempty"`
	Errors    map[string]wantError `json:"errors,omitempty"`
	Check     *check               `json:"check,omitempty"`
	Refused   bool                 `json:"refused,omitempty"`

	varies bool // only its errors can be expected
}

type wantError struct {
	Text   string `json:"text"`
	Canon  string `json:"canon,omitempty"`
	Detail string `json:"detail"`
}

// values gives the decrypted items of a case.
func (c *testcase) values() map[string]string {
	v := map[string]string{}
	for k, s := range c.Data {
		v[k] = s
	}
	for k, s := range c.Data64 {
		b, err := base64.StdEncoding.DecodeString(s)
		if err != nil {
			panic(err)
		}
		v[k] = string(b)
	}
	return v
}

func (c *testcase) setValues(v map[string]string) {
	c.Data, c.Data64 = splitText(v)
}

// splitText separates what JSON can hold from what needs base64.
func splitText(v map[string]string) (text, b64 map[string]string) {
	text, b64 = map[string]string{}, map[string]string{}
	for k, s := range v {
		if utf8.ValidString(s) {
			text[k] = s
		} else {
			b64[k] = base64.StdEncoding.EncodeToString([]byte(s))
		}
	}
	return text, b64
}

// expect runs a case and stores what came of it.
func (c *testcase) expect() error {
	out, errs := render(c.Templates, c.values())
	c.Want, c.Want64, c.Errors = nil, nil, nil
	for k, text := range errs {
		canon, exact := canonical(text)
		e := wantError{Text: text, Detail: "exact"}
		if !exact {
			e.Canon, e.Detail = canon, "withheld"
		}
		if c.Errors == nil {
			c.Errors = map[string]wantError{}
		}
		c.Errors[k] = e
	}
	if c.Check != nil {
		if len(errs) > 0 {
			return fmt.Errorf("%s: %v", c.Name, errs)
		}
		return c.Check.verify(c, out)
	}
	c.Want, c.Want64 = splitText(out)
	return nil
}

// buildCorpus gives the cases of every corpus file.
func buildCorpus() (map[string][]*testcase, error) {
	files := map[string][]*testcase{}
	sigs, err := loadSignatures()
	if err != nil {
		return nil, err
	}
	for _, s := range sigs {
		for _, d := range derive(s) {
			files[s.file] = append(files[s.file], d.testcase(s.name))
		}
		for _, d := range canaries(s) {
			files["errors"] = append(files["errors"], d.testcase("canary "+s.name))
		}
	}
	if err := loadCases(files); err != nil {
		return nil, err
	}
	for file := range files {
		if files[file], err = settle(files[file]); err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
	}
	return files, nil
}

func (d derived) testcase(name string) *testcase {
	c := &testcase{
		Name:      name,
		Templates: map[string]*string{"out": &d.text},
		varies:    d.varies,
	}
	c.setValues(mentioned(d.text, fixtures()))
	return c
}

// settle runs the cases, drops those with nothing to expect and numbers the
// others within their label.
func settle(cases []*testcase) ([]*testcase, error) {
	var kept []*testcase
	number := map[string]int{}
	for _, c := range cases {
		if err := c.expect(); err != nil {
			return nil, err
		}
		if c.varies && c.Errors == nil {
			continue
		}
		number[c.Name]++
		c.Name = fmt.Sprintf("%s %d", c.Name, number[c.Name])
		kept = append(kept, c)
	}
	return kept, nil
}

// fixtures are the values that any case may mention, without declaring them.
func fixtures() map[string]string {
	v := map[string]string{"s": "swordfish", "canary": "CANARY-in-the-mine"}
	files, err := keyFiles.ReadDir("keys")
	if err != nil {
		panic(err)
	}
	for _, f := range files {
		text, err := keyFiles.ReadFile("keys/" + f.Name())
		if err != nil {
			panic(err)
		}
		v[strings.TrimSuffix(f.Name(), ".pem")] = string(text)
	}
	return v
}

func mentioned(text string, values map[string]string) map[string]string {
	m := map[string]string{}
	for k, v := range values {
		if strings.Contains(text, "."+k+" ") || strings.Contains(text, "."+k+")") {
			m[k] = v
		}
	}
	return m
}

// loadCases reads cases/*.txt. A line is a template, or by its first
// characters:
//
//	#           a comment
//	== label    names the cases that follow and forgets the data
//	= k "v"     data (Go quoting) for the cases that follow
//	|"..."      a template in Go quoting
//	&{...}      several templates, as JSON
//	!{...}      how to check the next case, instead of an exact result
//	~           the engine refuses the next case, or it is beyond its budget
func loadCases(files map[string][]*testcase) error {
	list, err := caseFiles.ReadDir("cases")
	if err != nil {
		return err
	}
	for _, f := range list {
		text, err := caseFiles.ReadFile("cases/" + f.Name())
		if err != nil {
			return err
		}
		r := caseReader{data: map[string]string{}}
		for i, line := range strings.Split(string(text), "\n") {
			if err := r.line(line); err != nil {
				return fmt.Errorf("%s:%d: %w", f.Name(), i+1, err)
			}
		}
		name := strings.TrimSuffix(f.Name(), ".txt")
		files[name] = append(files[name], r.cases...)
	}
	return nil
}

type caseReader struct {
	label   string
	data    map[string]string
	check   *check
	refused bool
	cases   []*testcase
}

func (r *caseReader) line(line string) error {
	switch {
	case line == "" || line[0] == '#':
		return nil
	case strings.HasPrefix(line, "== "):
		r.label, r.data = line[3:], map[string]string{}
		return nil
	case strings.HasPrefix(line, "= "):
		key, quoted, _ := strings.Cut(line[2:], " ")
		value, err := strconv.Unquote(quoted)
		r.data[key] = value
		return err
	case line == "~":
		r.refused = true
		return nil
	case line[0] == '!':
		r.check = &check{}
		d := json.NewDecoder(strings.NewReader(line[1:]))
		d.DisallowUnknownFields()
		return d.Decode(r.check)
	case line[0] == '&':
		var t map[string]*string
		err := json.Unmarshal([]byte(line[1:]), &t)
		r.add(t)
		return err
	case line[0] == '|':
		text, err := strconv.Unquote(line[1:])
		r.add(map[string]*string{"out": &text})
		return err
	}
	r.add(map[string]*string{"out": &line})
	return nil
}

func (r *caseReader) add(templates map[string]*string) {
	c := &testcase{Name: r.label, Templates: templates, Check: r.check, Refused: r.refused}
	v := map[string]string{}
	for _, t := range templates {
		if t != nil {
			maps.Copy(v, mentioned(*t, fixtures()))
		}
	}
	maps.Copy(v, r.data)
	c.setValues(v)
	r.cases, r.check, r.refused = append(r.cases, c), nil, false
}

func encodeFile(cases []*testcase) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	for _, c := range cases {
		if err := e.Encode(c); err != nil {
			return nil, err
		}
	}
	return b.Bytes(), nil
}

// updateCorpus writes the files of the corpus; checkCorpus compares them with
// what the libraries say now.
func updateCorpus(dir string) error {
	files, err := buildCorpus()
	if err != nil {
		return err
	}
	total := 0
	for name, cases := range files {
		text, err := encodeFile(cases)
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(dir, name+".jsonl"), text, 0o644); err != nil {
			return err
		}
		total += len(cases)
	}
	fmt.Printf("%d cases in %d files\n", total, len(files))
	return nil
}

func checkCorpus(dir string) error {
	files, err := buildCorpus()
	if err != nil {
		return err
	}
	stored, err := filepath.Glob(filepath.Join(dir, "*.jsonl"))
	if err != nil {
		return err
	}
	if len(stored) != len(files) {
		return fmt.Errorf("%d corpus files, expected %d", len(stored), len(files))
	}
	total := 0
	for _, name := range sortedKeys(files) {
		want, err := encodeFile(files[name])
		if err != nil {
			return err
		}
		got, err := os.ReadFile(filepath.Join(dir, name+".jsonl"))
		if err != nil {
			return err
		}
		if err := sameLines(name, want, got); err != nil {
			return err
		}
		total += len(files[name])
	}
	fmt.Printf("%d cases in %d files are as the Go libraries have it\n", total, len(files))
	return nil
}

func sameLines(name string, want, got []byte) error {
	w, g := bytes.Split(want, []byte("\n")), bytes.Split(got, []byte("\n"))
	for i := 0; i < len(w) || i < len(g); i++ {
		switch {
		case i >= len(g):
			return fmt.Errorf("%s: line %d is missing: %s", name, i+1, w[i])
		case i >= len(w):
			return fmt.Errorf("%s: line %d is too much: %s", name, i+1, g[i])
		case !bytes.Equal(w[i], g[i]):
			return fmt.Errorf("%s: line %d:\n have %s\n want %s", name, i+1, g[i], w[i])
		}
	}
	return nil
}
