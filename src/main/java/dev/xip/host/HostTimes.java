package dev.xip.host;

import java.time.Instant;

/**
 * Times to be set on a file, with nanoseconds; the file system truncates what it cannot store.
 *
 * @param accessed the last access, or null to leave it as it is
 * @param modified the last change of the bytes, or null to leave it as it is
 */
public record HostTimes(Instant accessed, Instant modified) {}
