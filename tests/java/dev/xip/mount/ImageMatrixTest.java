package dev.xip.mount;

import static dev.xip.mount.MatrixRow.By.TOOL;
import static dev.xip.mount.MatrixRow.By.TOOL_ALONE;
import static dev.xip.mount.MatrixRow.ext;
import static dev.xip.mount.MatrixRow.genext2fs;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.params.provider.Arguments.argumentSet;

import dev.xip.image.FsImage;
import dev.xip.testing.EveryKind;
import dev.xip.testing.Folders;
import dev.xip.testing.Images;
import dev.xip.testing.Judge;
import dev.xip.testing.Processes;
import java.io.IOException;
import java.nio.file.FileSystem;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments.ArgumentSet;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Images of one tree in every form that the tools make are read as the kernel reads them, by our
 * reader and through the java.nio file system on top of it. The tree is {@link EveryKind}; the
 * forms are the rows below, by options of the tools. As root the kernel fills the images by {@code
 * cp -a} and mounts them; for other users, and for images that the kernel does not mount, mke2fs
 * fills them and debugfs or fsck.erofs judges.
 *
 * <p>Compared are names, types, modes, owners, link counts, hard links, inode numbers, sizes, times
 * to the nanosecond, device numbers, link targets, extended attributes and what access control
 * lists allow, as getfattr, getfacl and debugfs tell them, the SHA-256 of contents, and holes
 * (SEEK_HOLE); and each name that is listed is looked up. Of EROFS without a mount no tool tells
 * the attributes, so they are those of the tree that was packed.
 */
class ImageMatrixTest {
  /** Allocated but not written, in part written, behind the end, punched. */
  private static final String UNWRITTEN =
      "fallocate -l 100000 unwritten; fallocate -l 200000 partly;"
          + " printf x | dd of=partly bs=1 seek=50000 conv=notrunc status=none;"
          + " printf x >beyond; fallocate -n -l 1000000 beyond;"
          + " cp text punched; fallocate -p -o 8192 -l 8192 punched";

  /** Values that need inodes of their own. */
  private static final String EA_INODES =
      "setfattr -n user.own-inode -v $(printf %05000d 0) size1 size4097 nothing;"
          + " setfattr -n user.several -v $(printf %060000d 0) mixture";

  /** Directories that take no notice of case. */
  private static final String CASEFOLDED =
      "set_inode_field crowd flags 0x40000000; set_inode_field sticky flags 0x40000000";

  private static final int PAGE = 4096;

  private static final String REMOVED = "rm crowd/[1-4]*";

  /** Several transactions, with blocks that change their use. */
  private static final String CHANGES =
      "rm -r d crowd size65537; sync -f .; mkdir again; cp -a text mixture zeros again; sync -f .;"
          + " setfattr -n user.late -v late text; chown 9:9 text; ln -s late late; mv own"
          + " d1970-01-01; seq 5 500 >size4096; truncate -s 100 size200001; sync -f .";

  @TempDir(factory = Folders.InMemory.class)
  static Path folder;

  /** Mkfs.erofs 1.5 makes files of chunks in /tmp, and their image on no other file system. */
  @TempDir static Path disk;

  private static Path small;
  private static Path large;

  /** Genext2fs reads all zeros of a hole. */
  private static Path withoutHuge;

  @BeforeAll
  static void makeTrees() throws IOException {
    if (Judge.isRoot()) {
      Judge.loopMount();
    }
    small = EveryKind.small(folder.resolve("small"));
    large = EveryKind.large(small, folder.resolve("large"));
    withoutHuge = folder.resolve("without-huge");
    Processes.run("cp", "-a", small.toString(), withoutHuge.toString());
    Files.delete(withoutHuge.resolve("huge"));
  }

  static Stream<ArgumentSet> rows() {
    return Stream.of(ext2(), genext2fsRows(), ext4(), directories(), largeBlocks(), erofsRows())
        .flatMap(List::stream)
        .map(row -> argumentSet(row.toString(), row));
  }

  static Stream<ArgumentSet> dirtyRows() {
    return dirty().stream().map(row -> argumentSet(row.toString(), row));
  }

