package dev.xip.mount;

import dev.xip.base.Access;
import dev.xip.base.AddrRange;
import dev.xip.file.WholeFile;
import dev.xip.host.Libxip;
import dev.xip.image.CorruptImageException;
import dev.xip.image.FileContent;
import dev.xip.image.Inode;
import dev.xip.image.MemoryFaults;
import dev.xip.image.PathResolver;
import dev.xip.machine.Machine;
import dev.xip.machine.MachineConfig;
import dev.xip.machine.Mount;
import dev.xip.segment.SegmentName;
import dev.xip.segment.SegmentSource;
import dev.xip.segment.SegmentStore;
import dev.xip.segment.SegmentType;
import dev.xip.vm.AddressReader;
import dev.xip.vm.AddressSpace;
import dev.xip.vm.MapRequest;
import dev.xip.vm.MemoryFaultException;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.zip.Adler32;
import java.util.zip.CRC32;
import java.util.zip.CRC32C;
import java.util.zip.Checksum;
import java.util.zip.Deflater;

/**
 * Does everything that can be done with the memory of a file in an image, until it is compiled,
 * truncates the image, and does it again. Prints one line for each way: its name and how many times
 * out of {@link #ROUNDS} it got the checked exception that names file and offset.
 */
final class CutImageUser {
  static final int ROUNDS = 50;
  private static final int WARM_UP = 20_000;
  private static final int FEWEST = 1_000;
  private static final long WARM_UP_NANOS = 800_000_000;
  private static final long PAGES_LEFT = 80;
  private static final long PAGE = 4096;

  private final Path image;
  private final Path folder;

  private CutImageUser(Path image, Path folder) {
    this.image = image;
    this.folder = folder;
  }

  /** An operation on a file's bytes. */
  private interface Use {
    Object of(MemorySegment file, MemorySegment copy) throws IOException;
  }

  /** An operation on a file's addresses. */
  private interface Read {
    Object from(AddressReader reader, AddrRange file, MemorySegment room) throws IOException;
  }

