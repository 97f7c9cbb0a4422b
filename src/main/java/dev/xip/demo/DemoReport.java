package dev.xip.demo;

import dev.xip.base.AddrRange;
import dev.xip.image.Extent;
import dev.xip.image.FsInfo;
import dev.xip.machine.Machine;
import dev.xip.measure.StrategyTable;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * The results of the demo. Every number is counted or timed in the run that it reports.
 *
 * @param source the folder or image that the user named
 * @param info the superblock of the image
 * @param segmentName the segment's name
 * @param physical the physical addresses of the segment
 * @param windowBytes the size of the window
 * @param ramBytes the size of RAM
 * @param imageBytes the size of the image
 * @param privateDirtyBytes Private_Dirty of the segment's mapping in /proc/self/smaps: bytes copied
 * @param counts the counts
 * @param times the times
 * @param wrong the findings of {@link Machine#verify} with everything mapped and afterwards
 * @param sampleFiles a few files with their extents
 * @param sampleEntries a few entries with what C reads at the same addresses
 * @param samePage one page both ways; null if no page is in place
 * @param secondAct the store, fork and exit
 * @param exec the exec; null if the image has no program
 * @param thirdAct the programs that ran out of a segment
 * @param strategies answers, cost and failures of each strategy of the normal-page test
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
    SamePage samePage,
    SecondAct secondAct,
    ExecAct exec,
    ThirdAct thirdAct,
    List<StrategyTable.Line> strategies) {

  /**
   * The figures of the experiment.
   *
   * @param files regular files that were mapped and read
   * @param notInPlace regular files that cannot be used in place
   * @param bytesRead bytes read through page tables
   * @param pagesRead pages of the files
   * @param sha256Mismatches files that differ from their source
   * @param specialEntries pages whose entry has the special bit
   * @param normalEntries entries with a counted page frame
   * @param faults touches that found no entry; each may have inserted several
   * @param framesInUseBefore frames in use before the first mapping, without page tables
   * @param framesInUseAfter the same with everything mapped and read
   * @param memMapBytesBefore the mem_map's size before
   * @param memMapBytesAfter the mem_map's size with everything mapped and read
   * @param controlFrames frames that the page cache took for the same files, of which one with
   *     several names counts once
   * @param controlPeakFrames the most of those in use at a time
   * @param pageTableBytes the page tables, the root included
   * @param structPageBytesAvoided 64 bytes for each page of the segment
   * @param nativeDisagreements entries that C reads differently
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
   * @param control mapping, reading and hashing through the page cache
   * @param all everything, packing included
   */
  public record Times(double touch, double read, double source, double control, double all) {
    /** {@return what {@link #control} is to be compared with: mapping, touching and reading} */
    public double inPlace() {
      return touch + read;
    }
  }

  /**
   * A file and its extents.
   *
   * @param path its path in the image
   * @param size its length in bytes
   * @param mapped the addresses of its mapping
   * @param extents its extents
   */
  public record SampleFile(String path, long size, AddrRange mapped, List<Extent> extents) {}

  /**
   * An entry as Java and C read it.
   *
   * @param path the file mapped there
   * @param va the address
   * @param pte the entry
   * @param bits the names of its bits
   * @param special whether it is special to Java
   * @param nativePte the entry that C found
   * @param nativePa the physical address that C found
   * @param nativeSpecial whether it is special to C
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
   * A page of a file as two address spaces map it.
   *
   * @param inPlace its entry in the space that reads in place
   * @param cached its entry in the space that reads through the page cache
   */
  public record SamePage(SampleEntry inPlace, SampleEntry cached) {}

  /** {@return the laws that did not hold, one line each; empty if all held} */
  public List<String> broken() {
    List<String> broken = new ArrayList<>(wrong);
    expectEqual(broken, "SHA-256 mismatches", 0, counts.sha256Mismatches);
    expectEqual(broken, "frames in use", counts.framesInUseBefore, counts.framesInUseAfter);
    expectEqual(broken, "mem_map bytes", counts.memMapBytesBefore, counts.memMapBytesAfter);
    expectEqual(broken, "entries that C sees differently", 0, counts.nativeDisagreements);
    expectEqual(broken, "entries", counts.pagesRead, counts.specialEntries + counts.normalEntries);
    expectEqual(broken, "frames left by act two", 0, secondAct.framesLeft());
    expectEqual(broken, "frames taken by fork itself", 0, secondAct.forkFrames());
    if (!secondAct.originalKept() || !secondAct.parentKept()) {
      broken.add("a private store is visible through another mapping");
    }
    broken.addAll(thirdAct.broken());
    return broken;
  }

  private static void expectEqual(List<String> broken, String what, long expected, long found) {
    if (expected != found) {
      broken.add("%s: expected %d, found %d".formatted(what, expected, found));
    }
  }
}
