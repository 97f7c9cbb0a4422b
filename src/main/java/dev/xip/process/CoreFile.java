package dev.xip.process;

import dev.xip.base.Pages;
import dev.xip.elf.CoreHeaders;
import dev.xip.elf.ElfMachine;
import dev.xip.vm.AddressSpace;
import dev.xip.vm.DumpPages;
import dev.xip.vm.PinnedPages;
import dev.xip.vm.Vma;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.channels.SeekableByteChannel;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/**
 * Writes the memory of a process as an ELF core file. A page that {@link DumpPages} leaves out is a
 * hole in the file: a debugger reads it as zeros. Pages without a page frame are among them, so the
 * text of a program in place is not in its dump. Linux counterpart: {@code elf_core_dump}
 * (fs/binfmt_elf.c).
 *
 * @param pages how many pages were written
 * @param holes how many pages of dumped mappings were left out
 */
public record CoreFile(long pages, long holes) {
  /**
   * Writes a core file. Precondition: no other thread changes the address space.
   *
   * @param space the memory
   * @param machine the machine whose memory it is
   * @param kinds what the dump is to contain, such as {@link DumpPages#DEFAULT}
   * @param to an empty channel that can be written; it is left open
   * @return how much was written
   * @throws IOException if the channel fails
   */
  public static CoreFile write(
      AddressSpace space, ElfMachine machine, Set<DumpPages.Kind> kinds, SeekableByteChannel to)
      throws IOException {
    DumpPages dump = new DumpPages(space);
    List<CoreHeaders.Segment> segments = new ArrayList<>();
    for (Vma vma : space.vmas()) {
      segments.add(
          new CoreHeaders.Segment(
              vma.range().start(), vma.range().length(), dump.bytesOf(vma, kinds), vma.access()));
    }
    CoreHeaders headers = new CoreHeaders(machine, segments);
    writeAt(to, 0, headers.bytes());
    ByteBuffer page = ByteBuffer.allocate((int) Pages.SIZE);
    long at = headers.firstByte();
    long pages = 0;
    for (CoreHeaders.Segment each : segments) {
      for (long done = 0; done < each.fileSize(); done += Pages.SIZE, at += Pages.SIZE) {
        try (PinnedPages pinned = dump.page(each.address() + done)) {
          if (pinned.count() > 0) {
            pinned.read(0, 0, MemorySegment.ofBuffer(page.clear()));
            writeAt(to, at, page);
            pages++;
          }
        }
      }
    }
    if (to.size() < at) {
      writeAt(to, at - 1, ByteBuffer.allocate(1));
    }
    return new CoreFile(pages, (at - headers.firstByte() >>> Pages.SHIFT) - pages);
  }

  private static void writeAt(SeekableByteChannel to, long position, ByteBuffer bytes)
      throws IOException {
    to.position(position);
    while (bytes.hasRemaining()) {
      to.write(bytes);
    }
  }
}
