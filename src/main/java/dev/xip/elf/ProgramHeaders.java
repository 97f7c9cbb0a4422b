package dev.xip.elf;

import dev.xip.base.Access;
import dev.xip.base.AddrRange;
import dev.xip.base.ByteView;
import dev.xip.base.MalformedDataException;
import dev.xip.base.Pages;
import java.util.ArrayList;
import java.util.List;

/**
 * The program headers of a file, each checked by itself and the loadable ones against each other.
 *
 * @param all in the order of the file
 * @param loadable those of type PT_LOAD, by address
 * @param executableStack what PT_GNU_STACK says, true if there is none
 */
record ProgramHeaders(
    List<ProgramHeader> all, List<LoadableSegment> loadable, boolean executableStack) {

  /** Reads a table that lies at an offset of a file of a size. */
  static ProgramHeaders read(ByteView table, long tableOffset, long fileSize)
      throws MalformedDataException {
    return new Reader(table, tableOffset, fileSize).read();
  }

  /** Keeps the place of the current header, for errors. */
  private static final class Reader {
    private final ByteView table;
    private final long tableOffset;
    private final long fileSize;
    private final List<ProgramHeader> all = new ArrayList<>();
    private final List<LoadableSegment> loadable = new ArrayList<>();
    private boolean executableStack = true;

    /** Where the header being read starts in the table. */
    private long base;

    Reader(ByteView table, long tableOffset, long fileSize) {
      this.table = table;
      this.tableOffset = tableOffset;
      this.fileSize = fileSize;
    }

    ProgramHeaders read() throws MalformedDataException {
      for (base = 0; base < table.size(); base += ElfLayout.PHDR_SIZE) {
        ProgramHeader header = header();
        all.add(header);
        if (header.type() == ElfLayout.PT_NULL) {
          continue;
        }
        checkFileRange(header);
        checkAlignment(header);
        if (header.isLoadable()) {
          checkLoadable(header);
          LoadableSegment segment = LoadableSegment.of(header);
          checkOrder(segment);
          loadable.add(segment);
        } else if (header.type() == ElfLayout.PT_GNU_STACK) {
          executableStack = header.access().execute();
        }
      }
      return new ProgramHeaders(all, loadable, executableStack);
    }

    private ProgramHeader header() throws MalformedDataException {
      long flags = table.u32(base + ElfLayout.P_FLAGS);
      return new ProgramHeader(
          table.u32(base + ElfLayout.P_TYPE),
          new Access(
              (flags & ElfLayout.PF_R) != 0,
              (flags & ElfLayout.PF_W) != 0,
              (flags & ElfLayout.PF_X) != 0),
          table.u64(base + ElfLayout.P_OFFSET),
          table.u64(base + ElfLayout.P_VADDR),
          table.u64(base + ElfLayout.P_FILESZ),
          table.u64(base + ElfLayout.P_MEMSZ),
          table.u64(base + ElfLayout.P_ALIGN));
    }

    private void checkFileRange(ProgramHeader header) throws MalformedDataException {
      if (header.fileSize() < 0 || header.fileSize() > fileSize) {
        throw malformed(
            ElfLayout.P_FILESZ,
            "at most the file's 0x%x bytes".formatted(fileSize),
            header.fileSize());
      }
      // A header without bytes, such as that of the stack or of zeros alone, names no place.
      if (header.offset() < 0
          || (header.fileSize() != 0 && header.offset() > fileSize - header.fileSize())) {
        throw malformed(
            ElfLayout.P_OFFSET,
            "0x%x bytes inside the file of 0x%x".formatted(header.fileSize(), fileSize),
            header.offset());
      }
    }

    private void checkAlignment(ProgramHeader header) throws MalformedDataException {
      if (header.alignment() != 0 && Long.bitCount(header.alignment()) != 1) {
        throw malformed(
            ElfLayout.P_ALIGN, "an alignment that is a power of two", header.alignment());
      }
    }

    private void checkLoadable(ProgramHeader header) throws MalformedDataException {
      if (header.memorySize() < header.fileSize()) {
        throw malformed(
            ElfLayout.P_MEMSZ,
            "at least the 0x%x bytes of the file".formatted(header.fileSize()),
            header.memorySize());
      }
      // The last page must end below 2^63 as well.
      if (header.address() < 0
          || header.address() > Long.MAX_VALUE - Pages.SIZE - header.memorySize()) {
        throw malformed(
            ElfLayout.P_VADDR,
            "0x%x bytes of memory below 2^63".formatted(header.memorySize()),
            header.address());
      }
      if (((header.address() ^ header.offset()) & Pages.OFFSET_MASK) != 0) {
        throw malformed(
            ElfLayout.P_VADDR,
            "an address congruent to offset 0x%x modulo 0x%x"
                .formatted(header.offset(), Pages.SIZE),
            header.address());
      }
    }

    private void checkOrder(LoadableSegment segment) throws MalformedDataException {
      if (loadable.isEmpty()) {
        return;
      }
      AddrRange before = loadable.getLast().pages();
      if (segment.pages().start() < before.end()) {
        throw malformed(
            ElfLayout.P_VADDR,
            "a page after the segment before, which takes " + before,
            segment.address());
      }
    }

    private MalformedDataException malformed(int field, String expected, long found) {
      return table.malformed(tableOffset + base + field, expected, "0x%x".formatted(found));
    }
  }
}
