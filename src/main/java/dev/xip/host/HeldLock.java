package dev.xip.host;

/**
 * A lock that somebody else holds on a file, as fcntl(2) tells of it.
 *
 * @param offset the first byte, at least 0
 * @param length the length in bytes, 0 if it has no end
 * @param exclusive whether it keeps shared locks out
 */
public record HeldLock(long offset, long length, boolean exclusive) {}
