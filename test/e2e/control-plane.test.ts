import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { whyNoControlPlane } from "../support/control-plane/binaries.ts";
import { startControlPlane, type ControlPlane } from "../support/control-plane/control-plane.ts";
import { eventually } from "../support/eventually.ts";
import { kubeClient, type KubeClient, type KubeJson } from "../support/kube-client.ts";

/** The real control planes the other suites stand on: their pods meet the fates asked for, and nothing is left behind. */

describe("a real control plane", { skip: whyNoControlPlane() }, () => {
  let plane: ControlPlane;
  let kube: KubeClient;

  before(async () => {
    plane = await startControlPlane({ workloads: true });
    kube = kubeClient({ url: plane.url, caPem: plane.caPem, token: plane.adminToken });
  });
  after(async () => {
    kube.close();
    await plane.stop();
  });

  const pods = "/api/v1/namespaces/default/pods";
  const pod = (name: string, image: string, fail?: string): unknown => ({
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      name,
      ...(fail === undefined ? {} : { annotations: { "simulation.wheelhouse.dev/fail": fail } }),
    },
    spec: { containers: [{ name: "main", image }] },
  });
  const fate = (object: KubeJson): string => {
    const status = object["status"] as {
      readonly phase: string;
      readonly conditions?: readonly { readonly type: string; readonly status: string }[];
      readonly containerStatuses?: readonly {
        readonly state: { readonly waiting?: { readonly reason: string } };
      }[];
    };
    const ready = status.conditions?.find(({ type }) => type === "Ready")?.status ?? "Unknown";
    const waiting = status.containerStatuses?.[0]?.state.waiting?.reason ?? "";
    return [status.phase, `Ready=${ready}`, waiting].filter((word) => word !== "").join(" ");
  };

  for (const [name, image, fail, expected] of [
    ["well", "web:1", undefined, "Running Ready=True"],
    ["missing-by-image", "web:missing", undefined, "Pending Ready=False ImagePullBackOff"],
    ["missing-by-annotation", "web:1", "image-pull", "Pending Ready=False ImagePullBackOff"],
    ["crashing", "web:1", "crash-loop", "Running Ready=False CrashLoopBackOff"],
    ["waiting", "web:1", "never-ready", "Running Ready=False"],
  ] as const) {
    test(`the pod ${name} ends as ${expected}`, async () => {
      await kube.create(pods, pod(name, image, fail));
      await eventually(
        async () => {
          const found = await kube.get(`${pods}/${name}`);
          assert.equal(found === undefined ? "absent" : fate(found), expected);
        },
        { withinMs: 30_000, what: `the fate of ${name}` },
      );
    });
  }

  for (const [name, fail, expected] of [
    ["done", undefined, "Complete"],
    ["undone", "job-fail", "Failed"],
  ] as const) {
    test(`the Job ${name} ends as ${expected}`, async () => {
      await kube.create("/apis/batch/v1/namespaces/default/jobs", {
        apiVersion: "batch/v1",
        kind: "Job",
        metadata: { name },
        spec: {
          backoffLimit: 0,
          template: {
            ...(fail === undefined
              ? {}
              : { metadata: { annotations: { "simulation.wheelhouse.dev/fail": fail } } }),
            spec: { restartPolicy: "Never", containers: [{ name: "main", image: "work:1" }] },
          },
        },
      });
      await eventually(
        async () => {
          const job = await kube.get(`/apis/batch/v1/namespaces/default/jobs/${name}`);
          const { conditions = [] } = (job?.["status"] ?? {}) as {
            readonly conditions?: readonly { readonly type: string; readonly status: string }[];
          };
          const last = conditions.filter(({ status }) => status === "True").at(-1)?.type;
          assert.equal(last, expected);
        },
        { withinMs: 30_000, what: `the end of Job ${name}` },
      );
    });
  }

  test("a deleted pod goes", async () => {
    await kube.remove(`${pods}/well`);
    await eventually(async () => assert.equal(await kube.get(`${pods}/well`), undefined), {
      withinMs: 30_000,
      what: "the pod's end",
    });
  });

  test("a killed API server comes back at the same address with everything it had", async () => {
    const before = await kube.get(`${pods}/waiting`);
    await plane.apiServer.kill();
    await assert.rejects(kube.get(`${pods}/waiting`));
    await plane.apiServer.start();
    assert.equal((await kube.get(`${pods}/waiting`))?.metadata.uid, before?.metadata.uid);
  });

  test("a killed test leaves no process and no folder behind", async () => {
    const module = join(import.meta.dirname, "../support/control-plane/control-plane.ts");
    const child = spawn(
      process.execPath,
      [
        "--disable-warning=ExperimentalWarning",
        "--input-type=module",
        "--eval",
        `const { startControlPlane } = await import(${JSON.stringify(module)});
         const plane = await startControlPlane();
         console.log(plane.folder + " " + plane.url);
         setInterval(() => undefined, 1000);`,
      ],
      { stdio: ["ignore", "pipe", "inherit"] },
    );
    const line = await new Promise<string>((resolve) => {
      child.stdout.on("data", (chunk: Buffer) => resolve(chunk.toString().trim()));
    });
    const [folder = "", url = ""] = line.split(" ");
    assert.ok(existsSync(folder), line);
    child.kill("SIGKILL");
    await eventually(
      async () => {
        assert.equal(existsSync(folder), false, `${folder} is still there`);
        await assert.rejects(connection(new URL(url).port), { code: "ECONNREFUSED" });
      },
      { withinMs: 20_000, what: "the end of what a killed test had started" },
    );
  });
});

const connection = (port: string): Promise<void> =>
  new Promise((resolve, reject) => {
    const socket = connect(Number(port), "127.0.0.1", () => {
      socket.destroy();
      resolve();
    });
    socket.on("error", reject);
  });
