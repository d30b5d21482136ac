import { defineConfig } from "vitest/config";

export default defineConfig({
  resolve: { conditions: ["@openclaw/source"] },
  ssr: { resolve: { conditions: ["@openclaw/source"] } },
  test: {
    include: [
      "packages/*/{src,test}/**/*.test.ts",
      "apps/*/{src,test}/**/*.test.ts",
      "tooling/*/{src,test}/**/*.test.ts",
    ],
    retry: 0,
    expect: { poll: { timeout: 10_000 } },
    setupFiles: ["./tooling/testkit/src/patient-waits.ts"],
    pool: "forks",
    testTimeout: 30_000,
    hookTimeout: 60_000,
    reporters: ["default"],
  },
});
