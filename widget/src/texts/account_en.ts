export const accountEn = { title: "Your account" };
export type AccountTexts = typeof accountEn;