  private static List<MatrixRow> ext2() {
    return List.of(
        ext("-t ext2 -b 4096"),
        ext("-t ext2 -b 2048"),
        ext("-t ext2 -b 1024"),
        ext("-t ext2 -b 1024 -g 1024"),
        ext("-t ext2 -b 4096 -I 128"),
        ext("-t ext2 -b 1024 -I 128 -O none,ext_attr,filetype"),
        ext("-t ext2 -b 4096 -I 1024 -g 512"),
        ext("-t ext2 -b 4096 -I 4096 -N 2048"),
        ext("-t ext2 -b 4096 -O ^filetype,^sparse_super,^resize_inode"),
        ext("-t ext2 -b 4096 -O sparse_super2,^sparse_super,^resize_inode -g 1024"),
        ext("-t ext2 -b 1024 -O meta_bg,^resize_inode -g 512"),
        ext("-t ext2 -b 4096 -o hurd"),
        ext("-t ext3 -b 4096"),
        ext("-t ext3 -b 1024 -J size=1"),
        ext("-t ext3 -b 4096").tune2fs("-O ^has_journal"));
  }

  private static List<MatrixRow> genext2fsRows() {
    return List.of(
        genext2fs("-B 1024"),
        genext2fs("-B 1024 -z -q"),
        genext2fs("-B 2048"),
        genext2fs("-B 4096 -z"));
  }

  private static List<MatrixRow> ext4() {
    return List.of(
        ext("-t ext4 -b 4096").mounted(UNWRITTEN),
        ext("-t ext4 -b 2048").mounted(UNWRITTEN),
        ext("-t ext4 -b 1024").mounted(UNWRITTEN),
        ext("-t ext4 -b 4096").by(TOOL),
        ext("-t ext4 -b 1024").by(TOOL),
        ext("-t ext4 -b 4096 -I 128"),
        ext("-t ext4 -b 4096 -I 512"),
        ext("-t ext4 -b 4096 -O ^extents,^flex_bg,^64bit"),
        ext("-t ext4 -b 4096 -O ^has_journal"),
        ext("-t ext4 -b 4096 -O ^64bit,^metadata_csum"),
        ext("-t ext4 -b 1024 -O ^metadata_csum,uninit_bg"),
        ext("-t ext4 -b 4096 -O metadata_csum_seed -U 12345678-9abc-def0-1234-56789abcdef0"),
        ext("-t ext4 -b 4096 -O metadata_csum_seed").tune2fs("-U random"),
        ext("-t ext4 -b 4096 -O ^huge_file,^dir_nlink,^large_file"),
        ext("-t ext4 -b 1024 -G 4 -g 1024"),
        ext("-t ext4 -b 1024 -O meta_bg,^resize_inode -g 512"),
        ext("-t ext4 -b 4096 -O sparse_super2 -E num_backup_sb=1 -g 1024"),
        ext("-t ext4 -b 4096 -E packed_meta_blocks=1"),
        ext("-t ext4 -b 4096 -O bigalloc -C 65536").mounted(UNWRITTEN),
        ext("-t ext4 -b 1024 -O bigalloc -C 4096"),
        ext("-t ext4 -b 4096 -O inline_data"),
        ext("-t ext4 -b 4096 -O inline_data -I 1024"),
        ext("-t ext4 -b 1024 -O inline_data -I 512"),
        ext("-t ext4 -b 4096 -O inline_data,^metadata_csum"),
        ext("-t ext4 -b 4096 -O ea_inode").mounted(EA_INODES),
        ext("-t ext4 -b 1024 -O ea_inode,inline_data").mounted(EA_INODES),
        ext("-t ext4 -b 4096 -O orphan_file"),
        ext("-t ext4 -b 4096 -O fast_commit"),
        ext("-t ext4 -b 4096 -O mmp"),
        ext("-t ext4 -b 4096 -O quota,project").by(TOOL),
        ext("-t ext4 -b 4096 -O project").by(TOOL),
        ext("-t ext4 -b 4096 -O stable_inodes,encrypt"),
        ext("-t ext4 -b 4096 -O verity").by(TOOL),
        ext("-t ext4 -b 4096 -E lazy_itable_init=1,lazy_journal_init=1,root_owner=3:4"),
        ext("-t ext4 -b 4096").tune2fs("-O read-only").by(TOOL));
  }

