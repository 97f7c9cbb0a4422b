package dev.xip.host;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
import java.net.URISyntaxException;
import java.nio.file.FileSystemNotFoundException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.CodeSource;
import java.util.ArrayList;
import java.util.List;

/**
 * Finds and loads libxip.so once, from a place where it is already a file; a failure is kept and
 * thrown at each use. The JVM links a file for one class loader only, so a second loader of xip's
 * classes links a copy in a memfd.
 */
final class LibxipLoader {
  private static final String PROPERTY = "xip.library";

  /** Part of the JVM's message about a library that it has linked for another class loader. */
  private static final String LINKED_ELSEWHERE = "already loaded in another classloader";

  /** The loaded library, or null with the reason in {@link #FAILURE}. */
  static final Libxip LIBRARY;

  /** Why there is no library, or null. */
  static final UnsatisfiedLinkError FAILURE;

  static {
    Libxip library = null;
    UnsatisfiedLinkError failure = null;
    try {
      library = load(candidates());
    } catch (UnsatisfiedLinkError absent) {
      failure = absent;
    }
    LIBRARY = library;
    FAILURE = failure;
  }

  private LibxipLoader() {}

  /**
   * Demands the library.
   *
   * @throws UnsatisfiedLinkError if it was not found or has another ABI version
   */
  static void requireLoaded() {
    if (LIBRARY == null) {
      UnsatisfiedLinkError again = new UnsatisfiedLinkError(FAILURE.getMessage());
      again.initCause(FAILURE);
      throw again;
    }
  }

  /** Loads the first of the files that exists and has the right ABI version. */
  static Libxip load(List<Path> candidates) {
    List<String> looked = new ArrayList<>();
    for (Path candidate : candidates) {
      if (!Files.isRegularFile(candidate)) {
        looked.add(candidate + " is not there");
        continue;
      }
      try {
        return load(candidate);
      } catch (UnsatisfiedLinkError refused) {
        looked.add(candidate + ": " + refused.getMessage());
      }
    }
    String found = looked.isEmpty() ? "no place to look" : String.join("; ", looked);
    throw new UnsatisfiedLinkError(
        "libxip.so not loaded: %s. Build it with make -C native, or set -D%s=FILE"
            .formatted(found, PROPERTY));
  }

  /** The places to search: the property alone if it is set, else beside our own classes. */
  private static List<Path> candidates() {
    String property = System.getProperty(PROPERTY);
    if (property != null) {
      return List.of(Path.of(property).toAbsolutePath());
    }
    CodeSource source = LibxipLoader.class.getProtectionDomain().getCodeSource();
    if (source == null || source.getLocation() == null) {
      return List.of();
    }
    try {
      Path classes = Path.of(source.getLocation().toURI()).toAbsolutePath();
      return List.of(classes.resolveSibling("native").resolve("libxip.so"));
    } catch (URISyntaxException | IllegalArgumentException | FileSystemNotFoundException notAFile) {
      return List.of();
    }
  }

  private static Libxip load(Path file) {
    try {
      link(file);
    } catch (UnsatisfiedLinkError refused) {
      if (!String.valueOf(refused.getMessage()).contains(LINKED_ELSEWHERE)) {
        throw refused;
      }
      linkCopy(file);
    }
    int version = GuardCalls.abiVersion();
    if (version != GuardCalls.ABI_VERSION) {
      throw new UnsatisfiedLinkError(
          "ABI version %d, expected %d".formatted(version, GuardCalls.ABI_VERSION));
    }
    return new Libxip(file);
  }

  @SuppressWarnings("restricted")
  private static void link(Path file) {
    System.load(file.toString());
  }

  /**
   * Links a copy, which has guarded ranges of its own and a signal handler that runs before the
   * present one. The descriptor stays open: the JVM tells libraries apart by path, so the path must
   * not be reused.
   */
  private static void linkCopy(Path file) {
    try (Arena arena = Arena.ofConfined()) {
      HostFile copy = HostFile.memfd("libxip.so");
      copy.write(0, arena.allocateFrom(ValueLayout.JAVA_BYTE, Files.readAllBytes(file)));
      link(copy.descriptorPath());
    } catch (IOException failed) {
      UnsatisfiedLinkError error =
          new UnsatisfiedLinkError(
              "no copy of %s for this class loader: %s".formatted(file, failed));
      error.initCause(failed);
      throw error;
    }
  }
}
