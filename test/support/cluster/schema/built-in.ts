import {
  atomicConditions,
  atomicTextMap,
  conditions,
  labelSelector,
  localReference,
  objectMeta,
  objectReference,
  objectSchema,
  typedLocalReference,
} from "./meta.ts";
import { claimSpec, podSpec, podStatus, podTemplate, volumeSources } from "./pod.ts";
import {
  any,
  atomicList,
  atomicStruct,
  bool,
  int32,
  int64,
  intOrString,
  listMap,
  mapOf,
  openStruct,
  quantity,
  setOf,
  struct,
  text,
  textMap,
  texts,
  type Schema,
} from "./schema.ts";

const quantities = mapOf(quantity);

const portStatus = atomicList(struct({ port: int32, protocol: text, error: text }));
const loadBalancer = struct({
  ingress: atomicList(struct({ ip: text, hostname: text, ipMode: text, ports: portStatus })),
});

const service = objectSchema({
  spec: struct({
    ports: listMap(
      ["port", "protocol"],
      struct(
        {
          name: text,
          protocol: text,
          appProtocol: text,
          port: int32,
          targetPort: intOrString,
          nodePort: int32,
        },
        ["targetPort"],
      ),
      { protocol: "TCP" },
    ),
    selector: atomicTextMap,
    clusterIP: text,
    clusterIPs: texts,
    type: text,
    externalIPs: texts,
    sessionAffinity: text,
    loadBalancerIP: text,
    loadBalancerSourceRanges: texts,
    externalName: text,
    externalTrafficPolicy: text,
    healthCheckNodePort: int32,
    publishNotReadyAddresses: bool,
    sessionAffinityConfig: struct({ clientIP: struct({ timeoutSeconds: int32 }) }),
    ipFamilies: texts,
    ipFamilyPolicy: text,
    allocateLoadBalancerNodePorts: bool,
    loadBalancerClass: text,
    internalTrafficPolicy: text,
    trafficDistribution: text,
  }),
  status: struct({ loadBalancer, conditions }, ["loadBalancer"]),
});

const deployment = objectSchema({
  spec: struct(
    {
      replicas: int32,
      selector: labelSelector,
      template: podTemplate,
      strategy: struct({
        type: text,
        rollingUpdate: struct({ maxUnavailable: intOrString, maxSurge: intOrString }),
      }),
      minReadySeconds: int32,
      revisionHistoryLimit: int32,
      paused: bool,
      progressDeadlineSeconds: int32,
    },
    ["selector", "template", "strategy"],
  ),
  status: struct({
    observedGeneration: int64,
    replicas: int32,
    updatedReplicas: int32,
    readyReplicas: int32,
    availableReplicas: int32,
    unavailableReplicas: int32,
    terminatingReplicas: int32,
    conditions,
    collisionCount: int32,
  }),
});

const replicaSetStatus = struct({
  replicas: int32,
  fullyLabeledReplicas: int32,
  readyReplicas: int32,
  availableReplicas: int32,
  terminatingReplicas: int32,
  observedGeneration: int64,
  conditions,
});

const replicaSet = objectSchema({
  spec: struct(
    { replicas: int32, minReadySeconds: int32, selector: labelSelector, template: podTemplate },
    ["selector", "template"],
  ),
  status: replicaSetStatus,
});

const replicationController = objectSchema({
  spec: struct({
    replicas: int32,
    minReadySeconds: int32,
    selector: atomicTextMap,
    template: podTemplate,
  }),
  status: replicaSetStatus,
});

const claimStatus = struct({
  phase: text,
  accessModes: texts,
  capacity: quantities,
  conditions,
  allocatedResources: quantities,
  allocatedResourceStatuses: textMap,
  currentVolumeAttributesClassName: text,
  modifyVolumeStatus: any,
});

const claim = objectSchema({ spec: claimSpec, status: claimStatus });

