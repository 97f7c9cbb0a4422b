package dev.xip.elf;

/**
 * Where things lie in a 64-bit ELF file. Offsets are in bytes from the start of the structure
 * named. Names and numbers are those of the System V gABI, chapter 4 (ELF header) and chapter 5
 * (program header); the GNU types are those of the Linux Standard Base.
 */
final class ElfLayout {
  private ElfLayout() {}

  // Elf64_Ehdr, at the start of the file: gABI chapter 4, "ELF Header" and "ELF Identification".

  /** Size of the ELF header in bytes, and the value of e_ehsize. */
  static final int EHDR_SIZE = 64;

  /** e_ident[EI_MAG0..3], read as a little-endian u32: {@link #MAGIC}. */
  static final int EI_MAG0 = 0;

  /** e_ident[EI_CLASS], u8: {@link #CLASS64}. */
  static final int EI_CLASS = 4;

  /** e_ident[EI_DATA], u8: {@link #DATA2LSB}. */
  static final int EI_DATA = 5;

  /** e_ident[EI_VERSION], u8: {@link #EV_CURRENT}. */
  static final int EI_VERSION = 6;

  /** e_type, u16: what kind of object file. */
  static final int E_TYPE = 16;

  /** e_machine, u16: the architecture. */
  static final int E_MACHINE = 18;

  /** e_version, u32: {@link #EV_CURRENT}. */
  static final int E_VERSION = 20;

  /** e_entry, u64: the address of the first instruction, 0 if there is none. */
  static final int E_ENTRY = 24;

  /** e_phoff, u64: where the program headers lie in the file. */
  static final int E_PHOFF = 32;

  /** e_ehsize, u16: {@link #EHDR_SIZE}. */
  static final int E_EHSIZE = 52;

  /** e_phentsize, u16: {@link #PHDR_SIZE}. */
  static final int E_PHENTSIZE = 54;

  /** e_phnum, u16: how many program headers, or {@link #PN_XNUM}. */
  static final int E_PHNUM = 56;

  /** 0x7f 'E' 'L' 'F'. */
  static final long MAGIC = 0x464c_457fL;

  /** EI_CLASS of 64-bit objects. */
  static final int CLASS64 = 2;

  /** EI_DATA of little-endian objects. */
  static final int DATA2LSB = 1;

  /** The only version there is. */
  static final int EV_CURRENT = 1;

  /** e_phnum of a file whose count lies in section header 0. */
  static final int PN_XNUM = 0xffff;

  // Elf64_Phdr, e_phnum of them at e_phoff: gABI chapter 5, "Program Header".

  /** Size of a program header in bytes, and the value of e_phentsize. */
  static final int PHDR_SIZE = 56;

  /** p_type, u32. */
  static final int P_TYPE = 0;

  /** p_flags, u32: {@link #PF_X}, {@link #PF_W}, {@link #PF_R}. */
  static final int P_FLAGS = 4;

  /** p_offset, u64: where the bytes lie in the file. */
  static final int P_OFFSET = 8;

  /** p_vaddr, u64: where they are to lie in memory. */
  static final int P_VADDR = 16;

  /** p_filesz, u64: how many bytes the file has, maybe 0. */
  static final int P_FILESZ = 32;

  /** p_memsz, u64: how many bytes memory is to have, maybe 0. */
  static final int P_MEMSZ = 40;

  /** p_align, u64: 0, 1 or a power of two. */
  static final int P_ALIGN = 48;

  /** p_type of an entry to be ignored. */
  static final long PT_NULL = 0;

  /** p_type of a loadable segment. */
  static final long PT_LOAD = 1;

  /** p_type whose flags are those of the stack; LSB. */
  static final long PT_GNU_STACK = 0x6474_e551L;

  /** p_flags: execute. */
  static final long PF_X = 1;

  /** p_flags: write. */
  static final long PF_W = 2;

  /** p_flags: read. */
  static final long PF_R = 4;
}
