import { isIP } from "node:net";
import { duplicate, invalidValue, notSupported, required } from "../causes.ts";
import { isMap, listAt, mapAt, mapsAt, textAt, type Json, type JsonMap } from "../json.ts";
import type { Cause } from "../status.ts";
import type { Check } from "./check.ts";

const portRange = "must be between 1 and 65535, inclusive";

const isPort = (value: Json | undefined): boolean =>
  typeof value === "number" && value >= 1 && value <= 65535;

export const service: Check = (object) => {
  const spec = mapAt(object, "spec");
  const type = textAt(spec, "type");
  const ports = mapsAt(spec, "ports");
  const address = textAt(spec, "clusterIP");
  const affinity = textAt(spec, "sessionAffinity");
  const types = ["ClusterIP", "ExternalName", "LoadBalancer", "NodePort"];
  return [
    ...(ports.length === 0 && type !== "ExternalName" && address !== "None"
      ? [required("spec.ports")]
      : []),
    ...servicePortProblems(ports),
    ...(["ClientIP", "None"].includes(affinity)
      ? []
      : [notSupported("spec.sessionAffinity", affinity, ["ClientIP", "None"])]),
    ...(types.includes(type) ? [] : [notSupported("spec.type", type, types)]),
    ...(type === "ExternalName" && textAt(spec, "externalName") === ""
      ? [required("spec.externalName")]
      : []),
    ...(type === "ExternalName" || address === "None" || isIP(address) !== 0
      ? []
      : [
          invalidValue(
            "spec.clusterIPs[0]",
            address,
            "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)",
          ),
        ]),
  ];
};

function servicePortProblems(ports: readonly JsonMap[]): readonly Cause[] {
  const names = new Set<string>();
  const causes = ports.flatMap((port, index) => {
    const here = `spec.ports[${index}]`;
    const name = textAt(port, "name");
    const target = port["targetPort"];
    const protocol = textAt(port, "protocol");
    const found = [
      ...(ports.length > 1 && name === "" ? [required(`${here}.name`)] : []),
      ...(name !== "" && names.has(name) ? [duplicate(`${here}.name`, name)] : []),
      ...(isPort(port["port"]) ? [] : [invalidValue(`${here}.port`, port["port"] ?? 0, portRange)]),
      ...(["SCTP", "TCP", "UDP"].includes(protocol)
        ? []
        : [notSupported(`${here}.protocol`, protocol, ["SCTP", "TCP", "UDP"])]),
      ...(typeof target === "number" && !isPort(target)
        ? [invalidValue(`${here}.targetPort`, target, portRange)]
        : []),
    ];
    names.add(name);
    return found;
  });
  const seen = new Set<string>();
  const doubled = ports.flatMap((port, index) => {
    const number = { Protocol: textAt(port, "protocol"), Port: port["port"] ?? 0 };
    const key = `${number.Protocol}/${JSON.stringify(number.Port)}`;
    const isAgain = seen.has(key);
    seen.add(key);
    return isAgain
      ? [
          duplicate(`spec.ports[${index}]`, {
            Name: "",
            Protocol: number.Protocol,
            AppProtocol: null,
            Port: number.Port,
            TargetPort: 0,
            NodePort: 0,
          }),
        ]
      : [];
  });
  return [...causes, ...doubled];
}

export const ingress: Check = (object) => {
  const spec = mapAt(object, "spec");
  if (!("defaultBackend" in spec) && listAt(spec, "rules").length === 0)
    return [invalidValue("spec", null, "either `defaultBackend` or `rules` must be specified")];
  return mapsAt(spec, "rules").flatMap((rule, index) =>
    mapsAt(rule, "http", "paths").flatMap((path, pathIndex) => {
      const here = `spec.rules[${index}].http.paths[${pathIndex}]`;
      const type = textAt(path, "pathType");
      const known = ["Exact", "ImplementationSpecific", "Prefix"];
      return [
        ...(type === ""
          ? [required(`${here}.pathType`, "pathType must be specified")]
          : known.includes(type)
            ? []
            : [notSupported(`${here}.pathType`, type, known)]),
        ...(type !== "" &&
        type !== "ImplementationSpecific" &&
        !textAt(path, "path").startsWith("/")
          ? [invalidValue(`${here}.path`, textAt(path, "path"), "must be an absolute path")]
          : []),
        ...(isMap(mapAt(path, "backend")["service"]) || isMap(mapAt(path, "backend")["resource"])
          ? []
          : [invalidValue(`${here}.backend`, "", "resource or service backend is required")]),
      ];
    }),
  );
};
