{{- define "wheelhouse-hub.account" -}}
{{ .Values.serviceAccount.name | default .Values.name }}
{{- end -}}

{{- define "wheelhouse-hub.selector" -}}
app.kubernetes.io/name: {{ .Values.name }}
{{- end -}}

{{- define "wheelhouse-hub.labels" -}}
{{ include "wheelhouse-hub.selector" . }}
app.kubernetes.io/part-of: wheelhouse
{{- end -}}

{{- define "wheelhouse-hub.image" -}}
{{- with .Values.image -}}
{{ .repository }}{{ if .digest }}@{{ .digest }}{{ else }}:{{ .tag | default $.Chart.AppVersion }}{{ end }}
{{- end -}}
{{- end -}}

{{- define "wheelhouse-hub.linkAddress" -}}
{{ .Values.link.publicAddress | default (printf "%s-link.%s.svc:%d" .Values.name .Release.Namespace (int .Values.link.service.port)) }}
{{- end -}}

{{- /* Without the port, and without the brackets of an IPv6 address. */ -}}
{{- define "wheelhouse-hub.linkHost" -}}
{{ include "wheelhouse-hub.linkAddress" . | regexFind "^(\\[[^]]+\\]|[^:]+)" | trimAll "[]" }}
{{- end -}}
