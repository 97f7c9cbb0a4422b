package dev.xip.cpu;

import dev.xip.base.Pages;
import dev.xip.host.GuestPages;
import dev.xip.host.Register;
import dev.xip.vm.MapException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;

/**
 * The two pages of RAM that a processor has to itself: the task state segment with the stack of
 * entries, and the list of tables to store into. It builds what the resume stubs take, and reads
 * what an entry leaves. {@code include/xip/guest.h} has the layout.
 */
final class UserEntry {
  /** The last byte of the task state segment. */
  static final int TSS_LIMIT = 103;

  private static final long TSS_RSP0 = 4;
  private static final long TSS_IST1 = 0x24;
  private static final long TSS_IO_MAP = 0x66;

  private static final long TOP = Pages.SIZE;
  private static final long FRAME = TOP - GuestPages.FRAME;
  private static final long ERROR_CODE = FRAME - 8;
  private static final long SWITCHED = FRAME - 32;
  private static final int LIST_LENGTH = (int) (Pages.SIZE / Long.BYTES);

  /** The flags that user mode may set: arithmetic, TF, DF, RF, AC, ID. */
  private static final long USER_FLAGS = 0x250dd5;

  /** Bit 1, always set, and IF. */
  private static final long FIXED_FLAGS = 0x202;

  private static final long STUB_FLAGS = 2;

  private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG;
  private static final ValueLayout.OfLong UNALIGNED = ValueLayout.JAVA_LONG_UNALIGNED;

  private final MemorySegment stack;
  private final MemorySegment list;
  private final MemorySegment registers;
  private final long stackAddress;
  private final long listAddress;

  /** The tables that the present or the next stub stores into, and those before {@link #done}. */
  private long[] tables = {};

  private int done;
  private boolean flush = true;
  private long flushes;
  private long tableStores;

  /**
   * Prepares the pages.
   *
   * @param kernel gives the pages
   * @param registers those of the processor
   * @throws MapException ENOMEM if RAM is used up
   */
  UserEntry(KernelHalf kernel, MemorySegment registers) throws MapException {
    long first = kernel.allocate();
    long second = kernel.allocate();
    this.stack = kernel.memory(first);
    this.list = kernel.memory(second);
    this.stackAddress = KernelHalf.direct(first);
    this.listAddress = KernelHalf.direct(second);
    this.registers = registers;
    stack.set(UNALIGNED, TSS_RSP0, stackAddress + TOP);
    stack.set(UNALIGNED, TSS_IST1, stackAddress + TOP);
    stack.set(ValueLayout.JAVA_SHORT, TSS_IO_MAP, (short) (TSS_LIMIT + 1));
  }

  /** The address of the task state segment. */
  long task() {
    return stackAddress;
  }

  /** Adds to what is owed. */
  void owe(boolean alsoFlush, long[] more) {
    flush |= alsoFlush;
    if (more != null) {
      int left = tables.length - done;
      long[] all = Arrays.copyOf(more, more.length + left);
      System.arraycopy(tables, done, all, more.length, left);
      tables = all;
      done = 0;
    }
  }

  /** User mode has run: nothing is owed. */
  void paid() {
    flushes += flush ? 1 : 0;
    tableStores += tables.length;
    flush = false;
    tables = new long[0];
    done = 0;
  }

  /** How many flushes were paid. */
  long flushes() {
    return flushes;
  }

  /** How many tables were stored into, since a hypervisor shadows them. */
  long tableStores() {
    return tableStores;
  }

  /** The stub that pays a part has halted. */
  void paidPart() {
    done += Math.min(LIST_LENGTH, tables.length - done);
  }

  /**
   * Sets the registers and the stack so that the processor, in ring 0, pays what is owed and goes
   * on in user mode; with many tables it pays a part and halts.
   */
  void prepare(MemorySegment user, long root) {
    registers.copyFrom(user);
    put(FRAME, get(user, Register.RIP));
    put(FRAME + 8, GuestPages.USER_CS);
    put(FRAME + 16, get(user, Register.RFLAGS) & USER_FLAGS | FIXED_FLAGS);
    put(FRAME + 24, get(user, Register.RSP));
    put(FRAME + 32, GuestPages.USER_SS);
    set(Register.RFLAGS, STUB_FLAGS);
    int left = tables.length - done;
    if (left == 0 && !flush) {
      set(Register.RSP, stackAddress + FRAME);
      set(Register.RIP, GuestPages.BASE + GuestPages.RESUME);
      return;
    }
    put(SWITCHED, root);
    put(SWITCHED + 8, get(user, Register.RAX));
    put(SWITCHED + 16, get(user, Register.RCX));
    put(SWITCHED + 24, get(user, Register.RSI));
    set(Register.RSP, stackAddress + SWITCHED);
    int count = Math.min(LIST_LENGTH, left);
    for (int i = 0; i < count; i++) {
      list.setAtIndex(LONG, i, KernelHalf.direct(tables[done + i] << Pages.SHIFT));
    }
    set(Register.RSI, listAddress);
    set(Register.RCX, count);
    long stub =
        left > LIST_LENGTH ? GuestPages.PAY_PART : left > 0 ? GuestPages.PAY : GuestPages.SWITCH;
    set(Register.RIP, GuestPages.BASE + stub);
  }

  /** Copies the user's registers after an entry through a gate. */
  void readFrame(MemorySegment user) {
    user.copyFrom(registers);
    user.set(LONG, Register.RIP.offset(), at(FRAME));
    user.set(LONG, Register.RFLAGS.offset(), at(FRAME + 16));
    user.set(LONG, Register.RSP.offset(), at(FRAME + 24));
  }

  /** Whether the last entry through a gate came from user mode. */
  boolean cameFromUser() {
    return (at(FRAME + 8) & 3) == 3;
  }

  /** The instruction that the last entry through a gate came from. */
  long origin() {
    return at(FRAME);
  }

  /** What the processor pushed below the frame, if the exception has an error code. */
  long errorCode() {
    return at(ERROR_CODE);
  }

  private long at(long offset) {
    return stack.get(LONG, offset);
  }

  private void put(long offset, long value) {
    stack.set(LONG, offset, value);
  }

  private void set(Register register, long value) {
    registers.set(LONG, register.offset(), value);
  }

  private static long get(MemorySegment user, Register register) {
    return user.get(LONG, register.offset());
  }
}
