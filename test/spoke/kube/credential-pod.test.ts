import assert from "node:assert/strict";
import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import test, { suite } from "node:test";
import { silentLog } from "../../../proto/kit/log.ts";
import { openCredential } from "../../../spoke/kube/credential.ts";
import { CredentialUnusable } from "../../../spoke/kube/trouble.ts";
import { clockAt, inCluster, inFolder, signal } from "./credential-stage.ts";

suite("credential of a pod", () => {
  test("token and authority come from the mounted files", async () => {
    await inFolder(async (folder) => {
      await writeFile(join(folder, "token"), "abc\n");
      await writeFile(join(folder, "ca.crt"), "CA PEM");
      const access = await openCredential(inCluster(folder), clockAt(), silentLog).current(signal);
      assert.partialDeepStrictEqual(access, {
        host: "10.0.0.1",
        port: 443,
        pathPrefix: "",
        bearer: "abc",
      });
      assert.partialDeepStrictEqual(access.tls, { authority: "CA PEM", skipVerify: false });
    });
  });

  test("the token is read again after a minute, and at once when it was refused", async () => {
    await inFolder(async (folder) => {
      await writeFile(join(folder, "token"), "one");
      await writeFile(join(folder, "ca.crt"), "CA");
      const clock = clockAt();
      const credential = openCredential(inCluster(folder), clock, silentLog);
      const first = await credential.current(signal);
      await writeFile(join(folder, "token"), "two");
      clock.pass(59_000);
      assert.equal((await credential.current(signal)).bearer, "one");
      clock.pass(1_000);
      const second = await credential.current(signal);
      assert.equal(second.bearer, "two");
      assert.equal(second.tls.version, first.tls.version);
      await writeFile(join(folder, "token"), "three");
      credential.refused(second);
      assert.equal((await credential.current(signal)).bearer, "three");
    });
  });

  test("a new authority gives the connections another version", async () => {
    await inFolder(async (folder) => {
      await writeFile(join(folder, "token"), "one");
      await writeFile(join(folder, "ca.crt"), "CA");
      const clock = clockAt();
      const credential = openCredential(inCluster(folder), clock, silentLog);
      const before = await credential.current(signal);
      await writeFile(join(folder, "ca.crt"), "CA 2");
      clock.pass(60_000);
      assert.notEqual((await credential.current(signal)).tls.version, before.tls.version);
    });
  });

  test("files that cannot be read any more leave the last good credential in use", async () => {
    await inFolder(async (folder) => {
      await writeFile(join(folder, "token"), "one");
      await writeFile(join(folder, "ca.crt"), "CA");
      const clock = clockAt();
      const credential = openCredential(inCluster(folder), clock, silentLog);
      await credential.current(signal);
      await rm(join(folder, "token"));
      clock.pass(60_000);
      assert.equal((await credential.current(signal)).bearer, "one");
    });
  });

  test("a missing file is trouble that names it, and heals when it comes", async () => {
    await inFolder(async (folder) => {
      const credential = openCredential(inCluster(folder), clockAt(), silentLog);
      await assert.rejects(credential.current(signal), CredentialUnusable);
      await writeFile(join(folder, "token"), "one");
      await writeFile(join(folder, "ca.crt"), "CA");
      assert.equal((await credential.current(signal)).bearer, "one");
    });
  });
});
