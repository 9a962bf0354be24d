// Mutants that nothing can tell from the original, each with the reason. Everything else must be killed.

export const equivalent: { mutant: RegExp; why: string }[] = [
  {
    mutant: /^[a-z_]+_update_platform: check → true$/,
    why: "the predicate asks about the caller and not about the row: what USING let through, CHECK lets through",
  },
];
