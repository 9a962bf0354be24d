// Protobuf durations in JSON, such as "864000s".

export const secondsOf = (duration = "0s") => Math.trunc(Number(duration.replace(/s$/, "")));
export const durationOf = (seconds: number) => `${seconds}s`;
