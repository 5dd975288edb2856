/** The server URL of a cluster that was given none: a name for destinations and templates, which nobody dials. */
export const defaultServer = (cluster: string): string => `https://${cluster}.cluster.wheelhouse`;
