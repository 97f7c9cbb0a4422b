package dev.xip.mount;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import dev.xip.base.Access;
import dev.xip.base.AddrRange;
import dev.xip.base.FileName;
import dev.xip.file.WholeFile;
import dev.xip.image.FileType;
import dev.xip.image.FsImage;
import dev.xip.image.Inode;
import dev.xip.image.TreeWalk;
import dev.xip.machine.Machine;
import dev.xip.machine.MachineConfig;
import dev.xip.machine.Mount;
import dev.xip.pagetable.EntryLayout;
import dev.xip.pagetable.Walk;
import dev.xip.segment.OpenSegmentDevice;
import dev.xip.segment.SegmentDefinition;
import dev.xip.segment.SegmentName;
import dev.xip.segment.SegmentPart;
import dev.xip.segment.SegmentSource;
import dev.xip.segment.SegmentStore;
import dev.xip.segment.SegmentType;
import dev.xip.testing.Images;
import dev.xip.testing.SplitImages;
import dev.xip.vm.AddressReader;
import dev.xip.vm.AddressSpace;
import dev.xip.vm.MapRequest;
import java.io.BufferedReader;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** An image that lies in three adjacent segments is the image that was cut. */
class SplitImageTest {
  private static final int PAGE = 4096;
  private static final List<SegmentName> NAMES =
      List.of(new SegmentName("A"), new SegmentName("B"), new SegmentName("C"));

  @TempDir Path folder;
  private Path image;
  private SegmentStore store;
  private long[] cuts;

  private Machine cutAndBoot(boolean inTable) throws IOException {
    image = SplitImages.image(folder);
    try (OpenImage whole = OpenImage.open(image)) {
      cuts = SplitImages.cuts(whole.image(), inTable);
    }
    store = SegmentStore.create(folder.resolve("store"));
    List<SplitImages.Piece> pieces = SplitImages.pieces(image, cuts);
    for (int i = 0; i < 3; i++) {
      SplitImages.Piece piece = pieces.get(i);
      long first = piece.address() / PAGE;
      long pages = Files.size(piece.file()) / PAGE;
      store.define(
          new SegmentDefinition(
              NAMES.get(i), List.of(new SegmentPart(SegmentType.SR, first, first + pages - 1))),
          SegmentSource.moving(piece.file()));
    }
    return Machine.boot(MachineConfig.DEFAULT.withRam(16 << 20), store);
  }