  private static Map<String, Use> uses(Path sink) throws IOException {
    FileChannel channel =
        FileChannel.open(sink, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
    Map<String, Use> uses = new LinkedHashMap<>();
    uses.put("mismatch", (file, copy) -> file.mismatch(copy));
    uses.put("mismatchOfArray", (file, copy) -> file.mismatch(array(copy)));
    uses.put("equals", (file, copy) -> file.asByteBuffer().equals(copy.asByteBuffer()));
    uses.put("compareTo", (file, copy) -> file.asByteBuffer().compareTo(copy.asByteBuffer()));
    uses.put("crc32", (file, copy) -> sum(new CRC32(), file));
    uses.put("crc32c", (file, copy) -> sum(new CRC32C(), file));
    uses.put("adler32", (file, copy) -> sum(new Adler32(), file));
    uses.put("deflate", (file, copy) -> deflated(file));
    uses.put("sha256", (file, copy) -> digest(file));
    uses.put("copyFrom", (file, copy) -> copy.copyFrom(file));
    uses.put("toArray", (file, copy) -> file.toArray(ValueLayout.JAVA_BYTE));
    uses.put("write", (file, copy) -> channel.write(file.asByteBuffer(), 0));
    uses.put("writeEnd", (file, copy) -> channel.write(file.asByteBuffer().position(90 * 4096), 0));
    uses.put("sumInC", (file, copy) -> Libxip.get().sumOfLongs(file));
    uses.put("sum", (file, copy) -> sumOf(file));
    uses.put("one", (file, copy) -> file.get(ValueLayout.JAVA_LONG, 100 * PAGE));
    uses.put("getString", (file, copy) -> file.getString(file.byteSize() - 8));
    return uses;
  }

  private static MemorySegment array(MemorySegment copy) {
    return MemorySegment.ofArray(copy.toArray(ValueLayout.JAVA_BYTE));
  }

  private static long sum(Checksum sum, MemorySegment file) {
    sum.update(file.asByteBuffer());
    return sum.getValue();
  }

  private static int deflated(MemorySegment file) {
    Deflater deflater = new Deflater(1);
    deflater.setInput(file.asByteBuffer());
    int bytes = deflater.deflate(new byte[1 << 16]);
    deflater.end();
    return bytes;
  }

  private static byte[] digest(MemorySegment file) throws IOException {
    try {
      MessageDigest sha256 = MessageDigest.getInstance("SHA-256");
      sha256.update(file.asByteBuffer());
      return sha256.digest();
    } catch (NoSuchAlgorithmException e) {
      throw new IOException(e);
    }
  }

  private static long sumOf(MemorySegment file) {
    long sum = 0;
    for (long at = 0; at < file.byteSize(); at += 8) {
      sum += file.get(ValueLayout.JAVA_LONG, at);
    }
    return sum;
  }

  private static Map<String, Read> reads() {
    Map<String, Read> reads = new LinkedHashMap<>();
    long[] addresses = new long[100];
    long[] values = new long[100];
    reads.put("getLong", (reader, file, room) -> reader.getLong(file.start() + 100 * PAGE));
    reads.put("getByte", (reader, file, room) -> reader.getByte(file.start() + 100 * PAGE));
    reads.put(
        "getLongsInALoop",
        (reader, file, room) -> {
          long sum = 0;
          for (long at = file.start(); at < file.end(); at += 512) {
            sum += reader.getLong(at);
          }
          return sum;
        });
    reads.put(
        "getLongs",
        (reader, file, room) -> {
          for (int i = 0; i < addresses.length; i++) {
            addresses[i] = file.start() + i * PAGE;
          }
          reader.getLongs(addresses, values, addresses.length);
          return values[99];
        });
    reads.put(
        "copy",
        (reader, file, room) -> {
          reader.copy(file.start() + PAGE, room, 0, room.byteSize() - 2 * PAGE);
          return room;
        });
    reads.put(
        "copyEach",
        (reader, file, room) -> {
          for (int i = 0; i < addresses.length; i++) {
            addresses[i] = file.start() + i * PAGE;
          }
          reader.copyEach(addresses, addresses.length, PAGE, room, 0);
          return room;
        });
    return reads;
  }

  private static Object kept;

  private void use(String name, Use use) throws IOException {
    Path own = Files.copy(image, folder.resolve(name + ".img"));
    try (OpenImage mount = OpenImage.open(own);
        Arena arena = Arena.ofShared()) {
      Inode inode = PathResolver.resolve(mount.image(), "/file", true);
      try (WholeFile whole = mount.whole(inode)) {
        MemorySegment file = whole.memory();
        long opened = mount.image().memory().byteSize();
        MemorySegment copy = arena.allocate(file.byteSize(), 8);
        copy.copyFrom(file);
        MemoryFaults.Operation<Object> operation = () -> use.of(file, copy);
        long start = System.nanoTime();
        for (int i = 0; isCold(i, start); i++) {
          kept = MemoryFaults.guarded(own.toString(), opened, operation);
        }
        long left = lengthLeft(mount, inode);
        cut(own, left);
        int met = 0;
        for (int i = 0; i < ROUNDS; i++) {
          try {
            kept = MemoryFaults.guarded(own.toString(), opened, operation);
          } catch (CorruptImageException e) {
            met += e.offset() == left && e.getMessage().contains(own.toString()) ? 1 : 0;
          }
        }
        System.out.println(name + " " + met);
      }
    }
  }

  private void useContent() throws IOException {
    Path own = Files.copy(image, folder.resolve("content.img"));
    try (OpenImage mount = OpenImage.open(own);
        Arena arena = Arena.ofShared()) {
      Inode inode = PathResolver.resolve(mount.image(), "/file", true);
      FileContent content = FileContent.of(mount.image(), inode);
      MemorySegment room = arena.allocate(PAGE);
      for (int i = 0; i < WARM_UP; i++) {
        content.read(i % 100 * PAGE, room);
      }
      long left = lengthLeft(mount, inode);
      cut(own, left);
      int met = 0;
      for (int i = 0; i < ROUNDS; i++) {
        content.read(i * PAGE, room);
        try {
          content.read((90 + i) * PAGE, room);
        } catch (CorruptImageException e) {
          met += e.offset() == left && e.getFile().equals(own.toString()) ? 1 : 0;
        }
      }
      System.out.println("content " + met);
    }
  }

  /**
   * Cheap work is repeated until the second compiler has compiled it, expensive work for as long.
   */
  private static boolean isCold(int rounds, long start) {
    return rounds < WARM_UP && (rounds < FEWEST || System.nanoTime() - start < WARM_UP_NANOS);
  }

  private static long lengthLeft(OpenImage mount, Inode inode) throws IOException {
    return mount.image().blockMap(inode).imageOffset(PAGES_LEFT * PAGE);
  }

  private void read(String name, Read read) throws IOException {
    SegmentStore store = SegmentStore.create(folder.resolve(name));
    SegmentName segment = SegmentName.of("IMAGE");
    store.define(
        store.place(segment, SegmentType.SR, Files.size(image)),
        SegmentSource.copyOf(image, done -> {}));
    try (Machine machine = Machine.boot(MachineConfig.DEFAULT.withRam(32 << 20), store);
        Mount mount = machine.mount(segment);
        Arena arena = Arena.ofShared();
        AddressSpace space = machine.memoryManager().newAddressSpace("reader")) {
      Inode inode = PathResolver.resolve(mount.image(), "/file", true);
      AddrRange file = space.map(MapRequest.shared(mount.open("file", inode), Access.READ));
      AddressReader reader = new AddressReader(space);
      MemorySegment room = arena.allocate(inode.size());
      long start = System.nanoTime();
      for (int i = 0; isCold(i, start); i++) {
        kept = read.from(reader, file, room);
      }
      long left = mount.image().blockMap(inode).imageOffset(PAGES_LEFT * PAGE);
      cut(folder.resolve(name).resolve("IMAGE.1.data"), left);
      int met = 0;
      for (int i = 0; i < ROUNDS; i++) {
        try {
          kept = read.from(reader, file, room);
        } catch (MemoryFaultException.BusError e) {
          met += e.getMessage().contains("file was cut while mapped, in or after page 0x") ? 1 : 0;
        }
      }
      System.out.println(name + " " + met);
      kept = reader.getLong(file.start());
    }
  }

  private static void cut(Path file, long length) throws IOException {
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
      channel.truncate(length);
    }
  }

  public static void main(String[] args) throws IOException {
    Path folder = Path.of(args[1]);
    CutImageUser user = new CutImageUser(Path.of(args[0]), folder);
    for (Map.Entry<String, Use> each : uses(folder.resolve("sink")).entrySet()) {
      user.use(each.getKey(), each.getValue());
    }
    user.useContent();
    for (Map.Entry<String, Read> each : reads().entrySet()) {
      user.read(each.getKey(), each.getValue());
    }
    System.out.println("end");
  }
}
