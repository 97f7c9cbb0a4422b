package dev.xip.elf;

import dev.xip.base.ByteView;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.List;

/**
 * The headers of a 64-bit little-endian program or shared object, checked as a whole: file offsets
 * computed from them stay inside the file, addresses below 2^63. Immutable.
 *
 * @param file the file's name
 * @param machine the architecture
 * @param type whether its addresses are fixed or need a load bias
 * @param entry the address of the first instruction, 0 if there is none
 * @param headers the program headers in the order of the file
 * @param segments those to be mapped, by address; no two share a page
 * @param executableStack whether the stack must be executable, which is also so if the file does
 *     not say (no PT_GNU_STACK)
 */
public record ElfImage(
    String file,
    ElfMachine machine,
    ElfType type,
    long entry,
    List<ProgramHeader> headers,
    List<LoadableSegment> segments,
    boolean executableStack) {

  /** Copies the lists, so that they stay as they were checked. */
  public ElfImage {
    headers = List.copyOf(headers);
    segments = List.copyOf(segments);
  }

  /**
   * Reads the headers of a file in contiguous memory. Precondition: the memory is not truncated
   * during the call; bytes of an image are read with the other method.
   *
   * @param file the file's name, for errors
   * @param bytes the whole file
   * @return the headers
   * @throws MalformedElfException if they are damaged or of a kind that is not read
   */
  public static ElfImage read(String file, MemorySegment bytes) throws MalformedElfException {
    try {
      return read(
          file,
          bytes.byteSize(),
          (position, destination) ->
              MemorySegment.copy(bytes, position, destination, 0, destination.byteSize()));
    } catch (MalformedElfException e) {
      throw e;
    } catch (IOException e) {
      throw new AssertionError("copying memory does no I/O", e);
    }
  }

  /**
   * Reads the headers of a file. They are copied to the heap first, so that they cannot change
   * after the check.
   *
   * @param file the file's name, for errors
   * @param size the file's length in bytes
   * @param bytes its bytes
   * @return the headers
   * @throws MalformedElfException if they are damaged or of a kind that is not read
   * @throws IOException passed on from reading the bytes
   */
  public static ElfImage read(String file, long size, ElfBytes bytes) throws IOException {
    byte[] header = new byte[(int) Math.min(size, ElfLayout.EHDR_SIZE)];
    bytes.read(0, MemorySegment.ofArray(header));
    ElfHeader checked = ElfHeader.read(view(file, header), size);
    byte[] table = new byte[checked.headerCount() * ElfLayout.PHDR_SIZE];
    bytes.read(checked.headerOffset(), MemorySegment.ofArray(table));
    ProgramHeaders headers = ProgramHeaders.read(view(file, table), checked.headerOffset(), size);
    if (checked.entry() != 0
        && headers.loadable().stream().noneMatch(s -> s.contains(checked.entry()))) {
      throw new MalformedElfException(
          file,
          ElfLayout.E_ENTRY,
          "an entry address inside a loadable segment",
          "0x%x".formatted(checked.entry()));
    }
    return new ElfImage(
        file,
        checked.machine(),
        checked.type(),
        checked.entry(),
        headers.all(),
        headers.loadable(),
        headers.executableStack());
  }

  private static ByteView view(String file, byte[] copy) {
    return new ByteView(MemorySegment.ofArray(copy), file, MalformedElfException::new);
  }
}
