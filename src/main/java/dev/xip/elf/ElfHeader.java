package dev.xip.elf;

import dev.xip.base.ByteView;
import dev.xip.base.MalformedDataException;

/**
 * An ELF header that was checked field by field. gABI: Elf64_Ehdr; Linux counterpart: the first
 * checks of {@code load_elf_binary} (fs/binfmt_elf.c).
 *
 * @param machine e_machine
 * @param type e_type
 * @param entry e_entry, at least 0
 * @param headerOffset e_phoff
 * @param headerCount e_phnum; that many headers lie inside the file
 */
record ElfHeader(ElfMachine machine, ElfType type, long entry, long headerOffset, int headerCount) {

  /** Reads the header from a view of the first bytes of a file of a size. */
  static ElfHeader read(ByteView view, long size) throws MalformedDataException {
    view.checkRange(0, ElfLayout.EHDR_SIZE, "an ELF header");
    expect(view, ElfLayout.EI_MAG0, view.u32(ElfLayout.EI_MAG0), ElfLayout.MAGIC, "magic number");
    expect(view, ElfLayout.EI_CLASS, view.u8(ElfLayout.EI_CLASS), ElfLayout.CLASS64, "class");
    expect(view, ElfLayout.EI_DATA, view.u8(ElfLayout.EI_DATA), ElfLayout.DATA2LSB, "data order");
    expect(
        view, ElfLayout.EI_VERSION, view.u8(ElfLayout.EI_VERSION), ElfLayout.EV_CURRENT, "version");
    expect(
        view, ElfLayout.E_VERSION, view.u32(ElfLayout.E_VERSION), ElfLayout.EV_CURRENT, "version");
    ElfMachine machine = ElfMachine.of(view.u16(ElfLayout.E_MACHINE));
    if (machine == null) {
      throw view.malformed(
          ElfLayout.E_MACHINE,
          "the machine x86-64 (62), AArch64 (183) or RISC-V (243)",
          "machine " + view.u16(ElfLayout.E_MACHINE));
    }
    ElfType type = ElfType.of(view.u16(ElfLayout.E_TYPE));
    if (type == null) {
      throw view.malformed(
          ElfLayout.E_TYPE,
          "an executable (2) or a shared object (3)",
          "type " + view.u16(ElfLayout.E_TYPE));
    }
    long entry = view.u64(ElfLayout.E_ENTRY);
    if (entry < 0) {
      throw view.malformed(
          ElfLayout.E_ENTRY, "an entry address below 2^63", "0x%x".formatted(entry));
    }
    int count = headerCount(view);
    return new ElfHeader(machine, type, entry, headerOffset(view, count, size), count);
  }

  private static int headerCount(ByteView view) throws MalformedDataException {
    int ehsize = view.u16(ElfLayout.E_EHSIZE);
    expect(view, ElfLayout.E_EHSIZE, ehsize, ElfLayout.EHDR_SIZE, "ELF header size");
    int count = view.u16(ElfLayout.E_PHNUM);
    if (count == 0 || count == ElfLayout.PN_XNUM) {
      throw view.malformed(ElfLayout.E_PHNUM, "1..65534 program headers", "0x%x".formatted(count));
    }
    int phentsize = view.u16(ElfLayout.E_PHENTSIZE);
    expect(view, ElfLayout.E_PHENTSIZE, phentsize, ElfLayout.PHDR_SIZE, "program header size");
    return count;
  }

  private static long headerOffset(ByteView view, int count, long size)
      throws MalformedDataException {
    long offset = view.u64(ElfLayout.E_PHOFF);
    long length = (long) count * ElfLayout.PHDR_SIZE;
    if (offset < 0 || offset > size - length) {
      throw view.malformed(
          ElfLayout.E_PHOFF,
          "%d program headers inside the file of 0x%x bytes".formatted(count, size),
          "offset 0x%x".formatted(offset));
    }
    return offset;
  }

  private static void expect(ByteView view, int at, long found, long expected, String what)
      throws MalformedDataException {
    if (found != expected) {
      throw view.malformed(at, "%s 0x%x".formatted(what, expected), "0x%x".formatted(found));
    }
  }
}
