// The part of oidc-provider's interface that the double uses; the package has no types of its own.
import type { IncomingMessage, ServerResponse } from "node:http";
import Library from "oidc-provider";

export interface Context {
  status: number;
  body: unknown;
  method: string;
  oidc?: {
    route: string;
    params?: Record<string, string | undefined>;
    client?: Client;
    entities: Record<string, { grantId?: string; scope?: string } | undefined>;
  };
  get(header: string): string;
  set(header: string, value: string): void;
  remove(header: string): void;
}

export interface Client {
  clientId: string;
}

interface Model {
  save(): Promise<string>;
}

export interface Provider {
  callback(): (request: IncomingMessage, response: ServerResponse) => Promise<void>;
  use(middleware: (context: Context, next: () => Promise<void>) => Promise<void>): void;
  on(event: string, listener: (context: Context, error: Error) => void): void;
  registerGrantType(name: string, handler: () => Promise<void>, parameters: string[]): void;
  Client: { find(clientId: string): Promise<Client | undefined> };
  Grant: new (properties: Record<string, unknown>) => Model & {
    addOIDCScope(scope: string): void;
    addResourceScope(resource: string, scope: string): void;
  };
  AuthorizationCode: new (properties: Record<string, unknown>) => Model;
  AccessToken: { find(token: string): Promise<{ grantId: string; exp: number } | undefined> };
  proxy: boolean;
}

export function createProvider(issuer: string, configuration: Record<string, unknown>): Provider {
  return new Library(issuer, configuration) as unknown as Provider;
}