const statefulSet = objectSchema({
  spec: struct(
    {
      replicas: int32,
      selector: labelSelector,
      template: podTemplate,
      volumeClaimTemplates: atomicList(claim),
      serviceName: text,
      podManagementPolicy: text,
      updateStrategy: struct({
        type: text,
        rollingUpdate: struct({ partition: int32, maxUnavailable: intOrString }),
      }),
      revisionHistoryLimit: int32,
      minReadySeconds: int32,
      persistentVolumeClaimRetentionPolicy: struct({ whenDeleted: text, whenScaled: text }),
      ordinals: struct({ start: int32 }),
    },
    ["selector", "template", "serviceName", "updateStrategy"],
  ),
  status: struct(
    {
      observedGeneration: int64,
      replicas: int32,
      readyReplicas: int32,
      currentReplicas: int32,
      updatedReplicas: int32,
      currentRevision: text,
      updateRevision: text,
      collisionCount: int32,
      conditions,
      availableReplicas: int32,
    },
    ["replicas", "availableReplicas"],
  ),
});

const daemonSet = objectSchema({
  spec: struct(
    {
      selector: labelSelector,
      template: podTemplate,
      updateStrategy: struct({
        type: text,
        rollingUpdate: struct({ maxUnavailable: intOrString, maxSurge: intOrString }),
      }),
      minReadySeconds: int32,
      revisionHistoryLimit: int32,
    },
    ["selector", "template", "updateStrategy"],
  ),
  status: struct({
    currentNumberScheduled: int32,
    numberMisscheduled: int32,
    desiredNumberScheduled: int32,
    numberReady: int32,
    observedGeneration: int64,
    updatedNumberScheduled: int32,
    numberAvailable: int32,
    numberUnavailable: int32,
    collisionCount: int32,
    conditions,
  }),
});

const jobSpec = struct(
  {
    parallelism: int32,
    completions: int32,
    activeDeadlineSeconds: int64,
    podFailurePolicy: struct({ rules: atomicList(any) }),
    successPolicy: struct({ rules: atomicList(any) }),
    backoffLimit: int32,
    backoffLimitPerIndex: int32,
    maxFailedIndexes: int32,
    selector: labelSelector,
    manualSelector: bool,
    template: podTemplate,
    ttlSecondsAfterFinished: int32,
    completionMode: text,
    suspend: bool,
    podReplacementPolicy: text,
    managedBy: text,
  },
  ["template"],
);

const job = objectSchema({
  spec: jobSpec,
  status: struct({
    conditions: atomicConditions,
    startTime: text,
    completionTime: text,
    active: int32,
    succeeded: int32,
    failed: int32,
    terminating: int32,
    completedIndexes: text,
    failedIndexes: text,
    uncountedTerminatedPods: struct({ succeeded: setOf(text), failed: setOf(text) }),
    ready: int32,
  }),
});

const cronJob = objectSchema({
  spec: struct(
    {
      schedule: text,
      timeZone: text,
      startingDeadlineSeconds: int64,
      concurrencyPolicy: text,
      suspend: bool,
      jobTemplate: struct({ metadata: objectMeta, spec: jobSpec }, ["metadata", "spec"]),
      successfulJobsHistoryLimit: int32,
      failedJobsHistoryLimit: int32,
    },
    ["jobTemplate", "schedule"],
  ),
  status: struct({
    active: atomicList(objectReference),
    lastScheduleTime: text,
    lastSuccessfulTime: text,
  }),
});

const ingressBackend = struct({
  service: struct({ name: text, port: atomicStruct({ name: text, number: int32 }) }, ["port"]),
  resource: typedLocalReference,
});

const ingress = objectSchema({
  spec: struct({
    ingressClassName: text,
    defaultBackend: ingressBackend,
    tls: atomicList(struct({ hosts: texts, secretName: text })),
    rules: atomicList(
      struct({
        host: text,
        http: struct({
          paths: atomicList(
            struct({ path: text, pathType: text, backend: ingressBackend }, ["backend"]),
          ),
        }),
      }),
    ),
  }),
  status: struct({ loadBalancer }, ["loadBalancer"]),
});

const networkPeers = atomicList(
  struct({
    podSelector: labelSelector,
    namespaceSelector: labelSelector,
    ipBlock: struct({ cidr: text, except: texts }),
  }),
);
const networkPorts = atomicList(struct({ protocol: text, port: intOrString, endPort: int32 }));

const networkPolicy = objectSchema({
  spec: struct(
    {
      podSelector: labelSelector,
      ingress: atomicList(struct({ ports: networkPorts, from: networkPeers })),
      egress: atomicList(struct({ ports: networkPorts, to: networkPeers })),
      policyTypes: texts,
    },
    ["podSelector"],
  ),
});

