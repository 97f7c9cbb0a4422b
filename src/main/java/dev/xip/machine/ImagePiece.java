package dev.xip.machine;

import java.nio.channels.FileChannel;

/**
 * A file that a run of an image's bytes is in.
 *
 * @param start which byte of the image the file's first byte is
 * @param length how many bytes of the file belong to the image
 * @param channel the open file
 */
record ImagePiece(long start, long length, FileChannel channel) {
  /** The byte of the image behind the piece. */
  long end() {
    return start + length;
  }
}
