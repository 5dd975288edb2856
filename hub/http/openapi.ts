import type { Api } from "./route.ts";

/** The document of everything that was declared on `api` so far. The same for every hub of one version. */
export function apiDocument(api: Api): object {
  api.openAPIRegistry.registerComponent("securitySchemes", "token", {
    type: "http",
    scheme: "bearer",
    bearerFormat: "wht_<8 characters>_<52 characters>",
    description: "an API token of scope read or write, in the Authorization header",
  });
  return api.getOpenAPI31Document({
    openapi: "3.1.0",
    info: {
      title: "Wheelhouse HTTP API",
      version: "v1",
      description:
        "Times end in AtMs and are milliseconds since the epoch. Lists answer in pages: pass `next` as `after`. Errors are RFC 9457 problems with a stable `code`. `x-access` says who may use a route.",
      license: { name: "Apache-2.0" },
    },
    tags: [
      { name: "fleet", description: "The whole fleet at once" },
      { name: "clusters", description: "Clusters and how they join" },
      { name: "repositories", description: "Git repositories the hub reads" },
      { name: "applicationsets", description: "Sets and what they generate" },
      { name: "applications", description: "Applications, their objects, and commands to them" },
      { name: "events", description: "What changed, as it changes" },
      { name: "tokens", description: "API tokens" },
      { name: "hub", description: "The hub itself" },
    ],
  });
}
