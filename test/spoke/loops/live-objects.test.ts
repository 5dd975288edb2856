import assert from "node:assert/strict";
import test, { suite } from "node:test";
import type { ApplicationName } from "../../../proto/words/ids.ts";
import { makeObjectKey } from "../../../proto/words/object-key.ts";
import { trackingAnnotation } from "../../../spoke/domain/cluster.ts";
import type { KubeObject } from "../../../spoke/domain/kube-object.ts";
import { markerText } from "../../../spoke/domain/marker.ts";
import { LiveObjects, typeIdOf } from "../../../spoke/loops/live-objects.ts";

const key = makeObjectKey({ group: "", kind: "ConfigMap", namespace: "shop", name: "a" });
const shop = "shop" as ApplicationName;
const blog = "blog" as ApplicationName;
const type = typeIdOf({ group: "", version: "v1", kind: "ConfigMap" });

const object = (resourceVersion: string, uid = "u1", application = "shop"): KubeObject => ({
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: {
    name: "a",
    namespace: "shop",
    uid,
    resourceVersion,
    annotations: { [trackingAnnotation]: markerText("hub", application, key) },
  },
});

const versionIn = (objects: LiveObjects): string | undefined =>
  objects.find(key, "v1")?.object.metadata.resourceVersion;

suite("LiveObjects", () => {
  test("tells whose object changed, and nothing when it did not", () => {
    const objects = new LiveObjects();
    assert.deepEqual(objects.put(object("1")), { key, application: "shop" });
    assert.equal(objects.put(object("1")), undefined);
    assert.deepEqual(objects.remove(object("2")), { key, application: "shop" });
    assert.equal(objects.remove(object("2")), undefined);
    assert.equal(objects.find(key, "v1"), undefined);
  });

  test("an answer is not undone by a watch that is behind it", () => {
    const objects = new LiveObjects();
    objects.put(object("9"));
    objects.putAnswer(object("12"));
    assert.equal(objects.put(object("10")), undefined);
    assert.equal(versionIn(objects), "12");
    objects.put(object("12"));
    objects.put(object("13"));
    assert.equal(versionIn(objects), "13");
  });

  test("an answer that is behind the watch changes nothing", () => {
    const objects = new LiveObjects();
    objects.put(object("10"));
    objects.putAnswer(object("9"));
    assert.equal(versionIn(objects), "10");
  });

  test("an answer about an object that went meanwhile does not bring it back", () => {
    const objects = new LiveObjects();
    objects.put(object("1"));
    objects.remove(object("3"));
    objects.putAnswer(object("2"));
    assert.equal(objects.find(key, "v1"), undefined);
    objects.put(object("4"));
    assert.equal(versionIn(objects), "4", "its label came back");
  });

  test("a late word of the old object's end leaves the new one alone", () => {
    const objects = new LiveObjects();
    objects.put(object("1", "u1"));
    objects.putAnswer(object("5", "u2"));
    assert.equal(objects.remove(object("3", "u1")), undefined);
    assert.equal(objects.find(key, "v1")?.uid, "u2");
  });

  test("a list replaces everything, even where numbers go backwards", () => {
    const objects = new LiveObjects();
    objects.put(object("100"));
    const other = { ...object("7"), metadata: { ...object("7").metadata, name: "b" } };
    objects.put(other);
    const touched = objects.replace(type, [object("50")]);
    assert.deepEqual(touched.map((one) => one.key).toSorted(), [key, key.replace(/a$/, "b")]);
    assert.equal(versionIn(objects), "50");
  });

  test("knows the objects of an application by their markers, and forgets a type whole", () => {
    const objects = new LiveObjects();
    objects.put(object("1"));
    assert.deepEqual(
      objects.marked(shop).map(({ uid }) => uid),
      ["u1"],
    );
    objects.put(object("2", "u1", "blog"));
    assert.deepEqual(objects.marked(shop), []);
    assert.equal(objects.marked(blog).length, 1);
    objects.forgetType(type);
    assert.deepEqual(objects.marked(blog), []);
  });

  test("two versions of one kind are two views of the same objects", () => {
    const objects = new LiveObjects();
    const scaler = makeObjectKey({
      group: "autoscaling",
      kind: "HorizontalPodAutoscaler",
      namespace: "shop",
      name: "a",
    });
    const view = (version: string, resourceVersion: string): KubeObject => ({
      apiVersion: `autoscaling/${version}`,
      kind: "HorizontalPodAutoscaler",
      metadata: { name: "a", namespace: "shop", uid: "u1", resourceVersion },
    });
    objects.put(view("v1", "1"));
    objects.put(view("v2", "2"));
    assert.equal(objects.find(scaler, "v1")?.object.metadata.resourceVersion, "1");
    assert.equal(objects.find(scaler, "v2")?.object.metadata.resourceVersion, "2");
  });
});
