package dev.xip.segment;

/**
 * A process that has a version of a segment loaded.
 *
 * @param pid the number of the process, in the PID namespace that it runs in; a process that loaded
 *     the segment into several memories is as many users
 * @param mode how it has loaded the segment
 */
public record SegmentUser(long pid, SharingMode mode) {}
