package dev.xip.image.erofs;

import dev.xip.base.ByteView;
import dev.xip.base.FileName;
import dev.xip.image.BlockMap;
import dev.xip.image.CorruptImageException;
import dev.xip.image.DecodedExtent;
import dev.xip.image.Extent;
import dev.xip.image.ExtentDecoder;
import dev.xip.image.FileContent;
import dev.xip.image.FileType;
import dev.xip.image.FsInfo;
import dev.xip.image.GuardedImage;
import dev.xip.image.Inode;
import dev.xip.image.MemoryFaults;
import dev.xip.image.Verdict;
import dev.xip.image.erofs.Clusters.Form;
import dev.xip.image.erofs.InodeTable.Body;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.SortedMap;
import java.util.TreeMap;

/** An EROFS image on one device. Immutable and safe for any number of threads. */
public final class ErofsImage extends GuardedImage {
  /** The largest directory or metabox that is decoded as a whole, in bytes. */
  private static final int MOST_DECODED = 64 << 20;

  private final Superblock superblock;

  /** Null if the image has none. */
  private final Metabox metabox;

  private final InodeTable inodes;
  private final DataBlocks blocks;

  /** Null until the first fragment or prefix is read. */
  private volatile FileContent packed;

  /** Null until the first extended attribute is read. */
  private volatile NamePrefixes prefixes;

  private ErofsImage(ByteView view) throws IOException {
    super(view);
    this.superblock = Superblock.read(view);
    this.metabox = superblock.metaboxNid() == 0 ? null : new Metabox(this::loadMetabox);
    this.inodes = new InodeTable(view, superblock, metabox);
    this.blocks = new DataBlocks(view, superblock);
  }

  /**
   * Opens an image.
   *
   * @param name the image file's name, as errors show it
   * @param memory the image, in memory or mapped by this project's own {@code host} package, which
   *     notes what is lost when the file is cut; the caller closes it
   * @return the image
   * @throws CorruptImageException if it is no EROFS image, is damaged or shorter than it says, or
   *     needs a feature or a device that is not read
   * @throws IOException if it cannot be read
   */
  public static ErofsImage open(String name, MemorySegment memory) throws IOException {
    ByteView view = CorruptImageException.view(memory, name);
    try {
      return new ErofsImage(view);
    } finally {
      MemoryFaults.checkWhole(name, memory);
    }
  }

  @Override
  public FsInfo info() {
    return superblock.info();
  }

  @Override
  protected long rootNumber() {
    return inodes.number(superblock.rootNid());
  }

  @Override
  protected Inode readInode(long number) throws IOException {
    return inodes.read(number);
  }

  @Override
  protected DirectoryBlocks openDirectory(Inode directory) throws IOException {
    Body body = inodes.body(directory);
    ByteView bytes = view;
    BlockMap map = blocks.map(directory, body);
    if (directory.size() > 0 && blocks.mustBeDecoded(directory, body)) {
      bytes = decoded(directory, body);
      BlockMap.Builder one = new BlockMap.Builder();
      one.add(0, 0, directory.size());
      map = one.build(Verdict.NOT_REGULAR);
    }
    return new DirectoryBlocks(
        inodes, directory, bytes, map, superblock.blockSize(), body.dotOmitted());
  }

  @Override
  protected FileName readTarget(Inode link) throws IOException {
    if (link.size() < 1 || link.size() > ErofsLayout.MAX_LINK_TARGET) {
      throw view.malformed(
          link.offset() + ErofsLayout.I_SIZE,
          "a link of 1..%d bytes".formatted(ErofsLayout.MAX_LINK_TARGET),
          "one of %d".formatted(link.size()));
    }
    byte[] target = bytes(link, inodes.body(link));
    for (byte each : target) {
      if (each == 0) {
        throw view.malformed(
            link.offset(), "a target of %d bytes".formatted(link.size()), "its end before");
      }
    }
    return FileName.of(target);
  }

  @Override
  protected SortedMap<FileName, byte[]> readAttributes(Inode file) throws IOException {
    Body body = inodes.body(file);
    if (!body.hasAttributes()) {
      return new TreeMap<>();
    }
    boolean elsewhere =
        (superblock.compat() & ErofsFeatures.COMPAT_SHARED_ATTRIBUTES_IN_METABOX) != 0
            && superblock.metaboxNid() != 0;
    return AttributeReader.read(
        body, elsewhere ? metabox.view() : view, superblock.sharedAttributes(), prefixes());
  }

  @Override
  protected BlockMap readMap(Inode file) throws IOException {
    Body body = inodes.body(file);
    BlockMap map = blocks.map(file, body);
    return map.verdict() == Verdict.COMPRESSED && body.isCompressed()
        ? BlockMap.empty(compression(file, body))
        : map;
  }

  /** The algorithm of a compressed file; of one that lies in the packed file, that file's. */
  private Verdict compression(Inode file, Body body) throws IOException {
    long packedNumber = inodes.number(superblock.packedNid());
    if (!ClusterMap.isWholeFragment(body)
        || superblock.packedNid() == 0
        || file.number() == packedNumber) {
      return ClusterMap.verdict(body);
    }
    Body holder = inodes.body(inodes.read(packedNumber));
    return holder.isCompressed() ? ClusterMap.verdict(holder) : Verdict.COMPRESSED;
  }

