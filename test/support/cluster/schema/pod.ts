import {
  atomicTextMap,
  conditions,
  labelSelector,
  localReference,
  objectMeta,
  typedLocalReference,
} from "./meta.ts";
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
  struct,
  text,
  texts,
} from "./schema.ts";

const exec = struct({ command: texts });
const httpGet = struct(
  {
    path: text,
    port: intOrString,
    host: text,
    scheme: text,
    httpHeaders: atomicList(struct({ name: text, value: text })),
  },
  ["port"],
);
const tcpSocket = struct({ port: intOrString, host: text }, ["port"]);

const probe = struct({
  exec,
  httpGet,
  tcpSocket,
  grpc: struct({ port: int32, service: text }),
  initialDelaySeconds: int32,
  timeoutSeconds: int32,
  periodSeconds: int32,
  successThreshold: int32,
  failureThreshold: int32,
  terminationGracePeriodSeconds: int64,
});

const lifecycleHandler = struct({ exec, httpGet, tcpSocket, sleep: struct({ seconds: int64 }) });

const keySelector = atomicStruct({ name: text, key: text, optional: bool });
const fieldReference = atomicStruct({ apiVersion: text, fieldPath: text });
const resourceFieldReference = atomicStruct({
  containerName: text,
  resource: text,
  divisor: quantity,
});

export const resources = struct({
  limits: mapOf(quantity),
  requests: mapOf(quantity),
  claims: listMap(["name"], struct({ name: text, request: text })),
});

const seLinuxOptions = struct({ user: text, role: text, type: text, level: text });
const windowsOptions = struct({
  gmsaCredentialSpecName: text,
  gmsaCredentialSpec: text,
  runAsUserName: text,
  hostProcess: bool,
});
const seccompProfile = struct({ type: text, localhostProfile: text });

const containerSecurity = struct({
  capabilities: struct({ add: texts, drop: texts }),
  privileged: bool,
  seLinuxOptions,
  windowsOptions,
  runAsUser: int64,
  runAsGroup: int64,
  runAsNonRoot: bool,
  readOnlyRootFilesystem: bool,
  allowPrivilegeEscalation: bool,
  procMount: text,
  seccompProfile,
  appArmorProfile: seccompProfile,
});

const containerFields = {
  name: text,
  image: text,
  command: texts,
  args: texts,
  workingDir: text,
  ports: listMap(
    ["containerPort", "protocol"],
    struct({ name: text, hostPort: int32, containerPort: int32, protocol: text, hostIP: text }),
    { protocol: "TCP" },
  ),
  envFrom: atomicList(
    struct({
      prefix: text,
      configMapRef: struct({ name: text, optional: bool }),
      secretRef: struct({ name: text, optional: bool }),
    }),
  ),
  env: listMap(
    ["name"],
    struct({
      name: text,
      value: text,
      valueFrom: struct({
        fieldRef: fieldReference,
        resourceFieldRef: resourceFieldReference,
        configMapKeyRef: keySelector,
        secretKeyRef: keySelector,
        fileKeyRef: any,
      }),
    }),
  ),
  resources,
  resizePolicy: atomicList(struct({ resourceName: text, restartPolicy: text })),
  restartPolicy: text,
  restartPolicyRules: atomicList(any),
  volumeMounts: listMap(
    ["mountPath"],
    struct({
      name: text,
      readOnly: bool,
      recursiveReadOnly: text,
      mountPath: text,
      subPath: text,
      mountPropagation: text,
      subPathExpr: text,
    }),
  ),
  volumeDevices: listMap(["devicePath"], struct({ name: text, devicePath: text })),
  livenessProbe: probe,
  readinessProbe: probe,
  startupProbe: probe,
  lifecycle: struct({ postStart: lifecycleHandler, preStop: lifecycleHandler, stopSignal: text }),
  terminationMessagePath: text,
  terminationMessagePolicy: text,
  imagePullPolicy: text,
  securityContext: containerSecurity,
  stdin: bool,
  stdinOnce: bool,
  tty: bool,
};

