import { createHmac } from "node:crypto";

/** Tells the hub that a repository moved, signed as its webhook wants it. */
export async function signWebhook(
  hubUrl: string,
  secret: string,
  repositoryUrl: string,
): Promise<void> {
  const body = JSON.stringify({ repository: repositoryUrl });
  const signature = createHmac("sha256", secret).update(body).digest("hex");
  const answer = await fetch(`${hubUrl}/v1/webhooks/git`, {
    method: "POST",
    headers: {
      "content-type": "application/json",
      "x-wheelhouse-signature-256": `sha256=${signature}`,
    },
    body,
  });
  if (!answer.ok) throw new Error(`the webhook answered ${answer.status}`);
}
