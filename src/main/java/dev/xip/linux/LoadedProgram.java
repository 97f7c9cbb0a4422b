package dev.xip.linux;

import dev.xip.process.ModelledProcess;

/**
 * A program that is mapped and about to start.
 *
 * @param process its memory
 * @param path as the caller has named it
 * @param canonical its path in the image, without links
 * @param entry its first instruction, or that of its interpreter
 * @param stack its stack pointer
 * @param heapStart where its heap begins
 */
record LoadedProgram(
    ModelledProcess process,
    String path,
    String canonical,
    long entry,
    long stack,
    long heapStart) {
  /** The last part of the path. */
  String name() {
    return path.substring(path.lastIndexOf('/') + 1);
  }
}
