package dev.xip.demo;

import dev.xip.base.AddrRange;
import dev.xip.image.Extent;
import dev.xip.image.FsInfo;
import dev.xip.machine.Machine;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * What the demo measured. Every number is counted or timed in the run that it reports.
 *
 * @param source the folder or image that the user sees
 * @param info the superblock of the image
 * @param segmentName the segment's name
 * @param physical where the segment lies in the physical memory window
 * @param windowBytes the size of the window
 * @param ramBytes the size of RAM
 * @param imageBytes the size of the image
 * @param privateDirtyBytes what /proc/self/smaps says of the segment's mapping: bytes copied
 * @param counts what was counted
 * @param times what was timed
 * @param wrong what {@link Machine#verify} found wrong with everything mapped, and after
 * @param sampleFiles a few files with their extents
 * @param sampleEntries a few entries with what C sees at the same addresses
 * @param secondAct what a store, a fork and an exit did, or null if the image has no file to map
 * @param exec what exec did, or null if the image has no program
 * @param strategies what each way to decide about page frames answers, costs, and breaks on
 */
public record DemoReport(
    Path source,
    FsInfo info,
    String segmentName,
    AddrRange physical,
    long windowBytes,
    long ramBytes,
    long imageBytes,
    long privateDirtyBytes,
    Counts counts,
    Times times,
    List<String> wrong,
    List<SampleFile> sampleFiles,
    List<SampleEntry> sampleEntries,
    SecondAct secondAct,
    ExecAct exec,
    List<StrategyTable.Line> strategies) {

  /**
   * The figures of the experiment.
   *
   * @param files how many regular files were mapped and read
   * @param notInPlace how many regular files could not be
   * @param bytesRead how many bytes were read through page tables
   * @param pagesRead how many pages the files have
   * @param sha256Mismatches how many files differ from their source
   * @param specialEntries pages whose entry has the special bit
   * @param normalEntries entries with a counted page frame
   * @param faults how many touches found no entry; each may have inserted several
   * @param framesInUseBefore RAM frames before the first mapping, page tables apart
   * @param framesInUseAfter the same with everything mapped and read
   * @param memMapBytesBefore the mem_map's size before
   * @param memMapBytesAfter the mem_map's size with everything mapped and read
   * @param controlFrames frames that the modelled page cache took for the same files
   * @param controlPeakFrames how many of those were in use at once
   * @param pageTableBytes the page tables, the root included
   * @param structPageBytesAvoided what 64 bytes for each page of the segment would have been
   * @param nativeDisagreements entries that C sees differently
   */
  public record Counts(
      long files,
      long notInPlace,
      long bytesRead,
      long pagesRead,
      long sha256Mismatches,
      long specialEntries,
      long normalEntries,
      long faults,
      long framesInUseBefore,
      long framesInUseAfter,
      long memMapBytesBefore,
      long memMapBytesAfter,
      long controlFrames,
      long controlPeakFrames,
      long pageTableBytes,
      long structPageBytesAvoided,
      long nativeDisagreements) {}

  /**
   * The times, in seconds.
   *
   * @param touch mapping and first touches
   * @param read reading and hashing through page tables
   * @param source reading and hashing the source
   * @param control reading and hashing through the modelled page cache
   * @param all everything, packing included
   */
  public record Times(double touch, double read, double source, double control, double all) {}

  /**
   * A file and where it lies.
   *
   * @param path its path in the image
   * @param size its length in bytes
   * @param mapped where it was mapped
   * @param extents its extents
   */
  public record SampleFile(String path, long size, AddrRange mapped, List<Extent> extents) {}

  /**
   * An entry and what C sees.
   *
   * @param path the file mapped there
   * @param va the address
   * @param pte the entry
   * @param bits its bits in words
   * @param special whether Java says that it is special
   * @param nativePte the entry that C found
   * @param nativePa the physical address that C found
   * @param nativeSpecial whether C says that it is special
   */
  public record SampleEntry(
      String path,
      long va,
      long pte,
      String bits,
      boolean special,
      long nativePte,
      long nativePa,
      boolean nativeSpecial) {}

  /**
   * Tells whether the laws held.
   *
   * @return what did not, one line each; empty if all is well
   */
  public List<String> broken() {
    List<String> broken = new ArrayList<>(wrong);
    expectEqual(broken, "SHA-256 mismatches", 0, counts.sha256Mismatches);
    expectEqual(broken, "frames in use", counts.framesInUseBefore, counts.framesInUseAfter);
    expectEqual(broken, "mem_map bytes", counts.memMapBytesBefore, counts.memMapBytesAfter);
    expectEqual(broken, "frames of the page-cache control", counts.pagesRead, counts.controlFrames);
    expectEqual(broken, "entries that C sees differently", 0, counts.nativeDisagreements);
    expectEqual(broken, "entries", counts.pagesRead, counts.specialEntries + counts.normalEntries);
    if (secondAct != null) {
      expectEqual(broken, "frames left by act two", 0, secondAct.framesLeft());
      expectEqual(broken, "frames taken by fork itself", 0, secondAct.forkFrames());
      if (!secondAct.originalKept() || !secondAct.parentKept()) {
        broken.add("a private store was seen by somebody else");
      }
    }
    return broken;
  }

  private static void expectEqual(List<String> broken, String what, long expected, long found) {
    if (expected != found) {
      broken.add("%s: expected %d, found %d".formatted(what, expected, found));
    }
  }
}
