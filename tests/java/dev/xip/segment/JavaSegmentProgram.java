package dev.xip.segment;

import dev.xip.phys.PhysicalMemory;
import java.io.BufferedReader;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Locale;

/**
 * What tests/native/segment_example.c is in C, in Java: takes the same commands from its standard
 * input and gives the same answers, but for {@code query}.
 */
final class JavaSegmentProgram {
  private final PhysicalMemory memory;
  private final SegmentLoader loader;

  private JavaSegmentProgram(PhysicalMemory memory, Path store) throws SegmentException {
    this.memory = memory;
    this.loader = new SegmentLoader(SegmentStore.open(store), memory);
  }

  /**
   * Runs the program.
   *
   * @param args the folder of the store
   */
  public static void main(String[] args) throws IOException {
    try (PhysicalMemory memory = PhysicalMemory.boot(LoaderFixture.WINDOW, LoaderFixture.RAM);
        BufferedReader in =
            new BufferedReader(new InputStreamReader(System.in, StandardCharsets.US_ASCII));
        PrintStream out =
            new PrintStream(
                new FileOutputStream(FileDescriptor.out), true, StandardCharsets.UTF_8)) {
      JavaSegmentProgram program = new JavaSegmentProgram(memory, Path.of(args[0]));
      for (String line = in.readLine(); line != null; line = in.readLine()) {
        String[] words = line.split(" ");
        String answer;
        try {
          answer = program.obey(words, SegmentName.of(words[1]));
        } catch (SegmentException e) {
          answer = "failed %s: %s".formatted(e.errno(), e.getMessage());
        }
        out.print(answer + "\n");
        out.flush();
      }
      program.unloadAll();
    }
  }

  private String obey(String[] words, SegmentName name) throws SegmentException {
    return switch (words[0]) {
      case "load" ->
          describe(loader.load(name, SharingMode.valueOf(words[2].toUpperCase(Locale.ROOT))));
      case "unload" -> {
        loader.unload(name);
        yield "ok";
      }
      case "sum" -> "ok %016x".formatted(checksum(bytes(name)));
      case "peek" ->
          "ok " + Byte.toUnsignedInt(bytes(name).get(ValueLayout.JAVA_BYTE, number(words[2])));
      case "poke" -> {
        bytes(name).set(ValueLayout.JAVA_BYTE, number(words[2]), (byte) number(words[3]));
        yield "ok";
      }
      default -> "failed: unknown command " + words[0];
    };
  }

  private static long number(String word) {
    return Long.decode(word);
  }

  private String describe(SavedSegment segment) {
    long start = memory.window().address() + segment.range().start();
    return "ok type=%s bytes=%d version=%d addr=0x%x-0x%x references=%d"
        .formatted(
            segment.type(),
            segment.range().length(),
            segment.version(),
            start,
            start + segment.range().length() - 1,
            segment.references());
  }

  private MemorySegment bytes(SegmentName name) {
    SavedSegment held =
        loader.loaded().stream().filter(each -> each.name().equals(name)).findFirst().orElseThrow();
    return LoaderFixture.bytes(memory, held);
  }

  /** The sum that both programs make: each word is mixed in whole. */
  static long checksum(MemorySegment bytes) {
    long sum = 0;
    for (long at = 0; at < bytes.byteSize(); at += Long.BYTES) {
      sum = (sum ^ bytes.get(ValueLayout.JAVA_LONG_UNALIGNED, at)) * 0x9e3779b97f4a7c15L;
    }
    return sum;
  }

  private void unloadAll() throws SegmentException {
    for (SavedSegment each : loader.loaded()) {
      while (each.references() > 0) {
        loader.unload(each.name());
      }
    }
  }
}
