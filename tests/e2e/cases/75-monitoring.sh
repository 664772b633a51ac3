#!/bin/bash
#
# The alerts, the recording rules and the dashboard, asked by a real Prometheus
# of a controller that runs.
#
# shellcheck disable=SC2154,SC2317

monitoring=$root/manifests/monitoring
prometheus=http://127.0.0.1:9090/api/v1
alert_cases=$root/tests/monitoring/alerts.yaml

# json FILE: kubectl turns YAML into JSON when it annotates.
json() {
	kubectl annotate --local -f "$1" -o json tests=this
}

groups() {
	json "$monitoring/prometheusrule.yaml" | jq .spec
}

the_rules_tell_good_series_from_bad_ones() {
	promtool check rules "$monitoring/rules.yaml"
	promtool test rules "$alert_cases"
}
test_case the_rules_tell_good_series_from_bad_ones

# complaints EXPRESSION: the rules that the cases miss when all of them are
# this expression.
complaints() {
	local dir=$RIG/broken-rules
	mkdir -p "$dir"
	groups | jq --arg e "$1" '.groups[].rules[].expr = $e' >"$dir/rules.yaml"
	sed 's,^rule_files:.*,rule_files: [rules.yaml],' "$alert_cases" \
	    >"$dir/cases.yaml"
	promtool test rules "$dir/cases.yaml" 2>&1 |
	    sed -n 's/^ *alertname: \([A-Za-z]*\), time.*/\1/p
		s/^ *expr: "\([a-z0-9_:]*\)[ "].*/\1/p' | sort -u
}

a_rule_that_always_or_never_holds_is_noticed() {
	local all
	all=$(groups | jq -r '.groups[].rules[] | .alert // .record' | sort)
	same "$all" "$(complaints 'vector(1)')" "rules that always hold"
	same "$all" "$(complaints 'vector(0) > 1')" "rules that never hold"
}
test_case a_rule_that_always_or_never_holds_is_noticed

# Scrapes as the shipped ServiceMonitor says, with the labels that the operator
# gives to a target.
prometheus_config() {
	json "$monitoring/servicemonitor.yaml" |
	    jq --arg rules "$monitoring/rules.yaml" --arg app "$app" \
	    --arg target "$address:8081" '.spec.endpoints[0] as $endpoint |
	    {global: {scrape_interval: "1s", evaluation_interval: "1s"},
	    rule_files: [$rules], scrape_configs: [{job_name: "\($app)-metrics",
	    honor_labels: $endpoint.honorLabels, static_configs: [{
	    targets: [$target], labels: {namespace: "kube-system",
	    pod: "\($app)-0", container: $app, service: "\($app)-metrics",
	    endpoint: $endpoint.port}}]}]}'
}

prometheus_start() {
	prometheus_config >"$RIG/prometheus.yaml"
	promtool check config "$RIG/prometheus.yaml"
	daemon prometheus prometheus --config.file "$RIG/prometheus.yaml" \
	    --storage.tsdb.path "$RIG/prometheus" --log.level warn \
	    --web.listen-address 127.0.0.1:9090
	within 20 finds up==1
}

# Several expressions, one a line on stdin, by one process.
all_find() {
	local file=$RIG/asked
	cat >"$file"
	jq -rR --arg url "$prometheus/query" '"url = \($url | tojson)",
	    "data-urlencode = \("query=" + . | tojson)", "next"' "$file" |
	    sed '$d' | curl -sS --max-time 10 -K - |
	    jq -es --rawfile asked "$file" '($asked | split("\n")[:-1]) as $asked |
	    if length != ($asked | length) then error("answers are missing")
	    else [., $asked] | transpose | map(select(.[0] | .status != "success"
	    or (.data.result | length == 0))) | if length == 0 then true
	    else "these find nothing: \(.)" | error end end'
}

finds() {
	echo "$1" | all_find
}

# What a run has, so that there is something in every metric.
busy_controller() {
	local value
	namespace
	value=$(plain)
	secret "$ns" good "foo=$value" | seal >"$RIG/good.json"
	apply <"$RIG/good.json"
	jq '.metadata.name = "bad"' "$RIG/good.json" | apply
	kubeseal --validate <"$RIG/good.json"
	unsealed "$ns" good "foo=$value"
	refused "$ns" bad "no key could decrypt"
	kubectl patch secret -n "$ns" good --type merge \
	    -p '{"data":{"foo":"d3Jvbmc="}}'
	within 10 data_is "$ns" good "$(items "foo=$value")"
}