const metricTarget = struct({
  type: text,
  value: quantity,
  averageValue: quantity,
  averageUtilization: int32,
});
const scalingRules = struct({
  stabilizationWindowSeconds: int32,
  selectPolicy: text,
  policies: atomicList(struct({ type: text, value: int32, periodSeconds: int32 })),
  tolerance: quantity,
});

const horizontalPodAutoscaler = objectSchema({
  spec: struct(
    {
      scaleTargetRef: struct({ kind: text, name: text, apiVersion: text }),
      minReplicas: int32,
      maxReplicas: int32,
      metrics: atomicList(
        struct({
          type: text,
          object: any,
          pods: any,
          resource: struct({ name: text, target: metricTarget }),
          containerResource: any,
          external: any,
        }),
      ),
      behavior: struct({ scaleUp: scalingRules, scaleDown: scalingRules }),
    },
    ["scaleTargetRef", "maxReplicas"],
  ),
  status: struct({
    observedGeneration: int64,
    lastScaleTime: text,
    currentReplicas: int32,
    desiredReplicas: int32,
    currentMetrics: atomicList(any),
    conditions,
  }),
});

const podDisruptionBudget = objectSchema({
  spec: struct({
    minAvailable: intOrString,
    selector: labelSelector,
    maxUnavailable: intOrString,
    unhealthyPodEvictionPolicy: text,
  }),
  status: struct({
    observedGeneration: int64,
    disruptedPods: mapOf(text),
    disruptionsAllowed: int32,
    currentHealthy: int32,
    desiredHealthy: int32,
    expectedPods: int32,
    conditions,
  }),
});

const policyRules = atomicList(
  struct({
    verbs: texts,
    apiGroups: texts,
    resources: texts,
    resourceNames: texts,
    nonResourceURLs: texts,
  }),
);

const role = objectSchema({ rules: policyRules }, ["rules"]);
const clusterRole = objectSchema(
  {
    rules: policyRules,
    aggregationRule: struct({ clusterRoleSelectors: atomicList(labelSelector) }),
  },
  ["rules"],
);
const roleBinding = objectSchema(
  {
    subjects: atomicList(atomicStruct({ kind: text, apiGroup: text, name: text, namespace: text })),
    roleRef: atomicStruct({ apiGroup: text, kind: text, name: text }),
  },
  ["roleRef"],
);

const definitionNames = struct({
  plural: text,
  singular: text,
  shortNames: texts,
  kind: text,
  listKind: text,
  categories: texts,
});

const customResourceDefinition = objectSchema({
  spec: struct(
    {
      group: text,
      names: definitionNames,
      scope: text,
      versions: atomicList(
        struct({
          name: text,
          served: bool,
          storage: bool,
          deprecated: bool,
          deprecationWarning: text,
          schema: struct({ openAPIV3Schema: any }),
          subresources: struct({
            status: any,
            scale: struct({
              specReplicasPath: text,
              statusReplicasPath: text,
              labelSelectorPath: text,
            }),
          }),
          additionalPrinterColumns: atomicList(any),
          selectableFields: atomicList(struct({ jsonPath: text })),
        }),
      ),
      conversion: struct({ strategy: text, webhook: any }),
      preserveUnknownFields: bool,
    },
    ["group", "names", "scope", "versions"],
  ),
  status: struct({
    conditions,
    acceptedNames: definitionNames,
    storedVersions: texts,
    observedGeneration: int64,
  }),
});

