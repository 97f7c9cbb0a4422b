package dev.xip.linux;

import dev.xip.base.AddrRange;
import dev.xip.base.Pages;
import dev.xip.elf.LoadableSegment;
import dev.xip.process.ModelledProcess;
import dev.xip.vm.MemoryFaultException;
import java.util.ArrayList;
import java.util.List;

/**
 * Writes what a program finds on its stack below the strings: count and addresses of arguments,
 * those of the environment, and the auxiliary vector. Linux counterpart: {@code create_elf_tables}
 * (fs/binfmt_elf.c).
 */
final class InitialStack {
  private static final int AT_NULL = 0;
  private static final int AT_PHDR = 3;
  private static final int AT_PHENT = 4;
  private static final int AT_PHNUM = 5;
  private static final int AT_PAGESZ = 6;
  private static final int AT_BASE = 7;
  private static final int AT_FLAGS = 8;
  private static final int AT_ENTRY = 9;
  private static final int AT_UID = 11;
  private static final int AT_EUID = 12;
  private static final int AT_GID = 13;
  private static final int AT_EGID = 14;
  private static final int AT_CLKTCK = 17;
  private static final int AT_SECURE = 23;
  private static final int AT_RANDOM = 25;
  private static final int AT_EXECFN = 31;

  private static final int RANDOM_BYTES = 16;
  private static final int HEADER_BYTES = 56;
  private static final int TICKS_PER_SECOND = 100;

  /** Where the ELF header has the offset of the program headers. */
  private static final int PHOFF = 32;

  private final ModelledProcess process;
  private final UserMemory memory;
  private final List<Long> words = new ArrayList<>();

  InitialStack(ModelledProcess process, UserMemory memory) {
    this.process = process;
    this.memory = memory;
  }

  /**
   * Writes it.
   *
   * @param interpreterBase where the interpreter is mapped, 0 if there is none
   * @return the stack pointer to start with, a multiple of 16
   */
  long write(long interpreterBase) throws MemoryFaultException {
    AddrRange arguments = process.argumentBytes();
    byte[] random = Devices.randomBytes(RANDOM_BYTES);
    long randomAt = (arguments.start() & -16) - RANDOM_BYTES;
    memory.write(randomAt, random, RANDOM_BYTES);
    long count = addStrings(arguments);
    words.addFirst(count);
    addStrings(process.environmentBytes());
    addAuxiliary(randomAt, interpreterBase);
    long start = randomAt - 8L * words.size() & -16;
    for (int i = 0; i < words.size(); i++) {
      memory.putLong(start + 8L * i, words.get(i));
    }
    return start;
  }

  /** Adds the address of each string, and a null. */
  private long addStrings(AddrRange strings) throws MemoryFaultException {
    byte[] bytes = memory.read(strings.start(), (int) strings.length());
    long count = 0;
    int start = 0;
    for (int i = 0; i < bytes.length; i++) {
      if (bytes[i] == 0) {
        words.add(strings.start() + start);
        start = i + 1;
        count++;
      }
    }
    words.add(0L);
    return count;
  }

  private void addAuxiliary(long randomAt, long interpreterBase) throws MemoryFaultException {
    List<LoadableSegment> segments = process.image().segments();
    for (LoadableSegment segment : segments) {
      if (segment.firstFilePage() == 0 && segment.filePages().length() > 0) {
        long header = segment.filePages().start() + process.bias();
        add(AT_PHDR, header + memory.getLong(header + PHOFF));
        break;
      }
    }
    add(AT_PHENT, HEADER_BYTES);
    add(AT_PHNUM, process.image().headers().size());
    add(AT_PAGESZ, Pages.SIZE);
    add(AT_BASE, interpreterBase);
    add(AT_FLAGS, 0);
    add(AT_ENTRY, process.entry());
    add(AT_UID, IdentityCalls.USER);
    add(AT_EUID, IdentityCalls.USER);
    add(AT_GID, IdentityCalls.USER);
    add(AT_EGID, IdentityCalls.USER);
    add(AT_CLKTCK, TICKS_PER_SECOND);
    add(AT_SECURE, 0);
    add(AT_RANDOM, randomAt);
    // The program's name is the string above the environment.
    add(AT_EXECFN, process.environmentBytes().end());
    add(AT_NULL, 0);
  }

  private void add(int type, long value) {
    words.add((long) type);
    words.add(value);
  }
}
