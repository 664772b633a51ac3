package main

import (
	"bytes"
	"fmt"
	"sort"
	"text/template"

	"github.com/Masterminds/sprig/v3"
)

// reference is the function map of the reference controller. The order of
// keys and values is random there; here, as in the engine under test, it is
// the order of the keys.
var reference = func() template.FuncMap {
	m := sprig.TxtFuncMap()
	delete(m, "env")
	delete(m, "expandenv")
	delete(m, "getHostByName")
	m["keys"] = orderedKeys
	m["values"] = orderedValues
	return m
}()

func orderedKeys(dicts ...map[string]interface{}) []string {
	all := []string{}
	for _, d := range dicts {
		all = append(all, sortedKeys(d)...)
	}
	return all
}

func orderedValues(dict map[string]interface{}) []interface{} {
	all := []interface{}{}
	for _, k := range sortedKeys(dict) {
		all = append(all, dict[k])
	}
	return all
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	return keys
}

// dot is what every template of an object sees: the decrypted values, and
// the raw text of each template whose key was not encrypted.
func dot(templates map[string]*string, data map[string]string) map[string]string {
	d := make(map[string]string, len(data)+len(templates))
	for k, v := range data {
		d[k] = v
	}
	for k, t := range templates {
		if _, ok := d[k]; !ok && t != nil {
			d[k] = *t
		}
	}
	return d
}

// render gives the rendered value of each template that is not null, and of
// each one that fails its error text.
func render(templates map[string]*string, data map[string]string) (out, errs map[string]string) {
	out, errs = map[string]string{}, map[string]string{}
	values := dot(templates, data)
	for _, name := range sortedKeys(templates) {
		if templates[name] == nil {
			continue
		}
		text, err := renderOne(name, *templates[name], values)
		if err != nil {
			errs[name] = err.Error()
			continue
		}
		out[name] = text
	}
	return out, errs
}

func renderOne(name, text string, values map[string]string) (_ string, err error) {
	// text/template turns most panics into errors; the others end the
	// reference's run of the object with the same text.
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("panic: %v", r)
		}
	}()
	t, err := template.New(name).Funcs(reference).Parse(text)
	if err != nil {
		return "", err
	}
	var b bytes.Buffer
	if err := t.Execute(&b, values); err != nil {
		return "", err
	}
	return b.String(), nil
}
