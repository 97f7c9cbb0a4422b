package dev.xip.cli;

import dev.xip.base.FileName;
import dev.xip.host.HostPaths;
import java.nio.file.Files;
import java.nio.file.Path;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/**
 * Paths of the host as people give them: arguments, whose bytes are kept and whose slash at the end
 * asks for a folder, and the folders that the environment names.
 */
final class HostPlace implements ITypeConverter<Path> {
  HostPlace() {}

  @Override
  public Path convert(String argument) {
    return of(demandSome(argument));
  }

  /** An empty path of Java is the working folder, which an empty variable does not mean. */
  static String demandSome(String argument) {
    if (argument.isEmpty()) {
      throw new TypeConversionException("expected a path, found an empty word");
    }
    return argument;
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

  /** Takes an argument that names something, as it is. */
  static final class Some implements ITypeConverter<String> {
    @Override
    public String convert(String argument) {
      return demandSome(argument);
    }
  }

  /** Takes an argument that names a folder, with or without a slash at its end. */
  static final class Folder implements ITypeConverter<Path> {
    @Override
    public Path convert(String argument) {
      return HostPaths.of(FileName.of(demandSome(argument)));
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
