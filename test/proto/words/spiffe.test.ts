import assert from "node:assert/strict";
import test, { suite } from "node:test";
import { codedText, codeOfText } from "../../../proto/words/coded.ts";
import { parseClusterId } from "../../../proto/words/ids.ts";
import { clusterOfUri, clusterUri } from "../../../proto/words/spiffe.ts";

suite("names in certificates", () => {
  test("a cluster's URI names that cluster and nothing like it does", () => {
    const cluster = parseClusterId("123e4567-e89b-42d3-a456-426614174000");
    assert.ok(cluster.ok);
    const uri = clusterUri(cluster.value);
    assert.equal(uri, "spiffe://wheelhouse/cluster/123e4567-e89b-42d3-a456-426614174000");
    assert.equal(clusterOfUri(uri), cluster.value);
    for (const other of [
      `${uri}0`,
      `${uri}\n`,
      uri.slice(1),
      uri.toUpperCase(),
      "",
      "spiffe://wheelhouse/cluster/",
    ])
      assert.equal(clusterOfUri(other), undefined, JSON.stringify(other));
  });
});

suite("coded texts", () => {
  test("come apart as they were put together", () => {
    const text = codedText("WH-JOIN-2003", "used: twice\nand more");
    assert.deepEqual(codeOfText(text), { code: "WH-JOIN-2003", sentence: "used: twice\nand more" });
  });

  test("other texts have no code", () => {
    for (const text of ["", "WH-JOIN-2003", "used: twice", "WH-join-2003: x", "x WH-JOIN-2003: y"])
      assert.equal(codeOfText(text), undefined, text);
  });
});
