import type { Json, JsonMap } from "../../../../support/cluster/json.ts";
import { container } from "../../bench.ts";
import type { Place } from "../pair.ts";

/** Objects that several scripts are about. */

export const job = (name: string, spec: JsonMap = {}): JsonMap => ({
  apiVersion: "batch/v1",
  kind: "Job",
  metadata: { name },
  spec: { template: { spec: { restartPolicy: "Never", containers: [container()] } }, ...spec },
});

export const cronJob = (name: string, schedule: string): JsonMap => ({
  apiVersion: "batch/v1",
  kind: "CronJob",
  metadata: { name },
  spec: { schedule, jobTemplate: { spec: mapSpec(job(name)) } },
});

const mapSpec = (object: JsonMap): Json => object["spec"] ?? {};

export const widget = (place: Place, spec: Json, metadata: JsonMap = {}): JsonMap => ({
  apiVersion: place.widgetVersion,
  kind: "Widget",
  metadata: { name: "one", ...metadata },
  spec,
});
