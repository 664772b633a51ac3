# controller.8.in, with the flags that "controller --help" lists.
# Usage: controller --help | awk -v version=V -f manpage.awk - controller.8.in

function roff(s) {
	gsub(/\\/, "\\e", s)
	gsub(/-/, "\\-", s)
	return s
}

# The help, first: "      --name type   What it does (default X)".
FILENAME == "-" && /^      --/ {
	line = substr($0, 7)
	at = match(line, /   +/)
	split(substr(line, 1, at - 1), word, " ")
	text = substr(line, at + RLENGTH)
	sub(/^[.']/, "\\\\\\&", text)
	flags = flags ".TP\n.BI " roff(word[1])
	if (word[2] != "")
		flags = flags " \" " word[2] "\""
	flags = flags "\n" roff(text) "\n"
	n++
	next
}
FILENAME == "-" { next }

/^@FLAGS@$/ {
	printf "%s", flags
	next
}
{
	gsub(/@VERSION@/, roff(version))
	print
}
END { if (n == 0) exit 1 }
