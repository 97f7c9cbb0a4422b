package dev.xip.nio;

import dev.xip.image.FsInfo;
import java.io.IOException;
import java.nio.file.FileStore;
import java.nio.file.attribute.FileAttributeView;
import java.nio.file.attribute.FileStoreAttributeView;
import java.util.Objects;

/** An image as the store of its files: how large it is, and which views of attributes it has. */
final class XipFileStore extends FileStore {
  private final XipFileSystem fileSystem;

  XipFileStore(XipFileSystem fileSystem) {
    this.fileSystem = fileSystem;
  }

  private FsInfo info() {
    return fileSystem.image().info();
  }

  /** {@return the name of the image} */
  @Override
  public String name() {
    return fileSystem.image().name();
  }

  /** {@return the format of the image, such as {@code ext4}} */
  @Override
  public String type() {
    return info().format();
  }

  @Override
  public boolean isReadOnly() {
    return true;
  }

  /** {@return the bytes of all blocks, also of those that hold no file's bytes} */
  @Override
  public long getTotalSpace() {
    return info().blocks() * info().blockSize();
  }

  /** {@return 0: nothing can be written} */
  @Override
  public long getUsableSpace() {
    return 0;
  }

  /** {@return the bytes of the blocks that hold nothing, at most those of all} */
  @Override
  public long getUnallocatedSpace() {
    return Math.clamp(info().freeBlocks(), 0, info().blocks()) * info().blockSize();
  }

  @Override
  public long getBlockSize() {
    return info().blockSize();
  }

  @Override
  public boolean supportsFileAttributeView(Class<? extends FileAttributeView> type) {
    return AttributeViews.has(Objects.requireNonNull(type));
  }

  @Override
  public boolean supportsFileAttributeView(String name) {
    return NamedAttributes.views().contains(Objects.requireNonNull(name));
  }

  @Override
  public <V extends FileStoreAttributeView> V getFileStoreAttributeView(Class<V> type) {
    Objects.requireNonNull(type);
    return null;
  }

  @Override
  public Object getAttribute(String attribute) throws IOException {
    return switch (attribute) {
      case "totalSpace" -> getTotalSpace();
      case "usableSpace" -> getUsableSpace();
      case "unallocatedSpace" -> getUnallocatedSpace();
      default ->
          throw new UnsupportedOperationException(
              attribute + ": expected totalSpace, usableSpace or unallocatedSpace");
    };
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof XipFileStore store
        && store.fileSystem.volume().key().equals(fileSystem.volume().key());
  }

  @Override
  public int hashCode() {
    return fileSystem.volume().key().hashCode();
  }

  @Override
  public String toString() {
    return "%s (%s)".formatted(name(), type());
  }
}
