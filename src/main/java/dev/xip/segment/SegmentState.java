package dev.xip.segment;

import java.util.List;

/**
 * One version of a segment and who has it.
 *
 * @param stored the version, under the definition that it was stored with
 * @param pendingPurge whether a save or a remove has taken its place, so that it goes with its last
 *     user; none is listed then if that one was killed, and the next change of the segment takes
 *     the version away
 * @param users who has it loaded, by process
 */
public record SegmentState(StoredSegment stored, boolean pendingPurge, List<SegmentUser> users) {
  /** Copies the list. */
  public SegmentState {
    users = List.copyOf(users);
  }
}
