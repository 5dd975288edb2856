{{- /*
What the spoke asks of the API server for an application's object, and nothing else: `get` to look before it
creates, `list` and `watch` for what it manages, `patch` (server-side apply) with `create` when there is nothing
yet, `delete` to prune. It never sends an `update`.
*/ -}}
{{- define "wheelhouse-spoke.verbs" -}}
[get, list, watch, create, patch, delete]
{{- end -}}

{{- /* Kinds that live in a namespace: both presets. No rule here names a subresource or a wildcard of core kinds. */ -}}
{{- define "wheelhouse-spoke.namespacedRules" -}}
# What workloads are made of. Pods are here for those that Git holds itself.
- apiGroups: [""]
  resources: [configmaps, services, serviceaccounts, persistentvolumeclaims, pods, podtemplates, replicationcontrollers, endpoints, limitranges, resourcequotas]
  verbs: {{ include "wheelhouse-spoke.verbs" . }}
{{- if .Values.role.secrets }}
# Asked for with role.secrets: the watch of its own Secrets could read all of them.
- apiGroups: [""]
  resources: [secrets]
  verbs: {{ include "wheelhouse-spoke.verbs" . }}
{{- end }}
# Workloads.
- apiGroups: [apps]
  resources: [deployments, statefulsets, daemonsets, replicasets]
  verbs: {{ include "wheelhouse-spoke.verbs" . }}
# Work that ends.
- apiGroups: [batch]
  resources: [jobs, cronjobs]
  verbs: {{ include "wheelhouse-spoke.verbs" . }}
# How many of them there are.
- apiGroups: [autoscaling]
  resources: [horizontalpodautoscalers]
  verbs: {{ include "wheelhouse-spoke.verbs" . }}
# How many may be away at once.
- apiGroups: [policy]
  resources: [poddisruptionbudgets]
  verbs: {{ include "wheelhouse-spoke.verbs" . }}
# Who reaches them.
- apiGroups: [networking.k8s.io]
  resources: [ingresses, networkpolicies]
  verbs: {{ include "wheelhouse-spoke.verbs" . }}
# Endpoints that somebody writes by hand.
- apiGroups: [discovery.k8s.io]
  resources: [endpointslices]
  verbs: {{ include "wheelhouse-spoke.verbs" . }}
# Roles and their bindings. The API server lets nobody grant more than they have, unless role.escalate is on.
- apiGroups: [rbac.authorization.k8s.io]
  resources: [roles, rolebindings]
  verbs: {{ include "wheelhouse-spoke.verbs" . }}
{{- with .Values.role.customResourceGroups }}
# Custom resources: all kinds of the groups named in role.customResourceGroups.
- apiGroups: {{ toJson . }}
  resources: ["*"]
  verbs: {{ include "wheelhouse-spoke.verbs" $ }}
{{- end }}
{{- if eq .Values.role.preset "namespaces" }}
# The namespace itself, to say why nothing can be made in one that is being deleted.
- apiGroups: [""]
  resources: [namespaces]
  verbs: [get]
{{- end }}
{{- if .Values.role.escalate }}
# Asked for with role.escalate: grant more than one has.
- apiGroups: [rbac.authorization.k8s.io]
  resources: {{ if eq .Values.role.preset "cluster" }}[roles, clusterroles]{{ else }}[roles]{{ end }}
  verbs: [escalate, bind]
{{- end }}
{{- end -}}

{{- /* Kinds of the cluster itself: the preset `cluster` only. */ -}}
{{- define "wheelhouse-spoke.clusterRules" -}}
# Namespaces, and volumes that Git holds itself.
- apiGroups: [""]
  resources: [namespaces, persistentvolumes]
  verbs: {{ include "wheelhouse-spoke.verbs" . }}
# Cluster-wide roles and their bindings, held back in the same way as roles.
- apiGroups: [rbac.authorization.k8s.io]
  resources: [clusterroles, clusterrolebindings]
  verbs: {{ include "wheelhouse-spoke.verbs" . }}
# Definitions of custom resources.
- apiGroups: [apiextensions.k8s.io]
  resources: [customresourcedefinitions]
  verbs: {{ include "wheelhouse-spoke.verbs" . }}
# Admission of operators that Git installs.
- apiGroups: [admissionregistration.k8s.io]
  resources: [validatingwebhookconfigurations, mutatingwebhookconfigurations, validatingadmissionpolicies, validatingadmissionpolicybindings]
  verbs: {{ include "wheelhouse-spoke.verbs" . }}
# API servers of theirs.
- apiGroups: [apiregistration.k8s.io]
  resources: [apiservices]
  verbs: {{ include "wheelhouse-spoke.verbs" . }}
# Classes that workloads name.
- apiGroups: [networking.k8s.io]
  resources: [ingressclasses]
  verbs: {{ include "wheelhouse-spoke.verbs" . }}
- apiGroups: [storage.k8s.io]
  resources: [storageclasses, csidrivers]
  verbs: {{ include "wheelhouse-spoke.verbs" . }}
- apiGroups: [scheduling.k8s.io]
  resources: [priorityclasses]
  verbs: {{ include "wheelhouse-spoke.verbs" . }}
- apiGroups: [node.k8s.io]
  resources: [runtimeclasses]
  verbs: {{ include "wheelhouse-spoke.verbs" . }}
{{- end -}}

{{- /* The spoke's own objects, in its own namespace: both presets. */ -}}
{{- define "wheelhouse-spoke.ownRules" -}}
# Its identity: one Secret, made once. A right to create cannot name what is created.
- apiGroups: [""]
  resources: [secrets]
  verbs: [create]
- apiGroups: [""]
  resources: [secrets]
  resourceNames: [wheelhouse-spoke-identity]
  verbs: [get, update]
{{- if eq .Values.role.preset "namespaces" }}
# Its inventories: what each application owns, a ConfigMap or several each. (The preset `cluster` has this right
# already.)
- apiGroups: [""]
  resources: [configmaps]
  verbs: [list, create, patch, delete]
{{- end }}
{{- end -}}
