package dev.xip.vm;

import dev.xip.base.Access;
import dev.xip.base.Pages;
import dev.xip.mapping.Translation;
import java.io.IOException;

/**
 * Answers faults, with the map lock held shared. Linux counterpart: {@code handle_pte_fault}
 * (mm/memory.c) and {@code xip_file_fault} (mm/filemap_xip.c).
 */
final class FaultHandler {
  private final Insertion insertion;
  private final MemoryManager manager;

  FaultHandler(AddressSpace space) {
    this.manager = space.manager();
    this.insertion = new Insertion(space);
  }

  FaultResult handle(VmaList vmas, long va, Access wanted) {
    Vma vma = vmas.find(va);
    if (vma == null) {
      return segmentationFault(va, "no mapping there");
    }
    if (!vma.access().supersetOf(wanted)) {
      return segmentationFault(va, wanted + " access to " + vma);
    }
    return fileFault(vma, Pages.roundDown(va));
  }

  private FaultResult fileFault(Vma vma, long va) {
    long page = vma.pageAt(va);
    if (page >= Pages.covering(vma.file().size())) {
      return busError(
          va,
          "page 0x%x of %s: expected one of its 0x%x pages"
              .formatted(page, vma.file().name(), Pages.covering(vma.file().size())),
          null);
    }
    try {
      Translation translation = vma.file().translate(page);
      return inserted(
          va,
          translation.isHole()
              ? insertion.insertFrame(vma, va, manager.sparsePfn())
              : insertion.insertMixed(vma, va, translation.pfn()));
    } catch (IOException e) {
      return busError(va, e.getMessage(), e);
    }
  }

  private static FaultResult inserted(long va, InsertResult result) {
    return switch (result) {
      case INSERTED -> FaultResult.Handled.MAPPED;
      case EBUSY -> FaultResult.Handled.PRESENT;
      case ENOMEM ->
          new FaultResult.Refused(
              new MemoryFaultException.OutOfMemory(va, "no free frame of RAM for a page table"));
      case EFAULT, EINVAL ->
          throw new IllegalStateException("BUG: %s at address 0x%x".formatted(result, va));
    };
  }

  private static FaultResult segmentationFault(long va, String why) {
    return new FaultResult.Refused(new MemoryFaultException.SegmentationFault(va, why));
  }

  private static FaultResult busError(long va, String why, IOException cause) {
    return new FaultResult.Refused(new MemoryFaultException.BusError(va, why, cause));
  }
}
