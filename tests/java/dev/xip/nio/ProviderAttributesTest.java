package dev.xip.nio;

import static java.nio.file.attribute.AclEntryPermission.APPEND_DATA;
import static java.nio.file.attribute.AclEntryPermission.EXECUTE;
import static java.nio.file.attribute.AclEntryPermission.READ_DATA;
import static java.nio.file.attribute.AclEntryPermission.WRITE_ACL;
import static java.nio.file.attribute.AclEntryPermission.WRITE_DATA;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.xip.testing.HardTree;
import dev.xip.testing.Images;
import dev.xip.testing.Trees;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.AccessDeniedException;
import java.nio.file.AccessMode;
import java.nio.file.DirectoryStream;
import java.nio.file.FileSystem;
import java.nio.file.FileSystemException;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NotDirectoryException;
import java.nio.file.NotLinkException;
import java.nio.file.Path;
import java.nio.file.ReadOnlyFileSystemException;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.AclEntry;
import java.nio.file.attribute.AclEntryFlag;
import java.nio.file.attribute.AclEntryPermission;
import java.nio.file.attribute.AclEntryType;
import java.nio.file.attribute.AclFileAttributeView;
import java.nio.file.attribute.BasicFileAttributeView;
import java.nio.file.attribute.DosFileAttributeView;
import java.nio.file.attribute.FileOwnerAttributeView;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFileAttributeView;
import java.nio.file.attribute.UserDefinedFileAttributeView;
import java.nio.file.attribute.UserPrincipalNotFoundException;
import java.time.Instant;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Attributes of files, lists of directories, and the refusal of every change. */
class ProviderAttributesTest {
  @TempDir Path folder;

  private FileSystem small() throws IOException {
    return FileSystems.newFileSystem(Images.ext2(Trees.small(folder.resolve("tree"))));
  }

  private FileSystem hard() throws IOException {
    return FileSystems.newFileSystem(Images.ext2(HardTree.make(folder.resolve("tree"))));
  }

  /** What an access list allows a principal at once, as one letter for each right. */
  private static String rights(List<AclEntry> list, AclEntryType type, String who) {
    StringBuilder rights = new StringBuilder();
    for (AclEntry each : list) {
      if (each.type() == type && each.principal().getName().equals(who)) {
        Set<AclEntryPermission> set = each.permissions();
        rights.append(set.contains(READ_DATA) ? "r" : "");
        rights.append(set.contains(WRITE_DATA) && set.contains(APPEND_DATA) ? "w" : "");
        rights.append(set.contains(EXECUTE) ? "x" : "");
      }
    }
    return rights.toString();
  }

  @Test
  void aFileWithoutAnAccessListHasThatOfItsMode() throws IOException {
    Path tree = Trees.small(folder.resolve("tree"));
    Files.setPosixFilePermissions(
        tree.resolve("hello.txt"),
        java.nio.file.attribute.PosixFilePermissions.fromString("rw-r-x--x"));
    try (FileSystem image = FileSystems.newFileSystem(Images.ext2(tree))) {
      Path file = image.getPath("hello.txt");
      List<AclEntry> list = Files.getFileAttributeView(file, AclFileAttributeView.class).getAcl();
      assertThat(rights(list, AclEntryType.ALLOW, "OWNER@")).isEqualTo("rw");
      assertThat(rights(list, AclEntryType.DENY, "OWNER@")).isEqualTo("x");
      assertThat(rights(list, AclEntryType.ALLOW, "GROUP@")).isEqualTo("rx");
      assertThat(rights(list, AclEntryType.DENY, "GROUP@")).isEqualTo("w");
      assertThat(rights(list, AclEntryType.ALLOW, "EVERYONE@")).isEqualTo("x");
      assertThat(list.getFirst().permissions()).contains(WRITE_ACL);
      assertThat(Files.getAttribute(file, "acl:acl")).isEqualTo(list);
      list.clear();
      assertThat(Files.getFileAttributeView(file, AclFileAttributeView.class).getAcl())
          .isNotEmpty();
    }
  }

  @Test
  void namedUsersAndGroupsAreMaskedAndDeniedTheRest() throws IOException {
    try (FileSystem image = hard()) {
      AclFileAttributeView view =
          Files.getFileAttributeView(image.getPath("large"), AclFileAttributeView.class);
      List<AclEntry> list = view.getAcl();
      assertThat(view.name()).isEqualTo("acl");
      assertThat(rights(list, AclEntryType.ALLOW, "1234")).isEqualTo("rwx");
      assertThat(rights(list, AclEntryType.ALLOW, "70000")).isEqualTo("w");
      assertThat(rights(list, AclEntryType.DENY, "70000")).isEqualTo("rx");
      assertThat(rights(list, AclEntryType.ALLOW, "77")).isEqualTo("r");
      assertThat(rights(list, AclEntryType.DENY, "77")).isEqualTo("wx");
      assertThat(list.getLast().principal().getName()).isEqualTo("EVERYONE@");
      List<AclEntry> inherited =
          Files.getFileAttributeView(image.getPath("sticky"), AclFileAttributeView.class)
              .getAcl()
              .stream()
              .filter(each -> each.flags().contains(AclEntryFlag.INHERIT_ONLY))
              .toList();
      assertThat(rights(inherited, AclEntryType.ALLOW, "8")).isEqualTo("r");
      assertThat(rights(inherited, AclEntryType.ALLOW, "9")).contains("r");
    }
  }

