import { z } from "@hono/zod-openapi";
import { dnsLabel } from "../../proto/words/dns-label.ts";
import { parseClusterName } from "../../proto/words/ids.ts";
import { joinTokenLifeMs } from "../domain/join/token.ts";
import { usualSpokeRole } from "../domain/join/spoke-role.ts";
import { changedLabels } from "../domain/label-change.ts";
import { annotationProblems, labelProblems } from "../domain/label-syntax.ts";
import type { Labels } from "../domain/records.ts";
import { readBy } from "./query.ts";

/** What may be said about clusters and how they join. */

export const ClusterPath = z.object({ name: z.string() });

const checkedMap = (problemsOf: (map: Labels) => readonly string[]) =>
  z.record(z.string(), z.string()).superRefine((map, context) => {
    for (const message of problemsOf(map)) context.addIssue({ code: "custom", message });
  });

const changeOf = (problemsOf: (map: Labels) => readonly string[]) =>
  z.record(z.string(), z.string().nullable()).superRefine((change, context) => {
    for (const message of problemsOf(changedLabels({}, change)))
      context.addIssue({ code: "custom", message });
  });

const groupForm = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)+$/;

const LifeSchema = z
  .number()
  .int()
  .min(1_000)
  .max(joinTokenLifeMs.most)
  .optional()
  .openapi({ description: "how long the join token is good for, in milliseconds" });

const RoleSchema = z
  .strictObject({
    namespaces: z
      .array(z.string().regex(dnsLabel, { error: "a namespace is a DNS label" }))
      .max(100)
      .default([])
      .openapi({
        description:
          "the namespaces the spoke manages; none named means all, and the cluster's own kinds",
      }),
    secrets: z.boolean().default(usualSpokeRole.secrets).openapi({
      description: "whether Git may hold Secrets; the spoke may then read all of them",
    }),
    customResourceGroups: z
      .array(
        z.string().max(253).regex(groupForm, { error: "not an API group of custom resources" }),
      )
      .max(100)
      .default([])
      .openapi({ description: "API groups of the custom resources Git may hold" }),
  })
  .default({ ...usualSpokeRole, namespaces: [], customResourceGroups: [] })
  .openapi("SpokeRole", { description: "what the spoke may do in its cluster" });

export const InvitationSchema = z.strictObject({ lifeMs: LifeSchema, role: RoleSchema });

export const RegistrationSchema = z
  .strictObject({
    name: readBy(parseClusterName, "a DNS label"),
    labels: checkedMap(labelProblems).default({}),
    annotations: checkedMap(annotationProblems).default({}),
    server: z
      .url({ protocol: /^https?$/ })
      .max(2048)
      .optional()
      .openapi({ description: "what destinations may name; https://<name>.cluster.wheelhouse" }),
    joinTokenLifeMs: LifeSchema,
    role: RoleSchema,
  })
  .openapi("ClusterRegistration");

export const ClusterChangeSchema = z
  .strictObject({
    labels: changeOf(labelProblems).optional(),
    annotations: changeOf(annotationProblems).optional(),
  })
  .openapi("ClusterChange");

export const LockSchema = z
  .strictObject({
    reason: z
      .string()
      .min(1)
      .max(500)
      .regex(/^\P{Cc}*$/u, { error: "a reason is one line" })
      .optional()
      .openapi({ description: "what the spoke and whoever looks at the cluster are told" }),
  })
  .openapi("ClusterLock");
