package main

import "unicode/utf8"

// minimiseTries bounds the work on one difference.
const minimiseTries = 3000

// minimise cuts pieces out of a template, and data away, as long as both
// sides still differ in the same way.
func (f *fuzzer) minimise(template string, data map[string]string) (string, map[string]string) {
	first, engine, _, err := f.both(template, data)
	if err != nil {
		return template, data
	}
	tries := 0
	differs := func(t string, d map[string]string) bool {
		if tries++; tries > minimiseTries {
			return false
		}
		want, got, v, err := f.both(t, d)
		return err == nil && v == differed && want.failed == first.failed && got.failed == engine.failed
	}
	for changed := true; changed; {
		changed = false
		for size := len(template) / 2; size > 0; size /= 2 {
			for at := 0; at+size <= len(template); {
				shorter := template[:at] + template[at+size:]
				if utf8.ValidString(shorter) && differs(shorter, data) {
					template, changed = shorter, true
				} else {
					at += max(1, size/2)
				}
			}
		}
	}
	for _, k := range sortedKeys(data) {
		fewer := map[string]string{}
		for j, v := range data {
			if j != k {
				fewer[j] = v
			}
		}
		if differs(template, fewer) {
			data = fewer
		}
	}
	return template, data
}