/** Schemas of the built-in kinds by `group/plural`. */
export const builtInSchemas: { readonly [resource: string]: Schema } = {
  "/namespaces": objectSchema({
    spec: struct({ finalizers: texts }),
    status: struct({ phase: text, conditions }),
  }),
  "/nodes": objectSchema({
    spec: struct({
      podCIDR: text,
      podCIDRs: setOf(text),
      providerID: text,
      unschedulable: bool,
      taints: atomicList(struct({ key: text, value: text, effect: text, timeAdded: text })),
      configSource: any,
      externalID: text,
    }),
    status: struct({
      capacity: quantities,
      allocatable: quantities,
      phase: text,
      conditions,
      addresses: listMap(["type"], struct({ type: text, address: text })),
      daemonEndpoints: any,
      nodeInfo: openStruct({}),
      images: atomicList(any),
      volumesInUse: texts,
      volumesAttached: atomicList(any),
      config: any,
      runtimeHandlers: atomicList(any),
      features: any,
    }),
  }),
  "/pods": objectSchema({ spec: podSpec, status: podStatus }),
  "/services": service,
  "/configmaps": objectSchema({ data: textMap, binaryData: textMap, immutable: bool }, []),
  "/secrets": objectSchema({ data: textMap, stringData: textMap, type: text, immutable: bool }, []),
  "/serviceaccounts": objectSchema(
    {
      secrets: listMap(["name"], objectReference),
      imagePullSecrets: atomicList(localReference),
      automountServiceAccountToken: bool,
    },
    [],
  ),
  "/events": objectSchema(
    {
      involvedObject: objectReference,
      reason: text,
      message: text,
      source: struct({ component: text, host: text }),
      firstTimestamp: text,
      lastTimestamp: text,
      count: int32,
      type: text,
      eventTime: text,
      series: any,
      action: text,
      related: objectReference,
      reportingComponent: text,
      reportingInstance: text,
    },
    ["involvedObject", "source"],
  ),
  "/persistentvolumes": objectSchema({
    spec: struct({
      ...volumeSources,
      capacity: quantities,
      csi: any,
      local: struct({ path: text, fsType: text }),
      accessModes: texts,
      claimRef: objectReference,
      persistentVolumeReclaimPolicy: text,
      storageClassName: text,
      mountOptions: texts,
      volumeMode: text,
      nodeAffinity: any,
      volumeAttributesClassName: text,
    }),
    status: struct({
      phase: text,
      message: text,
      reason: text,
      lastPhaseTransitionTime: text,
    }),
  }),
  "/persistentvolumeclaims": claim,
  "/endpoints": objectSchema({ subsets: atomicList(any) }, []),
  "/limitranges": objectSchema({ spec: struct({ limits: atomicList(any) }, ["limits"]) }),
  "/resourcequotas": objectSchema({
    spec: struct({
      hard: quantities,
      scopes: texts,
      scopeSelector: atomicStruct({ matchExpressions: atomicList(any) }),
    }),
    status: struct({ hard: quantities, used: quantities }),
  }),
  "/replicationcontrollers": replicationController,
  "apps/deployments": deployment,
  "apps/replicasets": replicaSet,
  "apps/statefulsets": statefulSet,
  "apps/daemonsets": daemonSet,
  "apps/controllerrevisions": objectSchema({ data: any, revision: int64 }, ["revision"]),
  "batch/jobs": job,
  "batch/cronjobs": cronJob,
  "networking.k8s.io/ingresses": ingress,
  "networking.k8s.io/networkpolicies": networkPolicy,
  "networking.k8s.io/ingressclasses": objectSchema({
    spec: struct({ controller: text, parameters: any }),
  }),
  "policy/poddisruptionbudgets": podDisruptionBudget,
  "autoscaling/horizontalpodautoscalers": horizontalPodAutoscaler,
  "rbac.authorization.k8s.io/roles": role,
  "rbac.authorization.k8s.io/clusterroles": clusterRole,
  "rbac.authorization.k8s.io/rolebindings": roleBinding,
  "rbac.authorization.k8s.io/clusterrolebindings": roleBinding,
  "apiextensions.k8s.io/customresourcedefinitions": customResourceDefinition,
  "storage.k8s.io/storageclasses": objectSchema(
    {
      provisioner: text,
      parameters: textMap,
      reclaimPolicy: text,
      mountOptions: texts,
      allowVolumeExpansion: bool,
      volumeBindingMode: text,
      allowedTopologies: atomicList(any),
    },
    ["provisioner"],
  ),
  "scheduling.k8s.io/priorityclasses": objectSchema(
    { value: int32, globalDefault: bool, description: text, preemptionPolicy: text },
    ["value"],
  ),
  "coordination.k8s.io/leases": objectSchema({
    spec: struct({
      holderIdentity: text,
      leaseDurationSeconds: int32,
      acquireTime: text,
      renewTime: text,
      leaseTransitions: int32,
      strategy: text,
      preferredHolder: text,
    }),
  }),
};
