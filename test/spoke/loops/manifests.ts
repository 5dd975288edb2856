import type { KubeObject } from "../../../spoke/domain/kube-object.ts";

/** Manifests as the hub sends them: no destination namespace, no marker. */

type Annotations = Readonly<Record<string, string>>;

export const configMap = (
  name: string,
  data: Readonly<Record<string, string>> = { color: "blue" },
  annotations: Annotations = {},
): KubeObject => ({
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: { name, annotations },
  data,
});

export const deployment = (
  name: string,
  image = "web:1",
  annotations: Annotations = {},
): KubeObject => ({
  apiVersion: "apps/v1",
  kind: "Deployment",
  metadata: { name, annotations },
  spec: {
    replicas: 2,
    selector: { matchLabels: { app: name } },
    template: {
      metadata: { labels: { app: name } },
      spec: { containers: [{ name: "main", image }] },
    },
  },
});

export const service = (name: string): KubeObject => ({
  apiVersion: "v1",
  kind: "Service",
  metadata: { name },
  spec: { selector: { app: name }, ports: [{ name: "http", port: 80 }] },
});

export const namespace = (name: string, annotations: Annotations = {}): KubeObject => ({
  apiVersion: "v1",
  kind: "Namespace",
  metadata: { name, annotations },
});

export const definition = (annotations: Annotations = {}): KubeObject => ({
  apiVersion: "apiextensions.k8s.io/v1",
  kind: "CustomResourceDefinition",
  metadata: { name: "widgets.example.com", annotations },
  spec: {
    group: "example.com",
    scope: "Namespaced",
    names: { kind: "Widget", plural: "widgets" },
    versions: [{ name: "v1", served: true, storage: true }],
  },
});

export const widget = (name: string): KubeObject => ({
  apiVersion: "example.com/v1",
  kind: "Widget",
  metadata: { name },
  spec: { size: 1 },
});
