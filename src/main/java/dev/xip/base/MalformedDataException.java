package dev.xip.base;

import java.nio.file.FileSystemException;

/**
 * Data on disk is not what its format allows. The message names the file, the byte offset, what was
 * expected and what was found.
 */
public class MalformedDataException extends FileSystemException {
  private static final long serialVersionUID = 1L;

  /** The byte offset in the file. */
  private final long offset;

  /** The value that the format asks for there. */
  private final String expected;

  /** What is there. */
  private final String found;

  /** Makes the exception by which a package reports damage in its own format. */
  @FunctionalInterface
  public interface Factory {
    /**
     * Makes one exception.
     *
     * @param file the file's name
     * @param offset the byte offset in it
     * @param expected what the format asks for there
     * @param found what is there
     * @return the exception, not thrown yet
     */
    MalformedDataException at(String file, long offset, String expected, String found);
  }

  /**
   * Makes an exception.
   *
   * @param file the file's name
   * @param offset the byte offset in it
   * @param expected what the format asks for there
   * @param found what is there
   */
  public MalformedDataException(String file, long offset, String expected, String found) {
    super(file, null, "at byte 0x%x: expected %s, found %s".formatted(offset, expected, found));
    this.offset = offset;
    this.expected = expected;
    this.found = found;
  }

  /** {@return the byte offset in the file} */
  public long offset() {
    return offset;
  }

  /** {@return the phrase for what the format asks for} */
  public String expected() {
    return expected;
  }

  /** {@return the phrase for what is there instead} */
  public String found() {
    return found;
  }
}
