// Who has accounts at the played providers. One has a private address, one no mailbox, one an address that nobody verified.
export interface Person {
  key: string;
  givenName: string;
  familyName: string;
  email: string;
  /** The same at every provider: for play. */
  password: string;
  /** Decimal, longer than a JavaScript number, as Google's are. */
  number: string;
}

export const people: Person[] = [
  {
    key: "grace",
    givenName: "Grace",
    familyName: "Hopper",
    email: "grace@acme.example",
    password: "Played-Horse-1",
    number: "104729318264573920111",
  },
  {
    key: "alan",
    givenName: "Alan",
    familyName: "Turing",
    email: "alan@acme.example",
    password: "Played-Horse-2",
    number: "104729318264573920222",
  },
  {
    key: "mallory",
    givenName: "Mallory",
    familyName: "Stranger",
    email: "grace@acme.example", // says so, and nobody verified it
    password: "Played-Horse-3",
    number: "104729318264573920333",
  },
];

/** By key or address; null for a wrong password too. */
export function personOf(name: string, password: string): Person | null {
  const found = people.find((person) => person.key === name) ??
    people.find((person) => person.email === name.toLowerCase());
  return found?.password === password ? found : null;
}

/** GitHub's ids are small numbers. */
export const smallNumber = (person: Person) => 583_000 + people.indexOf(person);

/** A uuid that is always the same for somebody in some place. */
export async function uuidOf(...parts: string[]): Promise<string> {
  const bytes = new Uint8Array(
    await crypto.subtle.digest("SHA-256", new TextEncoder().encode(parts.join("|"))),
  );
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4}).(.{3}).(.{3})(.{12}).*$/, "$1-$2-4$3-8$4-$5");
}