  private static Mount mount(Machine machine) throws IOException {
    return machine.mount(NAMES.toArray(SegmentName[]::new));
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void itReadsAsTheUnsplitOneInSeveralProcessesAtOnce(boolean inTable) throws IOException {
    try (Machine machine = cutAndBoot(inTable);
        Mount mount = mount(machine);
        OpenImage whole = OpenImage.open(image)) {
      long frames = machine.framesInUse();
      List<String> expected = SegmentImageReader.describe(whole.image());
      assertThat(expected).hasSizeGreaterThan(300);
      assertThat(SegmentImageReader.describe(mount.image())).isEqualTo(expected);
      Process other = startReader();
      try (BufferedReader lines = other.inputReader()) {
        List<String> found = new ArrayList<>();
        for (String line = lines.readLine();
            line != null && !line.equals(SegmentImageReader.HELD);
            line = lines.readLine()) {
          found.add(line);
        }
        assertThat(found).isEqualTo(expected);
        assertThat(SegmentImageReader.describe(mount.image())).isEqualTo(expected);
      } finally {
        other.destroyForcibly();
      }
      assertThat(machine.framesInUse()).isEqualTo(frames);
    }
  }

  private Process startReader() throws IOException {
    List<String> command =
        new ArrayList<>(
            List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:TieredStopAtLevel=1",
                "-XX:+UseSerialGC",
                "-Dstdout.encoding=" + System.getProperty("native.encoding"),
                "--enable-native-access=ALL-UNNAMED",
                "-cp",
                System.getProperty("java.class.path"),
                SegmentImageReader.class.getName(),
                store.folder().toString()));
    NAMES.forEach(each -> command.add(each.value()));
    return new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT).start();
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void itsFilesAreWhatDebugfsTakesOutOfTheUnsplitOne(boolean inTable) throws IOException {
    try (Machine machine = cutAndBoot(inTable);
        Mount mount = mount(machine)) {
      Path taken = Images.dump(image, folder.resolve("taken"));
      List<String> files = new ArrayList<>();
      TreeWalk.walk(
          mount.image(),
          mount.image().root(),
          (walk, inode) -> {
            if (inode.type() == FileType.REGULAR) {
              files.add(walk.path().toString());
              assertThat(SegmentImageReader.read(mount.image(), inode))
                  .as(walk.path().toString())
                  .isEqualTo(Files.readAllBytes(taken.resolve(walk.path().toString())));
            }
          });
      assertThat(files).hasSizeGreaterThan(300);
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void aFileAcrossASeamIsOnePieceOfMemory(boolean inTable) throws IOException {
    try (Machine machine = cutAndBoot(inTable);
        Mount mount = mount(machine);
        OpenImage unsplit = OpenImage.open(image);
        OpenImage loaded = OpenImage.open(store, NAMES)) {
      int across = 0;
      for (int i = 0; i < 2; i++) {
        Inode inode = fileAcross(mount.image(), cuts[i]);
        if (inode != null) {
          byte[] expected = SegmentImageReader.read(unsplit.image(), inode);
          try (WholeFile inMachine = mount.whole(inode);
              WholeFile alone = loaded.whole(inode)) {
            assertThat(inMachine.memory().toArray(ValueLayout.JAVA_BYTE)).isEqualTo(expected);
            assertThat(alone.memory().toArray(ValueLayout.JAVA_BYTE)).isEqualTo(expected);
          }
          across++;
        }
      }
      assertThat(across).isEqualTo(inTable ? 1 : 2);
    }
  }

  @Test
  void theViewsOfItsFilesGoWithTheMount() throws IOException {
    try (Machine machine = cutAndBoot(false)) {
      MemorySegment memory;
      try (Mount mount = mount(machine)) {
        WholeFile file = mount.whole(fileAcross(mount.image(), cuts[0]));
        memory = file.memory();
      }
      assertThatIllegalStateException().isThrownBy(() -> memory.get(ValueLayout.JAVA_BYTE, 0));
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void pagesOnBothSidesOfASeamAreMappedInPlace(boolean inTable) throws IOException {
    try (Machine machine = cutAndBoot(inTable);
        Mount mount = mount(machine);
        AddressSpace space = machine.memoryManager().newAddressSpace("reader")) {
      byte[] expected = Files.readAllBytes(image);
      long frames = machine.framesInUse();
      int mapped = 0;
      for (int i = 0; i < 2; i++) {
        requireDeviceReads(mount, cuts[i], expected);
        Inode file = fileAcross(mount.image(), cuts[i]);
        if (file != null) {
          requireMapped(mount, space, file, cuts[i], expected);
          mapped++;
        }
      }
      assertThat(mapped).isEqualTo(inTable ? 1 : 2);
      assertThat(machine.framesInUse()).isEqualTo(frames);
      assertThat(machine.verify()).isEmpty();
    }
  }

  /** A request over two pages, one in each of two segments. */
  private static void requireDeviceReads(Mount mount, long cut, byte[] expected)
      throws IOException {
    try (OpenSegmentDevice use = mount.device().open();
        Arena arena = Arena.ofConfined()) {
      MemorySegment two = arena.allocate(2 * PAGE, PAGE);
      use.read((cut - PAGE) / OpenSegmentDevice.SECTOR, List.of(two));
      assertThat(two.toArray(ValueLayout.JAVA_BYTE))
          .isEqualTo(Arrays.copyOfRange(expected, (int) cut - PAGE, (int) cut + PAGE));
      assertThat(use.directAccess(cut - PAGE, 2 * PAGE).pages()).isEqualTo(2);
      assertThat(use.directAccess(cut, PAGE).pfn())
          .isEqualTo((mount.device().range().start() + cut) / PAGE);
    }
  }

  private static Inode fileAcross(FsImage image, long cut) throws IOException {
    Inode[] found = new Inode[1];
    TreeWalk.walk(
        image,
        image.root(),
        (walk, inode) -> {
          if (inode.type() == FileType.REGULAR && offsetOf(image, inode, cut) >= 0) {
            found[0] = inode;
          }
        });
    return found[0];
  }

  /** The file offset of a byte of the image, -1 if it is in no extent of the file. */
  private static long offsetOf(FsImage image, Inode file, long imageOffset) throws IOException {
    for (int i = 0; i < image.blockMap(file).extentCount(); i++) {
      long into = imageOffset - image.blockMap(file).extent(i).imageOffset();
      if (into > 0 && into < image.blockMap(file).extent(i).length()) {
        return image.blockMap(file).extent(i).fileOffset() + into;
      }
    }
    return -1;
  }

  private static void requireMapped(
      Mount mount, AddressSpace space, Inode file, long cut, byte[] expected) throws IOException {
    AddrRange range =
        space.map(
            MapRequest.shared(mount.open(FileName.of("across").toString(), file), Access.READ));
    AddressReader reader = new AddressReader(space);
    long seam = range.start() + offsetOf(mount.image(), file, cut);
    for (long va = seam - PAGE; va < seam + PAGE; va++) {
      assertThat(reader.getByte(va)).isEqualTo(expected[(int) (cut + va - seam)]);
    }
    EntryLayout layout = space.table().layout();
    long firstPfn = mount.device().range().start() / PAGE;
    for (int side = -1; side <= 0; side++) {
      Walk walk = new Walk();
      space.table().walk(seam + side * PAGE, walk);
      assertThat(layout.isSpecial(walk.pte())).isTrue();
      assertThat(layout.pfn(walk.pte())).isEqualTo(firstPfn + cut / PAGE + side);
    }
  }
}
