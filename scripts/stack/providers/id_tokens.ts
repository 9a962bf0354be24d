// Keys of a played OpenID server, made at its start.
import { exportJWK, generateKeyPair, type JWK, type JWTPayload, SignJWT } from "jose";

export class IdTokens {
  private constructor(readonly jwk: JWK, readonly key: CryptoKey) {}

  static async make(): Promise<IdTokens> {
    const { publicKey, privateKey } = await generateKeyPair("RS256");
    const jwk = {
      ...await exportJWK(publicKey),
      kid: crypto.randomUUID(),
      alg: "RS256",
      use: "sig",
    };
    return new IdTokens(jwk, privateKey);
  }

  get keys(): { keys: JWK[] } {
    return { keys: [this.jwk] };
  }

  async sign(claims: JWTPayload): Promise<string> {
    return await new SignJWT(claims).setProtectedHeader({
      alg: "RS256",
      kid: this.jwk.kid!,
      typ: "JWT",
    })
      .setIssuedAt().setExpirationTime("1h").sign(this.key);
  }
}
