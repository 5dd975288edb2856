/** How the spoke reaches the API server of its own cluster. */
export type ClusterAccess = (
  | {
      readonly kind: "in-cluster";
      /** Of the API server, from the pod's environment. */
      readonly host: string;
      readonly port: string;
      readonly tokenFile: string;
      readonly authorityFile: string;
    }
  | {
      readonly kind: "kubeconfig";
      readonly file: string;
      /** `undefined`: the file's current context. */
      readonly context: string | undefined;
      /** Whether `insecure-skip-tls-verify` in the file is obeyed; otherwise such a file is refused. */
      readonly acceptInsecure: boolean;
    }
) & {
  /** Where proxies are looked up, and what exec plug-ins inherit. */
  readonly environment: Environment;
};

/** The variables of a process. */
export type Environment = Readonly<Record<string, string | undefined>>;
