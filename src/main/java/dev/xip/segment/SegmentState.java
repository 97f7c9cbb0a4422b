package dev.xip.segment;

import java.util.List;

/**
 * One version of a segment and its users.
 *
 * @param stored the version, under the definition that it was stored with
 * @param pendingPurge whether a save or a remove has replaced it, so that it is deleted with its
 *     last user. If that user was killed, none is listed, and the next change of the segment
 *     deletes the version
 * @param users the loads of it, by process
 */
public record SegmentState(StoredSegment stored, boolean pendingPurge, List<SegmentUser> users) {
  /** Copies the list. */
  public SegmentState {
    users = List.copyOf(users);
  }
}
