/** Made at the first start, each with one personal access token in `<userName>.pat`. */
export const machineUsers = [
  { userName: "provisioner", role: "IAM_OWNER" },
  { userName: "login-client", role: "IAM_LOGIN_CLIENT" },
  { userName: "event-reader", role: "IAM_OWNER_VIEWER" },
] as const;