const container = struct(containerFields, ["resources"]);
const ephemeralContainer = struct({ ...containerFields, targetContainerName: text }, ["resources"]);

const keyToPath = atomicList(struct({ key: text, path: text, mode: int32 }));
const downwardItems = atomicList(
  struct({
    path: text,
    fieldRef: fieldReference,
    resourceFieldRef: resourceFieldReference,
    mode: int32,
  }),
);

/** Where the data of persistent volumes and of in-line volumes may lie. Old in-tree sources are kept as they come. */
export const volumeSources = {
  hostPath: struct({ path: text, type: text }),
  nfs: struct({ server: text, path: text, readOnly: bool }),
  awsElasticBlockStore: any,
  azureDisk: any,
  azureFile: any,
  cephfs: any,
  cinder: any,
  fc: any,
  flexVolume: any,
  flocker: any,
  gcePersistentDisk: any,
  glusterfs: any,
  iscsi: any,
  photonPersistentDisk: any,
  portworxVolume: any,
  quobyte: any,
  rbd: any,
  scaleIO: any,
  storageos: any,
  vsphereVolume: any,
};

export const claimSpec = struct(
  {
    accessModes: texts,
    selector: labelSelector,
    resources: struct({ limits: mapOf(quantity), requests: mapOf(quantity) }),
    volumeName: text,
    storageClassName: text,
    volumeMode: text,
    dataSource: typedLocalReference,
    dataSourceRef: struct({ apiGroup: text, kind: text, name: text, namespace: text }),
    volumeAttributesClassName: text,
  },
  ["resources"],
);

const volume = struct({
  name: text,
  ...volumeSources,
  emptyDir: struct({ medium: text, sizeLimit: quantity }),
  gitRepo: any,
  secret: struct({ secretName: text, items: keyToPath, defaultMode: int32, optional: bool }),
  configMap: struct({ name: text, items: keyToPath, defaultMode: int32, optional: bool }),
  persistentVolumeClaim: struct({ claimName: text, readOnly: bool }),
  downwardAPI: struct({ items: downwardItems, defaultMode: int32 }),
  projected: struct({
    sources: atomicList(
      struct({
        secret: struct({ name: text, items: keyToPath, optional: bool }),
        configMap: struct({ name: text, items: keyToPath, optional: bool }),
        downwardAPI: struct({ items: downwardItems }),
        serviceAccountToken: struct({ audience: text, expirationSeconds: int64, path: text }),
        clusterTrustBundle: any,
        podCertificate: any,
      }),
    ),
    defaultMode: int32,
  }),
  csi: struct({
    driver: text,
    readOnly: bool,
    fsType: text,
    volumeAttributes: mapOf(text),
    nodePublishSecretRef: localReference,
  }),
  ephemeral: struct({
    volumeClaimTemplate: struct({ metadata: objectMeta, spec: claimSpec }, ["metadata", "spec"]),
  }),
  image: struct({ reference: text, pullPolicy: text }),
});

const selectorExpressions = atomicList(struct({ key: text, operator: text, values: texts }));
const nodeSelectorTerm = atomicStruct({
  matchExpressions: selectorExpressions,
  matchFields: selectorExpressions,
});
const podAffinityTerm = struct({
  labelSelector,
  namespaces: texts,
  topologyKey: text,
  namespaceSelector: labelSelector,
  matchLabelKeys: texts,
  mismatchLabelKeys: texts,
});
const podAffinity = struct({
  requiredDuringSchedulingIgnoredDuringExecution: atomicList(podAffinityTerm),
  preferredDuringSchedulingIgnoredDuringExecution: atomicList(
    struct({ weight: int32, podAffinityTerm }, ["podAffinityTerm"]),
  ),
});