  @Override
  public ExtentDecoder decoder(Inode file) throws IOException {
    if (file.type() != FileType.REGULAR) {
      return super.decoder(file);
    }
    return guarded(() -> decoder(file, inodes.body(file)));
  }

  /** Reads a file of any type, which the caller knows to be small. */
  private byte[] bytes(Inode inode, Body body) throws IOException {
    byte[] bytes = new byte[(int) inode.size()];
    if (blocks.mustBeDecoded(inode, body)) {
      ExtentDecoder decoder = decoder(inode, body);
      for (int done = 0; done < bytes.length; ) {
        DecodedExtent extent = decoder.decode(done);
        int run = (int) (extent.fileEnd() - done);
        if (extent.bytes() != null) {
          copy(extent.bytes(), done - extent.fileOffset(), bytes, done, run);
        }
        done += run;
      }
      return bytes;
    }
    BlockMap map = blocks.map(inode, body);
    for (int i = 0; i < map.extentCount(); i++) {
      Extent extent = map.extent(i);
      int at = (int) extent.fileOffset();
      copy(
          memory(),
          extent.imageOffset(),
          bytes,
          at,
          (int) Math.min(extent.length(), bytes.length - at));
    }
    return bytes;
  }

  private static void copy(MemorySegment from, long offset, byte[] to, int at, int count) {
    MemorySegment.copy(from, ValueLayout.JAVA_BYTE, offset, to, at, count);
  }

  /** Decodes a whole file; damage in what it holds is reported where its inode lies. */
  private ByteView decoded(Inode inode, Body body) throws IOException {
    if (inode.size() > MOST_DECODED) {
      throw view.malformed(
          inode.offset() + ErofsLayout.I_SIZE,
          "a directory or metabox of at most %d bytes to decode".formatted(MOST_DECODED),
          "one of %d".formatted(inode.size()));
    }
    return new ByteView(
        MemorySegment.ofArray(bytes(inode, body)),
        name(),
        (file, at, expected, found) ->
            new CorruptImageException(
                file,
                inode.offset(),
                expected,
                "%s, at 0x%x of the decoded inode %d".formatted(found, at, inode.number())));
  }

  private ByteView loadMetabox() throws IOException {
    Inode inode = inodes.read(inodes.number(superblock.metaboxNid()));
    return decoded(inode, inodes.body(inode));
  }

  private ExtentDecoder decoder(Inode inode, Body body) throws IOException {
    Clusters clusters =
        body.isCompressed()
            ? ClusterMap.read(view, superblock, inode, body)
            : blocks.withTail(inode, body);
    int last = clusters.count() - 1;
    FileContent whole = null;
    if (clusters.form(last) == Form.FRAGMENT) {
      whole = packed();
      long length = clusters.end(last) - clusters.start(last);
      if (inode.number() == inodes.number(superblock.packedNid())
          || clusters.place(last) > whole.size() - length) {
        throw view.malformed(
            inode.offset(),
            "a piece of the packed file, of %d bytes".formatted(whole.size()),
            "%d bytes from its byte 0x%x on, in inode %d"
                .formatted(length, clusters.place(last), inode.number()));
      }
    }
    return new FileDecoder(view, superblock, body.view(), clusters, whole);
  }

  private FileContent packed() throws IOException {
    FileContent known = packed;
    if (known == null) {
      if (superblock.packedNid() == 0) {
        throw view.malformed(
            ErofsLayout.SUPERBLOCK_OFFSET + ErofsLayout.S_PACKED_NID,
            "a packed file, for pieces of it",
            "none");
      }
      known = FileContent.of(this, inodes.read(inodes.number(superblock.packedNid())));
      packed = known;
    }
    return known;
  }

  private NamePrefixes prefixes() throws IOException {
    NamePrefixes known = prefixes;
    if (known == null) {
      known = readPrefixes();
      prefixes = known;
    }
    return known;
  }

  /** They lie in the image itself, or at the end of another file. */
  private NamePrefixes readPrefixes() throws IOException {
    boolean plain = (superblock.compat() & ErofsFeatures.COMPAT_PLAIN_PREFIXES) != 0;
    ByteView holder = view;
    if (superblock.prefixes() > 0 && !plain) {
      if (superblock.metaboxNid() != 0) {
        holder = metabox.view();
      } else if (superblock.packedNid() != 0) {
        return packedPrefixes();
      }
    }
    return NamePrefixes.read(holder, superblock.prefixStart(), superblock.prefixes());
  }

  /** Reads just the part of the packed file that can hold prefixes: it may be large. */
  private NamePrefixes packedPrefixes() throws IOException {
    FileContent file = packed();
    long start = superblock.prefixStart();
    long most = superblock.prefixes() * (ErofsLayout.MAX_LONG_PREFIX + 5L);
    byte[] part = new byte[(int) Math.clamp(file.size() - start, 0, most)];
    file.read(start, MemorySegment.ofArray(part));
    ByteView holder =
        new ByteView(
            MemorySegment.ofArray(part),
            name(),
            (name, at, expected, found) ->
                new CorruptImageException(
                    name,
                    ErofsLayout.SUPERBLOCK_OFFSET + ErofsLayout.S_XATTR_PREFIX_START,
                    expected,
                    "%s, at 0x%x of the packed file".formatted(found, start + at)));
    return NamePrefixes.read(holder, 0, superblock.prefixes());
  }
}
