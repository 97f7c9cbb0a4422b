package dev.xip.nio;

import dev.xip.image.BlockMap;
import dev.xip.image.Inode;
import dev.xip.image.PathResolver;
import dev.xip.mount.OpenImage;
import dev.xip.testing.Fragments;
import dev.xip.testing.Images;
import dev.xip.testing.Processes;
import dev.xip.testing.Trees;
import java.io.IOException;
import java.nio.channels.AsynchronousFileChannel;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import java.util.concurrent.ExecutorService;

/** An image with a file of each kind of placement, and channels on it. */
final class ChannelImage implements AutoCloseable {
  static final int PAGE = 4096;

  /** Files that lie in one extent, in many, around holes, and nowhere. */
  static final List<String> FILES =
      List.of("plain", "scattered", "sparse", "all-hole", "hello.txt", "empty");

  final Path tree;
  final Path packed;
  final OpenImage image;
  final ImageChannels channels;

  private ChannelImage(Path tree, Path packed) throws IOException {
    this.tree = tree;
    this.packed = packed;
    this.image = OpenImage.open(packed);
    this.channels = new ImageChannels(image);
  }

  /** Packs the files in a folder. */
  static Path pack(Path folder) throws IOException {
    Path tree = Trees.small(folder.resolve("tree"));
    Random random = new Random(14);
    Trees.write(tree.resolve("plain"), 0, 100 * PAGE + 123, random);
    Trees.write(tree.resolve("scattered"), 0, 90 * PAGE - 5, random);
    Trees.write(tree.resolve("sparse"), 7 * PAGE + 1, 40 * PAGE, random);
    Trees.write(tree.resolve("sparse"), 90 * PAGE - 3, 30 * PAGE, random);
    Files.createFile(tree.resolve("all-hole"));
    Processes.run("truncate", "-s", "123456", tree.resolve("all-hole").toString());
    Path packed = Images.ext2(tree);
    Fragments.scatter(packed, "scattered", 2, 2);
    Fragments.scatter(packed, "sparse", 3, 4);
    return packed;
  }

  static ChannelImage open(Path folder) throws IOException {
    return new ChannelImage(folder.resolve("tree"), pack(folder));
  }

  /** Opens the image once more. */
  ChannelImage again() throws IOException {
    return new ChannelImage(tree, packed);
  }

  Inode inode(String path) throws IOException {
    return PathResolver.resolve(image.image(), path, true);
  }

  BlockMap blockMap(String path) throws IOException {
    return image.image().blockMap(inode(path));
  }

  FileChannel channel(String path) throws IOException {
    return channels.open(path, inode(path));
  }

  AsynchronousFileChannel asynchronous(String path, ExecutorService executor) throws IOException {
    return channels.openAsynchronous(path, inode(path), executor);
  }

  byte[] original(String path) throws IOException {
    return Files.readAllBytes(tree.resolve(path));
  }

  @Override
  public void close() throws IOException {
    channels.close();
  }
}
