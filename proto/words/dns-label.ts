/** 1 to 63 of a-z, 0-9 and "-", beginning and ending with a letter or digit: what Kubernetes takes for a namespace. */
export const dnsLabel = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;

export const isDnsLabel = (text: string): boolean => dnsLabel.test(text);
