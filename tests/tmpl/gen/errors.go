package main

import (
	"regexp"
	"strings"
)

// withheld stands for the part of an error text that stems from a value.
const withheld = "‹withheld›"

// plainDetail lists the details of execution errors in which nothing stems
// from a value: names of types, of functions, of fields, and fixed words.
var plainDetail = regexp.MustCompile(`^(?:` + strings.Join([]string{
	`wrong type for value; expected .*; got [][a-z0-9{}.*A-Z ]+`,
	`invalid value; expected .*`,
	`wrong number of args for \w+: want (?:at least )?\d+ got \d+`,
	`expected [a-z0-9 ]+; found .*`,
	`can't handle .* for arg of type .*`,
	`can't evaluate field \w+ in type .*`,
	`can't give argument to non-function .*`,
	`nil pointer evaluating .*`,
	`nil data; no entry for key ".*"`,
	`nil is not a command`,
	`cannot assign nil to .*`,
	`can't print .* of type .*`,
	`undefined variable: .*`,
	`template ".*" not defined`,
	`exceeded maximum template depth .*`,
	`\S+ is not a method but has arguments`,
	`\S+ has arguments but cannot be invoked as function`,
	`\S+ is a method of type .* but has arguments`,
	`error calling \w+: (?:` + strings.Join([]string{
		`incompatible types for comparison: [][a-zA-Z0-9{}.* ]+ and [][a-zA-Z0-9{}.* ]+`,
		`invalid type for comparison`,
		`missing argument for comparison`,
		`runtime error: integer divide by zero`,
		`runtime error: invalid memory address or nil pointer dereference`,
		`strings: negative Repeat count`,
		`decimal division by 0`,
		`dig needs at least three arguments`,
		`invalid argument to Intn`,
		`assignment to entry in nil map`,
		`runtime error: makeslice: len out of range`,
		`reflect: call of reflect.Value.Type on zero Value`,
		`unexpected end of JSON input`,
		`error creating certificate: asn1: string not valid UTF-8`,
		`interface conversion: [][a-zA-Z0-9{}.* ]+ is [][a-zA-Z0-9{}.* ]+, not [][a-zA-Z0-9{}.* ]+`,
		`Cannot .* (?:on|as|with) (?:type|list) [][a-z0-9{}.* ]+(?: as list)?`,
		`Cannot concat type [a-z0-9]+ as list`,
		`Cannot chunk type [a-z0-9]+`,
		`list should be type of slice or array but [a-z0-9]+`,
		`reflect: slice index out of bounds`,
		`reflect.Value.Slice: slice index out of bounds`,
		`len of (?:nil pointer|type .*)`,
		`index of untyped nil`,
		`slice of untyped nil`,
		`cannot index slice/array with .*`,
		`can't index item of type .*`,
		`value has type .*; should be .*`,
		`value is nil; should be of type .*`,
		`call of nil`,
		`non-function .* of type .*`,
		`no PEM data in input`,
		`invalid semantic version`,
		`(?:error )?parsing private key: no PEM data in input`,
		`unable to decode base64 certificate`,
		`unable to decode base64 private key`,
		`unable to decode certificate`,
	}, `|`) + `)`,
}, `|`) + `)$`)

// marks are the words after which the text of an error may repeat a value.
var marks = regexp.MustCompile(`error calling [^ ]+: |range can't iterate over |can't use `)

var position = regexp.MustCompile(`(?s)^template: .*?: executing ".*?" at <.*?>: `)

// canonical tells how much of a Go error text another engine, which never
// shows values, has to repeat: all of it, or what comes before ‹withheld›.
func canonical(text string) (canon string, exact bool) {
	head := position.FindString(text)
	if head == "" {
		return text, true
	}
	detail := text[len(head):]
	if plainDetail.MatchString(detail) {
		return text, true
	}
	if at := marks.FindStringIndex(detail); at != nil {
		return head + detail[:at[1]] + withheld, false
	}
	return text, true
}
