{{/* Names, in the forms that the reference's chart gives them. */}}
{{- define "sealed-secrets.name" -}}
{{- .Values.nameOverride | default .Chart.Name | trunc 63 | trimSuffix "-" -}}
{{- end -}}

{{- define "sealed-secrets.fullname" -}}
{{- $name := .Values.nameOverride | default .Chart.Name -}}
{{- $full := ternary .Release.Name (printf "%s-%s" .Release.Name $name) (contains $name .Release.Name) -}}
{{- .Values.fullnameOverride | default $full | trunc 63 | trimSuffix "-" -}}
{{- end -}}

{{- define "sealed-secrets.namespace" -}}
{{- .Values.namespace | default .Release.Namespace -}}
{{- end -}}

{{- define "sealed-secrets.serviceAccountName" -}}
{{- $own := ternary (include "sealed-secrets.fullname" .) "default" .Values.serviceAccount.create -}}
{{- .Values.serviceAccount.name | default $own -}}
{{- end -}}

{{- define "sealed-secrets.backupAccountName" -}}
{{- .Values.backup.serviceAccountName | default (printf "%s-backup" (include "sealed-secrets.fullname" .)) -}}
{{- end -}}

{{- define "sealed-secrets.adminTlsSecret" -}}
{{- .Values.admin.tlsSecretName | default (printf "%s-admin-tls" (include "sealed-secrets.fullname" .)) -}}
{{- end -}}

{{- define "sealed-secrets.adminCaConfigMap" -}}
{{- .Values.backup.caConfigMapName | default (printf "%s-admin-ca" (include "sealed-secrets.fullname" .)) -}}
{{- end -}}

{{/* Nothing, where exports are not encrypted. */}}
{{- define "sealed-secrets.recipientsConfigMap" -}}
{{- $own := ternary (printf "%s-backup-recipients" (include "sealed-secrets.fullname" .)) "" (not (empty .Values.admin.backupRecipients)) -}}
{{- .Values.admin.backupRecipientsConfigMap | default $own -}}
{{- end -}}

{{- define "sealed-secrets.adminHost" -}}
{{ include "sealed-secrets.fullname" . }}-admin.{{ include "sealed-secrets.namespace" . }}.svc
{{- end -}}

{{- define "sealed-secrets.kubeVersion" -}}
{{- $global := (.Values.global | default dict).kubeVersion -}}
{{- $global | default .Values.kubeVersion | default .Capabilities.KubeVersion.Version -}}
{{- end -}}

{{- define "sealed-secrets.image" -}}
{{- with .Values.image -}}
{{- if .registry }}{{ .registry }}/{{ end -}}
{{ .repository }}:{{ .tag | default $.Chart.AppVersion }}
{{- end -}}
{{- end -}}