  private static List<MatrixRow> directories() {
    return List.of(
        ext("-t ext4 -b 1024 -O large_dir").mounted(REMOVED),
        ext("-t ext4 -b 1024").tune2fs("-E hash_alg=tea").mounted(REMOVED),
        ext("-t ext4 -b 1024").tune2fs("-E hash_alg=legacy"),
        ext("-t ext4 -b 1024").tune2fs("-E hash_alg=half_md4").debugfs("ssv flags 2"),
        ext("-t ext4 -b 1024").tune2fs("-E hash_alg=tea").debugfs("ssv flags 2"),
        ext("-t ext4 -b 1024").tune2fs("-E hash_alg=legacy").debugfs("ssv flags 2"),
        ext("-t ext4 -b 1024 -O ^metadata_csum -E hash_seed=01234567-89ab-cdef-0123-456789abcdef"),
        ext("-t ext4 -b 1024 -O ^dir_index"),
        ext("-t ext3 -b 1024 -O dir_index"),
        ext("-t ext4 -b 4096 -O casefold -E encoding=utf8").debugfs(CASEFOLDED).by(TOOL_ALONE),
        ext("-t ext4 -b 1024 -O casefold -E encoding=utf8-12.1,encoding_flags=strict")
            .debugfs(CASEFOLDED)
            .by(TOOL_ALONE));
  }

  /** Blocks above the size of a page. */
  private static List<MatrixRow> largeBlocks() {
    return List.of(
        ext("-t ext2 -b 8192").by(TOOL_ALONE),
        ext("-t ext4 -b 8192").by(TOOL_ALONE),
        ext("-t ext4 -b 16384 -O inline_data").by(TOOL_ALONE),
        ext("-t ext4 -b 32768 -O ^metadata_csum").by(TOOL_ALONE),
        ext("-t ext2 -b 65536").by(TOOL_ALONE),
        ext("-t ext4 -b 65536 -I 256").by(TOOL_ALONE));
  }

  private static List<MatrixRow> erofsRows() {
    return Stream.of(
            "-x2",
            "-Eforce-inode-compact --all-root",
            "-Eforce-inode-extended",
            "-Enoinline_data",
            "-Enoinline_data,force-inode-compact --all-root",
            "-Enoinline_data,force-inode-extended",
            "--chunksize=4096",
            "--chunksize=4096 -Eforce-inode-blockmap",
            "--chunksize=4096 -Eforce-chunk-indexes",
            "--chunksize=65536 -Eforce-chunk-indexes,force-inode-compact --all-root",
            "--chunksize=1048576",
            "-x-1",
            "-x0",
            "-x1",
            "-x9",
            "-T 0",
            "-T 1000000000 -U 12345678-9abc-def0-1234-56789abcdef0",
            "--all-root",
            "--force-uid=70000 --force-gid=3",
            "--ignore-mtime",
            "--preserve-mtime",
            "-zlz4",
            "-zlz4hc",
            "-zlz4 -C65536",
            "-zlz4 -Elegacy-compress",
            "-zlz4 -Eztailpacking",
            "-zlz4hc,9 -C16384 --max-extent-bytes 65536",
            "-zlz4 -Enoinline_data,force-inode-compact --all-root")
        .map(MatrixRow::erofs)
        .toList();
  }

  private static List<MatrixRow> dirty() {
    return List.of(
        ext("-t ext3 -b 4096"),
        ext("-t ext3 -b 1024"),
        ext("-t ext4 -b 4096"),
        ext("-t ext4 -b 1024 -O ^64bit,^metadata_csum"),
        ext("-t ext4 -b 4096 -O fast_commit"),
        ext("-t ext4 -b 4096").tune2fs("-o journal_data"));
  }

  @Test
  void theMatrixHasSixtyImages() {
    assertThat(rows().map(ArgumentSet::getName).distinct().count()).isGreaterThanOrEqualTo(60);
  }

