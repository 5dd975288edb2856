/** What a kubeconfig's user proves itself with. */
export type KubeconfigUser =
  | { readonly token: string }
  | { readonly tokenFile: string }
  | { readonly certificatePem: string; readonly keyPem: string };

export type KubeconfigPlan = {
  readonly name: string;
  readonly url: string;
  readonly caPem: string;
  readonly user: KubeconfigUser;
};

/** A kubeconfig with one context. JSON, which is YAML. */
export function kubeconfigFor({ name, url, caPem, user }: KubeconfigPlan): string {
  const base64 = (text: string): string => Buffer.from(text).toString("base64");
  return JSON.stringify(
    {
      apiVersion: "v1",
      kind: "Config",
      "current-context": name,
      clusters: [{ name, cluster: { server: url, "certificate-authority-data": base64(caPem) } }],
      users: [
        {
          name,
          user:
            "certificatePem" in user
              ? {
                  "client-certificate-data": base64(user.certificatePem),
                  "client-key-data": base64(user.keyPem),
                }
              : user,
        },
      ],
      contexts: [{ name, context: { cluster: name, user: name } }],
    },
    undefined,
    2,
  );
}
