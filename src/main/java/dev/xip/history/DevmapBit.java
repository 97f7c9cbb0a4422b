package dev.xip.history;

import dev.xip.base.Access;
import dev.xip.file.MemoryBlocks;
import dev.xip.file.MemoryFile;
import dev.xip.history.Account.Mail;
import dev.xip.history.Finding.Cell;
import dev.xip.history.Finding.Row;
import dev.xip.history.Finding.Sketch;
import dev.xip.pagetable.EntryLayout;
import dev.xip.phys.RegionFrames;
import dev.xip.vm.AddressSpace;
import dev.xip.vm.GetUserPages;
import dev.xip.vm.PinnedPages;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/** 2016 to 2025: a second bit beside the special one comes and goes. */
final class DevmapBit implements Step {
  private static final long STALE = 666;
  private static final long OTHERS = 2;

  /** How long a truncation is watched while a page is pinned, in milliseconds. */
  private static final long WATCHED_MILLIS = 50;

  @Override
  public Account account() {
    return new Account(
        "devmap",
        "2016 to 2025",
        "A second bit for pages that have a struct page and are not counted",
        List.of(
            new Mail("mainline", "commit 3565fce3a659"),
            new Mail("mainline", "commit 5fac7408d828"),
            new Mail("mainline", "commit 38607c62b34b"),
            new Mail(
                "Alistair Popple",
                "6389398c32cc9daa3dfcaa9f79c7972525d310ce.1750323463.git-series.apopple@nvidia.com")),
        "The struct pages of a device live as long as its driver, so an entry must not count them"
            + " like others: special stays set, and devmap beside it tells get_user_pages to ask"
            + " for the device first (get_dev_pagemap) and then take the page. The device holds one"
            + " reference to each, so a page is idle at one. Truncation may free a block that a"
            + " device still writes to; from 2018 on it waits until no page is pinned. In 2025 the"
            + " pages become ordinary ones, counted by each entry, and the bit is removed.",
        "6.15 counts DAX pages as all others; 6.17 has no devmap bit. The special bit stays.",
        List.of(RegionFrames.class, GetUserPages.class, MemoryFile.class),
        List.of(
            "dev.xip.vm.RegionFramesTest#aDevmapEntryIsSpecialAndCountsNothing",
            "dev.xip.vm.RegionFramesTest#aCountedEntryIsThatOfAnyPageOfAFile",
            "dev.xip.vm.RegionFramesTest#truncationWaitsForThePin",
            "dev.xip.vm.HostKernelJudgeTest#theHostKernelSeesTheSameWithPageFramesForTheDevice"));
  }

  @Override
  public void run(Findings findings) throws IOException {
    List<Finding.Entry> entries = new ArrayList<>();
    List<List<Cell>> rows = List.of(new ArrayList<>(), new ArrayList<>(), new ArrayList<>());
    for (RegionFrames kind : RegionFrames.values()) {
      try (DaxMachine machine = DaxMachine.boot(kind)) {
        AddressSpace space = machine.user(DaxMachine.file(machine.blocks(true), "data", 1));
        entries.add(
            Findings.entry(DaxMachine.column(kind), machine.layout(), DaxMachine.entry(space)));
        count(findings, machine, space, kind, rows);
      }
    }
    findings.add(new Sketch(entries, List.of(), ""));
    findings.table(
        "What counts the page, on x86-64",
        DaxMachine.columns("state"),
        List.of(
            new Row("mapped once: references, map count", rows.get(0)),
            new Row("pinned once as well", rows.get(1)),
            new Row("file rss of the process", rows.get(2))));
    findings.part(
        "Truncation under a pin",
        "A process pins the page of a file for a read with O_DIRECT, and the file is truncated"
            + " meanwhile. A second file takes the next free block.");
    waits(findings, RegionFrames.DEVMAP);
    waits(findings, RegionFrames.COUNTED);
    careless(findings);
  }

  private static void count(
      Findings findings,
      DaxMachine machine,
      AddressSpace space,
      RegionFrames kind,
      List<List<Cell>> rows)
      throws IOException {
    EntryLayout layout = machine.layout();
    long entry = DaxMachine.entry(space);
    findings.expect(
        "special, devmap: " + DaxMachine.column(kind),
        (kind != RegionFrames.COUNTED) + ", " + (kind == RegionFrames.DEVMAP),
        layout.isSpecial(entry) + ", " + layout.isDevmap(entry));
    rows.get(2).add(Cell.plain("" + space.fileFrames()));
    if (kind == RegionFrames.NONE) {
      rows.get(0).add(Cell.plain("no struct page"));
      rows.get(1).add(Cell.plain("cannot be"));
      return;
    }
    rows.get(0).add(Cell.plain(counts(machine, layout.pfn(entry))));
    GetUserPages pages = space.getUserPages();
    try (PinnedPages pin = pages.pin(DaxMachine.address(space), 1, false, false)) {
      rows.get(1).add(Cell.plain(counts(machine, pin.frame(0).value())));
    }
  }

  private static String counts(DaxMachine machine, long pfn) {
    return "%d, %d".formatted(machine.frames().references(pfn), machine.frames().mappings(pfn));
  }

  private static void waits(Findings findings, RegionFrames kind) throws IOException {
    try (DaxMachine machine = DaxMachine.boot(kind)) {
      MemoryFile file = DaxMachine.file(machine.blocks(true), "data", 1);
      AddressSpace space = machine.user(file);
      Thread truncation = new Thread(() -> truncate(file), "truncation");
      boolean waited;
      try (PinnedPages pin = pinForStores(space)) {
        truncation.start();
        waited = !truncation.join(Duration.ofMillis(WATCHED_MILLIS));
        pin.write(0, 0, MemorySegment.ofArray(new long[] {STALE}));
      }
      boolean ended = truncation.join(Duration.ofSeconds(20));
      findings.expect(
          "truncation waits for the pin, and ends after it, " + DaxMachine.column(kind),
          "true, true",
          waited + ", " + ended);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException("interrupted while a truncation was watched", e);
    }
  }

  private static PinnedPages pinForStores(AddressSpace space) throws IOException {
    long va = DaxMachine.address(space);
    Trial.touch(space, space.vmas().getFirst().range(), Access.WRITE);
    return space.getUserPages().pin(va, 1, true, false);
  }

  private static void truncate(MemoryFile file) {
    try {
      file.truncate(0);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Before 2018: the block is free at once. */
  private static void careless(Findings findings) throws IOException {
    try (DaxMachine machine = DaxMachine.boot(RegionFrames.DEVMAP)) {
      MemoryBlocks blocks = machine.blocks(false);
      MemoryFile file = DaxMachine.file(blocks, "data", 1);
      AddressSpace space = machine.user(file);
      MemoryFile next;
      try (PinnedPages pin = pinForStores(space)) {
        file.truncate(0);
        next = DaxMachine.file(blocks, "next", OTHERS);
        pin.write(0, 0, MemorySegment.ofArray(new long[] {STALE}));
      }
      long found = DaxMachine.number(next);
      findings.broken(
          "a truncation that does not wait, as before 2018",
          found == OTHERS
              ? ""
              : "the next file was written %d and holds %d: the pinned page was its block"
                  .formatted(OTHERS, found));
    }
  }
}
