import type { Texts } from "./en.ts";

export const de: Texts = {
  hello: "Guten Tag {name},",
  validFor: "Gültig für {time}.",
  copyLink: "Falls die Schaltfläche nichts bewirkt, öffnen Sie diese Adresse im Browser:",
  openLink: "Oder öffnen Sie diese Adresse im Browser:",
  footer:
    "Diese Nachricht wurde automatisch von {tenant} verschickt. Antworten darauf liest niemand.",
  verification: {
    subject: "Bestätigen Sie Ihre E-Mail-Adresse für {tenant}",
    heading: "E-Mail-Adresse bestätigen",
    lead:
      "Geben Sie diesen Code dort ein, wo danach gefragt wurde. Dann wissen wir, dass die Adresse Ihnen gehört.",
    button: "Adresse bestätigen",
    otherwise:
      "Wenn Sie {tenant} diese Adresse nicht gegeben haben, ignorieren Sie die Nachricht: Ohne den Code geschieht nichts.",
  },
  password_reset: {
    subject: "Neues Passwort für {tenant}",
    heading: "Neues Passwort wählen",
    lead:
      "Für Ihr Konto bei {tenant} wurde ein neues Passwort angefordert. Mit diesem Code legen Sie es fest.",
    button: "Neues Passwort festlegen",
    otherwise:
      "Wenn Sie das nicht waren, ignorieren Sie die Nachricht: Ihr Passwort bleibt, wie es ist. Geben Sie den Code niemandem.",
  },
  invitation: {
    subject: "Einladung zu {tenant}",
    heading: "Sie sind zu {tenant} eingeladen",
    lead:
      "Bei {tenant} wurde ein Konto für Sie angelegt. Öffnen Sie den Link und wählen Sie, wie Sie sich anmelden.",
    leadBy:
      "{inviter} hat bei {tenant} ein Konto für Sie angelegt. Öffnen Sie den Link und wählen Sie, wie Sie sich anmelden.",
    button: "Einladung annehmen",
    otherwise:
      "Wenn Sie keine Einladung erwarten, ignorieren Sie die Nachricht: Das Konto bleibt geschlossen, bis jemand den Link öffnet.",
  },
  sign_in_code: {
    subject: "Ihr Anmeldecode für {tenant}",
    heading: "Ihr Anmeldecode",
    lead: "Geben Sie diesen Code ein, um sich bei {tenant} anzumelden.",
    leadApp: "Geben Sie diesen Code ein, um sich bei {app} anzumelden.",
    otherwise:
      "Wenn Sie sich gerade nicht anmelden, versucht es vielleicht jemand anderes. Geben Sie den Code niemandem.",
  },
  already_registered: {
    subject: "Sie haben schon ein Konto bei {tenant}",
    heading: "Sie haben schon ein Konto",
    lead:
      "Mit dieser Adresse wollte sich jemand bei {tenant} registrieren. Für sie gibt es schon ein Konto: Melden Sie sich damit an, oder wählen Sie ein neues Passwort, wenn Sie Ihres vergessen haben.",
    otherwise: "Wenn Sie das nicht waren, ignorieren Sie die Nachricht: Es wurde nichts geändert.",
  },
  address_changed: {
    subject: "Ihre E-Mail-Adresse bei {tenant} wurde geändert",
    heading: "Ihre E-Mail-Adresse wurde geändert",
    lead:
      "Nachrichten zu Ihrem Konto bei {tenant} gehen jetzt an {address}. Diese Adresse bekommt von nun an keine mehr.",
    otherwise:
      "Wenn Sie das nicht waren, wenden Sie sich sofort an die Administration von {tenant}.",
  },
};
