{{- define "wheelhouse-spoke.account" -}}
{{ .Values.serviceAccount.name | default .Values.name }}
{{- end -}}

{{- define "wheelhouse-spoke.joinSecret" -}}
{{ .Values.join.existingSecret | default (printf "%s-join" .Values.name) }}
{{- end -}}

{{- define "wheelhouse-spoke.selector" -}}
app.kubernetes.io/name: {{ .Values.name }}
{{- end -}}

{{- define "wheelhouse-spoke.labels" -}}
{{ include "wheelhouse-spoke.selector" . }}
app.kubernetes.io/part-of: wheelhouse
{{- end -}}

{{- define "wheelhouse-spoke.image" -}}
{{- with .Values.image -}}
{{ .repository }}{{ if .digest }}@{{ .digest }}{{ else }}:{{ .tag | default $.Chart.AppVersion }}{{ end }}
{{- end -}}
{{- end -}}

{{- define "wheelhouse-spoke.subject" -}}
- kind: ServiceAccount
  name: {{ include "wheelhouse-spoke.account" . }}
  namespace: {{ .Release.Namespace }}
{{- end -}}
