// CreateUser and UpdateUser as the proto spells them, as far as the double reads them.
interface Email {
  email: string;
  sendCode?: object;
  returnCode?: object;
  isVerified?: boolean;
}
interface Profile {
  givenName?: string;
  familyName?: string;
  nickName?: string;
  displayName?: string;
  preferredLanguage?: string;
  gender?: string;
}
interface Password {
  password: string;
  changeRequired?: boolean;
}
export interface Create {
  organizationId: string;
  userId?: string;
  username?: string;
  human?: {
    profile: Profile & { givenName: string; familyName: string };
    email: Email;
    password?: Password;
    hashedPassword?: { hash: string; changeRequired?: boolean };
    idpLinks?: { idpId: string; userId: string; userName?: string }[];
  };
  machine?: { name: string; description?: string; accessTokenType?: string };
}
export interface Update {
  userId: string;
  username?: string;
  human?: { profile?: Profile; email?: Email; password?: { password?: Password } };
  machine?: { name?: string; description?: string; accessTokenType?: string };
}