rules() {
	curl -sSf "$prometheus/rules" | jq -c '.data.groups[].rules[]'
}

every_rule_was_evaluated() {
	rules | jq -es 'length > 0 and all(.[]; .health == "ok" and
	    .lastError == null)'
}

# dashboard: its queries, one a line, with its variables filled in.
dashboard() {
	jq -r '(.. | .expr? // empty), (.templating.list[].definition // empty |
	    capture("label_values\\((?<metric>[a-z_]+), (?<label>[a-z_]+)\\)") |
	    "count by (\(.label)) (\(.metric){\(.label)!=\"\"})") |
	    gsub("\\$__rate_interval"; "1m") | gsub("\\$[a-z]+"; ".*")' \
	    "$monitoring/sealed-secrets.json"
}

# names: the metrics that standard input mentions, but for what was recorded.
names() {
	grep -oE '\b(sealed_secrets_controller|process)_[a-z0-9_]+' |
	    sed -E 's/_(bucket|sum|count)$//' | sort -u
}

exposed() {
	curl -sSf "http://$address:8081/metrics" |
	    sed -n 's/^# TYPE \([a-z0-9_]*\) .*/\1/p' | sort -u
}

# pending ALERT: the label "name" of what it is about to tell of.
pending() {
	curl -sSf "$prometheus/alerts" | jq -r --arg a "$1" --arg ns "$ns" '
	    .data.alerts[].labels | select(.alertname == $a and
	    .namespace == $ns) | .name // .reason'
}

alerts_are() {
	same "$2" "$(pending "$1")" "$1 in $ns"
}

every_expression_finds_something_in_a_real_run() {
	busy_controller
	prometheus_start
	rules | jq -r '.query' >"$RIG/expressions"
	dashboard >>"$RIG/expressions"
	same "" "$(names <"$RIG/expressions" | comm -23 - <(exposed))" \
	    "metrics that the controller does not have"
	# Rates and recorded series need two samples, here in different seconds.
	within 10 finds 'count_over_time(up[1m]) > 2'
	within 10 every_rule_was_evaluated
	dashboard | all_find
	grep -oE 'sealed_secrets_controller_[a-z_]+(\{[^}]*\})?' \
	    "$RIG/expressions" | sort -u | all_find
	groups | jq -r '.groups[].rules[].record // empty' | all_find
	within 10 alerts_are SealedSecretsControllerNotReady bad
	within 10 alerts_are SealedSecretsUnsealErrorHigh unseal
	for alert in Absent KeyRotationOverdue CertificateExpiring WatchStale; do
		lacks "$(curl -sSf "$prometheus/alerts")" "$alert"
	done
	kill "$(pid prometheus)"
}
test_case every_expression_finds_something_in_a_real_run

# known: the metrics of the program's own table, and those of its process.
known() {
	sed -n 's/^.\[METRIC_[A-Z_]*\] = { "\([a-z_]*\)".*/\1/p' \
	    "$root/controller/metrics/family.c" |
	    sed 's/^/sealed_secrets_controller_/'
	exposed | grep '^process_'
}

explained() {
	sed -n 's/^| .\(sealed_[a-z_]*\|process_[a-z_]*\). |.*/\1/p' \
	    "$monitoring/README.md"
}

every_metric_is_explained() {
	same "$(known | sort)" "$(explained | sort)" \
	    "metrics in manifests/monitoring/README.md"
	same "" "$(exposed | comm -23 - <(known | sort))" "metrics unknown"
}
test_case every_metric_is_explained

