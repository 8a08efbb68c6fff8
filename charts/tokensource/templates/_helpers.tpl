{{- define "tokensource.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 53 | trimSuffix "-" }}
{{- end }}

{{- define "tokensource.fullname" -}}
{{- if .Values.fullnameOverride }}
{{- .Values.fullnameOverride | trunc 53 | trimSuffix "-" }}
{{- else }}
{{- $name := include "tokensource.name" . }}
{{- if contains $name .Release.Name }}
{{- .Release.Name | trunc 53 | trimSuffix "-" }}
{{- else }}
{{- printf "%s-%s" .Release.Name $name | trunc 53 | trimSuffix "-" }}
{{- end }}
{{- end }}
{{- end }}

{{- /* For objects outside the release's namespace: releases of the same name in several namespaces must not meet. */ -}}
{{- define "tokensource.clusterName" -}}
{{- printf "%s-%s" (include "tokensource.fullname" .) .Release.Namespace }}
{{- end }}

{{- define "tokensource.serviceAccountName" -}}
{{- if .Values.serviceAccount.create }}
{{- default (include "tokensource.fullname" .) .Values.serviceAccount.name }}
{{- else }}
{{- default "default" .Values.serviceAccount.name }}
{{- end }}
{{- end }}

{{- define "tokensource.leaseName" -}}
{{- default (include "tokensource.fullname" .) .Values.leaderElection.leaseName }}
{{- end }}

{{- define "tokensource.selectorLabels" -}}
app.kubernetes.io/name: {{ include "tokensource.name" . | quote }}
app.kubernetes.io/instance: {{ .Release.Name | quote }}
{{- end }}

{{- define "tokensource.sharedLabels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- with .Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- define "tokensource.labels" -}}
{{ include "tokensource.selectorLabels" . }}
{{ include "tokensource.sharedLabels" . }}
{{- end }}

{{- define "tokensource.image" -}}
{{- $repository := required "image.repository is required: no image is published yet, so name your own" .Values.image.repository }}
{{- if .Values.image.digest }}
{{- printf "%s@%s" $repository .Values.image.digest }}
{{- else }}
{{- printf "%s:%s" $repository (default .Chart.AppVersion .Values.image.tag) }}
{{- end }}
{{- end }}

{{- define "tokensource.args" -}}
- run
{{- range .Values.namespaces }}
- --namespace={{ . }}
{{- end }}
{{- with .Values.labelSelector }}
- {{ printf "--label-selector=%s" . | quote }}
{{- end }}
- --concurrency={{ int .Values.concurrency }}
- --endpoint-concurrency={{ int .Values.endpointConcurrency }}
- --endpoint-rate={{ .Values.endpointRate }}
- --min-refresh-interval={{ .Values.minRefreshInterval }}
- --metrics-addr={{ .Values.metrics.bindAddress }}:{{ int .Values.metrics.port }}
- --log-format={{ .Values.log.format }}
{{- if .Values.leaderElection.enabled }}
- --leader-elect
- --lease-name={{ include "tokensource.leaseName" . }}
{{- end }}
{{- with .Values.egress }}
{{- range .allowHosts }}
- {{ printf "--allow-host=%s" . | quote }}
{{- end }}
{{- if .requireAllowedHosts }}
- --require-allowed-hosts
{{- end }}
{{- range .allowCidrs }}
- {{ printf "--allow-cidr=%s" . | quote }}
{{- end }}
{{- range .denyCidrs }}
- {{ printf "--deny-cidr=%s" . | quote }}
{{- end }}
{{- if .allowHttp }}
- --allow-http
{{- end }}
{{- end }}
{{- range .Values.serviceAccountTokens.trustedAudiences }}
- {{ printf "--trusted-assertion-audience=%s" . | quote }}
{{- end }}
{{- range .Values.extraArgs }}
- {{ . | quote }}
{{- end }}
{{- end }}

{{- /* Two pods at once need the election; a port of the node can't be had twice. */ -}}
{{- define "tokensource.strategy" -}}
{{- if .Values.strategy }}
{{- toYaml .Values.strategy }}
{{- else if not .Values.leaderElection.enabled -}}
type: Recreate
{{- else -}}
type: RollingUpdate
rollingUpdate:
  maxSurge: {{ ternary 0 1 .Values.hostNetwork }}
  maxUnavailable: {{ ternary 1 0 .Values.hostNetwork }}
{{- end }}
{{- end }}

{{- define "tokensource.topologySpread" -}}
{{- $labels := include "tokensource.selectorLabels" . | fromYaml }}
{{- range .Values.topologySpreadConstraints }}
{{- $own := ternary (dict) (dict "labelSelector" (dict "matchLabels" $labels)) (hasKey . "labelSelector") }}
- {{ merge (dict) . $own | toYaml | nindent 2 | trim }}
{{- end }}
{{- end }}
