import assert from "node:assert/strict";
import {
  configMap,
  configMapsPath,
  deployment,
  messageOf,
  refusalOf,
  unique,
  type Cases,
} from "../bench.ts";
import { configMapPlace, data, deploymentPlace } from "./place.ts";

/** Applies that are refused. */
export function refusalCases({ proves }: Cases): void {
  proves("an apply without a field manager: 422", async (bench) => {
    const { path } = await configMapPlace(bench);
    const reply = await bench.api.send("PATCH", path, data({}), {
      headers: { "content-type": "application/apply-patch+yaml" },
    });
    assert.deepEqual(refusalOf(reply), { code: 422, reason: "Invalid", fields: ["fieldManager"] });
    assert.match(messageOf(reply), /fieldManager: Required value: is required for apply patch/);
  });

  proves("managedFields in an applied object: 400", async (bench) => {
    const { apply } = await configMapPlace(bench);
    const reply = await apply("a", configMap("one", {}, { managedFields: [] }));
    assert.equal(reply.code, 400);
    assert.match(messageOf(reply), /metadata\.managedFields must be nil/);
  });

  proves("an applied field that the schema does not know is refused by name", async (bench) => {
    const { apply } = await deploymentPlace(bench);
    const reply = await apply("a", deployment("web", { surprise: 1 }));
    assert.ok(reply.code === 400 || reply.code === 500, reply.text);
    assert.match(messageOf(reply), /\.spec\.surprise: field not declared in schema/);
  });

  proves("an applied value of the wrong type is refused by name", async (bench) => {
    const { apply } = await deploymentPlace(bench);
    const reply = await apply("a", deployment("web", { replicas: "three" }));
    assert.ok(reply.code === 400 || reply.code === 500, reply.text);
    assert.match(
      messageOf(reply),
      /\.spec\.replicas: expected numeric \(int or float\), got string/,
    );
  });

  proves("an applied object of another kind is refused", async (bench) => {
    const { apply, path } = await configMapPlace(bench);
    const reply = await apply("a", { ...data({}), kind: "Secret" });
    assert.ok(reply.code >= 400, reply.text);
    assert.equal((await bench.api.get(path)).code, 404);
  });

  proves("an applied object under another name: 400", async (bench) => {
    const { apply } = await configMapPlace(bench);
    const reply = await apply("a", configMap("two"));
    assert.equal(reply.code, 400);
  });

  proves("an applied object that breaks a rule: 422 with the field", async (bench) => {
    const { apply } = await deploymentPlace(bench);
    const reply = await apply("a", deployment("web", { replicas: -1 }));
    assert.deepEqual(refusalOf(reply), {
      code: 422,
      reason: "Invalid",
      fields: ["spec.replicas"],
    });
  });

  proves("force belongs to apply alone: 422", async (bench) => {
    const { apply, path } = await configMapPlace(bench);
    await apply("a", data({}));
    const reply = await bench.api.patch("merge", path, { data: { k: "1" } }, { force: "true" });
    assert.deepEqual(refusalOf(reply).fields, ["force"]);
  });

  proves("a uid of an object that is not there: 409", async (bench) => {
    const { apply } = await configMapPlace(bench);
    const uid = "00000000-0000-0000-0000-000000000000";
    const reply = await apply("a", configMap("one", {}, { uid }));
    assert.equal(reply.code, 409);
    assert.match(messageOf(reply), /uid mismatch/);
  });

  proves("names that are no names are refused: 422", async (bench) => {
    const namespace = await bench.namespace();
    const name = `Upper-${unique("x")}`;
    const reply = await bench.api.apply(
      "a",
      `${configMapsPath(namespace)}/${name}`,
      configMap(name),
    );
    assert.deepEqual(refusalOf(reply).fields, ["metadata.name"]);
  });
}