  @Test
  void timesAreExactFromBefore1970ToAfter2038() throws IOException {
    Path tree = HardTree.make(folder.resolve("tree"));
    Path packed = Images.ext2(tree);
    Images.debugfsWrite(packed, "set_inode_field /own mtime_extra 0xee6b27ff");
    try (FileSystem image = FileSystems.newFileSystem(packed)) {
      assertThat(Files.getLastModifiedTime(image.getPath("f1901-12-14")))
          .isEqualTo(FileTime.from(Instant.parse("1901-12-14T00:00:00Z")));
      // The low two bits of the field are bits 32 and 33 of the seconds, the others nanoseconds.
      long seconds = Files.getLastModifiedTime(tree.resolve("own")).toInstant().getEpochSecond();
      assertThat(Files.getLastModifiedTime(image.getPath("own")).toInstant())
          .isEqualTo(Instant.ofEpochSecond(seconds + (3L << 32), 999_999_999));
    }
  }

  @Test
  void extendedAttributesOfUsersAreReadByName() throws IOException {
    try (FileSystem image = hard()) {
      Path file = image.getPath("own");
      UserDefinedFileAttributeView view =
          Files.getFileAttributeView(file, UserDefinedFileAttributeView.class);
      assertThat(view.list()).containsExactly("a", "empty", "long");
      assertThat(view.size("long")).isEqualTo(3000);
      ByteBuffer buffer = ByteBuffer.allocate(3001);
      assertThat(view.read("long", buffer)).isEqualTo(3000);
      assertThat(buffer.position()).isEqualTo(3000);
      assertThat(Files.getAttribute(file, "user:a")).isEqualTo(new byte[] {'b'});
      assertThat(Files.readAttributes(file, "user:*")).containsOnlyKeys("a", "empty", "long");
      assertThatThrownBy(() -> view.read("long", ByteBuffer.allocate(2999)))
          .isInstanceOf(FileSystemException.class);
      assertThatThrownBy(() -> view.size("none")).isInstanceOf(FileSystemException.class);
    }
  }

  @Test
  void aHardLinkIsTheSameFileUnderTheSameKey() throws IOException {
    try (FileSystem image = small()) {
      Path one = image.getPath("hello.txt");
      Path two = image.getPath("sub/deeper/hard");
      assertThat(Files.isSameFile(one, two)).isTrue();
      assertThat(Files.getAttribute(one, "fileKey")).isEqualTo(Files.getAttribute(two, "fileKey"));
      assertThat(Files.getAttribute(one, "unix:nlink")).isEqualTo(2);
      assertThat(Files.isSameFile(one, image.getPath("empty"))).isFalse();
      assertThat(Files.isSameFile(one, Path.of("/"))).isFalse();
    }
  }

  @Test
  void aDirectoryIsStreamedOnce() throws IOException {
    try (FileSystem image = small()) {
      DirectoryStream<Path> stream = Files.newDirectoryStream(image.getPath("/"), "h*");
      Iterator<Path> files = stream.iterator();
      assertThatThrownBy(stream::iterator).isInstanceOf(IllegalStateException.class);
      assertThat(files.hasNext()).isTrue();
      assertThatThrownBy(files::remove).isInstanceOf(UnsupportedOperationException.class);
      stream.close();
      stream.close();
      assertThat(files.next()).asString().startsWith("/h");
      assertThat(files.hasNext()).isFalse();
      DirectoryStream<Path> closed = Files.newDirectoryStream(image.getPath("/"));
      closed.close();
      assertThatThrownBy(closed::iterator).isInstanceOf(IllegalStateException.class);
      assertThatThrownBy(() -> Files.newDirectoryStream(image.getPath("hello.txt")))
          .isInstanceOf(NotDirectoryException.class);
    }
  }

  @Test
  void aTreeIsWalkedFoundAndCopied() throws IOException {
    try (FileSystem image = small()) {
      Path root = image.getPath("/");
      try (var walk = Files.walk(root);
          var found = Files.find(root, 9, (path, file) -> file.isSymbolicLink());
          var lines = Files.lines(image.getPath("hello.txt"))) {
        assertThat(walk).hasSize(16);
        assertThat(found).hasSize(5);
        assertThat(lines).containsExactly("hello");
      }
      assertThat(Files.mismatch(image.getPath("holes"), folder.resolve("tree/holes")))
          .isEqualTo(-1);
      assertThatThrownBy(() -> Files.readSymbolicLink(image.getPath("hello.txt")))
          .isInstanceOf(NotLinkException.class);
      assertThatThrownBy(() -> Files.readAllBytes(root)).hasMessageContaining("Is a directory");
    }
  }

