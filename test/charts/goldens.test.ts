import test, { suite } from "node:test";
import { whyNoTool } from "../support/control-plane/binaries.ts";
import { assertGolden } from "../support/golden.ts";
import { helm, chartFolder, renderText } from "../support/helm.ts";
import { gatewayKinds, hubValues, spokeValues } from "./values.ts";

const cases = [
  ...Object.entries(spokeValues).map(
    ([name, values]) => ["wheelhouse-spoke", name, values] as const,
  ),
  ...Object.entries(hubValues).map(([name, values]) => ["wheelhouse-hub", name, values] as const),
];

suite("charts as rendered", { skip: whyNoTool("helm") }, () => {
  for (const [chart, name, values] of cases) {
    test(`${chart}, ${name}: the objects a person can review`, async () => {
      const text = await renderText(chart, values, { serves: gatewayKinds });
      assertGolden(`test/golden/charts/${chart}-${name}.yaml`, text);
    });

    test(`${chart}, ${name}: helm lint has nothing to say`, async () => {
      await helm(
        ["lint", "--strict", chartFolder(chart), "--values", "-"],
        // A linter knows no cluster, and these need one that serves their kinds.
        JSON.stringify(withoutOptionalKinds(values)),
      );
    });

    test(`${chart}, ${name}: the notes say what to do next`, async () => {
      const words = ["install", chart, chartFolder(chart), "--namespace", "wheelhouse"];
      const printed = await helm(
        [...words, "--dry-run=client", "--values", "-"],
        JSON.stringify(withoutOptionalKinds(values)),
      );
      const notes = printed.slice(printed.indexOf("NOTES:\n"));
      assertGolden(`test/golden/charts/${chart}-${name}-notes.txt`, notes);
    });
  }
});

type Tree = { readonly [name: string]: unknown };

const off = { enabled: false };

function withoutOptionalKinds(values: Tree): Tree {
  const { link, http, ...rest } = values;
  return {
    ...rest,
    serviceMonitor: off,
    ...(link === undefined ? {} : { link: { ...(link as Tree), tlsRoute: off } }),
    ...(http === undefined ? {} : { http: { ...(http as Tree), httpRoute: off } }),
  };
}
