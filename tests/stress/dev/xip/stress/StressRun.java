package dev.xip.stress;

import java.util.Set;
import java.util.TreeSet;
import org.openjdk.jcstress.JCStress;
import org.openjdk.jcstress.Options;
import org.openjdk.jcstress.infra.Status;
import org.openjdk.jcstress.infra.collectors.DiskReadCollector;
import org.openjdk.jcstress.infra.collectors.InProcessCollector;
import org.openjdk.jcstress.infra.collectors.TestResult;

/**
 * Runs the stress tests in the working directory and fails unless every one of them was tried and
 * none had a forbidden outcome. jcstress alone fails on outcomes, but ignores a test that it cannot
 * start, because a class is missing, say.
 */
public final class StressRun {
  private StressRun() {}

  /**
   * Runs them.
   *
   * @param args a regular expression that chooses tests; the seconds for each test on each kind of
   *     JVM; the options of those JVMs
   * @throws Exception if a test failed or was not tried
   */
  public static void main(String[] args) throws Exception {
    if (args.length != 3) {
      throw new IllegalArgumentException("expected: REGEX SECONDS JVM-OPTIONS");
    }
    // 128 trials at a time: each has a process of its own, and more would only fill the cache.
    Options options =
        new Options(
            new String[] {
              "-v",
              "-t",
              args[0],
              "-iters",
              args[1],
              "-time",
              "1000",
              "-f",
              "1",
              "-fsm",
              "1",
              "-sc",
              "false",
              "-strideSize",
              "16",
              "-strideCount",
              "8",
              "-r",
              "report",
              "-jvmArgsPrepend",
              args[2]
            });
    if (!options.parse()) {
      throw new IllegalArgumentException("jcstress rejects its options");
    }
    JCStress stress = new JCStress(options);
    stress.run();
    requireAllTried(stress.getTests(), options.getResultFile());
  }

  private static void requireAllTried(Set<String> expected, String resultFile) throws Exception {
    InProcessCollector results = new InProcessCollector();
    DiskReadCollector reader = new DiskReadCollector(resultFile, results);
    reader.dump();
    reader.close();
    Set<String> missing = new TreeSet<>(expected);
    for (TestResult result : results.getTestResults()) {
      if (result.status() == Status.NORMAL && result.getTotalCount() > 0) {
        missing.remove(result.getName());
      }
    }
    for (TestResult result : results.getTestResults()) {
      if (result.status() != Status.NORMAL) {
        missing.add("%s: %s %s".formatted(result.getName(), result.status(), result.getMessages()));
      }
    }
    if (expected.isEmpty() || !missing.isEmpty()) {
      throw new AssertionError(
          "expected all of %d tests to be tried, found untried: %s"
              .formatted(expected.size(), missing));
    }
  }
}
