/**
 * An authenticator in software: P-256, attestation "none", flags and counter in the test's hand. It answers what
 * navigator.credentials would, in JSON.
 */
import type {
  WebAuthnAssertion,
  WebAuthnCreationOptions,
  WebAuthnRegistration,
  WebAuthnRequestOptions,
} from "../../functions/_shared/zitadel/types.ts";

type Bytes = Uint8Array<ArrayBuffer>;

const userPresent = 0x01;
const userVerified = 0x04;
const attestedCredential = 0x40;

export interface Gesture {
  /** Where the page stands. */
  origin: string;
  /** Whether the person showed who they are, by PIN or finger. Default: yes. */
  verified?: boolean;
  /** Default: the one asked for. */
  rpId?: string;
}

export class Authenticator {
  readonly id = crypto.getRandomValues(new Uint8Array(16));
  /** Rises by one with each use. */
  counter = 0;
  readonly #keys: CryptoKeyPair;

  private constructor(keys: CryptoKeyPair) {
    this.#keys = keys;
  }

  static async create(): Promise<Authenticator> {
    const algorithm = { name: "ECDSA", namedCurve: "P-256" };
    return new Authenticator(await crypto.subtle.generateKey(algorithm, true, ["sign", "verify"]));
  }

  async register(
    options: WebAuthnCreationOptions,
    gesture: Gesture,
  ): Promise<WebAuthnRegistration> {
    const clientData = clientDataOf("webauthn.create", options.challenge, gesture);
    const length = new Uint8Array([this.id.length >> 8, this.id.length & 0xff]);
    const attested = joined(new Uint8Array(16), length, this.id, await this.#coseKey()); // no AAGUID
    const rpId = gesture.rpId ?? options.rp.id ?? "";
    const data = await this.#data(rpId, gesture, attestedCredential, attested);
    const attestation = cborMap([
      [cborText("fmt"), cborText("none")],
      [cborText("attStmt"), cborMap([])],
      [cborText("authData"), cborBytes(data)],
    ]);
    return {
      ...this.#named(),
      response: {
        clientDataJSON: encodeBase64Url(clientData),
        attestationObject: encodeBase64Url(attestation),
        transports: ["internal"],
      },
    };
  }

  async sign(options: WebAuthnRequestOptions, gesture: Gesture): Promise<WebAuthnAssertion> {
    const clientData = clientDataOf("webauthn.get", options.challenge, gesture);
    const data = await this.#data(gesture.rpId ?? options.rpId ?? "", gesture, 0);
    const signature = await crypto.subtle.sign(
      { name: "ECDSA", hash: "SHA-256" },
      this.#keys.privateKey,
      joined(data, await sha256(clientData)),
    );
    return {
      ...this.#named(),
      response: {
        clientDataJSON: encodeBase64Url(clientData),
        authenticatorData: encodeBase64Url(data),
        signature: encodeBase64Url(derSignature(new Uint8Array(signature))),
        userHandle: null,
      },
    };
  }

  #named() {
    const id = encodeBase64Url(this.id);
    return { id, rawId: id, type: "public-key" };
  }

  async #data(
    rpId: string,
    { verified = true }: Gesture,
    flags: number,
    attested: Bytes = new Uint8Array(),
  ): Promise<Bytes> {
    this.counter++;
    const head = new Uint8Array(5);
    head[0] = userPresent | (verified ? userVerified : 0) | flags;
    new DataView(head.buffer).setUint32(1, this.counter);
    return joined(await sha256(new TextEncoder().encode(rpId)), head, attested);
  }

  /** {1: EC2, 3: ES256, -1: P-256, -2: x, -3: y} */
  async #coseKey(): Promise<Bytes> {
    const raw = new Uint8Array(await crypto.subtle.exportKey("raw", this.#keys.publicKey));
    return cborMap([
      [cborInt(1), cborInt(2)],
      [cborInt(3), cborInt(-7)],
      [cborInt(-1), cborInt(1)],
      [cborInt(-2), cborBytes(raw.slice(1, 33))],
      [cborInt(-3), cborBytes(raw.slice(33, 65))],
    ]);
  }
}

function clientDataOf(type: string, challenge: string, { origin }: Gesture): Bytes {
  return new TextEncoder().encode(
    JSON.stringify({ type, challenge, origin, crossOrigin: false }),
  );
}

const encodeBase64Url = (bytes: Bytes) =>
  btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");

const sha256 = async (bytes: Bytes): Promise<Bytes> =>
  new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));

function joined(...parts: Bytes[]): Bytes {
  return new Uint8Array(parts.flatMap((part) => [...part]));
}

function cborHead(major: number, value: number): Bytes {
  if (value < 24) return new Uint8Array([major << 5 | value]);
  if (value < 256) return new Uint8Array([major << 5 | 24, value]);
  return new Uint8Array([major << 5 | 25, value >> 8, value & 0xff]);
}
const cborInt = (value: number) => value < 0 ? cborHead(1, -1 - value) : cborHead(0, value);
const cborBytes = (bytes: Bytes) => joined(cborHead(2, bytes.length), bytes);
const cborText = (text: string) => {
  const bytes = new TextEncoder().encode(text);
  return joined(cborHead(3, bytes.length), bytes);
};
const cborMap = (entries: [Bytes, Bytes][]) =>
  joined(cborHead(5, entries.length), ...entries.flat());

/** WebCrypto gives r and s side by side; WebAuthn wants them as ASN.1 integers. */
function derSignature(raw: Bytes): Bytes {
  const integer = (bytes: Bytes): Bytes => {
    const first = bytes.findIndex((byte) => byte !== 0);
    const digits = bytes.slice(first === -1 ? bytes.length - 1 : first);
    const padded = digits[0]! >= 0x80 ? joined(new Uint8Array([0]), digits) : digits;
    return joined(new Uint8Array([0x02, padded.length]), padded);
  };
  const body = joined(integer(raw.slice(0, 32)), integer(raw.slice(32)));
  return joined(new Uint8Array([0x30, body.length]), body);
}
