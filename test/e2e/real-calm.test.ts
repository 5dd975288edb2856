import assert from "node:assert/strict";
import test, { after, before, suite } from "node:test";
import { ofSpoke, writesIn, type AuditedRequest } from "../support/control-plane/audit.ts";
import { whyNoControlPlane } from "../support/control-plane/binaries.ts";
import { startControlPlane, type ControlPlane } from "../support/control-plane/control-plane.ts";
import { eventually } from "../support/eventually.ts";
import { settled, startFleet, type Fleet } from "../support/fleet.ts";
import { namespace, service, settings } from "../support/story-files.ts";

const applications = ["one", "two", "three"];
const objectsEach = 4;
const kinds = 4;

const account = `
apiVersion: v1
kind: ServiceAccount
metadata: {name: web}
`;

const setOf = (name: string): string => `
apiVersion: argoproj.io/v1alpha1
kind: ApplicationSet
metadata: {name: ${name}}
spec:
  goTemplate: true
  generators: [{clusters: {}}]
  template:
    metadata: {name: ${name}}
    spec:
      project: default
      source: {repoURL: '@REPOSITORY@', targetRevision: HEAD, path: apps/${name}}
      destination: {name: '{{ .name }}', namespace: ${name}}
      syncPolicy: {automated: {prune: true, selfHeal: true}}
`;

const filesOf = (name: string): Readonly<Record<string, string>> => ({
  [`fleet/${name}.yaml`]: setOf(name),
  [`apps/${name}/namespace.yaml`]: namespace(name),
  [`apps/${name}/settings.yaml`]: settings("hello"),
  [`apps/${name}/service.yaml`]: service,
  [`apps/${name}/account.yaml`]: account,
});

/** Everything is counted by the API server's own audit log. */
suite(
  "what a spoke asks of a real API server",
  { skip: whyNoControlPlane(["kube-apiserver", "etcd"]) ?? false },
  () => {
    let fleet: Fleet;
    let plane: ControlPlane;
    let firstSync: readonly AuditedRequest[];

    before(async () => {
      fleet = await startFleet({
        clusters: {},
        files: Object.assign({}, ...applications.map(filesOf)) as Record<string, string>,
        openCluster: async (name) => (plane = await startControlPlane({ name, audited: true })),
      });
      await fleet.join("calm-1", {});
      await settled(fleet, applications, await fleet.repository.head("main", patience()));
      firstSync = ofSpoke(plane.audited());
    });
    after(() => fleet.stop());

    test("a first sync costs one request an object and two an application, and a fixed price for each kind", () => {
      const objects = applications.length * objectsEach;
      const isOwn = ({ uri }: AuditedRequest): boolean => uri.includes("/namespaces/wheelhouse");
      const writes = writesIn(firstSync);
      const inventories = writes.filter(({ uri }) => uri.includes("/wheelhouse-inventory-"));
      assert.equal(
        writes.filter((request) => !isOwn(request)).length,
        objects,
        "writes of objects",
      );
      assert.equal(inventories.length, 2 * applications.length, "writes of inventories");
      const aboutObjects = ({ uri }: AuditedRequest): boolean =>
        applications.some((name) => uri.includes(`/namespaces/${name}`));
      const rest = firstSync.filter((request) => !isOwn(request) && !aboutObjects(request));
      assert.ok(
        rest.length <= 10 + 2 * kinds,
        `${rest.length}: ${rest.map(({ verb, uri }) => `${verb} ${uri}`).join(", ")}`,
      );
      const looks = firstSync.filter((request) => aboutObjects(request)).length - objects;
      assert.equal(looks, 0, "what is new needs no look before");
    });

    test("a second sync of everything writes nothing", async () => {
      plane.audited();
      await syncAll();
      assert.deepEqual(ofSpoke(plane.audited()), []);
    });

    test("a spoke at rest asks nothing while it holds its watches", async () => {
      plane.audited();
      const startedAtMs = Date.now();
      await eventually(
        async () => {
          const { lastSeenAtMs } = await fleet.api.get<{ readonly lastSeenAtMs: number }>(
            "/v1/clusters/calm-1",
          );
          assert.ok(lastSeenAtMs > startedAtMs + 4_000, "four heartbeats heard");
        },
        { withinMs: 30_000 },
      );
      assert.deepEqual(ofSpoke(plane.audited()), []);
    });

    test("a spoke that starts again reads what there is and writes nothing", async () => {
      const member = fleet.member("calm-1");
      await member.spoke.stop();
      plane.audited();
      fleet.startSpokeOf("calm-1");
      // It carries orders out once it is attached and has listed every kind.
      await syncAll();
      const requests = ofSpoke(plane.audited());
      assert.deepEqual(writesIn(requests), []);
      assert.equal(requests.filter(({ verb }) => verb === "watch").length, kinds);
    });

    async function syncAll(): Promise<void> {
      for (const name of applications) {
        const path = `/v1/applications/${name}/sync`;
        const { id } = await fleet.api.send<{ readonly id: string }>("POST", path, {});
        await eventually(
          async () => {
            const { state } = await fleet.api.get<{ readonly state: string }>(`/v1/commands/${id}`);
            assert.equal(state, "succeeded");
          },
          { withinMs: 30_000 },
        );
      }
    }
  },
);

const patience = (): AbortSignal => AbortSignal.timeout(10_000);
