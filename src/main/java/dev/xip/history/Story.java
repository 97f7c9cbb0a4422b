package dev.xip.history;

import java.util.ArrayList;
import java.util.List;

/**
 * The story, or some steps of it, as this run has seen it.
 *
 * @param processor the processor on which every figure was measured
 * @param chapters the steps in their order
 * @param seconds how long the run took
 */
public record Story(String processor, List<Chapter> chapters, double seconds) {
  /** The title of the whole. */
  public static final String TITLE = "How a page-table entry came to say: no struct page";

  /** What a reader has to know before the first step. */
  public static final List<String> PROLOGUE =
      List.of(
          "A z/VM host can keep one read-only copy of a file system in memory and show it to all of"
              + " its Linux guests at fixed physical addresses: a shared segment (DCSS). A guest"
              + " that runs programs in place (XIP) maps pages of the segment straight into its"
              + " page tables. Nothing is copied, and nothing should be paid per guest; a struct"
              + " page of 56 to 64 bytes for each page of the segment would be paid by every guest"
              + " again.",
          "So there are physical pages with memory behind them and no struct page. A page-table"
              + " entry (pte) holds the number of the page, the pfn, and some bits. Linux counts"
              + " the users of ordinary pages in their struct pages: fork, exec, exit, faults and"
              + " get_user_pages go from entry to entry and ask vm_normal_page() for the struct"
              + " page to count in. For a page of a segment the answer has to be: none, do not"
              + " count.",
          "The question of the thread is how vm_normal_page() can know. One place to ask is"
              + " pfn_valid(pfn), a function of the architecture. VM_PFNMAP, the older rule for"
              + " mappings without struct pages, has no place for private copies among such pages"
              + " except where pfns run on with the addresses; file systems need private copies,"
              + " so a mapping of both kinds of page was to be called VM_MIXEDMAP.",
          "Where are the struct pages? By the flat model in one array, mem_map, up to the last page"
              + " of RAM; pfn_valid is a comparison. By sparsemem in sections, of 128 MiB on"
              + " x86-64, each with a struct page for all its pages or for none; pfn_valid looks"
              + " the section up in a table.");

  /** Copies the list. */
  public Story {
    chapters = List.copyOf(chapters);
  }

  /**
   * A step and what its run has shown.
   *
   * @param account the step as it is told
   * @param findings what was seen, in order
   * @param seconds how long it took
   */
  public record Chapter(Account account, List<Finding> findings, double seconds) {
    /** Copies the list. */
    public Chapter {
      findings = List.copyOf(findings);
    }
  }

  /** {@return the facts that are not as told, one line each; empty if all are} */
  public List<String> broken() {
    List<String> broken = new ArrayList<>();
    for (Chapter chapter : chapters) {
      for (Finding finding : chapter.findings()) {
        if (finding instanceof Finding.Fact fact && !fact.holds()) {
          broken.add("%s: %s: %s".formatted(chapter.account().id(), fact.what(), fact.seen()));
        }
      }
    }
    return broken;
  }
}
