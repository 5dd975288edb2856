// Records the bytes of every message for a release: `node test/wire/record.ts 0.1.0`.
// What was recorded for an earlier release is never written again.
import { toBinary } from "@bufbuild/protobuf";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  AttachRequestSchema,
  AttachResponseSchema,
} from "../../proto/gen/wheelhouse/v1/link_pb.ts";
import { fencedMessageToWire, spokeMessageToWire } from "../../proto/wire/link.ts";
import { hubSamples, sampleEpoch, spokeSamples } from "./samples.ts";

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");

const recorded = {
  spoke: Object.fromEntries(
    Object.entries(spokeSamples).map(([name, message]) => [
      name,
      hex(toBinary(AttachRequestSchema, spokeMessageToWire(message))),
    ]),
  ),
  hub: Object.fromEntries(
    Object.entries(hubSamples).map(([name, message]) => [
      name,
      hex(toBinary(AttachResponseSchema, fencedMessageToWire({ epoch: sampleEpoch, message }))),
    ]),
  ),
};

const release = process.argv[2] ?? "";
if (!/^\d+\.\d+\.\d+$/.test(release)) throw new Error("say which release: 0.1.0");
writeFileSync(
  join(import.meta.dirname, `${release}.json`),
  `${JSON.stringify(recorded, undefined, 2)}\n`,
  { flag: "wx" },
);
