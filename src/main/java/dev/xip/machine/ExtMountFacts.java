package dev.xip.machine;

/**
 * The facts that decide whether a file system can be used in place.
 *
 * @param device the block device's name, for messages
 * @param directAccess whether the device has a {@code direct_access} method
 * @param blockSize the block size of the file system in bytes
 */
public record ExtMountFacts(String device, boolean directAccess, int blockSize) {}
