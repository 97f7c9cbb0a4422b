package dev.xip.elf;

import dev.xip.base.Access;
import dev.xip.base.Pages;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;

/**
 * The headers of an ELF core file: one loadable segment for each mapping, none of whose bytes lies
 * in the same page as a header. gABI: e_type ET_CORE; Linux counterpart: {@code elf_core_dump}
 * (fs/binfmt_elf.c), which also writes notes with the registers of threads.
 *
 * @param machine the machine whose memory it is
 * @param segments the mappings in order of address; at most 65,534
 */
public record CoreHeaders(ElfMachine machine, List<Segment> segments) {
  private static final int ET_CORE = 4;

  /**
   * A mapping.
   *
   * @param address its first address, page aligned
   * @param memorySize its length in bytes
   * @param fileSize how many of its bytes, from the first on, are in the file
   * @param access its rights
   */
  public record Segment(long address, long memorySize, long fileSize, Access access) {}

  /** Takes a copy of the list. */
  public CoreHeaders {
    segments = List.copyOf(segments);
    if (segments.size() >= ElfLayout.PN_XNUM) {
      throw new IllegalArgumentException(
          "a core file: expected at most %d segments, found %d"
              .formatted(ElfLayout.PN_XNUM - 1, segments.size()));
    }
  }

  /** {@return where the bytes of the first segment lie in the file} */
  public long firstByte() {
    return Pages.roundUp(ElfLayout.EHDR_SIZE + (long) segments.size() * ElfLayout.PHDR_SIZE);
  }

  /** {@return the ELF header and the program headers, to be read from position 0} */
  public ByteBuffer bytes() {
    ByteBuffer to =
        ByteBuffer.allocate(ElfLayout.EHDR_SIZE + segments.size() * ElfLayout.PHDR_SIZE)
            .order(ByteOrder.LITTLE_ENDIAN);
    to.putInt(ElfLayout.EI_MAG0, (int) ElfLayout.MAGIC);
    to.put(ElfLayout.EI_CLASS, (byte) ElfLayout.CLASS64);
    to.put(ElfLayout.EI_DATA, (byte) ElfLayout.DATA2LSB);
    to.put(ElfLayout.EI_VERSION, (byte) ElfLayout.EV_CURRENT);
    to.putShort(ElfLayout.E_TYPE, (short) ET_CORE);
    to.putShort(ElfLayout.E_MACHINE, (short) machine.number());
    to.putInt(ElfLayout.E_VERSION, ElfLayout.EV_CURRENT);
    to.putLong(ElfLayout.E_PHOFF, ElfLayout.EHDR_SIZE);
    to.putShort(ElfLayout.E_EHSIZE, (short) ElfLayout.EHDR_SIZE);
    to.putShort(ElfLayout.E_PHENTSIZE, (short) ElfLayout.PHDR_SIZE);
    to.putShort(ElfLayout.E_PHNUM, (short) segments.size());
    long offset = firstByte();
    int at = ElfLayout.EHDR_SIZE;
    for (Segment each : segments) {
      to.putInt(at + ElfLayout.P_TYPE, (int) ElfLayout.PT_LOAD);
      to.putInt(at + ElfLayout.P_FLAGS, (int) flags(each.access()));
      to.putLong(at + ElfLayout.P_OFFSET, offset);
      to.putLong(at + ElfLayout.P_VADDR, each.address());
      to.putLong(at + ElfLayout.P_FILESZ, each.fileSize());
      to.putLong(at + ElfLayout.P_MEMSZ, each.memorySize());
      to.putLong(at + ElfLayout.P_ALIGN, Pages.SIZE);
      offset += each.fileSize();
      at += ElfLayout.PHDR_SIZE;
    }
    return to;
  }

  private static long flags(Access access) {
    return (access.read() ? ElfLayout.PF_R : 0)
        | (access.write() ? ElfLayout.PF_W : 0)
        | (access.execute() ? ElfLayout.PF_X : 0);
  }
}
