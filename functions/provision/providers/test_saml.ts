// SAML metadata: who the provider is, where it signs people in, and by which certificate. Nothing is fetched.
import { Buffer } from "node:buffer";
import { X509Certificate } from "node:crypto";
import type { SamlSettings } from "../../_shared/zitadel/types.ts";
import { type Checks, Failed } from "./checks.ts";

const bindings = {
  post: "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST",
  redirect: "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect",
};

export async function testSaml(
  checks: Checks,
  { metadataXml, binding }: SamlSettings,
  now: number,
): Promise<void> {
  await checks.run("metadata", () => {
    const entityId = /<(?:\w+:)?EntityDescriptor[^>]*\sentityID="([^"]+)"/.exec(metadataXml)?.[1];
    if (!entityId) throw new Failed("entity_id_missing", "The metadata names no entityID");
    const until = /<(?:\w+:)?EntityDescriptor[^>]*\svalidUntil="([^"]+)"/.exec(metadataXml)?.[1];
    if (until && Date.parse(until) < now) {
      throw new Failed("metadata_expired", `The metadata was valid until ${until}`);
    }
    const services = [...metadataXml.matchAll(/<(?:\w+:)?SingleSignOnService\b([^>]*)>/g)];
    const service = services.find(([, text]) => text!.includes(`Binding="${bindings[binding]}"`));
    const location = /Location="([^"]+)"/.exec(service?.[1] ?? "")?.[1];
    if (!location) {
      throw new Failed("binding_missing", `The metadata offers no sign-in by ${binding}`);
    }
    return `${entityId} signs people in at ${location}`;
  });
  await checks.run("keys", () => {
    const certificates = certificatesOf(metadataXml);
    const good = certificates.filter(({ validTo }) => Date.parse(validTo) > now);
    if (certificates.length === 0) {
      throw new Failed("certificate_missing", "The metadata has no certificate to check by");
    }
    if (good.length === 0) {
      throw new Failed("certificate_expired", `Its certificate ended ${certificates[0]!.validTo}`);
    }
    const last = good.map(({ validTo }) => Date.parse(validTo)).toSorted().at(-1)!;
    return `A certificate until ${new Date(last).toISOString()}`;
  });
}

/** Of signing keys; a KeyDescriptor without a use is for both. */
function certificatesOf(xml: string): X509Certificate[] {
  const descriptors = [
    ...xml.matchAll(/<(?:\w+:)?KeyDescriptor\b([^>]*)>([\s\S]*?)<\/(?:\w+:)?KeyDescriptor>/g),
  ];
  return descriptors
    .filter(([, attributes]) => !attributes!.includes('use="encryption"'))
    .flatMap(([, , body]) =>
      [...body!.matchAll(/<(?:\w+:)?X509Certificate>([\s\S]*?)<\/(?:\w+:)?X509Certificate>/g)].map(
        ([, text]) => {
          try {
            return new X509Certificate(Buffer.from(text!.replace(/\s+/g, ""), "base64"));
          } catch {
            throw new Failed(
              "certificate_malformed",
              "A certificate in the metadata cannot be read",
            );
          }
        },
      )
    );
}
