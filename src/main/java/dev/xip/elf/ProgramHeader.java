package dev.xip.elf;

import dev.xip.base.Access;

/**
 * One program header whose bytes lie inside the file. gABI: Elf64_Phdr.
 *
 * @param type p_type, 0..2^32-1
 * @param access p_flags as access rights
 * @param offset p_offset: where the bytes lie in the file
 * @param address p_vaddr: where they are to lie, before a shared object is moved
 * @param fileSize p_filesz: how many bytes the file has
 * @param memorySize p_memsz: how many bytes memory is to have
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

  /**
   * Tells whether this header describes a part of the file to be mapped.
   *
   * @return true for PT_LOAD
   */
  public boolean isLoadable() {
    return type == ElfLayout.PT_LOAD;
  }
}