# granted_requests: verb and resource of all requests of the run that went well,
# in whatever settings it ran; the reference's program is not meant.
granted_requests() {
	jq -rR --arg u "system:serviceaccount:kube-system:$app" 'fromjson? |
	    select(.user.username == $u and .objectRef != null and
	    (.userAgent | test("kubernetes/") | not) and
	    .responseStatus.code < 300) |
	    "\(.verb) " + ([.objectRef | .resource, .subresource // empty] |
	    join("/"))' "$RIG/audit.log" | sort -u
}

counted_requests() {
	local labels='code="20[01]",resource="([^"]*)",verb="([^"]*)"'
	curl -sSf "http://$address:8081/metrics" |
	    sed -nE "s|^.*_api_requests_total\\{$labels\\} .*|\\2 \\1|p" |
	    sort -u
}

every_request_that_is_made_has_its_series_from_the_start() {
	controller_stop
	controller_start
	granted_requests >"$RIG/granted"
	[ -s "$RIG/granted" ]
	same "" "$(comm -23 "$RIG/granted" <(counted_requests))" \
	    "without a series"
}
test_case every_request_that_is_made_has_its_series_from_the_start

# scraped FILE: by the labels and the port name of both monitors one comes from
# the Deployment to its container's port.
scraped() {
	jq -es --slurpfile pod <(json "$monitoring/podmonitor.yaml") '
	    def part_of($all): to_entries | all(.[]; $all[.key] == .value);
	    (map(select(.kind == "Deployment"))[0].spec.template) as $template |
	    (map(select(.kind == "ServiceMonitor"))[0]) as $monitor |
	    [.[] | select(.kind == "Service") | . as $s |
	    select($monitor.spec.selector.matchLabels |
	    part_of($s.metadata.labels))] as $services |
	    ($services | length) == 1 and ($services[0].spec as $s |
	    ($s.selector | part_of($template.metadata.labels)) and
	    ($s.ports[] | select(.name == $monitor.spec.endpoints[0].port) |
	    .targetPort | IN(8081, "metrics"))) and
	    $monitor.spec.endpoints[0].honorLabels and
	    ($pod[0].spec | (.selector.matchLabels |
	    part_of($template.metadata.labels)) and
	    (.podMetricsEndpoints[0].port as $port |
	    $template.spec.containers[0].ports |
	    any(.name == $port and .containerPort == 8081)))' "$1"
}

# carries FILE: the rules and the dashboard, as they are in manifests/monitoring.
carries() {
	jq -es --slurpfile rules <(groups) \
	    --slurpfile board "$monitoring/sealed-secrets.json" '
	    (map(select(.kind == "PrometheusRule"))[0].spec == $rules[0]) and
	    (map(select(.kind == "ConfigMap" and
	    .metadata.labels.grafana_dashboard == "1")) | length == 1 and
	    (.[0].data["sealed-secrets.json"] | fromjson) == $board[0])' "$1"
}

overlay_and_chart_carry_the_same_rules_and_dashboard() {
	local overlay=$root/manifests/kustomize/overlays/monitoring
	"$root/.ci/manifests" --check
	kubectl kustomize "$overlay" | json - >"$RIG/overlay.json"
	scraped "$RIG/overlay.json"
	carries "$RIG/overlay.json"
	helm template release "$root/manifests/helm/sealed-secrets" \
	    --set metrics.prometheusRule.enabled=true \
	    --set metrics.dashboards.create=true | json - >"$RIG/chart.json"
	carries "$RIG/chart.json"
}
test_case overlay_and_chart_carry_the_same_rules_and_dashboard

# as_operator FILTER FILE: the API server's answer to the object so changed, by
# the operator's own definition of its kind.
as_operator() {
	json "$monitoring/$2.yaml" | jq "$1" |
	    kubectl apply --dry-run=server --validate=strict \
		-f - 2>&1
}

# The overlay and the chart are taken as a whole by the cases of the chart.
the_definitions_of_the_operator_take_ours_and_notice_mistakes() {
	local file wrong
	operator_kinds
	for file in servicemonitor podmonitor prometheusrule; do
		has "$(as_operator . $file)" "(server dry run)"
		wrong=$(fails as_operator '.spec.slector = {}' $file)
		has "$wrong" 'unknown field "spec.slector"'
	done
	wrong=$(fails as_operator '.spec.endpoints[0].interval = "often"' \
	    servicemonitor)
	has "$wrong" 'spec.endpoints[0].interval in body should match'
	wrong=$(fails as_operator 'del(.spec.selector)' podmonitor)
	has "$wrong" 'spec.selector: Required value'
	wrong=$(fails as_operator '.spec.groups[0].rules[0].for = "a while"' \
	    prometheusrule)
	has "$wrong" 'for: Invalid value'
}
test_case the_definitions_of_the_operator_take_ours_and_notice_mistakes
