package dev.xip.nio;

import static org.assertj.core.api.Assertions.assertThat;

import dev.xip.base.FileName;
import dev.xip.image.FsImage;
import dev.xip.image.Inode;
import java.io.IOException;
import java.lang.reflect.Proxy;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.attribute.AclEntry;
import java.nio.file.attribute.AclEntryPermission;
import java.nio.file.attribute.AclEntryType;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

/** Access lists that setfacl(1) does not write are read as posix_acl_from_xattr reads them. */
class AccessListTest {
  private static final int USER_OBJ = 1;
  private static final int USER = 2;
  private static final int GROUP_OBJ = 4;
  private static final int OTHER = 0x20;

  /** The list of a file of mode 640 whose attribute has entries of tag, permissions and id. */
  private static AccessList read(int[]... entries) throws IOException {
    ByteBuffer value = ByteBuffer.allocate(4 + 8 * entries.length).order(ByteOrder.LITTLE_ENDIAN);
    value.putInt(2);
    for (int[] each : entries) {
      value.putShort((short) each[0]).putShort((short) each[1]).putInt(each[2]);
    }
    FileName name = FileName.of("system.posix_acl_access");
    FsImage image =
        (FsImage)
            Proxy.newProxyInstance(
                AccessListTest.class.getClassLoader(),
                new Class<?>[] {FsImage.class},
                (proxy, method, arguments) -> new TreeMap<>(Map.of(name, value.array())));
    Instant time = Instant.EPOCH;
    return AccessList.of(
        image, new Inode(12, 0x400, 0100640, 0, 0, 1, 0, 0, time, time, time, null, 0, 0, 0));
  }

  private static boolean mayRead(AccessList list, String who) {
    List<AclEntry> entries = list.entries();
    return entries.stream()
        .anyMatch(
            each ->
                each.type() == AclEntryType.ALLOW
                    && each.principal().getName().equals(who)
                    && each.permissions().contains(AclEntryPermission.READ_DATA));
  }

  @Test
  void aNamedUserHasAllRightsWhereThereIsNoMask() throws IOException {
    AccessList list =
        read(
            new int[] {USER_OBJ, 6, -1},
            new int[] {USER, 4, 7},
            new int[] {GROUP_OBJ, 0, -1},
            new int[] {OTHER, 0, -1});
    assertThat(mayRead(list, "7")).isTrue();
    assertThat(mayRead(list, "EVERYONE@")).isFalse();
  }
}
