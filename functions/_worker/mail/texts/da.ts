import type { Texts } from "./en.ts";

export const da: Texts = {
  hello: "Hej {name},",
  validFor: "Gælder i {time}.",
  copyLink: "Hvis knappen ikke virker, så åbn denne adresse i din browser:",
  openLink: "Eller åbn denne adresse i din browser:",
  footer: "Denne besked er sendt automatisk af {tenant}. Svar bliver ikke læst.",
  verification: {
    subject: "Bekræft din e-mailadresse til {tenant}",
    heading: "Bekræft din e-mailadresse",
    lead: "Indtast koden der, hvor du blev bedt om den, så ved vi, at adressen er din.",
    button: "Bekræft adressen",
    otherwise:
      "Hvis du ikke har givet {tenant} denne adresse, så se bort fra beskeden: uden koden sker der ingenting.",
  },
  password_reset: {
    subject: "Nulstil din adgangskode til {tenant}",
    heading: "Vælg en ny adgangskode",
    lead:
      "Nogen har bedt om en ny adgangskode til din konto hos {tenant}. Med denne kode kan du vælge den.",
    button: "Vælg ny adgangskode",
    otherwise:
      "Hvis det ikke var dig, så se bort fra beskeden: din adgangskode er uændret. Giv ikke koden til nogen.",
  },
  invitation: {
    subject: "Invitation til {tenant}",
    heading: "Du er inviteret til {tenant}",
    lead:
      "Der er oprettet en konto til dig hos {tenant}. Åbn linket for at vælge, hvordan du logger ind.",
    leadBy:
      "{inviter} har oprettet en konto til dig hos {tenant}. Åbn linket for at vælge, hvordan du logger ind.",
    button: "Tag imod invitationen",
    otherwise:
      "Hvis du ikke venter en invitation, så se bort fra beskeden: kontoen er lukket, indtil nogen åbner linket.",
  },
  sign_in_code: {
    subject: "Din kode til at logge ind hos {tenant}",
    heading: "Din kode til at logge ind",
    lead: "Indtast koden for at logge ind hos {tenant}.",
    leadApp: "Indtast koden for at logge ind på {app}.",
    otherwise:
      "Hvis du ikke er ved at logge ind nu, prøver en anden måske på det. Giv ikke koden til nogen.",
  },
  already_registered: {
    subject: "Du har allerede en konto hos {tenant}",
    heading: "Du har allerede en konto",
    lead:
      "Nogen ville oprette en konto hos {tenant} med denne adresse. Der findes allerede en: log ind med den, eller vælg en ny adgangskode, hvis du har glemt din.",
    otherwise: "Hvis det ikke var dig, så se bort fra beskeden: intet er ændret.",
  },
  address_changed: {
    subject: "Din e-mailadresse hos {tenant} er ændret",
    heading: "Din e-mailadresse er ændret",
    lead:
      "Beskeder om din konto hos {tenant} sendes nu til {address}. Denne adresse får ikke flere.",
    otherwise: "Hvis det ikke var dig, så kontakt straks administratoren hos {tenant}.",
  },
};
