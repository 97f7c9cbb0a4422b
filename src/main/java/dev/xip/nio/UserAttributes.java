package dev.xip.nio;

import dev.xip.base.FileName;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.FileSystemException;
import java.nio.file.ReadOnlyFileSystemException;
import java.nio.file.attribute.UserDefinedFileAttributeView;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/**
 * The extended attributes of a file whose names begin with {@code user.}, which the names here
 * leave out.
 *
 * @param file the file
 */
record UserAttributes(FileReference file) implements UserDefinedFileAttributeView {
  private static final String PREFIX = "user.";

  @Override
  public String name() {
    return "user";
  }

  /** {@return the values by name} */
  Map<String, byte[]> all() throws IOException {
    Map<String, byte[]> all = new LinkedHashMap<>();
    file.extendedAttributes()
        .forEach(
            (name, value) -> {
              String text = name.exactText();
              if (text.startsWith(PREFIX)) {
                all.put(text.substring(PREFIX.length()), value);
              }
            });
    return all;
  }

  @Override
  public List<String> list() throws IOException {
    return List.copyOf(all().keySet());
  }

  private byte[] value(String name) throws IOException {
    byte[] value =
        file.extendedAttributes().get(FileName.of(PREFIX + Objects.requireNonNull(name)));
    if (value == null) {
      throw new FileSystemException(
          file.path().toString(), null, "no extended attribute user." + name);
    }
    return value;
  }

  @Override
  public int size(String name) throws IOException {
    return value(name).length;
  }

  @Override
  public int read(String name, ByteBuffer to) throws IOException {
    if (to.isReadOnly()) {
      throw new IllegalArgumentException("expected a buffer that can be written");
    }
    byte[] value = value(name);
    if (to.remaining() < value.length) {
      throw new FileSystemException(
          file.path().toString(),
          null,
          "user.%s has %d bytes: expected room for them, not for %d"
              .formatted(name, value.length, to.remaining()));
    }
    to.put(value);
    return value.length;
  }

  @Override
  public int write(String name, ByteBuffer from) {
    throw new ReadOnlyFileSystemException();
  }

  @Override
  public void delete(String name) {
    throw new ReadOnlyFileSystemException();
  }
}
