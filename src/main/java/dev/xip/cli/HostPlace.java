package dev.xip.cli;

import dev.xip.base.FileName;
import dev.xip.host.HostPaths;
import java.nio.file.Files;
import java.nio.file.Path;
import picocli.CommandLine.ITypeConverter;

/**
 * Paths of the host as people give them: arguments, whose bytes are kept and whose slash at the end
 * asks for a folder, and the folders that the environment names.
 */
final class HostPlace implements ITypeConverter<Path> {
  HostPlace() {}

  @Override
  public Path convert(String argument) {
    return of(argument);
  }

  /**
   * Makes the path that an argument means.
   *
   * @param argument as typed, perhaps recovered by {@link RawArguments}
   * @return the path; with a dot as its last name where a slash at the end asks for a folder that
   *     is not there, for a path of Java has no such slash
   */
  static Path of(String argument) {
    Path path = HostPaths.of(FileName.of(argument));
    boolean plain = !argument.endsWith("/") || Files.isDirectory(path);
    return plain ? path : path.resolve(".");
  }

  /** Takes an argument that names a folder, with or without a slash at its end. */
  static final class Folder implements ITypeConverter<Path> {
    @Override
    public Path convert(String argument) {
      return HostPaths.of(FileName.of(argument));
    }
  }

  /** Returns the user's own folder: $HOME, else what the system's list of users has. */
  static Path home() {
    return named("HOME", "user.home");
  }

  /** Returns the folder for files that do not stay: $TMPDIR, else /tmp. */
  static Path temporary() {
    return named("TMPDIR", "java.io.tmpdir");
  }

  private static Path named(String variable, String property) {
    String value = RawArguments.variable(variable);
    return value == null ? Path.of(System.getProperty(property)) : HostPaths.of(FileName.of(value));
  }
}
