/** Who a spoke is. Kept in a Secret of its own cluster, so that a wiped disk or a moved pod keeps it. */
export type SpokeIdentity = {
  /** PKCS #8 PEM; made in the cluster, and it never leaves it. */
  readonly privateKeyPem: string;
  /** `undefined` until the spoke is enrolled. */
  readonly certificatePem: string | undefined;
  /** Certificates of the hub's authorities this spoke trusts, the pinned one first; empty until enrolled. */
  readonly trustedPem: readonly string[];
  /** Empty until enrolled, as are the two after it. */
  readonly clusterId: string;
  readonly clusterName: string;
  readonly hubId: string;
};
