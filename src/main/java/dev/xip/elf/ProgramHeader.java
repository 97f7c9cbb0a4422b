package dev.xip.elf;

import dev.xip.base.Access;

/**
 * One program header whose bytes lie inside the file. gABI: Elf64_Phdr.
 *
 * @param type p_type, 0..2^32-1
 * @param access p_flags as access rights
 * @param offset p_offset: where the bytes lie in the file
 * @param address p_vaddr: their address in memory, without load bias
 * @param fileSize p_filesz: how many bytes the file has
 * @param memorySize p_memsz: how many bytes it has in memory
 * @param alignment p_align: 0 or a power of two
 */
public record ProgramHeader(
    long type,
    Access access,
    long offset,
    long address,
    long fileSize,
    long memorySize,
    long alignment) {

  /** {@return whether this is a PT_LOAD header: a part of the file to be mapped} */
  public boolean isLoadable() {
    return type == ElfLayout.PT_LOAD;
  }
}
