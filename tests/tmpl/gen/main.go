// Tmplgen holds the template engine against the Go libraries of the
// reference: it writes and checks the corpus, and compares both sides on
// generated templates. See ../README.md.
package main

import (
	"flag"
	"fmt"
	"os"
)

func main() {
	// Times print as in the reference's image, which has no zone set.
	os.Setenv("TZ", "UTC")

	dir := flag.String("corpus", "../corpus", "folder of the corpus")
	update := flag.Bool("update", false, "write the corpus")
	verify := flag.Bool("check", false, "compare the corpus with the libraries")
	details := flag.Bool("details", false, "list the different error details of the corpus")
	engine := flag.String("fuzz", "", "compare with this program on generated templates")
	seed := flag.Uint64("seed", 1, "of the generated templates")
	n := flag.Uint64("n", 10000, "how many of them")
	first := flag.Uint64("first", 0, "number of the first one")
	only := flag.String("only", "", "only single calls of functions of this corpus file")
	show := flag.Int("show", 20, "how many kinds of differences to show")
	flag.Parse()

	var err error
	switch {
	case *update:
		err = updateCorpus(*dir)
	case *verify:
		err = checkCorpus(*dir)
	case *details:
		err = listDetails()
	case *engine != "":
		err = fuzz(*engine, *only, *seed, *first, *n, *show)
	default:
		flag.Usage()
		os.Exit(2)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "tmplgen:", err)
		os.Exit(1)
	}
}

func listDetails() error {
	files, err := buildCorpus()
	if err != nil {
		return err
	}
	seen := map[string]bool{}
	for _, file := range sortedKeys(files) {
		for _, c := range files[file] {
			for _, k := range sortedKeys(c.Errors) {
				e := c.Errors[k]
				line := e.Detail + "\t" + position.ReplaceAllString(e.Text, "")
				if !seen[line] {
					seen[line] = true
					fmt.Println(line)
				}
			}
		}
	}
	return nil
}
