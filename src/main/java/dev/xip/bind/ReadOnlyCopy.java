package dev.xip.bind;

import dev.xip.file.CachedFile;
import dev.xip.file.ReadableFile;
import dev.xip.mapping.CachedPages;
import dev.xip.mapping.Mapper;
import dev.xip.mapping.PageRun;
import java.io.IOException;
import java.lang.foreign.MemorySegment;

/** A copy of a file of the host, into which no shared mapping stores: the host would not see it. */
final class ReadOnlyCopy implements ReadableFile {
  private final CachedFile copy;

  ReadOnlyCopy(CachedFile copy) {
    this.copy = copy;
  }

  @Override
  public String name() {
    return copy.name();
  }

  @Override
  public long size() {
    return copy.size();
  }

  @Override
  public CachedPages cachedPages() {
    return copy;
  }

  @Override
  public PageRun translate(long pageOffset) {
    return copy.translate(pageOffset);
  }

  @Override
  public void attach(Mapper mapper) {
    copy.attach(mapper);
  }

  @Override
  public void detach(Mapper mapper) {
    copy.detach(mapper);
  }

  @Override
  public long read(long position, MemorySegment destination) throws IOException {
    return copy.read(position, destination);
  }
}
