package dev.xip.linux;

import dev.xip.base.FileName;
import dev.xip.base.Pages;
import dev.xip.vfs.Node;
import dev.xip.vfs.Vfs;
import dev.xip.vm.AddressSpace;
import dev.xip.vm.SpaceMaps;
import dev.xip.vm.Vma;
import dev.xip.vm.VmaFlags;
import java.io.IOException;

/** /proc/PID/maps and smaps. Linux counterpart: {@code show_map_vma} (fs/proc/task_mmu.c). */
final class MapsText {
  /** Where the path begins in a line. */
  private static final int PATH_COLUMN = 73;

  private final Kernel kernel;
  private final Task task;

  MapsText(Kernel kernel, Task task) {
    this.kernel = kernel;
    this.task = task;
  }

  private AddressSpace space() {
    return task.process().space();
  }

  byte[] maps() {
    StringBuilder text = new StringBuilder();
    for (Vma each : space().vmas()) {
      text.append(line(each)).append('\n');
    }
    return ProcFolder.bytes(text.toString());
  }

  byte[] smaps() {
    return ProcFolder.bytes(SpaceMaps.smaps(space(), this::line));
  }

  private String line(Vma vma) {
    String path = path(vma);
    Node node = node(vma, path);
    long device = node == null ? 0 : node.tree().device();
    String numbers =
        "%08x-%08x %s %08x %02x:%02x %d "
            .formatted(
                vma.range().start(),
                vma.range().end(),
                VmaFlags.describe(vma.flags()),
                vma.isAnonymous() ? 0 : vma.pageOffset() << Pages.SHIFT,
                device >>> 8,
                device & 0xff,
                node == null ? 0 : node.number());
    return path.isEmpty()
        ? numbers
        : numbers + " ".repeat(Math.max(0, PATH_COLUMN - numbers.length())) + path;
  }

  private String path(Vma vma) {
    if (!vma.isAnonymous()) {
      return vma.file().name().replace("\n", "\\012");
    }
    return vma.has(VmaFlags.GROWSDOWN) ? "[stack]" : task.heap().holds(vma.range()) ? "[heap]" : "";
  }

  /** The file of a mapping if it still has its name, else null. */
  private Node node(Vma vma, String path) {
    if (vma.isAnonymous() || !path.startsWith("/")) {
      return null;
    }
    try {
      Vfs files = kernel.files();
      return files.resolve(files.root(), FileName.of(path), true);
    } catch (IOException e) {
      return null;
    }
  }
}
