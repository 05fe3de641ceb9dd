{{- define "oauth-agent.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 48 | trimSuffix "-" -}}
{{- end -}}

{{/* Short enough for the suffixes of Services. */}}
{{- define "oauth-agent.fullname" -}}
{{- $name := include "oauth-agent.name" . -}}
{{- $full := ternary .Release.Name (printf "%s-%s" .Release.Name $name) (contains $name .Release.Name) -}}
{{- default $full .Values.fullnameOverride | trunc 48 | trimSuffix "-" -}}
{{- end -}}

{{- define "oauth-agent.selector" -}}
app.kubernetes.io/name: {{ include "oauth-agent.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "oauth-agent.labels" -}}
{{ include "oauth-agent.selector" . }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end -}}

{{- define "oauth-agent.image" -}}
{{- if .Values.image.digest -}}
{{ .Values.image.repository }}@{{ .Values.image.digest }}
{{- else -}}
{{ .Values.image.repository }}:{{ .Values.image.tag }}
{{- end -}}
{{- end -}}

{{/* The settings, with what the chart decides on top. */}}
{{- define "oauth-agent.settings" -}}
{{- $dir := "/run/secrets/oauth-agent" -}}
{{- $s := .Values.secrets -}}
{{- $own := dict
      "port" 8080
      "admin_addr" ":7090"
      "shutdown_delay" (printf "%ds" (int .Values.shutdown.delaySeconds))
      "timeouts" (dict "shutdown" (printf "%ds" (int .Values.shutdown.timeoutSeconds))) -}}
{{- if $s.client.name }}{{ $_ := set $own "client_secret_file" (print $dir "/client-secret") }}{{ end -}}
{{- if $s.cookieKeys.name }}{{ $_ := set $own "cookie" (dict "encryption_keys_file" (print $dir "/cookie-keys")) }}{{ end -}}
{{- if $s.subjectKey.name }}{{ $_ := set $own "log" (dict "subject_key_file" (print $dir "/subject-key")) }}{{ end -}}
{{- if $s.tls.name }}{{ $_ := set $own "tls" (dict "cert_file" (print $dir "/tls.crt") "key_file" (print $dir "/tls.key")) }}{{ end -}}
{{- if $s.pkceProxy.name }}{{ $_ := set $own "pkce_proxy" (dict
      "client_secret_file" (print $dir "/pkce-client-secret")
      "signing_key_file" (print $dir "/pkce-signing-key")
      "encryption_key_file" (print $dir "/pkce-encryption-key")) }}{{ end -}}
{{- if .Values.forwardAuth.enabled }}{{ $_ := set $own "forward_auth" (dict "addr" ":8081") }}{{ end -}}
{{- if .Values.spa.volume }}{{ $_ := set $own "spa" (dict "dir" "/srv/spa") }}{{ end -}}
{{- toYaml (mustMergeOverwrite (deepCopy .Values.settings) $own) -}}
{{- end -}}

{{/* One source of the volume of secrets. */}}
{{- define "oauth-agent.secret" -}}
- secret:
    name: {{ .name }}
    items:
      {{- range $file, $key := .items }}
      - {key: {{ $key | quote }}, path: {{ $file }}}
      {{- end }}
{{- end -}}
