package dev.xip.mount;

/** What is done with an image whose journal holds changes that are not in their places yet. */
public enum Recovery {
  /** They are replayed in memory; the image stays as it is. */
  IN_MEMORY,
  /** The image is read as it is: old, maybe contradictory, or damaged. */
  NONE
}
