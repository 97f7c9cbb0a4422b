package dev.xip.segment;

import dev.xip.testing.Strace;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Reads the steps out of system calls. A call that it does not know is an error, as it might change
 * anything.
 */
final class DiskSteps {
  /** Calls that neither change a file or a folder nor force it to the disk. */
  private static final Set<String> HARMLESS =
      Set.of(
          ("access close dup dup2 dup3 faccessat faccessat2 fadvise64 fcntl flock fstat fstatfs"
                  + " fchmod fchown getdents64 ioctl lseek lstat newfstatat readlink stat statfs"
                  + " statx")
              .split(" "));

  private final Path root;
  private final List<DiskStep> steps = new ArrayList<>();

  /** Where the next write through a descriptor goes. */
  private final Map<String, Long> positions = new HashMap<>();

  private DiskSteps(Path root) {
    this.root = root;
  }

  /** Tells whether a call is a step, if it succeeds. */
  static boolean isStep(Strace.Call call) {
    return switch (call.name()) {
      case "openat" -> call.text(2).contains("O_CREAT") || call.text(2).contains("O_TRUNC");
      case "mmap" -> call.text(2).contains("PROT_WRITE") && call.text(3).contains("MAP_SHARED");
      default -> !HARMLESS.contains(call.name());
    };
  }

  /** Returns the steps of the calls. */
  static List<DiskStep> of(List<Strace.Call> calls, Path root) {
    DiskSteps reader = new DiskSteps(root);
    calls.stream().filter(Strace.Call::succeeded).forEach(reader::read);
    return List.copyOf(reader.steps);
  }

  private void read(Strace.Call call) {
    switch (call.name()) {
      case "openat" -> positions.put(call.result(), 0L);
      case "lseek" -> positions.put(call.text(0), Long.parseLong(call.result()));
      default -> {}
    }
    if (isStep(call)) {
      step(call);
    }
  }

  private void step(Strace.Call call) {
    switch (call.name()) {
      case "openat" -> {
        if (call.text(2).contains("O_CREAT")) {
          steps.add(new DiskStep.Make(path(call, 1)));
        }
        if (call.text(2).contains("O_TRUNC")) {
          steps.add(new DiskStep.Resize(path(call, 1), 0));
        }
      }
      case "write" -> {
        long offset = positions.get(call.text(0));
        write(call, offset);
        positions.put(call.text(0), offset + Long.parseLong(call.result()));
      }
      case "pwrite64" -> write(call, Long.parseLong(call.text(3)));
      case "ftruncate" ->
          steps.add(new DiskStep.Resize(path(call, 0), Long.parseLong(call.text(1))));
      case "fsync", "fdatasync" -> steps.add(new DiskStep.Sync(path(call, 0)));
      case "link" -> steps.add(new DiskStep.Link(path(call, 0), path(call, 1)));
      case "linkat" -> steps.add(new DiskStep.Link(path(call, 1), path(call, 3)));
      case "rename" -> steps.add(new DiskStep.Rename(path(call, 0), path(call, 1)));
      case "renameat" -> steps.add(new DiskStep.Rename(path(call, 1), path(call, 3)));
      case "unlink" -> steps.add(new DiskStep.Unlink(path(call, 0)));
      case "unlinkat" -> steps.add(new DiskStep.Unlink(path(call, 1)));
      default -> throw new AssertionError("a call that the model of the disk lacks: " + call);
    }
  }

  private void write(Strace.Call call, long offset) {
    byte[] bytes = call.text(1).getBytes(StandardCharsets.ISO_8859_1);
    steps.add(
        new DiskStep.Write(
            path(call, 0), offset, Arrays.copyOf(bytes, Integer.parseInt(call.result()))));
  }

  private Path path(Strace.Call call, int argument) {
    Path path = call.path(argument);
    if (!path.startsWith(root)) {
      throw new AssertionError("a call that reaches outside of %s: %s".formatted(root, call));
    }
    return root.relativize(path);
  }
}
