package main

import (
	"bufio"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"time"
)

const templateName = "out"

// engine is the renderer under test, a process that answers line by line.
type engine struct {
	path string
	cmd  *exec.Cmd
	in   *bufio.Writer
	pipe io.WriteCloser
	out  *bufio.Reader
}

type request struct {
	Templates map[string]string `json:"templates"`
	Data      map[string]string `json:"data"`
}

type answer struct {
	Out    map[string]*string `json:"out"`
	Errors map[string]string  `json:"errors"`
	Fatal  string             `json:"fatal"`
}

// result is what one side made of a template.
type result struct {
	text, err string
	failed    bool
}

func startEngine(path string) (*engine, error) {
	e := &engine{path: path, cmd: exec.Command(path)}
	e.cmd.Stderr = os.Stderr
	in, err := e.cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := e.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	e.pipe, e.in, e.out = in, bufio.NewWriterSize(in, 1<<20), bufio.NewReaderSize(out, 1<<20)
	return e, e.cmd.Start()
}

func (e *engine) close() {
	e.pipe.Close()
	e.cmd.Wait()
}

func (e *engine) send(template string, data map[string]string) error {
	req := request{map[string]string{templateName: template}, map[string]string{}}
	for k, v := range dot(map[string]*string{templateName: &template}, data) {
		req.Data[k] = base64.StdEncoding.EncodeToString([]byte(v))
	}
	line, err := json.Marshal(req)
	if err != nil {
		return err
	}
	_, err = e.in.Write(append(line, '\n'))
	return err
}

func (e *engine) receive() (r result, err error) {
	line, err := e.out.ReadBytes('\n')
	if err != nil {
		return r, fmt.Errorf("the engine ended: %w", err)
	}
	var a answer
	if err := json.Unmarshal(line, &a); err != nil {
		return r, err
	}
	if a.Fatal != "" {
		return r, fmt.Errorf("the engine cannot read a case: %s", a.Fatal)
	}
	if r.err, r.failed = a.Errors[templateName]; r.failed {
		return r, nil
	}
	if a.Out[templateName] == nil {
		return r, fmt.Errorf("no answer in %s", line)
	}
	text, err := base64.StdEncoding.DecodeString(*a.Out[templateName])
	r.text = string(text)
	return r, err
}

// ask renders one template; a process that dies is an answer of its own.
func (e *engine) ask(template string, data map[string]string) (result, error) {
	err := e.send(template, data)
	if err == nil {
		err = e.in.Flush()
	}
	var r result
	if err == nil {
		r, err = e.receive()
	}
	if err == nil {
		return r, nil
	}
	e.close()
	again, startErr := startEngine(e.path)
	if startErr != nil {
		return r, startErr
	}
	*e = *again
	return result{err: "crash: " + err.Error(), failed: true}, nil
}

// patience ends a comparison whose template keeps Go busy.
const patience = 30 * time.Second

func askGo(template string, data map[string]string) result {
	done := make(chan result, 1)
	go func() {
		out, errs := render(map[string]*string{templateName: &template}, data)
		err, failed := errs[templateName]
		done <- result{text: out[templateName], err: err, failed: failed}
	}()
	select {
	case r := <-done:
		return r
	case <-time.After(patience):
		return result{err: "no end after " + patience.String(), failed: true}
	}
}

type verdict int

const (
	agreed  verdict = iota
	refused         // the engine says that it does not support something
	bounded         // the engine's budget ended
	differed
)

// withheldMarks stand for what the engine leaves out of its error texts.
var withheldMarks = strings.NewReplacer("(value withheld)", "\x00", "(message withheld)", "\x00")

// sameButWithheld tells whether ours is Go's text with values left out.
func sameButWithheld(ours, goText string) bool {
	pieces := strings.Split(withheldMarks.Replace(ours), "\x00")
	if len(pieces) == 1 {
		return ours == goText
	}
	last := pieces[len(pieces)-1]
	rest, ok := strings.CutPrefix(goText, pieces[0])
	if !ok {
		return false
	}
	for _, p := range pieces[1 : len(pieces)-1] {
		_, after, found := strings.Cut(rest, p)
		if !found {
			return false
		}
		rest = after
	}
	return strings.HasSuffix(rest, last)
}

// sameError also lets our text end where Go's has a NUL of the template.
func sameError(ours, goText string) bool {
	cut, _, _ := strings.Cut(goText, "\x00")
	return sameButWithheld(ours, goText) || sameButWithheld(ours, cut)
}

func compare(want, got result) verdict {
	switch {
	case got.failed && strings.Contains(got.err, "slice index out of bounds") && want.err != got.err:
		// Go's bound is the capacity, which nothing shows.
		return refused
	case got.failed && strings.Contains(got.err, "not supported") && !strings.Contains(want.err, "not supported"):
		return refused
	case want.failed != got.failed:
		return differed
	case want.failed && !sameError(got.err, strings.ToValidUTF8(want.err, "\uFFFD")):
		return differed
	case !want.failed && want.text != got.text:
		return differed
	}
	return agreed
}

// fuzzer compares both sides on generated cases.
type fuzzer struct {
	g        *grammar
	m        *mutator
	e        *engine
	only     string
	seed     uint64
	count    [differed + 1]int
	seen     map[string]int
	reasons  map[string]int // of what was refused or beyond the budget
	show     int
	failures int
	rendered int // of those that agreed
}