  @ParameterizedTest(name = "{argumentSetName}")
  @MethodSource("rows")
  void anImageIsReadAsByItsJudge(MatrixRow row) throws IOException {
    Path tree = row.blockSize() < PAGE ? small : large;
    if (row.tool().equals("genext2fs")) {
      tree = withoutHuge;
    }
    Path file = (row.isExt() ? folder : disk).resolve("image");
    row.make(file, tree);
    try (OpenImage opened = OpenImage.open(file)) {
      SeenTree ours = SeenTree.of(opened.image());
      SeenTree provided = provided(file, opened.image(), ours);
      if (!Judge.isRoot() || !isJudgedByTheKernel(row, file, ours, provided)) {
        SeenTree judge = toolsView(row, file, tree);
        SeenTree.assertSame(ours, judge);
        SeenTree.assertSame(provided, judge);
      }
    } finally {
      Files.delete(file);
    }
  }

  private static SeenTree provided(Path file, FsImage same, SeenTree ours) throws IOException {
    try (FileSystem image = FileSystems.newFileSystem(file, SeenTree.class.getClassLoader())) {
      Path root = image.getPath("/");
      int inPlace = InPlaceFiles.assertMapped(root, same, file);
      if (same.info().blockSize() >= PAGE) {
        assertThat(inPlace).as("files in place").isPositive();
      }
      return SeenTree.of(root, ours);
    }
  }

  /** Compares with the kernel's mount; returns false if this kernel does not mount such images. */
  private static boolean isJudgedByTheKernel(
      MatrixRow row, Path file, SeenTree ours, SeenTree provided) throws IOException {
    try {
      Images.mounted(
          file,
          row.isExt() ? "ext4" : "erofs",
          root -> {
            SeenTree judge = SeenTree.of(root);
            SeenTree.assertSame(ours, judge);
            SeenTree.assertSame(provided, judge);
          });
      return true;
    } catch (IOException refused) {
      if (row.by() == TOOL_ALONE && refused.getMessage().startsWith("mount ")) {
        return false;
      }
      throw refused;
    }
  }

  @ParameterizedTest(name = "{argumentSetName}")
  @MethodSource("dirtyRows")
  void anImageInUseIsReadAsTheKernelRecoversIt(MatrixRow row) throws IOException {
    Judge.loopMount();
    Path file = folder.resolve("image");
    Path copy = folder.resolve("copy");
    Path recovered = folder.resolve("recovered");
    row.make(file, row.blockSize() < PAGE ? small : large);
    Images.mounted(
        file,
        "ext4",
        "loop",
        root -> {
          Processes.run("sh", "-c", "set -e; cd \"$0\"; " + CHANGES, root.toString());
          Processes.run("cp", "--sparse=always", file.toString(), copy.toString());
        });
    Processes.run("cp", "--sparse=always", copy.toString(), recovered.toString());
    Images.mounted(recovered, "ext4", "loop", root -> {});
    assertThat(Files.mismatch(copy, recovered)).as("the first change").isNotNegative();
    try (OpenImage opened = OpenImage.open(copy)) {
      SeenTree ours = SeenTree.of(opened.image());
      SeenTree provided = provided(copy, opened.image(), ours);
      Images.mounted(
          recovered,
          "ext4",
          root -> {
            SeenTree judge = SeenTree.of(root);
            SeenTree.assertSame(ours, judge);
            SeenTree.assertSame(provided, judge);
          });
    } finally {
      for (Path each : List.of(file, copy, recovered)) {
        Files.delete(each);
      }
    }
  }

  private static SeenTree toolsView(MatrixRow row, Path file, Path packed) throws IOException {
    if (row.isExt()) {
      return DebugfsTree.of(file, row.blockSize(), folder);
    }
    Path extracted = folder.resolve("extracted");
    Processes.run("fsck.erofs", "--extract=" + extracted, "--preserve-perms", file.toString());
    try {
      SeenTree tree =
          SeenTree.of(extracted)
              .putAttributes(packed)
              .without("inode", "owner", "links", "same file as", "data", "rights")
              .without("accessed", "changed", "created");
      if (row.options().contains("-x-1")) {
        tree.without("attributes", "user attributes");
      }
      // Of directories the size is that of the host's file system.
      for (Map<String, Object> facts : tree.files.values()) {
        facts.computeIfPresent(
            "size", (_, size) -> facts.get("mode").toString().matches("4....") ? null : size);
      }
      return tree;
    } finally {
      Folders.delete(extracted);
    }
  }
}
