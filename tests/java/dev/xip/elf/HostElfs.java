package dev.xip.elf;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;

/** ELF files that every host with a JDK and a C library has. */
final class HostElfs {
  private HostElfs() {}

  /** A program, the C library, the JVM's own library and libxip, as far as this host has them. */
  static Stream<Path> all() {
    return Stream.of(
            Path.of("/bin/ls"),
            Path.of("/lib/x86_64-linux-gnu/libc.so.6"),
            Path.of("/lib/aarch64-linux-gnu/libc.so.6"),
            Path.of(System.getProperty("java.home"), "lib/server/libjvm.so"),
            Path.of(System.getProperty("java.home"), "bin/java"),
            Path.of("target/native/libxip.so"))
        .filter(Files::exists)
        .map(HostElfs::real);
  }

  private static Path real(Path path) {
    try {
      return path.toRealPath();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** A program that is small enough to be damaged byte by byte. */
  static byte[] small() throws IOException {
    return Files.readAllBytes(Path.of("/bin/ls"));
  }
}
