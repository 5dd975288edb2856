import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { once } from "node:events";
import test, { suite } from "node:test";
import { connect, createServer } from "node:tls";
import { createCertificateAuthority } from "./certificates.ts";

suite("certificates for tests", () => {
  test("a server's certificate is good for its hosts and issued by the authority", async () => {
    const authority = await createCertificateAuthority("tests");
    const server = await authority.issue({
      commonName: "server",
      use: "server",
      hosts: ["localhost", "127.0.0.1"],
    });
    const certificate = new X509Certificate(server.certificatePem);
    const issuer = new X509Certificate(authority.certificatePem);
    assert.ok(certificate.verify(issuer.publicKey));
    assert.ok(certificate.checkIssued(issuer));
    assert.ok(issuer.ca && !certificate.ca);
    assert.equal(certificate.checkHost("localhost"), "localhost");
    assert.equal(certificate.checkIP("127.0.0.1"), "127.0.0.1");
    assert.equal(certificate.checkHost("elsewhere"), undefined);
  });

  test("a client's certificate carries its identity", async () => {
    const authority = await createCertificateAuthority();
    const client = await authority.issue({
      commonName: "ann",
      use: "client",
      organizations: ["shop"],
      uris: ["spiffe://wheelhouse/cluster/x"],
    });
    const certificate = new X509Certificate(client.certificatePem);
    assert.match(certificate.subject, /CN=ann/);
    assert.match(certificate.subject, /O=shop/);
    assert.equal(certificate.subjectAltName, "URI:spiffe://wheelhouse/cluster/x");
  });

  test("both ends accept each other over TLS", async () => {
    const authority = await createCertificateAuthority();
    const server = await authority.issue({ commonName: "s", use: "server", hosts: ["localhost"] });
    const client = await authority.issue({ commonName: "c", use: "client" });
    const listener = createServer(
      {
        key: server.keyPem,
        cert: server.certificatePem,
        ca: authority.certificatePem,
        requestCert: true,
        rejectUnauthorized: true,
      },
      (socket) => socket.end(socket.authorized ? "hello" : "stranger"),
    );
    listener.listen(0, "127.0.0.1");
    await once(listener, "listening");
    const address = listener.address();
    assert.ok(address !== null && typeof address === "object");
    const socket = connect({
      port: address.port,
      host: "127.0.0.1",
      servername: "localhost",
      ca: authority.certificatePem,
      key: client.keyPem,
      cert: client.certificatePem,
    });
    let text = "";
    for await (const chunk of socket) text += String(chunk);
    assert.equal(text, "hello");
    listener.close();
  });
});
