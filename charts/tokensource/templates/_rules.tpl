{{- /* What the operator may do in the namespaces it watches. */ -}}
{{- define "tokensource.rules" -}}
# The watch of the sources: a list, then a watch.
- apiGroups: [tokensource.dev]
  resources: [tokensources]
  verbs: [list, watch]
# What became of a source, by server-side apply.
- apiGroups: [tokensource.dev]
  resources: [tokensources/status]
  verbs: [patch]
# get: the credentials, once a token request. list, watch: the metadata of Secrets, to see rotated credentials and changed
# targets. patch: the target Secret and the refresh token's, by server-side apply, which makes new ones with create.
- apiGroups: [""]
  resources: [secrets]
  verbs: [get, list, watch, create, patch]
# CA bundles that sources refer to.
- apiGroups: [""]
  resources: [configmaps]
  verbs: [get]
# One Event where something turns; patch counts it up when the same comes again within minutes.
- apiGroups: [events.k8s.io]
  resources: [events]
  verbs: [create, patch]
{{- if .Values.serviceAccountTokens.enabled }}
# Assertions from a serviceAccountRef (TokenRequest). RBAC can't limit their audience; the operator does.
- apiGroups: [""]
  resources: [serviceaccounts/token]
  verbs: [create]
{{- end }}
{{- end }}
