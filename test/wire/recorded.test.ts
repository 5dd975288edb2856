import { fromBinary } from "@bufbuild/protobuf";
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import test, { suite } from "node:test";
import {
  AttachRequestSchema,
  AttachResponseSchema,
} from "../../proto/gen/wheelhouse/v1/link_pb.ts";
import { fencedMessageFromWire, spokeMessageFromWire } from "../../proto/wire/link.ts";
import { hubSamples, sampleEpoch, spokeSamples } from "./samples.ts";

type Recorded = { readonly spoke: Record<string, string>; readonly hub: Record<string, string> };

const releases = readdirSync(import.meta.dirname).filter((file) => file.endsWith(".json"));

for (const file of releases) {
  const recorded: Recorded = JSON.parse(readFileSync(join(import.meta.dirname, file), "utf8"));
  suite(`bytes recorded at ${file.replace(".json", "")}`, () => {
    for (const [name, hex] of Object.entries(recorded.spoke)) {
      test(`a spoke's ${name} is still read as it was meant`, () => {
        const read = spokeMessageFromWire(fromBinary(AttachRequestSchema, Buffer.from(hex, "hex")));
        assert.deepEqual(read, { ok: true, value: spokeSamples[name] });
      });
    }
    for (const [name, hex] of Object.entries(recorded.hub)) {
      test(`a hub's ${name} is still read as it was meant`, () => {
        const bytes = Uint8Array.from(Buffer.from(hex, "hex"));
        const read = fencedMessageFromWire(fromBinary(AttachResponseSchema, bytes));
        assert.deepEqual(read, {
          ok: true,
          value: { epoch: sampleEpoch, message: hubSamples[name] },
        });
      });
    }
  });
}

test("every message was recorded at some release", () => {
  const names = (side: keyof Recorded): ReadonlySet<string> =>
    new Set(
      releases.flatMap((file) =>
        Object.keys(JSON.parse(readFileSync(join(import.meta.dirname, file), "utf8"))[side]),
      ),
    );
  assert.deepEqual([...names("spoke")].toSorted(), Object.keys(spokeSamples).toSorted());
  assert.deepEqual([...names("hub")].toSorted(), Object.keys(hubSamples).toSorted());
});
