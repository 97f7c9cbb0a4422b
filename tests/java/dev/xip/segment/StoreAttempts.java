package dev.xip.segment;

import dev.xip.phys.PhysicalMemory;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

/** A program that tries each operation on a store that has a segment A, and prints each result. */
final class StoreAttempts {
  private static final SegmentName A = new SegmentName("A");

  private StoreAttempts() {}

  private interface Attempt {
    void run() throws IOException;
  }

  /**
   * Runs the program.
   *
   * @param args the folder of the store
   */
  public static void main(String[] args) throws IOException {
    Path folder = Path.of(args[0]);
    SegmentDefinition b =
        new SegmentDefinition(
            new SegmentName("B"), List.of(new SegmentPart(SegmentType.SR, 0x200000, 0x200000)));
    try (PhysicalMemory memory = PhysicalMemory.boot(16L << 30, 16L << 20)) {
      SegmentStore store = SegmentStore.open(folder);
      SegmentLoader loader = new SegmentLoader(store, memory);
      attempt("define", () -> store.define(b, SegmentSource.zeros()));
      attempt("save", () -> store.save(A, SegmentSource.zeros()));
      attempt("remove", () -> store.remove(A));
      attempt("clean", store::clean);
      attempt("create", () -> SegmentStore.create(folder.resolve("inner")));
      attempt("list", store::list);
      attempt("survey", store::survey);
      attempt("check", store::check);
      attempt("load", () -> loader.load(A, SharingMode.SHARED));
      attempt("unload", () -> loader.unload(A));
    }
  }

  private static void attempt(String what, Attempt attempt) throws IOException {
    try {
      attempt.run();
      System.out.println(what + " ok");
    } catch (SegmentException e) {
      System.out.println(what + " " + e.errno());
    }
  }
}
