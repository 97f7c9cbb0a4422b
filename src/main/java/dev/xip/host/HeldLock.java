package dev.xip.host;

/**
 * A lock that another open file holds on a file, as F_OFD_GETLK of fcntl(2) reports it.
 *
 * @param offset the first byte, at least 0
 * @param length the length in bytes, 0 if it has no end
 * @param exclusive whether it conflicts with shared locks
 */
public record HeldLock(long offset, long length, boolean exclusive) {}
