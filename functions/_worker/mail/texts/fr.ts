import type { Texts } from "./en.ts";

export const fr: Texts = {
  hello: "Bonjour {name},",
  validFor: "Valable pendant {time}.",
  copyLink: "Si le bouton ne fait rien, ouvrez cette adresse dans votre navigateur :",
  openLink: "Ou ouvrez cette adresse dans votre navigateur :",
  footer: "Ce message a été envoyé automatiquement par {tenant}. Les réponses ne sont pas lues.",
  verification: {
    subject: "Confirmez votre adresse e-mail pour {tenant}",
    heading: "Confirmez votre adresse e-mail",
    lead:
      "Saisissez ce code là où il vous a été demandé : nous saurons alors que cette adresse est la vôtre.",
    button: "Confirmer l’adresse",
    otherwise:
      "Si vous n’avez pas donné cette adresse à {tenant}, ignorez ce message : sans le code, il ne se passe rien.",
  },
  password_reset: {
    subject: "Réinitialisez votre mot de passe pour {tenant}",
    heading: "Choisissez un nouveau mot de passe",
    lead:
      "Un nouveau mot de passe a été demandé pour votre compte {tenant}. Ce code vous permet de le définir.",
    button: "Définir le mot de passe",
    otherwise:
      "Si ce n’était pas vous, ignorez ce message : votre mot de passe reste le même. Ne donnez le code à personne.",
  },
  invitation: {
    subject: "Invitation à rejoindre {tenant}",
    heading: "Invitation à rejoindre {tenant}",
    lead:
      "Un compte a été créé pour vous chez {tenant}. Ouvrez le lien pour choisir votre façon de vous connecter.",
    leadBy:
      "{inviter} a créé un compte pour vous chez {tenant}. Ouvrez le lien pour choisir votre façon de vous connecter.",
    button: "Accepter l’invitation",
    otherwise:
      "Si vous n’attendez pas d’invitation, ignorez ce message : le compte reste fermé tant que personne n’ouvre le lien.",
  },
  sign_in_code: {
    subject: "Votre code de connexion pour {tenant}",
    heading: "Votre code de connexion",
    lead: "Saisissez ce code pour vous connecter chez {tenant}.",
    leadApp: "Saisissez ce code pour vous connecter à {app}.",
    otherwise:
      "Si vous n’êtes pas en train de vous connecter, quelqu’un d’autre essaie peut-être. Ne donnez le code à personne.",
  },
  already_registered: {
    subject: "Vous avez déjà un compte chez {tenant}",
    heading: "Vous avez déjà un compte",
    lead:
      "Quelqu’un a voulu s’inscrire chez {tenant} avec cette adresse. Un compte existe déjà : connectez-vous, ou choisissez un nouveau mot de passe si vous avez oublié le vôtre.",
    otherwise: "Si ce n’était pas vous, ignorez ce message : rien n’a été modifié.",
  },
  address_changed: {
    subject: "Votre adresse e-mail chez {tenant} a été modifiée",
    heading: "Votre adresse e-mail a été modifiée",
    lead:
      "Les messages concernant votre compte {tenant} sont désormais envoyés à {address}. Cette adresse-ci n’en recevra plus.",
    otherwise: "Si ce n’était pas vous, prévenez tout de suite l’administrateur de {tenant}.",
  },
};
