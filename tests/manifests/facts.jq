# Objects, one after another, as sorted lines "Kind namespace/name field: value",
# so that two renderings are compared by what they say and not by how it is
# written: rules of roles become one line for each verb, arguments one for each
# flag. What every release changes (versions, generated keys) is left out.

def named: "\(.kind) \((.metadata.namespace // "") + "/" + .metadata.name)";

# ["--a", "1", "--b"] -> ["--a 1", "--b"]
def flags: reduce .[] as $word ([];
	if ($word | startswith("-")) or length == 0 or (.[-1] | test(" "))
	then . + [$word] else .[-1] += " \($word)" end);

def rules: .[] | . as $rule | .apiGroups[] as $group | .resources[] as $what |
	(.resourceNames // ["*"])[] as $name | .verbs[] |
	"rule \($group | if . == "" then "core" else . end)/\($what)/\($name): \(.)";

def tidy: walk(if type == "string" and startswith("-----BEGIN") then "..."
	elif type == "string" then gsub("^\\s+|\\s+$"; "")
	elif type == "object" then with_entries(select(
	(.value | IN(null, "", {}, []) | not) and
	(.key | IN("description", "helm.sh/chart", "app.kubernetes.io/version",
	"controller-gen.kubebuilder.io/version", "facts") | not)))
	else . end);

def lines: [paths(scalars | true) as $p | ($p | map(tostring) | join(".")) + ": " +
	(getpath($p) | tostring)] | .[];

def containers: .. | objects | select(has("containers")) | .containers[] |
	(.args // [] | flags[] | "argument \(.)"),
	(.command // [] | "command \(join(" "))");

def facts:
	(select(has("rules") and (.kind | test("Role$"))) | .rules | rules),
	containers,
	(if .kind == "Secret" then .data |= map_values("...") else . end |
	del(.apiVersion, .kind, .metadata.name, .metadata.namespace) |
	if has("rules") then del(.rules) else . end |
	del(.. | objects | .args?, .command?) | lines);

tidy | named as $who | .apiVersion as $version |
"\($who) in \($version)", (facts | "\($who) \(.)")
