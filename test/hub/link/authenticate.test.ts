import "reflect-metadata";
import {
  SubjectAlternativeNameExtension,
  X509CertificateGenerator,
  type JsonGeneralName,
} from "@peculiar/x509";
import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import test, { suite } from "node:test";
import { callerOf } from "../../../hub/link/authenticate.ts";

const id = "123e4567-e89b-42d3-a456-426614174000";
const good = `spiffe://wheelhouse/cluster/${id}`;

async function certificateNaming(names: readonly JsonGeneralName[]): Promise<X509Certificate> {
  const keys = await crypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, true, [
    "sign",
    "verify",
  ]);
  const made = await X509CertificateGenerator.createSelfSigned({
    name: `CN=${id}`,
    keys,
    signingAlgorithm: { name: "ECDSA", hash: "SHA-256" },
    extensions: names.length === 0 ? [] : [new SubjectAlternativeNameExtension([...names])],
  });
  return new X509Certificate(Buffer.from(made.rawData));
}

suite("callerOf", () => {
  test("takes a certificate with the cluster's name and nothing else", async () => {
    const certificate = await certificateNaming([{ type: "url", value: good }]);
    assert.equal(callerOf(certificate)?.cluster, id);
  });

  const url = (value: string): JsonGeneralName => ({ type: "url", value });
  const refused: readonly { name: string; names: readonly JsonGeneralName[] }[] = [
    { name: "no names, whatever its subject says", names: [] },
    { name: "a second cluster", names: [url(good), url(good.replace("123e", "223e"))] },
    { name: "a host beside the cluster", names: [url(good), { type: "dns", value: "a.b" }] },
    { name: "the cluster as a host", names: [{ type: "dns", value: good }] },
    { name: "another trust domain", names: [url(`spiffe://other/cluster/${id}`)] },
    { name: "another path", names: [url(`spiffe://wheelhouse/hub/${id}`)] },
    { name: "a longer path", names: [url(`${good}/x`)] },
    { name: "a query", names: [url(`${good}?x`)] },
    { name: "a trailing dot", names: [url(`${good}.`)] },
    { name: "upper case", names: [url(good.toUpperCase())] },
    { name: "upper case in the id", names: [url(good.replace("e89b", "E89B"))] },
    { name: "a name instead of an id", names: [url("spiffe://wheelhouse/cluster/prod")] },
    { name: "a wildcard", names: [url("spiffe://wheelhouse/cluster/*")] },
    { name: "a comma that hides a second name", names: [url(`${good}, URI:${good}`)] },
    { name: "white space", names: [url(`${good} `)] },
    { name: "an end of text inside", names: [url(`${good}\u0000x`)] },
  ];
  for (const { name, names } of refused) {
    test(`refuses a certificate with ${name}`, async () =>
      assert.equal(callerOf(await certificateNaming(names)), undefined));
  }
});
