package dev.xip.process;

import dev.xip.base.Access;
import dev.xip.base.AddrRange;
import dev.xip.base.Pages;
import dev.xip.elf.ElfImage;
import dev.xip.elf.ElfType;
import dev.xip.elf.LoadableSegment;
import dev.xip.file.ReadableFile;
import dev.xip.vm.AddressSpace;
import dev.xip.vm.AddressWriter;
import dev.xip.vm.MapException;
import dev.xip.vm.MapRequest;
import dev.xip.vm.MemoryFaultException;
import java.lang.foreign.MemorySegment;

/**
 * Maps the loadable segments of a program privately: text of a file in place keeps special entries,
 * and data is copied page by page at the first store. Linux counterpart: {@code elf_map}, {@code
 * set_brk} and {@code padzero} (fs/binfmt_elf.c).
 */
final class ProgramSegments {
  private static final long HEAP_ROOM = 1L << 36;

  private final AddressSpace space;
  private final ReadableFile file;
  private final ElfImage image;

  ProgramSegments(AddressSpace space, ReadableFile file, ElfImage image) {
    this.space = space;
    this.file = file;
    this.image = image;
  }

  /**
   * Maps all segments of a program.
   *
   * @return what is added to every address that the file names
   */
  long map() throws MapException, MemoryFaultException {
    return map(0);
  }

  /**
   * Maps all segments of a program's interpreter: above the program, which leaves the room between
   * them to its heap.
   *
   * @return what is added to every address that the file names
   */
  long mapInterpreter() throws MapException, MemoryFaultException {
    return map(HEAP_ROOM);
  }

  private long map(long above) throws MapException, MemoryFaultException {
    long bias = bias(above);
    for (LoadableSegment segment : image.segments()) {
      mapFilePages(segment, bias);
      mapZeroPages(segment, bias);
    }
    return bias;
  }

  /** Two thirds of the address space up. Linux counterpart: {@code ELF_ET_DYN_BASE}. */
  private long bias(long above) {
    if (image.type() == ElfType.EXECUTABLE || image.segments().isEmpty()) {
      return 0;
    }
    long base = Pages.roundDown(space.manager().addressLimit() / 3 * 2);
    return base + above - image.segments().getFirst().pages().start();
  }

  private void mapFilePages(LoadableSegment segment, long bias)
      throws MapException, MemoryFaultException {
    AddrRange pages = segment.filePages();
    if (pages.length() == 0) {
      return;
    }
    space.map(
        MapRequest.privately(file, segment.access())
            .pages(segment.firstFilePage(), pages.length())
            .at(pages.start() + bias));
    AddrRange tail = segment.zeroTail();
    // The kernel ignores a failure here: a read-only segment keeps the file's bytes there.
    if (tail.length() > 0 && segment.access().write()) {
      new AddressWriter(space)
          .copy(
              MemorySegment.ofArray(new byte[(int) tail.length()]),
              0,
              tail.start() + bias,
              tail.length());
    }
  }

  private void mapZeroPages(LoadableSegment segment, long bias) throws MapException {
    AddrRange pages = segment.zeroPages();
    if (pages.length() > 0) {
      space.map(MapRequest.anonymous(pages.length(), Access.READ_WRITE).at(pages.start() + bias));
    }
  }
}
