import { create } from "@bufbuild/protobuf";
import assert from "node:assert/strict";
import test, { suite } from "node:test";
import {
  EnrollRequestSchema,
  EnrollResponseSchema,
  RenewResponseSchema,
} from "../../../proto/gen/wheelhouse/v1/enrollment_pb.ts";
import type { ClusterId, ClusterName } from "../../../proto/words/ids.ts";
import {
  enrolledFromWire,
  enrolledToWire,
  enrollFromWire,
  enrollToWire,
  renewedFromWire,
  renewedToWire,
  renewFromWire,
  renewToWire,
} from "../../../proto/wire/enrollment.ts";

const der = Uint8Array.from([0x30, 0x00]);
const id = "123e4567-e89b-42d3-a456-426614174000";

suite("enrollment on the wire", () => {
  test("requests and answers come through as they were", () => {
    const enroll = { token: "whj_a.b", certificateRequest: der, spokeVersion: "0.1.0" };
    assert.deepEqual(enrollFromWire(enrollToWire(enroll)), { ok: true, value: enroll });
    const issued = { certificate: der, trusted: [der, der] };
    const enrolled = {
      ...issued,
      clusterId: id as ClusterId,
      clusterName: "one" as ClusterName,
      hubId: "hub",
    };
    assert.deepEqual(enrolledFromWire(enrolledToWire(enrolled)), { ok: true, value: enrolled });
    assert.deepEqual(renewFromWire(renewToWire(der)), { ok: true, value: der });
    assert.deepEqual(renewedFromWire(renewedToWire(issued)), { ok: true, value: issued });
  });

  const rows = [
    {
      name: "a request without a certificate request",
      read: () => enrollFromWire(create(EnrollRequestSchema, { token: "t" })),
      says: "enroll: certificate_request must have 1 to 16384 bytes, got 0",
    },
    {
      name: "a certificate request that is a book",
      read: () =>
        enrollFromWire(create(EnrollRequestSchema, { certificateRequest: new Uint8Array(16_385) })),
      says: "enroll: certificate_request must have 1 to 16384 bytes, got 16385",
    },
    {
      name: "an answer that names no cluster",
      read: () => enrolledFromWire(create(EnrollResponseSchema, { clusterName: "one" })),
      says: 'enrolled: cluster id "" is not a UUID',
    },
    {
      name: "an answer that trusts nobody",
      read: () => renewedFromWire(create(RenewResponseSchema, { certificate: der })),
      says: "renewed: trusted is empty",
    },
  ];
  for (const { name, read, says } of rows) {
    test(`${name} is refused`, () => {
      const answer = read();
      assert.equal(answer.ok ? "accepted" : answer.problem, says);
    });
  }
});