  @Test
  void accessIsThatOfRootOnAReadOnlyFileSystem() throws IOException {
    try (FileSystem image = small()) {
      Path file = image.getPath("hello.txt");
      var provider = image.provider();
      provider.checkAccess(file);
      provider.checkAccess(file, AccessMode.READ);
      provider.checkAccess(image.getPath("sub"), AccessMode.EXECUTE);
      assertThatThrownBy(() -> provider.checkAccess(file, AccessMode.WRITE))
          .isInstanceOf(AccessDeniedException.class);
      assertThatThrownBy(() -> provider.checkAccess(file, AccessMode.EXECUTE))
          .isInstanceOf(AccessDeniedException.class);
    }
  }

  @Test
  void principalsAreNumbers() throws IOException {
    try (FileSystem image = small()) {
      Path file = image.getPath("hello.txt");
      var owner = Files.getOwner(file);
      var lookup = image.getUserPrincipalLookupService();
      assertThat(lookup.lookupPrincipalByName(owner.getName())).isEqualTo(owner);
      assertThat(lookup.lookupPrincipalByGroupName("7")).hasToString("7").isNotEqualTo(owner);
      for (String each : new String[] {"root", "-1", "4294967296", ""}) {
        assertThatThrownBy(() -> lookup.lookupPrincipalByName(each))
            .isInstanceOf(UserPrincipalNotFoundException.class);
      }
    }
  }

  @Test
  void everyChangeIsRefused() throws IOException {
    try (FileSystem image = small()) {
      Path file = image.getPath("hello.txt");
      Path other = image.getPath("new");
      Map<String, ThrowingCallable> changes =
          Map.ofEntries(
              Map.entry("write", () -> Files.write(other, new byte[1])),
              Map.entry("open", () -> Files.newByteChannel(file, StandardOpenOption.WRITE)),
              Map.entry("append", () -> Files.newOutputStream(file, StandardOpenOption.APPEND)),
              Map.entry(
                  "deleteOnClose",
                  () -> Files.newByteChannel(file, StandardOpenOption.DELETE_ON_CLOSE)),
              Map.entry("directory", () -> Files.createDirectory(other)),
              Map.entry("file", () -> Files.createFile(other)),
              Map.entry("link", () -> Files.createLink(other, file)),
              Map.entry("symbolicLink", () -> Files.createSymbolicLink(other, file)),
              Map.entry("delete", () -> Files.delete(file)),
              Map.entry("deleteIfExists", () -> Files.deleteIfExists(other)),
              Map.entry("copy", () -> Files.copy(file, other)),
              Map.entry("copyInto", () -> Files.copy(folder.resolve("tree/empty"), other)),
              Map.entry("move", () -> Files.move(file, other, StandardCopyOption.ATOMIC_MOVE)),
              Map.entry("time", () -> Files.setLastModifiedTime(file, FileTime.fromMillis(0))),
              Map.entry("permissions", () -> Files.setPosixFilePermissions(file, Set.of())),
              Map.entry("owner", () -> Files.setOwner(file, Files.getOwner(file))),
              Map.entry("mode", () -> Files.setAttribute(file, "unix:mode", 0)),
              Map.entry("userAttribute", () -> Files.setAttribute(file, "user:a", new byte[0])),
              Map.entry(
                  "acl",
                  () ->
                      Files.getFileAttributeView(file, AclFileAttributeView.class)
                          .setAcl(List.of())));
      changes.forEach(
          (name, change) ->
              assertThatThrownBy(change).as(name).isInstanceOf(ReadOnlyFileSystemException.class));
      assertThatThrownBy(() -> Files.setAttribute(file, "none:a", 0))
          .isInstanceOf(UnsupportedOperationException.class);
      assertThatThrownBy(() -> Files.setAttribute(file, "unix:none", 0))
          .isInstanceOf(IllegalArgumentException.class);
    }
  }

  @Test
  void viewsAreThoseThatAreNamed() throws IOException {
    try (FileSystem image = small()) {
      Path link = image.getPath("dangling");
      LinkOption no = LinkOption.NOFOLLOW_LINKS;
      assertThat(image.supportedFileAttributeViews())
          .containsExactlyInAnyOrder("basic", "posix", "owner", "unix", "user", "acl");
      for (var type :
          Arrays.asList(
              BasicFileAttributeView.class,
              PosixFileAttributeView.class,
              FileOwnerAttributeView.class,
              UserDefinedFileAttributeView.class,
              AclFileAttributeView.class)) {
        assertThat(Files.getFileAttributeView(link, type, no).name())
            .isIn(image.supportedFileAttributeViews());
      }
      assertThat(Files.getFileAttributeView(link, DosFileAttributeView.class)).isNull();
      assertThat(Files.isSymbolicLink(link)).isTrue();
      assertThat(Files.exists(link)).isFalse();
      assertThat(Files.exists(link, no)).isTrue();
    }
  }
}
