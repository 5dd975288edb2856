import type { DemoWorld } from "./world.ts";

/** What the demo says once the fleet has converged. Every command works when pasted into another terminal. */
export function hints(world: DemoWorld, folder: string, convergedMs: number): string {
  const wh = `${folder}/wh`;
  const clusters = world.clusters();
  const example = clusters[0]?.name ?? "dev-1";
  return `
Converged in ${(convergedMs / 1_000).toFixed(1)} s. In another terminal, from this folder:

  ask the fleet          ${wh} status --by env
                         ${wh} get apps -l app=shop
  one application        ${wh} describe app/shop-${example}
  who runs an image      ${wh} get resources --image 'registry.example/shop/web:*'
  change a value, push   (cd ${folder}/fleet && sed -i.bak 's/replicas: 1/replicas: 3/' apps/shop/dev/web.yaml && rm apps/shop/dev/web.yaml.bak && git commit -qam 'dev: three replicas' && git push -q) && ${wh} get apps --set shop --watch
  break it by hand       ${wh} demo break ${example}
  add a cluster          ${wh} demo add-cluster dev-99 --label env=dev && ${wh} get apps --cluster dev-99 --watch
  move a cluster         ${wh} cluster label ${example} env=staging
  ask over HTTP          curl -H "Authorization: Bearer ${world.hub.adminToken}" ${world.hub.url}/v1/fleet/summary

  API    ${world.hub.url}    (OpenAPI: ${world.hub.url}/v1/openapi.json)
  token  ${world.hub.adminToken}
  Git    ${world.repositoryUrl}    (a clone is in ${folder}/fleet)

Ctrl-C stops everything and removes ${folder}.`;
}
