package dev.xip.elf;

import dev.xip.base.MalformedDataException;

/** A file is not ELF, is damaged, or is ELF of a kind that xip does not read. */
public final class MalformedElfException extends MalformedDataException {
  private static final long serialVersionUID = 1L;

  /**
   * Makes an exception.
   *
   * @param file the ELF file's name
   * @param offset the byte offset in it
   * @param expected what the format asks for there
   * @param found what is there
   */
  public MalformedElfException(String file, long offset, String expected, String found) {
    super(file, offset, expected, found);
  }
}
