package dev.xip.host;

import dev.xip.bindings.kvm_dtable;
import dev.xip.bindings.kvm_segment;
import dev.xip.bindings.kvm_sregs;
import java.lang.foreign.MemorySegment;

/**
 * The registers that only the kernel of a guest sets: segments, descriptor tables, control
 * registers. A view of the struct kvm_sregs in the struct kvm_run that KVM shares.
 */
public final class SystemRegisters {
  private static final byte ON = 1;
  private static final byte CODE = 0xb;
  private static final byte DATA = 0x3;
  private static final byte BUSY_TASK = 0xb;

  private final MemorySegment struct;

  SystemRegisters(MemorySegment struct) {
    this.struct = struct;
  }

  MemorySegment struct() {
    return struct;
  }

  /** {@return the privilege level: 0 in the kernel, 3 in user mode} */
  public int privilege() {
    return kvm_segment.dpl(kvm_sregs.ss(struct));
  }

  /**
   * Sets flat segments for code of 64 bits and its stack; their low two bits tell the privilege.
   *
   * @param code the selector for CS
   * @param stack the selector for SS
   */
  public void setMode(int code, int stack) {
    flat(kvm_sregs.cs(struct), code, true);
    flat(kvm_sregs.ss(struct), stack, false);
  }

  /**
   * Sets DS and ES to a flat segment, and FS and GS to none.
   *
   * @param data the selector
   */
  public void setData(int data) {
    flat(kvm_sregs.ds(struct), data, false);
    flat(kvm_sregs.es(struct), data, false);
    flat(kvm_sregs.fs(struct), data, false);
    flat(kvm_sregs.gs(struct), data, false);
    kvm_segment.selector(kvm_sregs.fs(struct), (short) 0);
    kvm_segment.selector(kvm_sregs.gs(struct), (short) 0);
  }

  private static void flat(MemorySegment segment, int selector, boolean code) {
    segment.fill((byte) 0);
    kvm_segment.limit(segment, -1);
    kvm_segment.selector(segment, (short) selector);
    kvm_segment.type(segment, code ? CODE : DATA);
    kvm_segment.present(segment, ON);
    kvm_segment.dpl(segment, (byte) (selector & 3));
    kvm_segment.db(segment, code ? 0 : ON);
    kvm_segment.s(segment, ON);
    kvm_segment.l(segment, code ? ON : 0);
    kvm_segment.g(segment, ON);
  }

  /**
   * Sets the task segment, TR.
   *
   * @param base its address
   * @param limit its last byte's offset
   */
  public void setTask(long base, int limit) {
    MemorySegment segment = kvm_sregs.tr(struct);
    segment.fill((byte) 0);
    kvm_segment.base(segment, base);
    kvm_segment.limit(segment, limit);
    kvm_segment.type(segment, BUSY_TASK);
    kvm_segment.present(segment, ON);
  }

  /**
   * Sets GDTR and IDTR.
   *
   * @param gdt the address of the global descriptor table
   * @param gdtLimit its last byte's offset
   * @param idt the address of the interrupt descriptor table
   * @param idtLimit its last byte's offset
   */
  public void setTables(long gdt, int gdtLimit, long idt, int idtLimit) {
    kvm_dtable.base(kvm_sregs.gdt(struct), gdt);
    kvm_dtable.limit(kvm_sregs.gdt(struct), (short) gdtLimit);
    kvm_dtable.base(kvm_sregs.idt(struct), idt);
    kvm_dtable.limit(kvm_sregs.idt(struct), (short) idtLimit);
  }

  /**
   * Sets the control registers.
   *
   * @param cr0 protection, paging, floating point
   * @param cr3 the physical address of the root table
   * @param cr4 extensions
   * @param efer the extended features: long mode, no-execute, SYSCALL
   */
  public void setControl(long cr0, long cr3, long cr4, long efer) {
    kvm_sregs.cr0(struct, cr0);
    kvm_sregs.cr3(struct, cr3);
    kvm_sregs.cr4(struct, cr4);
    kvm_sregs.efer(struct, efer);
  }

  /** {@return CR2: the address of the last page fault} */
  public long faultAddress() {
    return kvm_sregs.cr2(struct);
  }

  /** {@return the base of FS, user mode's thread pointer} */
  public long fsBase() {
    return kvm_segment.base(kvm_sregs.fs(struct));
  }

  /**
   * Sets the base of FS.
   *
   * @param base an address
   */
  public void setFsBase(long base) {
    kvm_segment.base(kvm_sregs.fs(struct), base);
  }

  /** {@return the base of GS} */
  public long gsBase() {
    return kvm_segment.base(kvm_sregs.gs(struct));
  }

  /**
   * Sets the base of GS.
   *
   * @param base an address
   */
  public void setGsBase(long base) {
    kvm_segment.base(kvm_sregs.gs(struct), base);
  }
}
