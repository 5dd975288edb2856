import assert from "node:assert/strict";
import test, { suite } from "node:test";
import { imageText, readImageReference } from "../../../../hub/domain/join/image-reference.ts";

suite("image references", () => {
  const digest = `sha256:${"a".repeat(64)}`;
  const rows = [
    ["wheelhouse", "wheelhouse", "latest", ""],
    ["registry.example/wheelhouse:1.2.3", "registry.example/wheelhouse", "1.2.3", ""],
    ["registry.example:5000/wheelhouse", "registry.example:5000/wheelhouse", "latest", ""],
    ["registry.example:5000/wheelhouse:2", "registry.example:5000/wheelhouse", "2", ""],
    [`registry.example/wheelhouse@${digest}`, "registry.example/wheelhouse", "", digest],
    [
      `registry.example:5000/wheelhouse:1@${digest}`,
      "registry.example:5000/wheelhouse",
      "",
      digest,
    ],
  ] as const;
  for (const [text, repository, tag, wanted] of rows)
    test(`${text} is ${repository}, ${tag}${wanted}`, () => {
      const read = readImageReference(text);
      assert.deepEqual(read, { repository, tag, digest: wanted });
      assert.deepEqual(readImageReference(imageText(read)), read);
    });
});
