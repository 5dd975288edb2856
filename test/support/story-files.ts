/** A small fleet repository for stories: one set, one environment folder per environment. */

export const webSet = (
  spec: { readonly selfHeal?: boolean; readonly extra?: string } = {},
): string => `
apiVersion: argoproj.io/v1alpha1
kind: ApplicationSet
metadata: {name: web}
spec:
  goTemplate: true
  goTemplateOptions: [missingkey=error]
  generators:
    - clusters:
        selector: {matchLabels: {web: "yes"}}
  template:
    metadata: {name: 'web-{{ .name }}'}
    spec:
      project: default
      source: {repoURL: '@REPOSITORY@', targetRevision: HEAD, path: 'apps/web/{{ .metadata.labels.env }}'}
      destination: {name: '{{ .name }}', namespace: web}
      syncPolicy:
        automated: {prune: true, selfHeal: ${spec.selfHeal ?? true}}
${spec.extra ?? ""}`;

export const namespace = (name: string): string => `
apiVersion: v1
kind: Namespace
metadata: {name: ${name}}
`;

export const settings = (greeting: string): string => `
apiVersion: v1
kind: ConfigMap
metadata: {name: settings}
data: {greeting: ${JSON.stringify(greeting)}}
`;

export const deployment = (image: string, replicas = 2): string => `
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: ${replicas}
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
        - {name: web, image: ${JSON.stringify(image)}}
`;

export const service = `
apiVersion: v1
kind: Service
metadata: {name: web}
spec:
  selector: {app: web}
  ports: [{port: 80, targetPort: 8080}]
`;

/** The files of one environment's folder. */
export const webFolder = (
  environment: string,
  { image = "shop/web:1", replicas = 2, greeting = "hello" } = {},
): Readonly<Record<string, string>> => ({
  [`apps/web/${environment}/namespace.yaml`]: namespace("web"),
  [`apps/web/${environment}/settings.yaml`]: settings(greeting),
  [`apps/web/${environment}/deployment.yaml`]: deployment(image, replicas),
  [`apps/web/${environment}/service.yaml`]: service,
});

export const paths = {
  namespace: "/api/v1/namespaces/web",
  settings: "/api/v1/namespaces/web/configmaps/settings",
  deployment: "/apis/apps/v1/namespaces/web/deployments/web",
  service: "/api/v1/namespaces/web/services/web",
} as const;