{{- define "sealed-secrets.matchLabels" -}}
app.kubernetes.io/name: {{ include "sealed-secrets.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{/* Not the controller's, or its Services would choose the backup's Pods. */}}
{{- define "sealed-secrets.backupLabels" -}}
app.kubernetes.io/name: {{ include "sealed-secrets.name" . | trunc 56 }}-backup
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "sealed-secrets.labels" -}}
{{ include "sealed-secrets.matchLabels" . }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
app.kubernetes.io/part-of: sealed-secrets
app.kubernetes.io/version: {{ .Chart.AppVersion }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
{{- end -}}

{{/* render VALUE CONTEXT: a value that may hold template actions, as a text or
     as YAML. */}}
{{- define "sealed-secrets.render" -}}
{{- $value := index . 0 -}}
{{- tpl (ternary $value (toYaml $value) (kindIs "string" $value)) (index . 1) -}}
{{- end -}}

{{/* maps MAP... CONTEXT: all maps in one, the later ones win. Each may be a
     text with template actions. */}}
{{- define "sealed-secrets.maps" -}}
{{- $all := dict -}}
{{- $context := last . -}}
{{- range initial . -}}
{{- if . -}}
{{- $all = mergeOverwrite $all (include "sealed-secrets.render" (list . $context) | fromYaml) -}}
{{- end -}}
{{- end -}}
{{- if $all }}{{ toYaml $all }}{{ end -}}
{{- end -}}

{{/* metadata: context, name; namespace, labels and annotations as needed. */}}
{{- define "sealed-secrets.metadata" -}}
{{- $values := .context.Values -}}
metadata:
  name: {{ .name }}
  {{- with .namespace }}
  namespace: {{ . }}
  {{- end }}
  labels:
    {{- include "sealed-secrets.maps" (list (include "sealed-secrets.labels" .context) .labels $values.commonLabels .component .context) | nindent 4 }}
  {{- with include "sealed-secrets.maps" (list .annotations $values.commonAnnotations .context) }}
  annotations:
    {{- . | nindent 4 }}
  {{- end }}
{{- end -}}

{{/* A number, however Helm holds it: a large one would read 1e+06. */}}
{{- define "sealed-secrets.number" -}}
{{- if and (kindIs "float64" .) (eq (floor .) .) }}{{ int64 . }}{{ else }}{{ . }}{{ end -}}
{{- end -}}

{{/* pairs MAP WHAT: key=value,... as the flags for key Secrets take it. */}}
{{- define "sealed-secrets.pairs" -}}
{{- $what := index . 1 -}}
{{- $pairs := list -}}
{{- range $k, $v := index . 0 -}}
{{- if not (and $v (kindIs "string" $v)) }}{{ fail (printf "%s: %s is not a text" $what $k) }}{{ end -}}
{{- $pairs = prepend $pairs (printf "%s=%s" $k $v) -}}
{{- end -}}
{{- join "," $pairs -}}
{{- end -}}

{{/* The container's arguments, as a list in YAML. */}}
{{- define "sealed-secrets.args" -}}
{{- $v := .Values -}}
{{- $a := list -}}
{{- if $v.updateStatus }}{{ $a = append $a "--update-status" }}{{ end -}}
{{- if $v.skipRecreate }}{{ $a = append $a "--skip-recreate" }}{{ end -}}
{{- if ne (toString $v.keyrenewperiod) "" }}{{ $a = concat $a (list "--key-renew-period" (include "sealed-secrets.number" $v.keyrenewperiod)) }}{{ end -}}
{{- range $flag, $value := dict "key-ttl" $v.keyttl "key-cutoff-time" $v.keycutofftime "key-order-priority" $v.keyOrderPriority "key-size" $v.keySize "key-activation-delay" $v.keyActivationDelay "my-cn" $v.certificateCommonName "rate-limit" $v.rateLimit "rate-limit-burst" $v.rateLimitBurst "log-level" $v.logLevel "log-format" $v.logFormat "max-unseal-retries" $v.maxRetries "kubeclient-qps" $v.kubeClientQPS "kubeclient-burst" $v.kubeClientBurst "label-selector" $v.labelSelector "drift" $v.drift "workers" $v.workers "publish-cert-configmap" $v.certificateConfigMap.name -}}
{{- if $value }}{{ $a = concat $a (list (printf "--%s" $flag) (include "sealed-secrets.number" $value)) }}{{ end -}}
{{- end -}}
{{- $a = concat $a (list "--key-prefix" $v.secretName) -}}
{{- if not $v.allNamespaces }}{{ $a = append $a "--all-namespaces=false" }}{{ end -}}
{{- if not $v.acceptDeprecatedV1Data }}{{ $a = append $a "--accept-deprecated-v1-data=false" }}{{ end -}}
{{- with $v.additionalNamespaces }}{{ $a = concat $a (list "--additional-namespaces" (join "," .)) }}{{ end -}}
{{- with $v.allowSecretTypes }}{{ $a = concat $a (list "--allow-secret-types" (join "," .)) }}{{ end -}}
{{- with $v.privateKeyAnnotations }}{{ $a = concat $a (list "--privatekey-annotations" (include "sealed-secrets.pairs" (list . "privateKeyAnnotations"))) }}{{ end -}}
{{- with $v.privateKeyLabels }}{{ $a = concat $a (list "--privatekey-labels" (include "sealed-secrets.pairs" (list . "privateKeyLabels"))) }}{{ end -}}
{{- if $v.logInfoStdout }}{{ $a = append $a "--log-info-stdout" }}{{ end -}}
{{- with $v.containerPorts.http }}{{ $a = concat $a (list "--listen-addr" (printf ":%s" (include "sealed-secrets.number" .))) }}{{ end -}}
{{- with $v.containerPorts.metrics }}{{ $a = concat $a (list "--listen-metrics-addr" (printf ":%s" (include "sealed-secrets.number" .))) }}{{ end -}}
{{- if $v.watchForSecrets }}{{ $a = append $a "--watch-for-secrets" }}{{ end -}}
{{- if $v.metrics.omitSecretLabels }}{{ $a = append $a "--metrics-omit-secret-labels" }}{{ end -}}
{{- if $v.leaderElection.enabled }}{{ $a = concat $a (list "--leader-elect" "--leader-elect-resource-name" (include "sealed-secrets.fullname" .)) }}{{ end -}}
{{- if $v.admin.enabled -}}
{{- $tls := "/etc/sealed-secrets/admin-tls" -}}
{{- $a = concat $a (list "--admin-listen-addr" (printf ":%s" (include "sealed-secrets.number" $v.containerPorts.admin)) "--admin-tls-cert-file" (printf "%s/tls.crt" $tls) "--admin-tls-key-file" (printf "%s/tls.key" $tls)) -}}
{{- with $v.admin.tokenAudience }}{{ $a = concat $a (list "--admin-token-audience" .) }}{{ end -}}
{{- if include "sealed-secrets.recipientsConfigMap" . }}{{ $a = concat $a (list "--backup-recipients-file" "/etc/sealed-secrets/backup-recipients/recipients.pem") }}{{ end -}}
{{- end -}}
{{- toYaml (concat $a $v.extraArgs) -}}
{{- end -}}

{{/* What the controller does in a namespace that it watches. */}}
{{- define "sealed-secrets.unsealerRules" -}}
- apiGroups: [bitnami.com]
  resources: [sealedsecrets]
  verbs: [get, list, watch]
- apiGroups: [bitnami.com]
  resources: [sealedsecrets/status]
  verbs: [update]
# list and watch are asked for as metadata only. delete is never sent (but for
# --old-gc-behavior); where the admission plugin
# OwnerReferencesPermissionEnforcement is on, as on OpenShift, nobody may change
# the owners of a Secret without it.
- apiGroups: [""]
  resources: [secrets]
  verbs: [get, list, watch, create, update, delete]
- apiGroups: [""]
  resources: [events]
  verbs: [create, patch]
# Labels of namespaces, for keys that are limited to some of them.
- apiGroups: [""]
  resources: [namespaces]
  verbs: [get]
{{- end -}}

{{- define "sealed-secrets.subject" -}}
- kind: ServiceAccount
  name: {{ include "sealed-secrets.serviceAccountName" . }}
  namespace: {{ include "sealed-secrets.namespace" . }}
{{- end -}}

{{/* Where namespaced Roles are wanted. */}}
{{- define "sealed-secrets.roleNamespaces" -}}
{{- $all := .Values.additionalNamespaces -}}
{{- if .Values.rbac.ownNamespaceRole }}{{ $all = prepend $all (include "sealed-secrets.namespace" .) }}{{ end -}}
{{- toYaml (uniq $all) -}}
{{- end -}}

{{/* servicePort TYPE NODEPORT: the field nodePort where the type has one. */}}
{{- define "sealed-secrets.nodePort" -}}
{{- if and (has .type (list "NodePort" "LoadBalancer")) .nodePort }}
nodePort: {{ .nodePort }}
{{- end -}}
{{- end -}}

{{/* backend: of an Ingress, in the form of its version. */}}
{{- define "sealed-secrets.ingressVersion" -}}
{{- .Values.ingress.apiVersion | default "networking.k8s.io/v1" -}}
{{- end -}}

{{- define "sealed-secrets.ingressBackend" -}}
{{- if hasSuffix "v1beta1" (include "sealed-secrets.ingressVersion" .) -}}
serviceName: {{ include "sealed-secrets.fullname" . }}
servicePort: http
{{- else -}}
service:
  name: {{ include "sealed-secrets.fullname" . }}
  port:
    name: http
{{- end -}}
{{- end -}}

{{/* probe VALUES CUSTOM HANDLER CONTEXT: a probe without its name, or nothing. */}}
{{- define "sealed-secrets.probe" -}}
{{- $probe := index . 0 -}}
{{- if $probe.enabled -}}
{{- toYaml (merge (omit $probe "enabled") (index . 2)) -}}
{{- else if index . 1 -}}
{{- include "sealed-secrets.render" (list (index . 1) (index . 3)) -}}
{{- end -}}
{{- end -}}
