package dev.xip.host;

import java.time.Instant;

/**
 * Times to be given to a file, with nanoseconds; what the file system cannot hold it cuts.
 *
 * @param accessed the last access, or null to leave it as it is
 * @param modified the last change of the bytes, or null to leave it as it is
 */
public record HostTimes(Instant accessed, Instant modified) {}
