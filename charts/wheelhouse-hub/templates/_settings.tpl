{{- /* `30s`, `2m`, `30d` as milliseconds. */ -}}
{{- define "wheelhouse-hub.milliseconds" -}}
{{- $factors := dict "ms" 1 "s" 1000 "m" 60000 "h" 3600000 "d" 86400000 -}}
{{ mul (regexFind "^[0-9]+" . | int64) (get $factors (regexFind "[a-z]+$" .)) }}
{{- end -}}

{{- /* `512Mi` as bytes. */ -}}
{{- define "wheelhouse-hub.bytes" -}}
{{- $factors := dict "" 1 "Ki" 1024 "Mi" 1048576 "Gi" 1073741824 "Ti" 1099511627776 -}}
{{ mul (regexFind "^[0-9]+" . | int64) (get $factors (regexFind "[A-Za-z]*$" .)) }}
{{- end -}}

{{- /* What the hub reads at its start. Secrets are paths in here, never texts. */ -}}
{{- define "wheelhouse-hub.settings" -}}
{{- $service := printf "%s-link" .Values.name -}}
{{- $names := list
  $service
  (printf "%s.%s" $service .Release.Namespace)
  (printf "%s.%s.svc" $service .Release.Namespace)
  (printf "%s.%s.svc.cluster.local" $service .Release.Namespace)
  (include "wheelhouse-hub.linkHost" .) -}}
{{- $host := ternary "[::]" .Values.listenOn (eq .Values.listenOn "::") -}}
{{- $settings := dict
  "fleetRepository" .Values.fleet.repository
  "fleetRevision" .Values.fleet.revision
  "fleetPath" .Values.fleet.path
  "generationFailure" .Values.applicationSets.generationFailure
  "gitFileDialect" .Values.applicationSets.gitFileDialect
  "setElementsMost" (.Values.applicationSets.elementsMost | int64)
  "dataFolder" "/var/lib/wheelhouse"
  "pollMs" (include "wheelhouse-hub.milliseconds" .Values.git.pollEvery | int64)
  "gitTimeoutMs" (include "wheelhouse-hub.milliseconds" .Values.git.timeout | int64)
  "repositoryBytesMost" (include "wheelhouse-hub.bytes" .Values.git.repositoryLargest | int64)
  "linkListen" (printf "%s:7443" $host)
  "linkPublicAddress" (include "wheelhouse-hub.linkAddress" .)
  "linkNames" (concat $names .Values.link.extraNames | uniq | join ",")
  "heartbeatMs" (include "wheelhouse-hub.milliseconds" .Values.link.heartbeatEvery | int64)
  "certificateLifeMs" (include "wheelhouse-hub.milliseconds" .Values.link.certificateLife | int64)
  "joinTokenLifeMs" (include "wheelhouse-hub.milliseconds" .Values.link.joinTokenLife | int64)
  "httpListen" (printf "%s:8080" $host)
  "metricsOpen" .Values.metrics.open
  "commandLifeMs" (include "wheelhouse-hub.milliseconds" .Values.commandLife | int64)
  "spokeImage" (.Values.spoke.image | default (include "wheelhouse-hub.image" .))
  "spokeChart" .Values.spoke.chart
  "logLevel" .Values.logLevel
-}}
{{- if .Values.http.tls.existingSecret -}}
{{- $_ := set $settings "httpTlsCertificateFile" "/etc/wheelhouse/http-tls/tls.crt" -}}
{{- $_ := set $settings "httpTlsKeyFile" "/etc/wheelhouse/http-tls/tls.key" -}}
{{- end -}}
{{- if .Values.adminToken.existingSecret -}}
{{- $_ := set $settings "adminTokenFile" "/etc/wheelhouse/admin-token/token" -}}
{{- end -}}
{{- if .Values.webhook.existingSecret -}}
{{- $_ := set $settings "webhookSecretFile" "/etc/wheelhouse/webhook/secret" -}}
{{- end -}}
{{- $credentials := list -}}
{{- range $index, $given := .Values.repositoryCredentials -}}
{{- $file := printf "/etc/wheelhouse/git/%d/secret" $index -}}
{{- if $given.username -}}
{{- $credentials = append $credentials (dict "urlPrefix" $given.urlPrefix "username" $given.username "passwordFile" $file) -}}
{{- else -}}
{{- $credentials = append $credentials (dict "urlPrefix" $given.urlPrefix "tokenFile" $file) -}}
{{- end -}}
{{- end -}}
{{- if $credentials -}}
{{- $_ := set $settings "repositoryCredentials" $credentials -}}
{{- end -}}
{{ toPrettyJson $settings }}
{{- end -}}
