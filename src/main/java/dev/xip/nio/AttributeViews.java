package dev.xip.nio;

import java.io.IOException;
import java.nio.file.ReadOnlyFileSystemException;
import java.nio.file.attribute.AclEntry;
import java.nio.file.attribute.AclFileAttributeView;
import java.nio.file.attribute.BasicFileAttributeView;
import java.nio.file.attribute.FileAttributeView;
import java.nio.file.attribute.FileOwnerAttributeView;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.GroupPrincipal;
import java.nio.file.attribute.PosixFileAttributeView;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.UserDefinedFileAttributeView;
import java.nio.file.attribute.UserPrincipal;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;

/** The views of a file's attributes. What would change an attribute throws. */
final class AttributeViews {
  private static final Map<Class<?>, Function<FileReference, FileAttributeView>> VIEWS =
      Map.of(
          BasicFileAttributeView.class, Basic::new,
          PosixFileAttributeView.class, Posix::new,
          FileOwnerAttributeView.class, Owner::new,
          UserDefinedFileAttributeView.class, UserAttributes::new,
          AclFileAttributeView.class, Acl::new);

  private AttributeViews() {}

  /** {@return whether there is a view of a type} */
  static boolean has(Class<? extends FileAttributeView> type) {
    return VIEWS.containsKey(type);
  }

  /** {@return a view of a file, or null if there is none of the type} */
  static <V extends FileAttributeView> V of(FileReference file, Class<V> type) {
    Function<FileReference, FileAttributeView> view = VIEWS.get(type);
    return view == null ? null : type.cast(view.apply(file));
  }

  private static class Basic implements BasicFileAttributeView {
    private final FileReference file;

    Basic(FileReference file) {
      this.file = file;
    }

    @Override
    public String name() {
      return "basic";
    }

    @Override
    public XipFileAttributes readAttributes() throws IOException {
      return file.attributes();
    }

    @Override
    public void setTimes(FileTime modified, FileTime accessed, FileTime created) {
      throw new ReadOnlyFileSystemException();
    }
  }

  private static final class Posix extends Basic implements PosixFileAttributeView {
    Posix(FileReference file) {
      super(file);
    }

    @Override
    public String name() {
      return "posix";
    }

    @Override
    public UserPrincipal getOwner() throws IOException {
      return readAttributes().owner();
    }

    @Override
    public void setOwner(UserPrincipal owner) {
      throw new ReadOnlyFileSystemException();
    }

    @Override
    public void setPermissions(Set<PosixFilePermission> permissions) {
      throw new ReadOnlyFileSystemException();
    }

    @Override
    public void setGroup(GroupPrincipal group) {
      throw new ReadOnlyFileSystemException();
    }
  }

  private record Owner(FileReference file) implements FileOwnerAttributeView {
    @Override
    public String name() {
      return "owner";
    }

    @Override
    public UserPrincipal getOwner() throws IOException {
      return file.attributes().owner();
    }

    @Override
    public void setOwner(UserPrincipal owner) {
      throw new ReadOnlyFileSystemException();
    }
  }

  private record Acl(FileReference file) implements AclFileAttributeView {
    @Override
    public String name() {
      return "acl";
    }

    @Override
    public UserPrincipal getOwner() throws IOException {
      return file.attributes().owner();
    }

    @Override
    public void setOwner(UserPrincipal owner) {
      throw new ReadOnlyFileSystemException();
    }

    @Override
    public List<AclEntry> getAcl() throws IOException {
      return new ArrayList<>(file.accessList().entries());
    }

    @Override
    public void setAcl(List<AclEntry> entries) {
      throw new ReadOnlyFileSystemException();
    }
  }
}
