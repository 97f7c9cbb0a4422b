package dev.xip.host;

import java.io.IOException;
import java.io.InputStream;
import java.net.URISyntaxException;
import java.net.URL;
import java.nio.file.FileSystemNotFoundException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.security.CodeSource;
import java.util.Locale;

/**
 * Finds and loads libxip.so once; a failure is kept and thrown at each use. System property {@code
 * xip.library} names the file. Without it the file {@code native/libxip.so} beside the jar or the
 * folder of classes is taken, and else the jar's own entry, which is linked from a memfd and never
 * unpacked. The JVM links a file for one class loader only, so a second loader of xip's classes
 * links a copy in a memfd as well.
 */
final class LibxipLoader {
  private static final String PROPERTY = "xip.library";

  /** Part of the JVM's message about a library that it has linked for another class loader. */
  private static final String LINKED_ELSEWHERE = "already loaded in another classloader";

  /** Where the loaded library was found, or null with the reason in {@link #FAILURE}. */
  static final String PLACE;

  /** Why there is no library, or null. */
  static final UnsatisfiedLinkError FAILURE;

  static {
    String place = null;
    UnsatisfiedLinkError failure = null;
    try {
      place = search();
    } catch (UnsatisfiedLinkError absent) {
      failure = absent;
    }
    PLACE = place;
    FAILURE = failure;
  }

  private LibxipLoader() {}

  /**
   * Demands the library.
   *
   * @throws UnsatisfiedLinkError if it was not found or has another ABI version
   */
  static void requireLoaded() {
    if (PLACE == null) {
      UnsatisfiedLinkError again = new UnsatisfiedLinkError(FAILURE.getMessage());
      again.initCause(FAILURE);
      throw again;
    }
  }

  private static String search() {
    String property = System.getProperty(PROPERTY);
    if (property != null) {
      return load(Path.of(property).toAbsolutePath(), null);
    }
    String host = System.getProperty("os.name") + "-" + System.getProperty("os.arch");
    String entry = "META-INF/native/" + host.toLowerCase(Locale.ROOT) + "/libxip.so";
    return load(besideClasses(), entry);
  }

  /**
   * Loads the file, or the entry beside xip's classes if there is no such file. What is found and
   * refused ends the search: once the JVM has linked a library, its functions stay.
   *
   * @param file the file to look for, or null
   * @param entry the entry's name, or null
   * @return where it was found
   */
  static String load(Path file, String entry) {
    if (file != null && Files.isRegularFile(file)) {
      return loadFile(file);
    }
    String looked = file == null ? "" : file + " is not there";
    if (entry == null) {
      throw failure(looked, null);
    }
    String place = classes() + "!/" + entry;
    try (InputStream packed = LibxipLoader.class.getResourceAsStream("/" + entry)) {
      if (packed == null) {
        throw failure((looked.isEmpty() ? "" : looked + ", nor ") + place, null);
      }
      return loadCopy(place, packed.readAllBytes());
    } catch (IOException failed) {
      throw failure(place + ": " + failed, failed);
    }
  }

  private static UnsatisfiedLinkError failure(String reason, Throwable cause) {
    UnsatisfiedLinkError error =
        new UnsatisfiedLinkError(
            "libxip.so not loaded: %s. Build it with make -C native, or set -D%s=FILE"
                .formatted(reason, PROPERTY));
    error.initCause(cause);
    return error;
  }

  /** {@return where xip's classes lie: the URL of the jar or folder, or null} */
  private static URL classes() {
    CodeSource source = LibxipLoader.class.getProtectionDomain().getCodeSource();
    return source == null ? null : source.getLocation();
  }

  private static Path besideClasses() {
    try {
      URL classes = classes();
      return classes == null
          ? null
          : Path.of(classes.toURI()).toAbsolutePath().resolveSibling("native/libxip.so");
    } catch (URISyntaxException | IllegalArgumentException | FileSystemNotFoundException notAFile) {
      return null;
    }
  }

  private static String loadFile(Path file) {
    try {
      link(file);
    } catch (UnsatisfiedLinkError refused) {
      if (!String.valueOf(refused.getMessage()).contains(LINKED_ELSEWHERE)) {
        throw failure(file + ": " + refused.getMessage(), refused);
      }
      try {
        return loadCopy(file.toString(), Files.readAllBytes(file));
      } catch (IOException failed) {
        throw failure(file + ": " + failed, failed);
      }
    }
    return checked(file.toString());
  }

  /**
   * Links a copy, which has guarded ranges of its own and a signal handler that runs before the
   * present one. The descriptor stays open: the JVM tells libraries apart by path, so the path must
   * not be reused, and debuggers read the symbols there. One call is linked for it, memfd_create:
   * each takes milliseconds, the first one fifty. The JDK writes the bytes, and the library seals
   * them.
   */
  private static String loadCopy(String place, byte[] bytes) {
    HostFile copy = null;
    try {
      copy = HostFile.memfd("libxip.so");
      Files.write(copy.descriptorPath(), bytes, StandardOpenOption.WRITE);
      link(copy.descriptorPath());
    } catch (IOException | UnsatisfiedLinkError failed) {
      if (copy != null) {
        copy.close();
      }
      throw failure("%s, in a memfd: %s".formatted(place, failed.getMessage()), failed);
    }
    // Only a library of the version that is expected need have the function that seals.
    String found = checked(place);
    int refused = GuardCalls.seal(copy.fd());
    if (refused < 0) {
      HostException unsealed =
          new HostException("fcntl", "F_ADD_SEALS, fd=%d".formatted(copy.fd()), -refused);
      throw failure("%s, in a memfd: %s".formatted(place, unsealed.getMessage()), unsealed);
    }
    return found;
  }

  @SuppressWarnings("restricted")
  private static void link(Path file) {
    System.load(file.toString());
  }

  private static String checked(String place) {
    int version = GuardCalls.abiVersion();
    if (version != GuardCalls.ABI_VERSION) {
      throw failure(
          "%s: ABI version %d, expected %d".formatted(place, version, GuardCalls.ABI_VERSION),
          null);
    }
    return place;
  }
}
