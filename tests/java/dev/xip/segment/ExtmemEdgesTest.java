package dev.xip.segment;

import static dev.xip.segment.SegmentNameTest.refused;
import static dev.xip.segment.SegmentStoreTest.definition;
import static org.assertj.core.api.Assertions.assertThat;

import dev.xip.base.Errno;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** Property 13, the edges: what a failed change of the mode leaves, and megabytes byte by byte. */
class ExtmemEdgesTest extends LoaderFixture {
  @ParameterizedTest
  @EnumSource(
      value = Errno.class,
      names = {"ENOENT", "EIO", "EOPNOTSUPP", "EBUSY", "ERANGE"})
  void aSegmentThatCannotBeReloadedInAnotherModeIsGone(Errno code) throws IOException {
    SegmentName name = A;
    SegmentName other = B;
    store.define(definition(name, SegmentType.SR, 0x100000, 1), SegmentSource.zeros());
    store.define(definition(other, SegmentType.SR, 0x100100, 1), SegmentSource.zeros());
    loader.load(name, SharingMode.SHARED);
    loader.load(other, SharingMode.SHARED);
    store.remove(name);
    Path file = store.folder().resolve(name + StoreFile.DEFINITION_SUFFIX);
    switch (code) {
      case EIO -> Files.write(file, new byte[9]);
      case EOPNOTSUPP -> Files.write(file, DefinitionFileTest.unsupported(name, 0));
      case EBUSY ->
          store.define(definition(name, SegmentType.SR, 0x1001ff, 1), SegmentSource.zeros());
      case ERANGE ->
          store.define(definition(name, SegmentType.SR, WINDOW >> 12, 1), SegmentSource.zeros());
      default -> assertThat(file).doesNotExist();
    }
    refused(
        () -> loader.modifyShared(name, SharingMode.EXCLUSIVE),
        code,
        "segment %s was unloaded".formatted(name));
    assertThat(loader.loaded()).extracting(SavedSegment::name).containsExactly(other);
    refused(() -> loader.unload(name), Errno.EINVAL, "not loaded");
  }

  /** The bytes that count are the last of the lower and the first of the upper segment. */
  @ParameterizedTest
  @CsvSource({
    "0x1000FFFFF, 0x100100000, false",
    "0x100100FFF, 0x100101000, true",
    "0x100000FFF, 0x1000FF000, true",
    "0x100000FFF, 0x100100000, false",
    "0x1000FEFFF, 0x1000FF000, true",
    "0x1001FFFFF, 0x100200000, false",
    "0x1001FFFFF, 0x100201000, false",
    "0x100200FFF, 0x1002FF000, true"
  })
  void twoSegmentsOfOneMegabyteCollide(String lastByte, String firstByte, boolean collide)
      throws IOException {
    long last = Long.decode(lastByte);
    long first = Long.decode(firstByte);
    SegmentName low = A;
    SegmentName high = B;
    store.define(definition(low, SegmentType.SR, last >> 12, 1), SegmentSource.zeros());
    store.define(definition(high, SegmentType.SR, first >> 12, 1), SegmentSource.zeros());
    for (List<SegmentName> order : List.of(List.of(low, high), List.of(high, low))) {
      loader.load(order.getFirst(), SharingMode.SHARED);
      if (collide) {
        refused(
            () -> loader.load(order.getLast(), SharingMode.SHARED),
            Errno.EBUSY,
            "expected megabytes without a segment");
      } else {
        loader.load(order.getLast(), SharingMode.SHARED);
        loader.unload(order.getLast());
      }
      loader.unload(order.getFirst());
    }
    assertThat(loader.loaded()).isEmpty();
  }
}