const affinity = struct({
  nodeAffinity: struct({
    requiredDuringSchedulingIgnoredDuringExecution: atomicStruct({
      nodeSelectorTerms: atomicList(nodeSelectorTerm),
    }),
    preferredDuringSchedulingIgnoredDuringExecution: atomicList(
      struct({ weight: int32, preference: nodeSelectorTerm }, ["preference"]),
    ),
  }),
  podAffinity,
  podAntiAffinity: podAffinity,
});

const podSecurity = struct({
  seLinuxOptions,
  windowsOptions,
  runAsUser: int64,
  runAsGroup: int64,
  runAsNonRoot: bool,
  supplementalGroups: atomicList(int64),
  supplementalGroupsPolicy: text,
  fsGroup: int64,
  sysctls: atomicList(struct({ name: text, value: text })),
  fsGroupChangePolicy: text,
  seccompProfile,
  appArmorProfile: seccompProfile,
  seLinuxChangePolicy: text,
});

export const tolerations = atomicList(
  struct({ key: text, operator: text, value: text, effect: text, tolerationSeconds: int64 }),
);

export const podSpec = struct(
  {
    volumes: listMap(["name"], volume),
    initContainers: listMap(["name"], container),
    containers: listMap(["name"], container),
    ephemeralContainers: listMap(["name"], ephemeralContainer),
    restartPolicy: text,
    terminationGracePeriodSeconds: int64,
    activeDeadlineSeconds: int64,
    dnsPolicy: text,
    nodeSelector: atomicTextMap,
    serviceAccountName: text,
    serviceAccount: text,
    automountServiceAccountToken: bool,
    nodeName: text,
    hostNetwork: bool,
    hostPID: bool,
    hostIPC: bool,
    shareProcessNamespace: bool,
    securityContext: podSecurity,
    imagePullSecrets: listMap(["name"], localReference),
    hostname: text,
    subdomain: text,
    affinity,
    schedulerName: text,
    tolerations,
    hostAliases: listMap(["ip"], struct({ ip: text, hostnames: texts })),
    priorityClassName: text,
    priority: int32,
    dnsConfig: struct({
      nameservers: texts,
      searches: texts,
      options: atomicList(struct({ name: text, value: text })),
    }),
    readinessGates: atomicList(struct({ conditionType: text })),
    runtimeClassName: text,
    enableServiceLinks: bool,
    preemptionPolicy: text,
    overhead: mapOf(quantity),
    topologySpreadConstraints: listMap(
      ["topologyKey", "whenUnsatisfiable"],
      struct({
        maxSkew: int32,
        topologyKey: text,
        whenUnsatisfiable: text,
        labelSelector,
        minDomains: int32,
        nodeAffinityPolicy: text,
        nodeTaintsPolicy: text,
        matchLabelKeys: texts,
      }),
    ),
    setHostnameAsFQDN: bool,
    os: struct({ name: text }),
    hostUsers: bool,
    schedulingGates: listMap(["name"], struct({ name: text })),
    resourceClaims: listMap(
      ["name"],
      struct({ name: text, resourceClaimName: text, resourceClaimTemplateName: text }),
    ),
    resources,
    hostnameOverride: text,
    workloadRef: any,
  },
  ["containers"],
);

export const podTemplate = struct({ metadata: objectMeta, spec: podSpec }, ["metadata", "spec"]);

const containerStatuses = atomicList(openStruct({ name: text }));

export const podStatus = struct({
  observedGeneration: int64,
  phase: text,
  conditions,
  message: text,
  reason: text,
  nominatedNodeName: text,
  hostIP: text,
  hostIPs: atomicList(struct({ ip: text })),
  podIP: text,
  podIPs: listMap(["ip"], struct({ ip: text })),
  startTime: text,
  initContainerStatuses: containerStatuses,
  containerStatuses,
  qosClass: text,
  ephemeralContainerStatuses: containerStatuses,
  resize: text,
  resourceClaimStatuses: listMap(["name"], struct({ name: text, resourceClaimName: text })),
  extendedResourceClaimStatus: any,
  allocatedResources: mapOf(quantity),
  resources,
});
