package dev.xip.process;

import static org.assertj.core.api.Assertions.assertThat;

import dev.xip.base.Access;
import dev.xip.base.AddrRange;
import dev.xip.base.Pages;
import dev.xip.file.InPlaceFile;
import dev.xip.host.HostException;
import dev.xip.host.HostFile;
import dev.xip.host.Sharing;
import dev.xip.image.FsImage;
import dev.xip.image.PathResolver;
import dev.xip.image.ext.ExtImage;
import dev.xip.mapping.DirectAccess;
import dev.xip.mapping.PageRun;
import dev.xip.pagetable.X8664Layout;
import dev.xip.phys.FrameUse;
import dev.xip.phys.PhysicalMemory;
import dev.xip.phys.Region;
import dev.xip.vm.FrameStrategy;
import dev.xip.vm.MemoryManager;
import dev.xip.vm.Verifier;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;

/** A machine with an image in a region without page frames, and processes that run from it. */
final class ProcessMachine implements AutoCloseable {
  private static final long REGION = 128L << 20;

  final PhysicalMemory memory;
  final MemoryManager manager;
  final long framesAtBoot;
  private final Region region;
  private final FsImage image;
  private final DirectAccess device;

  /** The image as a device: one contiguous run. */
  private record Device(long byteSize) implements DirectAccess {
    @Override
    public PageRun directAccess(long offset, long length) throws IOException {
      if (!Pages.isAligned(offset) || offset + length > byteSize) {
        throw new IOException("ERANGE: 0x%x".formatted(offset));
      }
      return new PageRun(REGION + offset >>> Pages.SHIFT, Pages.covering(length));
    }
  }

  ProcessMachine(Path packed, FrameStrategy strategy) throws IOException {
    memory = PhysicalMemory.boot(256L << 20, 32L << 20);
    var frames = strategy.on(memory, X8664Layout.INSTANCE);
    try (HostFile host = HostFile.openReadOnly(packed)) {
      long bytes = Pages.roundUp(host.size());
      region = memory.claim("IMAGE", AddrRange.ofLength(REGION, bytes), true);
      memory.mapFile(region, 0, host, 0, bytes, Access.READ, Sharing.SHARED);
      image = ExtImage.open(packed.toString(), memory.window().asSlice(REGION, bytes));
      device = new Device(bytes);
    }
    manager = new MemoryManager(memory, X8664Layout.INSTANCE, frames);
    framesAtBoot = memory.allocator().inUse();
  }

  InPlaceFile open(String path) throws IOException {
    return InPlaceFile.open(path, image, PathResolver.resolve(image, path, true), device);
  }

  ModelledProcess process(String name) throws IOException {
    return ModelledProcess.start(manager, name);
  }

  /** Asserts that all counts agree with the tables. */
  void verify() {
    assertThat(Verifier.verify(manager)).isEmpty();
  }

  /** Asserts that no process has left anything behind. */
  @Override
  public void close() {
    try {
      verify();
      assertThat(manager.spaces()).isEmpty();
      assertThat(memory.allocator().inUse()).isEqualTo(framesAtBoot);
      assertThat(memory.allocator().inUse(FrameUse.ANONYMOUS)).isZero();
      assertThat(manager.badEntries().count()).isZero();
    } finally {
      halt();
    }
  }

  /** Switches the machine off without checks. */
  void halt() {
    try {
      memory.release(region);
    } catch (HostException e) {
      throw new UncheckedIOException(e);
    } finally {
      memory.close();
    }
  }
}