func fuzz(path, only string, seed, first, n uint64, show int) error {
	sigs, err := loadSignatures()
	if err != nil {
		return err
	}
	e, err := startEngine(path)
	if err != nil {
		return err
	}
	defer func() { e.close() }()
	f := &fuzzer{g: newGrammar(sigs), e: e, seed: seed, seen: map[string]int{}, reasons: map[string]int{}, show: show, only: only}
	if only != "" {
		f.g.keep(only)
	}
	if f.m, err = newMutator(sigs); err != nil {
		return err
	}
	start := time.Now()
	for i := first; i < first+n; i++ {
		if err := f.one(i); err != nil {
			return err
		}
	}
	fmt.Printf("seed %d: %d cases, %d agreed (%d rendered), %d refused, %d beyond the budget, %d differed (%d kinds), %.0f s\n",
		seed, n, f.count[agreed], f.rendered, f.count[refused], f.count[bounded], f.count[differed], len(f.seen), time.Since(start).Seconds())
	for _, k := range sortedKeys(f.reasons) {
		fmt.Printf("%6d  %s\n", f.reasons[k], k)
	}
	for i, k := range sortedKeys(f.seen) {
		if i == f.show {
			fmt.Printf("        and others\n")
			break
		}
		fmt.Printf("%6d  %s\n", f.seen[k], k)
	}
	if f.count[differed] > 0 {
		return fmt.Errorf("%d cases differ", f.count[differed])
	}
	return nil
}

// make gives the i-th case: a template, a single call, or a mutation of a
// template or of the corpus.
func (f *fuzzer) make(i uint64) (string, map[string]string) {
	switch n := i % 10; {
	case f.only != "":
		return f.g.single(f.seed, i)
	case n < 4:
		return f.g.template(f.seed, i)
	case n < 7:
		return f.g.single(f.seed, i)
	case n < 8:
		template, data := f.g.template(f.seed, i)
		return f.m.mutate(f.g.r, template), data
	}
	f.g.reset(f.seed, i)
	text, values := f.m.pick(f.g.r)
	return f.m.mutate(f.g.r, text), values
}

func (f *fuzzer) one(i uint64) error {
	template, data := f.make(i)
	want, got, v, err := f.both(template, data)
	if err != nil {
		return err
	}
	f.count[v]++
	if v == bounded && !isBounded(got) {
		f.reasons["a loop that might not end in Go, which is not asked"]++
	} else if v == refused || v == bounded {
		f.reasons[reason(got.err)]++
	}
	if v == agreed && !want.failed {
		f.rendered++
	}
	if v != differed {
		return nil
	}
	f.failures++
	if f.failures > 50*f.show {
		return nil
	}
	small, values := f.minimise(template, data)
	return f.report(i, small, values)
}

// reason is an error text without what is special about one case.
func reason(text string) string {
	text = position.ReplaceAllString(text, "")
	return strings.TrimSpace(quoted.ReplaceAllString(text, "…"))
}

var quoted = regexp.MustCompile("\"[^\"]*\"|`[^`]*`|template: [^ ]* ")

// both asks the engine first: what is beyond its budget might keep Go busy
// for ever.
func (f *fuzzer) both(template string, data map[string]string) (want, got result, v verdict, err error) {
	got, err = f.e.ask(template, data)
	if err != nil || isBounded(got) || isEndless(template, data) {
		return want, got, bounded, err
	}
	want = askGo(template, data)
	return want, got, compare(want, got), nil
}

// isEndless tells whether a loop of Go might wrap around the largest int, and
// take all memory on its way.
func isEndless(template string, data map[string]string) bool {
	if strings.Contains(template, ".n") {
		template += data["n"]
	}
	return stepping.MatchString(template) && huge.MatchString(template)
}

var (
	stepping = regexp.MustCompile(`\b(untilStep|seq)\b`)
	huge     = regexp.MustCompile(`[0-9]{18}|0x[0-9a-fA-F]{15}|"inf"|e\+[0-9]{2}`)
)

func isBounded(got result) bool {
	return got.failed && strings.Contains(got.err, "out of budget: ")
}

func (f *fuzzer) report(i uint64, template string, data map[string]string) error {
	want, got, _, err := f.both(template, data)
	if err != nil {
		return err
	}
	kind := f.kind(template, want, got)
	f.seen[kind]++
	if f.seen[kind] > 1 || len(f.seen) > f.show {
		return nil
	}
	fmt.Printf("-- case %d: %s\n   template %q\n   data     %q\n   go       %s\n   engine   %s\n", i, kind, template, data, want, got)
	return nil
}

func (r result) String() string {
	if r.failed {
		return "error " + r.err
	}
	return fmt.Sprintf("%q", r.text)
}

// kind names a difference by the functions that are left in it.
func (f *fuzzer) kind(template string, want, got result) string {
	var names []string
	for _, w := range words.FindAllString(template, -1) {
		if _, ok := reference[w]; ok || builtinNames[w] {
			names = append(names, w)
		}
	}
	return fmt.Sprintf("%s (go %s, engine %s)", strings.Join(names, " "), outcome(want), outcome(got))
}

func outcome(r result) string {
	if r.failed {
		return "fails"
	}
	return "renders"
}
