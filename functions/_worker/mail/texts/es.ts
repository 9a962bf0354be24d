import type { Texts } from "./en.ts";

export const es: Texts = {
  hello: "Hola, {name}:",
  validFor: "Válido durante {time}.",
  copyLink: "Si el botón no hace nada, abra esta dirección en el navegador:",
  openLink: "O abra esta dirección en el navegador:",
  footer: "{tenant} ha enviado este mensaje automáticamente. Nadie lee las respuestas.",
  verification: {
    subject: "Confirme su correo electrónico para {tenant}",
    heading: "Confirme su correo electrónico",
    lead: "Introduzca este código donde se le ha pedido y sabremos que esta dirección es suya.",
    button: "Confirmar dirección",
    otherwise:
      "Si no ha dado esta dirección a {tenant}, no haga caso de este mensaje: sin el código no ocurre nada.",
  },
  password_reset: {
    subject: "Restablezca su contraseña de {tenant}",
    heading: "Elija una contraseña nueva",
    lead:
      "Se ha pedido una contraseña nueva para su cuenta de {tenant}. Con este código puede establecerla.",
    button: "Establecer contraseña",
    otherwise:
      "Si no ha sido usted, no haga caso de este mensaje: su contraseña no cambia. No dé el código a nadie.",
  },
  invitation: {
    subject: "Invitación a {tenant}",
    heading: "Tiene una invitación a {tenant}",
    lead:
      "Se ha creado una cuenta para usted en {tenant}. Abra el enlace para elegir cómo iniciar sesión.",
    leadBy:
      "{inviter} ha creado una cuenta para usted en {tenant}. Abra el enlace para elegir cómo iniciar sesión.",
    button: "Aceptar invitación",
    otherwise:
      "Si no espera ninguna invitación, no haga caso de este mensaje: la cuenta sigue cerrada hasta que alguien abra el enlace.",
  },
  sign_in_code: {
    subject: "Su código de inicio de sesión para {tenant}",
    heading: "Su código de inicio de sesión",
    lead: "Introduzca este código para iniciar sesión en {tenant}.",
    leadApp: "Introduzca este código para iniciar sesión en {app}.",
    otherwise:
      "Si no está iniciando sesión ahora, quizá lo intente otra persona. No dé el código a nadie.",
  },
  already_registered: {
    subject: "Ya tiene una cuenta en {tenant}",
    heading: "Ya tiene una cuenta",
    lead:
      "Alguien ha querido registrarse en {tenant} con esta dirección. Ya existe una cuenta: inicie sesión con ella o elija una contraseña nueva si ha olvidado la suya.",
    otherwise: "Si no ha sido usted, no haga caso de este mensaje: no ha cambiado nada.",
  },
  address_changed: {
    subject: "Se ha cambiado su correo electrónico en {tenant}",
    heading: "Se ha cambiado su correo electrónico",
    lead:
      "Los mensajes sobre su cuenta de {tenant} llegan ahora a {address}. Esta dirección ya no recibirá ninguno.",
    otherwise: "Si no ha sido usted, avise enseguida a la administración de {tenant}.",
  },
};
