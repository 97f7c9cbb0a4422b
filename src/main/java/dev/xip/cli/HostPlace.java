package dev.xip.cli;

import dev.xip.base.FileName;
import dev.xip.host.HostPaths;
import java.nio.file.Path;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/**
 * Host paths from the user: arguments, whose bytes are kept and in which a trailing slash requires
 * a folder, and the folders that the environment names.
 */
final class HostPlace implements ITypeConverter<Path> {
  HostPlace() {}

  @Override
  public Path convert(String argument) {
    return of(demandSome(argument));
  }

  /** Refuses an empty argument, such as an empty variable: to Java it is the working folder. */
  static String demandSome(String argument) {
    if (argument.isEmpty()) {
      throw new TypeConversionException("expected a path, found an empty argument");
    }
    return argument;
  }

  /**
   * {@return the path of an argument, as {@link HostPaths#typed} makes it}
   *
   * @param argument as typed, or recovered by {@link RawArguments}
   */
  static Path of(String argument) {
    return HostPaths.typed(argument);
  }

  /** Keeps an argument as it is, but refuses an empty one. */
  static final class Some implements ITypeConverter<String> {
    @Override
    public String convert(String argument) {
      return demandSome(argument);
    }
  }

  /** {@return an argument that names a file to read, in which a dash is standard input} */
  private static String input(String argument) {
    return demandSome(argument).equals("-") ? "/dev/stdin" : argument;
  }

  /** Converts an argument that names a file to read, or a dash, and keeps it as text. */
  static final class Input implements ITypeConverter<String> {
    @Override
    public String convert(String argument) {
      return input(argument);
    }
  }

  /** Converts an argument that names a file to read, or a dash. */
  static final class InputFile implements ITypeConverter<Path> {
    @Override
    public Path convert(String argument) {
      return of(input(argument));
    }
  }

  /** Converts an argument that names a folder, with or without a trailing slash. */
  static final class Folder implements ITypeConverter<Path> {
    @Override
    public Path convert(String argument) {
      return HostPaths.of(FileName.of(demandSome(argument)));
    }
  }

  /** {@return the user's home folder: $HOME, else that of the system's user database} */
  static Path home() {
    return named("HOME", "user.home");
  }

  /** {@return the folder for temporary files: $TMPDIR, else /tmp} */
  static Path temporary() {
    return named("TMPDIR", "java.io.tmpdir");
  }

  private static Path named(String variable, String property) {
    String value = RawArguments.variable(variable);
    return value == null ? Path.of(System.getProperty(property)) : HostPaths.of(FileName.of(value));
  }
}
